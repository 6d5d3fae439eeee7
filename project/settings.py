"""Django's settings. Values that differ between places come from ``project.env``."""

from decimal import Decimal

from project import databases, env, openapi, security

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

# --- events: who carries them ------------------------------------------------------------------
# redis:// (Streams; by default on the durable Redis) or amqp:// (RabbitMQ).
EVENTS_URL = env.env.str("EVENTS_URL", "") or QUEUE_REDIS_URL
EVENTS_PREFIX = env.env.str("EVENTS_PREFIX", "holdfast")  # of streams, queues and exchanges
EVENT_MAX_BYTES = env.env.int("EVENT_MAX_BYTES", 1024 * 1024)
# Redis: what a consumer holds so long without acknowledging it goes to another. Above the longest
# that a batch is worked on.
EVENTS_CLAIM_AFTER_SECONDS = env.env.float("EVENTS_CLAIM_AFTER_SECONDS", 60.0)
# What could not be handled now comes again so much later.
EVENTS_AGAIN_AFTER_SECONDS = env.env.float("EVENTS_AGAIN_AFTER_SECONDS", 1.0)

# --- Celery ------------------------------------------------------------------------------------
# A message is a hint: whatever must happen is a committed row that pollers find again. So a
# publisher gives up at once, and a worker that dies costs nothing but its lease.
CELERY_BROKER_URL = env.broker_url()
CELERY_BROKER_CONNECTION_RETRY = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # a worker waits for its broker for ever
CELERY_BROKER_CONNECTION_TIMEOUT = 2.0
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1.0,
    "socket_timeout": 5.0,
    # Seconds after which an unacknowledged message is given to another worker: above the longest
    # task.
    "visibility_timeout": 900,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "holdfast"
CELERY_TASK_SOFT_TIME_LIMIT = 600
CELERY_TASK_TIME_LIMIT = 660
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "project.heartbeat:Scheduler"

# --- scheduled jobs ----------------------------------------------------------------------------
# Each app declares its own (jobs.py); project/wiring.py registers them, staff change their times.
# What was deleted longer ago is removed for good where nothing refers to it any more.
RETENTION_DAYS = env.env.int("RETENTION_DAYS", 90)
JOB_RUN_DAYS = env.env.int("JOB_RUN_DAYS", 30)
IDEMPOTENCY_HOURS = 24  # as the API promises
# Events that are published and stand in the log leave their outbox; what a consumer group has
# applied is remembered for as long as a message of it might come again.
OUTBOX_KEEP_HOURS = env.env.float("OUTBOX_KEEP_HOURS", 24.0)
INBOX_KEEP_DAYS = env.env.float("INBOX_KEEP_DAYS", 14.0)
# An event that is no further after so long is found by the audit.
EVENTS_LATE_AFTER_SECONDS = env.env.float("EVENTS_LATE_AFTER_SECONDS", 900.0)

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
LOGIN_REDIRECT_URL = "admin:index"
# API clients log in for a session token; browsers have sessions in the admin only.
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("app",)
HEADLESS_ADAPTER = "apps.customers.adapters.HeadlessAdapter"
ACCOUNT_ADAPTER = "apps.customers.adapters.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "apps.customers.signup.SignupDetails"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
SIGNUP_OPEN = env.env.bool("SIGNUP_OPEN", True)
# mandatory, optional or none. Codes rather than links: an app has no page a link could lead to.
ACCOUNT_EMAIL_VERIFICATION = env.env.str("EMAIL_VERIFICATION", "mandatory")
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 900
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Holdfast] "
# Whoever finds a phone unlocked must not take the account over.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
MFA_ADAPTER = "apps.customers.adapters.SecondFactorAdapter"
MFA_TOTP_ISSUER = "Holdfast"
MFA_TOTP_TOLERANCE = 1  # clocks of phones differ by half a minute
# Members of staff set up a second factor before the back office opens.
STAFF_MFA_REQUIRED = env.env.bool("STAFF_MFA_REQUIRED", PRODUCTION)
# The limits on logins count per address: proxies in front whose X-Forwarded-For is believed.
ALLAUTH_TRUSTED_PROXY_COUNT = env.env.int("TRUSTED_PROXIES", 0)

# --- e-mail ------------------------------------------------------------------------------------
globals().update(env.email())
EMAIL_TIMEOUT = 10
# Mails about events: threads of `send_mails`, mails each claims at once, and how long nobody else
# takes them; longer than a mail may take (apps/notifications/transport.py).
EMAIL_SENDERS = env.env.int("EMAIL_SENDERS", 4)
EMAIL_BATCH = env.env.int("EMAIL_BATCH", 10)
# Days that mails are kept in the log.
EMAIL_LOG_DAYS = env.env.int("EMAIL_LOG_DAYS", 180)
EMAIL_LEASE_SECONDS = env.env.float("EMAIL_LEASE_SECONDS", 60.0)
DEFAULT_FROM_EMAIL = env.env.str("EMAIL_FROM", "Holdfast <shop@localhost>")

