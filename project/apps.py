from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Last of the installed apps: wires the rooms together once all of them are loaded."""

    name = "project"

    def ready(self) -> None:
        from project import databases, wiring  # noqa: F401  (databases registers its check)

        wiring.wire()
