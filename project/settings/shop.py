"""What the shop sells for, where to, and how its checkouts are carried out."""

from decimal import Decimal

from project import env

CURRENCIES = ("GBP", "EUR", "USD")
DEFAULT_CURRENCY = env.env.str("SHOP_CURRENCY", "GBP")
# Orders of more than this, in the currency of their lines, wait for staff to approve them before
# their money is taken; empty: none does.
REVIEW_ABOVE = env.amount("SHOP_REVIEW_ABOVE")
# Added to each order placed through the API, in the currency of its lines.
SHIPPING_CHARGE = env.amount("SHOP_SHIPPING_CHARGE") or Decimal("0.00")
# Where we ship to (ISO 3166-1 alpha-2); empty: everywhere. Other orders are cancelled.
SHIPPING_COUNTRIES = frozenset(env.env.list("SHOP_SHIPPING_COUNTRIES", default=[]))

# --- carts -------------------------------------------------------------------------------------
# A cart that nobody changes for so long is forgotten: a customer's, a visitor's.
CART_SECONDS = env.env.int("CART_SECONDS", 14 * 86_400)
CART_VISITOR_SECONDS = env.env.int("CART_VISITOR_SECONDS", 2 * 86_400)
# What a customer's cart holds is nobody else's for so long after its last change; 0: carts hold
# nothing.
CART_HOLD_SECONDS = env.env.int("CART_HOLD_SECONDS", 600)

# --- sagas -------------------------------------------------------------------------------------
# A lease outlives the longest start-to-close of a step; a run whose holder died is taken over then.
SAGA_LEASE_SECONDS = env.env.float("SAGA_LEASE_SECONDS", 30.0)
SAGA_BATCH_RUNS = env.env.int("SAGA_BATCH_RUNS", 1_000)
SAGA_BATCH_WEIGHT = env.env.int("SAGA_BATCH_WEIGHT", 8_000)
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

# --- engagement: what is viewed, searched for, sold (decision 0033) --------------------------
# Views and searches that a process holds back at most, until they are written twice a second.
ENGAGEMENT_BUFFER = env.env.int("ENGAGEMENT_BUFFER", 10_000)
# After so long a view counts half in what is trending, and a search in the popular terms.
ENGAGEMENT_HALF_LIFE_HOURS = env.env.float("ENGAGEMENT_HALF_LIFE_HOURS", 12.0)
ENGAGEMENT_TERM_HALF_LIFE_DAYS = env.env.float("ENGAGEMENT_TERM_HALF_LIFE_DAYS", 14.0)
# What bounds each structure: products in a ranking, in one of a day, with visitors counted a day.
ENGAGEMENT_PRODUCTS = env.env.int("ENGAGEMENT_PRODUCTS", 100_000)
ENGAGEMENT_PRODUCTS_A_DAY = env.env.int("ENGAGEMENT_PRODUCTS_A_DAY", 5_000)
ENGAGEMENT_VISITED_PRODUCTS = env.env.int("ENGAGEMENT_VISITED_PRODUCTS", 5_000)
ENGAGEMENT_VISITOR_DAYS = 31
# Products a visitor has seen, and so many lists of them for customers and for visitors each.
ENGAGEMENT_RECENT = env.env.int("ENGAGEMENT_RECENT", 30)
ENGAGEMENT_RECENT_LISTS = env.env.int("ENGAGEMENT_RECENT_LISTS", 50_000)
ENGAGEMENT_RECENT_DAYS = env.env.float("ENGAGEMENT_RECENT_DAYS", 30.0)
# Bought together: the most frequent of so many products. A larger basket says nothing of taste.
ENGAGEMENT_TOGETHER = env.env.int("ENGAGEMENT_TOGETHER", 100)
ENGAGEMENT_TOGETHER_PRODUCTS = env.env.int("ENGAGEMENT_TOGETHER_PRODUCTS", 20_000)
ENGAGEMENT_BASKET = env.env.int("ENGAGEMENT_BASKET", 15)
# A term is told to others once so many searches of it are left.
ENGAGEMENT_TERMS = env.env.int("ENGAGEMENT_TERMS", 5_000)
ENGAGEMENT_TERM_LEAST = env.env.float("ENGAGEMENT_TERM_LEAST", 2.5)
