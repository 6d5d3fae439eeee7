"""What browsers are told about the shop's pages and its API: policies, origins, headers."""

from csp.constants import NONCE, NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

# Nothing comes from another host, nothing inline runs without the nonce of its request.
PAGES = {
    "default-src": [SELF],
    "script-src": [SELF, NONCE],
    "style-src": [SELF, NONCE],
    "img-src": [SELF, "data:"],
    "object-src": [NONE],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}
INLINE_STYLES = {"style-src": [SELF, UNSAFE_INLINE]}
# By the beginning of the path, the first that fits; docs/decisions/0007 says why each is needed.
POLICIES = (
    ("/admin/", PAGES | INLINE_STYLES | {"script-src": [SELF, NONCE, UNSAFE_EVAL]}),
    ("/api/docs", PAGES | INLINE_STYLES),
    ("/api/redoc", PAGES | INLINE_STYLES | {"worker-src": ["blob:"]}),
    ("/", PAGES),
)
# Features of browsers that no page of the shop uses.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope"),
        *("magnetometer", "microphone", "midi", "payment", "usb", "browsing-topics"),
    )
)

# --- other origins: apps in a browser, named by CORS_ALLOWED_ORIGINS -----------------------------
CORS_URLS = r"^/(api|_allauth)/"
CORS_REQUEST_HEADERS = (
    *("accept", "content-type", "x-request-id", "x-session-token", "x-visitor-id"),
    *("idempotency-key", "if-match", "if-none-match", "prefer"),
    *("x-email-verification-key", "x-password-reset-key"),
)
CORS_RESPONSE_HEADERS = ("X-Request-ID", "ETag", "Location", "Retry-After")
CORS_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
