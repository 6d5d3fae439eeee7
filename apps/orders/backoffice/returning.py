"""Taking goods back and refunding from an order's page."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from moneyed import Money

from apps.common.admin import back, tell
from apps.common.errors import HoldfastError, InvalidInput
from apps.orders import facade, selectors
from apps.orders.contracts import ApproveReturn, RefuseReturn, ReturnItems, ReturnLine, ReturnView
from apps.orders.enums import ReturnStatus
from apps.orders.models import Order
from apps.orders.services.return_rules import RETURNABLE, Books
from apps.orders.services.returning import LONGEST_REASON

PERMISSION = "orders.return_order"
RETURN_COLOURS = {
    ReturnStatus.REQUESTED: "warning",
    ReturnStatus.IN_PROGRESS: "info",
    ReturnStatus.COMPLETED: "success",
    ReturnStatus.REFUSED: "danger",
}
STALE = "Changed meanwhile: look at the order as it is now. Nothing was done."


class ReturnForm(forms.Form):
    """What comes back of each line: pieces for the shelf, and pieces that are not fit to be sold;
    or an amount without goods. ``version`` is the order's that the page showed, ``key`` makes
    sending the form twice return once."""

    version = forms.IntegerField(min_value=1)
    key = forms.CharField(max_length=64)
    reason = forms.CharField(max_length=LONGEST_REASON, strip=True)
    amount = forms.DecimalField(min_value=0, max_digits=14, decimal_places=2, required=False)

    def __init__(self, *args: Any, books: Books, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.currency = books.currency
        self.positions = sorted(books.lines)
        for position in self.positions:
            for name in (f"good-{position}", f"damaged-{position}"):
                self.fields[name] = forms.IntegerField(min_value=0, required=False)

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if not self.errors and bool(self.lines()) == bool(given.get("amount")):
            raise forms.ValidationError("Enter the pieces that come back, or an amount, not both.")
        return given

    def lines(self) -> tuple[ReturnLine, ...]:
        """The pieces that were entered."""
        entered = [
            ReturnLine(position, self.cleaned_data.get(f"{word}-{position}") or 0, word == "good")
            for position in self.positions
            for word in ("good", "damaged")
        ]
        return tuple(line for line in entered if line.quantity)

    def command(self, order_id: UUID, principal: str) -> ReturnItems:
        amount = self.cleaned_data.get("amount")
        return ReturnItems(
            principal=principal,
            key=self.cleaned_data["key"],
            order_id=order_id,
            reason=self.cleaned_data["reason"],
            lines=self.lines(),
            amount=Money(amount, self.currency) if amount else None,
            version=self.cleaned_data["version"],
        )


class DecideForm(forms.Form):
    """Approve or refuse; ``damaged`` are positions that are not fit to be sold."""

    version = forms.IntegerField(min_value=1)
    decision = forms.ChoiceField(choices=[("approve", "Approve"), ("refuse", "Refuse")])
    reason = forms.CharField(max_length=LONGEST_REASON, required=False, strip=True)
    damaged = forms.TypedMultipleChoiceField(required=False, coerce=int)

    def __init__(self, *args: Any, view: ReturnView, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.fields["damaged"].choices = [(line.position, line.sku) for line in view.lines]

    def clean(self) -> dict[str, Any]:
        given = super().clean()
        if given.get("decision") == "refuse" and not given.get("reason"):
            self.add_error("reason", "Say why it is refused.")
        return given


class ReturnDesk:
    """The order page's part about returns."""

    def return_urls(self) -> list:
        """The pages: take back or refund; decide what a customer asked for."""
        view = self.admin_site.admin_view
        return [
            path("<uuid:order_id>/return/", view(self.take_view), name="orders_order_return"),
            path(
                "<uuid:order_id>/return/<uuid:return_id>/",
                view(self.decide_view),
                name="orders_order_return_decide",
            ),
        ]

    def returns_of(self, request: HttpRequest, order: Order) -> dict[str, Any]:
        """What the order's page shows of its returns."""
        may = request.user.has_perm(PERMISSION)
        views = [selectors.return_view(one) for one in selectors.all_returns().filter(order=order)]
        link = reverse("admin:orders_order_return", args=[order.pk])
        return {
            "returns": [
                (
                    one,
                    RETURN_COLOURS[one.status],
                    ReturnStatus(one.status).label,
                    f"{link}{one.return_id}/" if may and one.status == "requested" else "",
                )
                for one in views
            ],
            "return_link": link if may and order.status in RETURNABLE else "",
        }

    def take_view(self, request: HttpRequest, order_id: UUID) -> HttpResponse:
        """The form, and what it sends."""
        order = self._returning(request, order_id)
        if order.status not in RETURNABLE:
            text = f"{order} is {order.status}: only what was shipped can come back."
            self.message_user(request, text, messages.ERROR)
            return back(self, request, order_id)
        books = selectors.returnable(order)
        if request.method != "POST":
            form = ReturnForm(books=books, initial={"version": order.version, "key": uuid4()})
            return self._take_page(request, order, books, form)
        form = ReturnForm(request.POST, books=books)
        if not form.is_valid():
            return self._take_page(request, order, books, form)
        try:
            answer = facade.return_items(form.command(order_id, _principal(request)))
        except InvalidInput as error:
            for text in _in_words(error, form.lines(), order):
                form.add_error(None, text)
            return self._take_page(request, order, books, form)
        except HoldfastError as error:
            self._refused(request, error)
            return back(self, request, order_id)
        reason = form.cleaned_data["reason"]
        self.log_change(request, order, f"Returned, {_sum(answer.amount)} refunded: {reason}.")
        text = f"{_sum(answer.amount)} are being refunded for {order}."
        self.message_user(request, text, messages.SUCCESS)
        return back(self, request, order_id)

    def _take_page(
        self, request: HttpRequest, order: Order, books: Books, form: ReturnForm
    ) -> HttpResponse:
        lines = [
            (
                line,
                books.lines[line.position].left,
                form[f"good-{line.position}"],
                form[f"damaged-{line.position}"],
            )
            for line in order.lines.order_by("position")
        ]
        context = self.admin_site.each_context(request) | {
            "title": f"Return items or refund: {order}",
            "order": order,
            "back": reverse("admin:orders_order_change", args=[order.pk]),
            "lines": lines,
            "money_left": books.money_left,
            "form": form,
            "problems": _problems(form),
        }
        status = 400 if form.errors else 200
        return render(request, "admin/orders/order/return.html", context, status=status)

    def decide_view(self, request: HttpRequest, order_id: UUID, return_id: UUID) -> HttpResponse:
        """What a customer asked to send back: approved or refused."""
        order = self._returning(request, order_id)
        one = selectors.all_returns().filter(order=order, pk=return_id).first()
        if one is None:
            raise Http404
        view = selectors.return_view(one)
        if view.status != ReturnStatus.REQUESTED and request.method != "POST":
            self.message_user(request, f"It is {view.status} already.", messages.WARNING)
            return back(self, request, order_id)
        form = DecideForm(request.POST if request.method == "POST" else None, view=view)
        if request.method != "POST" or not form.is_valid():
            return self._decide_page(request, order, view, form)
        try:
            said = self._decide(request, view, form.cleaned_data)
        except HoldfastError as error:
            self._refused(request, error)
        else:
            self.log_change(request, order, said)
            self.message_user(request, said, messages.SUCCESS)
        return back(self, request, order_id)

    def _decide(self, request: HttpRequest, view: ReturnView, given: dict[str, Any]) -> str:
        if given["decision"] == "refuse":
            facade.refuse_return(RefuseReturn(view.return_id, given["reason"], given["version"]))
            return f"The return was refused: {given['reason']}."
        facade.approve_return(
            ApproveReturn(
                principal=_principal(request),
                key=f"return:{view.return_id}:{given['version']}",
                return_id=view.return_id,
                damaged=tuple(given["damaged"]),
                version=given["version"],
            )
        )
        return f"The return was approved; {_sum(view.amount)} are being refunded."

    def _decide_page(
        self, request: HttpRequest, order: Order, view: ReturnView, form: DecideForm
    ) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": f"Return of {order}",
            "order": order,
            "back": reverse("admin:orders_order_change", args=[order.pk]),
            "view": view,
            "form": form,
            "problems": _problems(form),
        }
        status = 400 if form.errors else 200
        return render(request, "admin/orders/order/decide_return.html", context, status=status)

    def _returning(self, request: HttpRequest, order_id: UUID) -> Order:
        if not request.user.has_perm(PERMISSION) or not self.has_view_permission(request):
            raise PermissionDenied
        order = self.get_object(request, str(order_id))
        if order is None:
            raise Http404
        return order

    def _refused(self, request: HttpRequest, error: HoldfastError) -> None:
        if error.code == "version_conflict":
            self.message_user(request, STALE, messages.ERROR)
        else:
            tell(self, request, error)


def _problems(form: forms.Form) -> list[str]:
    """What is wrong with the form, each with the field's name."""
    return [
        text if field == "__all__" else f"{field.replace('-', ' ')}: {text}"
        for field, texts in form.errors.items()
        for text in texts
    ]


def _sum(money: Money) -> str:
    return f"{money.amount:,} {money.currency}"


def _principal(request: HttpRequest) -> str:
    return f"staff:{request.user.public_id}"


def _in_words(error: InvalidInput, lines: Sequence[ReturnLine], order: Order) -> list[str]:
    """The errors with the SKU of the line in place of its number."""
    skus = dict(order.lines.values_list("position", "sku"))
    names = {f"lines[{n}].quantity": skus[line.position] for n, line in enumerate(lines)}
    return [f"{names.get(one.field, one.field)}: {one.detail}" for one in error.errors]
