"""Row locks, taken in primary-key order."""

from apps.common.databases import require_atomic
from apps.customers.enums import DATABASE
from apps.customers.errors import AddressNotFound, CustomerNotFound
from apps.customers.models import Address, User


def lock_user(user_id: int, *, deleted: bool = False) -> User:
    """The living (or deleted) user, locked until the transaction ends."""
    require_atomic(DATABASE)
    manager = User.deleted_objects if deleted else User.objects
    user = manager.using(DATABASE).select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise CustomerNotFound()
    return user


def lock_address(address_id: int, *, deleted: bool = False) -> Address:
    """The living (or deleted) address, locked after its customer: that lock orders all writers."""
    require_atomic(DATABASE)
    manager = Address.deleted_objects if deleted else Address.objects
    owner = manager.using(DATABASE).filter(pk=address_id).values_list("user_id", flat=True).first()
    if owner is None:
        raise AddressNotFound()
    lock_user(owner)
    address = manager.using(DATABASE).select_for_update(no_key=True).filter(pk=address_id).first()
    if address is None:
        raise AddressNotFound()
    return address
