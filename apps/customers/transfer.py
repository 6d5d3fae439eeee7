"""Customers by CSV and XLSX."""

from apps.common.transfer.resources import Row, ServiceResource
from apps.customers import facade
from apps.customers.contracts import Address, RegisterCustomer
from apps.customers.enums import DATABASE
from apps.customers.models import User

PLACE = ("line1", "line2", "city", "region", "postal_code", "country")


class CustomerResource(ServiceResource):
    """New customers, who cannot log in yet; known e-mail addresses are kept as they are."""

    title, permission = "Customers", "customers.add_user"
    columns = {"email": True, "name": True} | dict.fromkeys(PLACE, False)

    class Meta:
        model = User
        fields = ("public_id", "email", "name", "is_active", "date_joined")
        export_order = fields

    def take(self, row: Row, number: int) -> bool:
        address = None
        if any(row[name] for name in PLACE):
            address = Address(name=row["name"], **{name: row[name] for name in PLACE})
        email = User.objects.normalize_email(row["email"])
        known = User.objects.using(DATABASE).filter(email=email).exists()
        facade.register_customers([RegisterCustomer(row["email"], row["name"], address)])
        return not known
