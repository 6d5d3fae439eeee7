"""Django's settings: the apps, what surrounds each request, and the databases; the rest stands in
the modules beside this one. Values that differ between places come from ``project.env``."""

from project import databases, env
from project.settings.back_office import *  # noqa: F403
from project.settings.people import *  # noqa: F403
from project.settings.processes import *  # noqa: F403
from project.settings.shop import *  # noqa: F403
from project.settings.web import *  # noqa: F403

BASE_DIR = env.BASE_DIR
PRODUCTION = env.PRODUCTION
DEBUG = False
SECRET_KEY = env.secret_key()
LOCAL_HOSTS = [] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.env.list("ALLOWED_HOSTS", default=LOCAL_HOSTS)
CSRF_TRUSTED_ORIGINS = env.env.list("CSRF_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "project.urls"
WSGI_APPLICATION = "project.wsgi.application"

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "project.apps.BackOfficeConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "djmoney",
    "safedelete",
    "django_celery_beat",
    "import_export",
    "corsheaders",
    "csp",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "allauth.usersessions",
    "apps.messaging",
    "apps.caching",
    "apps.eventlog",
    "apps.scheduling",
    "apps.sagas",
    "apps.customers",
    "apps.catalog",
    "apps.payments",
    "apps.shipping",
    "apps.orders",
    "apps.reporting",
    "apps.notifications",
    "project.apps.ProjectConfig",
]

MIDDLEWARE = [
    "project.health.Health",
    "project.metrics.page.Metrics",
    "project.metrics.requests.Requests",
    "apps.common.rest.middleware.RequestId",
    "corsheaders.middleware.CorsMiddleware",
    "project.pages.Pages",
    "apps.common.rest.middleware.ApiGuard",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.customers.middleware.StaffAtWork",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- databases ---------------------------------------------------------------------------------
DATABASES = {
    databases.CUSTOMERS: env.database("customers"),
    databases.CATALOG: env.database("catalog"),
    databases.ORDERS: env.database("orders"),
    databases.REPORTING: env.database("reporting"),
}
DATABASE_ROUTERS = ["project.databases.AppRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- language, time, files ---------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# A production start collects them (`manage.py collectstatic`); elsewhere they come from the apps.
STATIC_ROOT = BASE_DIR / "staticfiles" if PRODUCTION else None
WHITENOISE_USE_FINDERS = not PRODUCTION
