"""The WSGI application that granian serves."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from apps.common.rest.body import with_chunked_bodies

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = with_chunked_bodies(get_wsgi_application(), settings.API_MAX_BODY_BYTES)
