"""What can go wrong with customers."""

from apps.common.errors import Conflict, HoldfastError, NotFound


class EmailTaken(Conflict):
    """Another living customer has this e-mail address."""

    code, title = "email_taken", "A customer with this e-mail address exists"


class CustomerNotFound(NotFound):
    code, title = "customer_not_found", "There is no such customer"


class AddressNotFound(NotFound):
    code, title = "address_not_found", "There is no such address"


class TooManyAddresses(Conflict):
    """The customer has as many living addresses as one may have."""

    code, title = "too_many_addresses", "There are too many addresses"


class SecondFactorExists(Conflict):
    code, title = "second_factor_exists", "There is a second factor already"


class SecondFactorMissing(Conflict):
    code, title = "second_factor_missing", "There is no second factor"


class NotPermitted(HoldfastError):
    """The staff member may not do this to that account."""

    code, status, title = "not_permitted", 403, "You may not change this account"
