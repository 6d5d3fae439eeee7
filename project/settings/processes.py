"""What runs beside the web server: Redis, events, Celery, scheduled jobs, mails, failpoints."""

from project import env

# --- Redis and Celery --------------------------------------------------------------------------
CACHE_URL = env.redis_url("CACHE_URL", env.PLACES.redis_cache)
QUEUE_REDIS_URL = env.redis_url("QUEUE_REDIS_URL", env.PLACES.redis_durable)
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": CACHE_URL.split(",")[0],  # the caches of the apps use all of them
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_CONNECT_TIMEOUT": 0.1,
            "SOCKET_TIMEOUT": 0.1,
            "IGNORE_EXCEPTIONS": True,
        },
    }
}

# --- caches of the apps (apps/caching) ------------------------------------------------------------
CACHE_PREFIX = env.env.str("CACHE_PREFIX", "holdfast")  # of keys and channels
# A cache that takes longer to answer is away for the moment.
CACHE_TIMEOUT_SECONDS = env.env.float("CACHE_TIMEOUT_SECONDS", 0.1)
# Edits that wait in the durable Redis (write-behind): it answers so soon, or they are written to
# the database.
WRITE_BEHIND_TIMEOUT_SECONDS = env.env.float("WRITE_BEHIND_TIMEOUT_SECONDS", 0.5)
# Above the longest load: what takes longer is not kept, and others wait no longer for who died.
CACHE_LEASE_MS = env.env.int("CACHE_LEASE_MS", 3_000)
# Above the longest transaction: a writer that died keeps readers from filling for so long.
CACHE_WRITER_MS = env.env.int("CACHE_WRITER_MS", 120_000)
# What an app declares in its caches.py, in other words for this shop:
# {"catalog.product": {"ttl": 60}}.
CACHE_POLICIES = env.env.json("CACHE_POLICIES", default={})

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

# --- failpoints --------------------------------------------------------------------------------
# For crash tests only: FAILPOINT=name:nth:kill|raise|sleep, or a file that says so later on.
FAILPOINTS_ENABLED = env.env.bool("FAILPOINTS_ENABLED", False)
FAILPOINT = env.env.str("FAILPOINT", "")
FAILPOINT_FILE = env.env.str("FAILPOINT_FILE", "")
FAILPOINT_SLEEP_SECONDS = env.env.float("FAILPOINT_SLEEP_SECONDS", 60.0)
