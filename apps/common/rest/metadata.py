"""The answer to ``OPTIONS``."""

from rest_framework.metadata import BaseMetadata


class Methods(BaseMetadata):
    """What ``OPTIONS`` answers: the methods; all else is in the schema."""

    def determine_metadata(self, request, view) -> dict:
        return {"methods": view.allowed_methods}
