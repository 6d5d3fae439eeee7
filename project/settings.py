"""Django's settings. Values that differ between places come from ``project.env``."""

from decimal import Decimal

from project import databases, env

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
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
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
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.usersessions",
    "apps.messaging",
    "apps.sagas",
    "apps.customers",
    "apps.catalog",
    "apps.payments",
    "apps.shipping",
    "apps.orders",
    "project.apps.ProjectConfig",
]

MIDDLEWARE = [
    "apps.common.rest.middleware.RequestId",
    "apps.common.rest.middleware.ApiGuard",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
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

# --- Redis and Celery --------------------------------------------------------------------------
CACHE_URL = env.redis_url("CACHE_URL", env.PLACES.redis_cache)
QUEUE_REDIS_URL = env.redis_url("QUEUE_REDIS_URL", env.PLACES.redis_durable)
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": CACHE_URL,
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": 0.1,
            "SOCKET_TIMEOUT": 0.1,
            "IGNORE_EXCEPTIONS": True,
        },
    }
}

# --- people ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "customers.User"
AUTHENTICATION_BACKENDS = ["apps.customers.backends.LoginBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# auth.W004: the e-mail address is unique among the living only, and the backend looks there.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
LOGIN_URL = "admin:login"
# API clients log in for a session token; browsers have sessions in the admin only.
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("app",)
HEADLESS_ADAPTER = "apps.customers.adapters.HeadlessAdapter"
ACCOUNT_ADAPTER = "apps.customers.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"

# --- language, time, files ---------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
CURRENCIES = ("GBP", "EUR", "USD")
DEFAULT_CURRENCY = env.env.str("SHOP_CURRENCY", "GBP")
# Added to each order placed through the API, in the currency of its lines.
SHIPPING_CHARGE = env.env("SHOP_SHIPPING_CHARGE", cast=Decimal, default=Decimal("0.00"))

# --- sagas -------------------------------------------------------------------------------------
# A lease outlives the longest start-to-close of a step; a run whose holder died is taken over then.
SAGA_LEASE_SECONDS = env.env.float("SAGA_LEASE_SECONDS", 30.0)
SAGA_BATCH_RUNS = env.env.int("SAGA_BATCH_RUNS", 200)
SAGA_BATCH_WEIGHT = env.env.int("SAGA_BATCH_WEIGHT", 8_000)
# For crash tests only: FAILPOINT=name:nth:kill|raise|sleep.
FAILPOINTS_ENABLED = env.env.bool("FAILPOINTS_ENABLED", False)
FAILPOINT = env.env.str("FAILPOINT", "")

# --- payments ----------------------------------------------------------------------------------
GATEWAY_URL = env.GATEWAY_URL
GATEWAY_CONNECT_TIMEOUT = env.env.float("GATEWAY_CONNECT_TIMEOUT", 1.0)
GATEWAY_READ_TIMEOUT = env.env.float("GATEWAY_READ_TIMEOUT", 3.0)
GATEWAY_CONCURRENCY = env.env.int("GATEWAY_CONCURRENCY", 16)
# A batch begins no further call after this; with a read time-out or two it stays within a lease.
GATEWAY_PERFORM_SECONDS = env.env.float("GATEWAY_PERFORM_SECONDS", 10.0)
# The breaker opens after so many failed calls in a row, and lets one probe pass so much later.
GATEWAY_BREAKER_FAILURES = env.env.int("GATEWAY_BREAKER_FAILURES", 20)
GATEWAY_BREAKER_SECONDS = env.env.float("GATEWAY_BREAKER_SECONDS", 5.0)

# --- API ---------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    # Closed until a view opens itself.
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.common.rest.authentication.TokenAuthentication",
        "apps.common.rest.authentication.BrowserAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": [
        "apps.common.rest.throttling.AnonymousThrottle",
        "apps.common.rest.throttling.UserThrottle",
    ],
    "DEFAULT_PARSER_CLASSES": ["apps.common.rest.parsers.StrictJsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["apps.common.rest.renderers.JsonRenderer"],
    "DEFAULT_PAGINATION_CLASS": "apps.common.rest.pagination.CursorPagination",
    "DEFAULT_FILTER_BACKENDS": ["apps.common.rest.filters.StrictFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "apps.common.rest.schema.ProblemSchema",
    "DEFAULT_METADATA_CLASS": "apps.common.rest.metadata.Methods",
    "EXCEPTION_HANDLER": "apps.common.rest.handler.exception_handler",
    "LIST_SERIALIZER_ERRORS_AS_DICT": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "URL_FORMAT_OVERRIDE": None,
    # Proxies in front whose X-Forwarded-For is believed; 0 = the peer's own address counts.
    "NUM_PROXIES": env.env.int("TRUSTED_PROXIES", 0),
}
CSRF_FAILURE_VIEW = "apps.common.rest.handler.csrf_failure"
API_MAX_BODY_BYTES = env.env.int("API_MAX_BODY_BYTES", 1024 * 1024)
DATA_UPLOAD_MAX_MEMORY_SIZE = API_MAX_BODY_BYTES
API_MAX_WAIT_SECONDS = env.env.int("API_MAX_WAIT_SECONDS", 10)
API_REQUESTS_PER_MINUTE = {  # 0 = no limit
    "anonymous": env.env.int("API_ANONYMOUS_REQUESTS_PER_MINUTE", 1_200),
    "user": env.env.int("API_USER_REQUESTS_PER_MINUTE", 6_000),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Holdfast",
    "DESCRIPTION": "A shop that keeps its promises across databases.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.common.rest.schema.add_components",
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "TAGS": [
        {"name": "products", "description": "What can be bought."},
        {"name": "orders", "description": "Placing, following and cancelling orders."},
        {"name": "sagas", "description": "How far the work behind an order is."},
        {"name": "me", "description": "The customer who is logged in."},
    ],
}

# --- logging -----------------------------------------------------------------------------------
LOGGING_CONFIG = "apps.common.logging.configure"
LOGGING = {"json": PRODUCTION, "level": env.env.str("LOG_LEVEL", "INFO")}
