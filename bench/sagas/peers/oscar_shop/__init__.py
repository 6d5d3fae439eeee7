"""django-oscar with django-oscar-api: a shop that takes orders over HTTP, by its own defaults."""
