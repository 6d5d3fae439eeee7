"""The words of the read model. The states of orders are spelled as orders' events spell them."""

from django.db.models import TextChoices

DATABASE = "reporting"
GROUP = "reporting"  # the consumer group that feeds the read model
PROJECTION = "order_views"  # what `rebuild_projection` calls all of its tables together

SOLD = ("confirmed", "shipped", "delivered")  # an order counts as a sale while it is one of these
REST = ""  # the key of what belongs to no product or category: shipping, money back without goods
NOWHERE = "-"  # the key of what stands in no category


class OrderStatus(TextChoices):
    PENDING = "pending"
    CONFIRMED = "confirmed"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class Dimension(TextChoices):
    PRODUCT = "product"
    CATEGORY = "category"
    COUNTRY = "country"