# --- dashboard ---------------------------------------------------------------------------------
# Fewer available pieces than this is low stock; a live saga older than so many seconds is slow.
LOW_STOCK_BELOW = env.env.int("LOW_STOCK_BELOW", 5)
SLOW_SAGA_SECONDS = env.env.float("SLOW_SAGA_SECONDS", 60.0)

# --- admin -------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "Holdfast",
    "SITE_HEADER": "Holdfast",
    "SITE_SUBHEADER": "Back office",
    "SITE_SYMBOL": "anchor",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "project.navigation.favicon"}
    ],
    "STYLES": ["project.navigation.desk_styles"],
    "SITE_DROPDOWN": "project.navigation.shop_links",
    "SHOW_VIEW_ON_SITE": False,
    "LOGIN": {"form": "apps.customers.forms.StaffLoginForm"},
    "ACCOUNT": {"navigation": "project.navigation.account_links"},
    "SIDEBAR": {"show_search": True, "navigation": "project.navigation.sidebar"},
    "COLORS": {
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(60% .118 184.704)",
            "600": "oklch(51.1% .096 186.391)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(33% .046 192.524)",
            "950": "oklch(27.7% .046 192.524)",
        }
    },
}

# --- language, time, files ---------------------------------------------------------------------
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# A production start collects them (`manage.py collectstatic`); elsewhere they come from the apps.
STATIC_ROOT = BASE_DIR / "staticfiles" if PRODUCTION else None
WHITENOISE_USE_FINDERS = not PRODUCTION
CURRENCIES = ("GBP", "EUR", "USD")
DEFAULT_CURRENCY = env.env.str("SHOP_CURRENCY", "GBP")
# Added to each order placed through the API, in the currency of its lines.
# Orders of more than this, in the currency of their lines, wait for staff to approve them before
# their money is taken; empty: none does.
REVIEW_ABOVE = env.amount("SHOP_REVIEW_ABOVE")
SHIPPING_CHARGE = env.amount("SHOP_SHIPPING_CHARGE") or Decimal("0.00")
# Where we ship to (ISO 3166-1 alpha-2); empty: everywhere. Other orders are cancelled.
SHIPPING_COUNTRIES = frozenset(env.env.list("SHOP_SHIPPING_COUNTRIES", default=[]))

# --- sagas -------------------------------------------------------------------------------------
# A lease outlives the longest start-to-close of a step; a run whose holder died is taken over then.
SAGA_LEASE_SECONDS = env.env.float("SAGA_LEASE_SECONDS", 30.0)
SAGA_BATCH_RUNS = env.env.int("SAGA_BATCH_RUNS", 1_000)
SAGA_BATCH_WEIGHT = env.env.int("SAGA_BATCH_WEIGHT", 8_000)

# --- relay -------------------------------------------------------------------------------------
EVENT_RELAY_BATCH = env.env.int("EVENT_RELAY_BATCH", 500)
# When a relay died, another one takes its outboxes over after so long. Above the time that the
# broker may take to answer.
EVENT_RELAY_LEASE_SECONDS = env.env.float("EVENT_RELAY_LEASE_SECONDS", 10.0)
# An event that the broker refuses is a dead letter after so many attempts.
EVENT_PUBLISH_ATTEMPTS = env.env.int("EVENT_PUBLISH_ATTEMPTS", 10)
# Niceness of relay and consumers: orders go first, and while they take all of the machine the
# events wait.
EVENT_RELAY_NICE = env.env.int("EVENT_RELAY_NICE", 10)
EVENT_CONSUMER_NICE = env.env.int("EVENT_CONSUMER_NICE", 10)

# --- failpoints --------------------------------------------------------------------------------
# For crash tests only: FAILPOINT=name:nth:kill|raise|sleep, or a file that says so later on.
FAILPOINTS_ENABLED = env.env.bool("FAILPOINTS_ENABLED", False)
FAILPOINT = env.env.str("FAILPOINT", "")
FAILPOINT_FILE = env.env.str("FAILPOINT_FILE", "")
FAILPOINT_SLEEP_SECONDS = env.env.float("FAILPOINT_SLEEP_SECONDS", 60.0)

# Who carries out a checkout that begins now: the engine, or its participants by events. One that
# has begun ends as it began.
CHECKOUT_COORDINATION = env.choice("CHECKOUT_COORDINATION", "orchestrated", "choreographed")

