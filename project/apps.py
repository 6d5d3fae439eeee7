from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class BackOfficeConfig(AdminConfig):
    """Django's admin with our own site."""

    default_site = "project.back_office.BackOffice"


class ProjectConfig(AppConfig):
    """Last of the installed apps: wires the rooms together once all of them are loaded."""

    name = "project"

    def ready(self) -> None:
        # The first two register checks.
        from project import checks, databases, groundwork, wiring  # noqa: F401

        wiring.wire()
        groundwork.connect()
