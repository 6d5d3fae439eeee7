"""Row locks, taken in primary-key order."""

from apps.common.databases import require_atomic
from apps.common.errors import VersionConflict
from apps.customers.enums import DATABASE
from apps.customers.errors import AddressNotFound, CustomerNotFound
from apps.customers.models import Address, User


def lock_user(user_id: int, *, deleted: bool = False, version: int | None = None) -> User:
    """The living (or deleted) user, locked until the transaction ends.

    With ``version`` raises ``VersionConflict`` if it has another one by now.
    """
    require_atomic(DATABASE)
    manager = User.deleted_objects if deleted else User.objects
    user = manager.using(DATABASE).select_for_update(no_key=True).filter(pk=user_id).first()
    if user is None:
        raise CustomerNotFound()
    _refuse_stale(user, version)
    return user


def lock_address(address_id: int, *, deleted: bool = False, version: int | None = None) -> Address:
    """The living (or deleted) address, locked after its customer: that lock orders all writers.

    With ``version`` raises ``VersionConflict`` if it has another one by now.
    """
    require_atomic(DATABASE)
    manager = Address.deleted_objects if deleted else Address.objects
    owner = manager.using(DATABASE).filter(pk=address_id).values_list("user_id", flat=True).first()
    if owner is None:
        raise AddressNotFound()
    lock_user(owner)
    address = manager.using(DATABASE).select_for_update(no_key=True).filter(pk=address_id).first()
    if address is None:
        raise AddressNotFound()
    _refuse_stale(address, version)
    return address


def _refuse_stale(row: User | Address, version: int | None) -> None:
    if version is not None and version != row.version:
        raise VersionConflict(f"It has version {row.version} by now, not {version}.")
