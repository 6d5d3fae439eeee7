from django.apps import AppConfig


class CatalogConfig(AppConfig):
    name = "apps.catalog"
    label = "catalog"
    verbose_name = "Catalog"

    def ready(self) -> None:
        from apps.catalog import searching  # noqa: F401 - registers its check
        from apps.catalog.caching import signals

        signals.connect()
