"""The WSGI application that granian serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from apps.common.rest.body import with_chunked_bodies
from project.lane import with_fast_lane

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

application = with_chunked_bodies(get_wsgi_application())
application = with_fast_lane(application)

# What was loaded stays: looking through all of it again and again took a twelfth of its time.
gc.collect()
gc.freeze()
gc.set_threshold(10_000, 20, 20)
