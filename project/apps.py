from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class BackOfficeConfig(AdminConfig):
    """Django's admin with our own site."""

    default_site = "project.back_office.BackOffice"


class ProjectConfig(AppConfig):
    """Last of the installed apps: wires the rooms together once all of them are loaded."""

    name = "project"

    def ready(self) -> None:
        from project import checks, databases, wiring  # noqa: F401  (the first two register checks)

        wiring.wire()
