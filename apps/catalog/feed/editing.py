"""One product's price and attributes, as one line of a feed would change them."""

from apps.catalog.checks import PRODUCT, check
from apps.catalog.contracts import EditKept, EditProduct, LineOutcome
from apps.catalog.feed import buffering, flushing, lines, sql
from apps.catalog.feed.edits import signature, to_fields
from apps.common.correlation import current_request_id
from apps.common.errors import InvalidInput, NotFound


def product_edit(command: EditProduct) -> EditKept:
    """Keeps the edit so that every reader sees it from now on.

    Raises ``InvalidInput`` naming what does not fit, ``NotFound`` where the product does not live.
    """
    key = str(command.product_id)
    fields = _fields(command)
    _, living, epoch = sql.living((), [key])
    if key not in living:
        raise NotFound("There is no such product (any more).")
    if command.attributes and living[key].size + _size(fields) > lines.MAX_LINE:
        raise _too_long()
    signed = fields | signature(command.principal, current_request_id())
    kept = buffering.keep({key: signed}, by=command.principal, epoch=epoch)
    if key in kept.refused:
        raise _too_long()
    if kept.version is None:
        return EditKept(LineOutcome.APPLIED)
    return EditKept(LineOutcome.ACCEPTED, str(kept.version))


def _fields(command: EditProduct) -> dict[str, bytes]:
    values = {"attributes": command.attributes}
    price = None
    if command.price is not None:
        values["price"] = command.price
        price = f"{command.price.amount:.2f}", command.price.currency.code
    check(PRODUCT, values)
    if len(command.attributes) > lines.MAX_NAMES:
        text = f"At most {lines.MAX_NAMES:,} at once."
        raise InvalidInput.field("attributes", "max_length", text)
    return to_fields(price=price, attributes=command.attributes)


def _size(fields: dict[str, bytes]) -> int:
    return sum(len(name) + len(value) for name, value in fields.items())


def _too_long() -> InvalidInput:
    return InvalidInput.field("attributes", "max_length", flushing.REASONS[sql.Outcome.TOO_LONG])
