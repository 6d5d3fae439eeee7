"""What the web server answers, to whom, and what it tells of itself."""

from project import env, openapi, security
from project.env import PRODUCTION

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
# Up to 10,000 lines of changes at once.
FEED_MAX_BODY_BYTES = env.env.int("FEED_MAX_BODY_BYTES", 8 * 1024 * 1024)
API_BODY_LIMITS = {"/api/v1/catalog/feed": FEED_MAX_BODY_BYTES}  # where it is another
DATA_UPLOAD_MAX_MEMORY_SIZE = API_MAX_BODY_BYTES
DATA_UPLOAD_MAX_NUMBER_FILES = 10
# Forms and files of the back office.
PAGE_MAX_BODY_BYTES = env.env.int("PAGE_MAX_BODY_BYTES", 10 * 1024 * 1024)
API_MAX_WAIT_SECONDS = env.env.int("API_MAX_WAIT_SECONDS", 10)
API_REQUESTS_PER_MINUTE = {  # 0 = no limit
    "anonymous": env.env.int("API_ANONYMOUS_REQUESTS_PER_MINUTE", 1_200),
    "user": env.env.int("API_USER_REQUESTS_PER_MINUTE", 6_000),
    # Carts of visitors stay for days in a Redis that evicts nothing.
    "new_cart": env.env.int("API_NEW_CARTS_PER_MINUTE", 60),
}
# How long a query with `min_version` waits for the read model, unless `Prefer: wait` says.
READ_MODEL_WAIT_SECONDS = env.env.float("READ_MODEL_WAIT_SECONDS", 0.5)
SPECTACULAR_SETTINGS = openapi.SETTINGS

# Products for anonymous callers are answered in front of Django (project/lane).
FAST_LANE = env.env.bool("FAST_LANE", True)

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
