"""Who may come in, and how they are written to."""

from project import env
from project.env import PRODUCTION

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