# --- payments ----------------------------------------------------------------------------------
GATEWAY_URL = env.GATEWAY_URL
GATEWAY_CONNECT_TIMEOUT = env.env.float("GATEWAY_CONNECT_TIMEOUT", 1.0)
GATEWAY_READ_TIMEOUT = env.env.float("GATEWAY_READ_TIMEOUT", 3.0)
GATEWAY_CONCURRENCY = env.env.int("GATEWAY_CONCURRENCY", 16)
# A batch begins no further call after this; with a read time-out or two it stays within a lease.
GATEWAY_PERFORM_SECONDS = env.env.float("GATEWAY_PERFORM_SECONDS", 10.0)
# How long the gateway knows an idempotency key again; an older request is not simply repeated.
GATEWAY_KEY_SECONDS = env.env.float("GATEWAY_KEY_SECONDS", 86_400.0)
# The breaker opens after so many failed calls in a row, and lets one probe pass so much later.
GATEWAY_BREAKER_FAILURES = env.env.int("GATEWAY_BREAKER_FAILURES", 20)
GATEWAY_BREAKER_SECONDS = env.env.float("GATEWAY_BREAKER_SECONDS", 5.0)
# The reconciler leaves a payment alone until nothing happened to it for so long: longer than the
# gateway may still be working on a request that it did not answer.
RECONCILE_AFTER_SECONDS = env.env.float("RECONCILE_AFTER_SECONDS", 900.0)
# What one run of it may take; the next one goes on.
RECONCILE_SECONDS = env.env.float("RECONCILE_SECONDS", 60.0)

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
DATA_UPLOAD_MAX_NUMBER_FILES = 10
# Forms and files of the back office.
PAGE_MAX_BODY_BYTES = env.env.int("PAGE_MAX_BODY_BYTES", 10 * 1024 * 1024)
API_MAX_WAIT_SECONDS = env.env.int("API_MAX_WAIT_SECONDS", 10)
API_REQUESTS_PER_MINUTE = {  # 0 = no limit
    "anonymous": env.env.int("API_ANONYMOUS_REQUESTS_PER_MINUTE", 1_200),
    "user": env.env.int("API_USER_REQUESTS_PER_MINUTE", 6_000),
}
# How long a query with `min_version` waits for the read model, unless `Prefer: wait` says.
READ_MODEL_WAIT_SECONDS = env.env.float("READ_MODEL_WAIT_SECONDS", 0.5)
SPECTACULAR_SETTINGS = openapi.SETTINGS

# --- metrics -----------------------------------------------------------------------------------
# Who may read /metrics: whoever brings it as a bearer token; without one, this machine alone.
METRICS_TOKEN = env.env.str("METRICS_TOKEN", "")
# Where the counters of several web processes add up; empty at the start.
METRICS_DIRECTORY = env.env.str("PROMETHEUS_MULTIPROC_DIR", "")

# --- logging -----------------------------------------------------------------------------------
LOGGING_CONFIG = "apps.common.logging.configure"
LOGGING = {"json": PRODUCTION, "level": env.env.str("LOG_LEVEL", "INFO")}

# --- security ----------------------------------------------------------------------------------
# In production everything is HTTPS, here or at the proxy in front.
SECURE_SSL_REDIRECT = PRODUCTION and env.env.bool("SECURE_SSL_REDIRECT", True)
SECURE_HSTS_SECONDS = env.env.int("SECURE_HSTS_SECONDS", 31_536_000) if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = PRODUCTION and env.env.bool("SECURE_HSTS_SUBDOMAINS", True)
SECURE_HSTS_PRELOAD = PRODUCTION and env.env.bool("SECURE_HSTS_PRELOAD", True)
# Only behind a proxy that sets X-Forwarded-Proto itself: anybody else could claim HTTPS.
if env.env.bool("BEHIND_HTTPS_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = PRODUCTION
CSRF_COOKIE_SECURE = PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# Policies of pages are chosen by path in project.pages; this one is for what has no other.
CONTENT_SECURITY_POLICY = {"DIRECTIVES": security.PAGES}
# Apps in browsers that come from another origin; none until named. They send a session token, so
# cookies are never allowed along.
CORS_ALLOWED_ORIGINS = env.env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOW_CREDENTIALS = False
CORS_URLS_REGEX = security.CORS_URLS
CORS_ALLOW_HEADERS = security.CORS_REQUEST_HEADERS
CORS_ALLOW_METHODS = security.CORS_METHODS
CORS_EXPOSE_HEADERS = security.CORS_RESPONSE_HEADERS
CORS_PREFLIGHT_MAX_AGE = 3_600
