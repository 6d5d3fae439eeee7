"""Settings of a peer, ``READS_PEER`` says of which: as ``django-admin startproject`` makes them and
DRF's own, on the shop's databases, without the browsable pages and without debugging."""

import os

PEER = os.environ["READS_PEER"]
DEBUG = False
SECRET_KEY = "bench"
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "bench.reads.peers.urls"
WSGI_APPLICATION = "bench.reads.peers.wsgi.application"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["READS_DATABASE"],
        "USER": "holdfast",
        "HOST": os.environ["READS_SOCKETS"],
        "PORT": "5432",
        "CONN_MAX_AGE": None,  # each thread keeps its connection
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "rest_framework",
    "bench.reads.peers",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
REST_FRAMEWORK = {"DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]}
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": os.environ["READS_REDIS"],
        "TIMEOUT": 600,
    }
}
if PEER == "cacheops":
    INSTALLED_APPS.append("cacheops")
    CACHEOPS_REDIS = os.environ["READS_REDIS"]
    CACHEOPS = {"peers.product": {"ops": {"get"}, "timeout": 600}}
USE_TZ = True
LOGGING = {"version": 1, "disable_existing_loggers": True}
