"""``manage.py saga_docs``: writes ``docs/sagas.md`` anew."""

from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.sagas import definition
from apps.sagas.documentation import document


class Command(BaseCommand):
    help = "Writes docs/sagas.md from the registered sagas."

    def add_arguments(self, parser):
        parser.add_argument("--file", type=Path, default=settings.BASE_DIR / "docs" / "sagas.md")
        parser.add_argument("--check", action="store_true", help="only say whether it is stale")

    def handle(self, *args, file: Path, check: bool, **options):
        text = document(definition.registered())
        if check:
            if not file.exists() or file.read_text() != text:
                raise CommandError(f"{file} is stale: run `make docs`")
            return
        file.write_text(text)
        self.stdout.write(f"{file} written.")
