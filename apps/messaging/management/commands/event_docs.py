"""``manage.py event_docs``: writes ``docs/events.md`` and ``docs/schemas/`` anew."""

import json
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.messaging.contracts import all_contracts
from apps.messaging.documentation import document, example, schema
from apps.messaging.documentation.schemas import as_text
from apps.messaging.groups import all_groups


class Command(BaseCommand):
    help = "Writes docs/events.md and docs/schemas/ from the registered events and their consumers."

    def add_arguments(self, parser):
        parser.add_argument("--directory", type=Path, default=settings.BASE_DIR / "docs")
        parser.add_argument("--check", action="store_true", help="only say whether they are stale")
        parser.add_argument(
            "--examples",
            type=Path,
            metavar="DIRECTORY",
            help="write the example of each event that has none there, and nothing else",
        )

    def handle(self, *args, directory: Path, check: bool, examples: Path | None, **options):
        if examples is not None:
            self._write_examples(examples)
            return
        texts = {directory / name: text for name, text in self._texts()}
        known = set((directory / "schemas").glob("*.json"))
        stale = [path for path in texts if not path.exists() or path.read_text() != texts[path]]
        stale += known - texts.keys()
        if check:
            if stale:
                raise CommandError(f"{min(stale)} is stale: run `make docs`")
            return
        (directory / "schemas").mkdir(parents=True, exist_ok=True)
        for path in stale:
            if path in texts:
                path.write_text(texts[path])
            else:
                path.unlink()
        self.stdout.write(f"{directory / 'events.md'} and {len(texts) - 1} schemas written.")

    def _write_examples(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        for one in all_contracts():
            path = directory / f"{one.topic}.v{one.version}.json"
            if not path.exists():
                path.write_text(as_text(json.loads(example(one))))
                self.stdout.write(f"{path} written.")

    def _texts(self):
        contracts = all_contracts()
        yield "events.md", document(contracts, all_groups())
        for one in contracts:
            yield f"schemas/{one.topic}.v{one.version}.json", as_text(schema(one))
