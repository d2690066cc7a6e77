from __future__ import annotations

import re
import uuid
from decimal import Decimal
from typing import Any, Final

from django import forms

from assets.fields import DIGITS, PLACES
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, may
from cqops.platform.access.rows import eligible_rows
from trading.models import Portfolio
from trading.services.checks import Ticket
from venues.interface.types import OrderType, Side, TimeInForce
from venues.models import Account, VenueSymbol

DURATIONS = [
    (TimeInForce.GTC.value, "Until cancelled (GTC)"),
    (TimeInForce.IOC.value, "Immediate or cancel (IOC)"),
    (TimeInForce.FOK.value, "Fill or kill (FOK)"),
]


# The one way programs write an amount, and the further ones people may.
PLAIN: Final = r"[0-9]+(\.[0-9]+)?"
_TYPED: Final = re.compile(rf"{PLAIN}|\.[0-9]+|[1-9][0-9]{{0,2}}(,[0-9]{{3}})+(\.[0-9]+)?")
WHOLE: Final = DIGITS - PLACES


class ExactField(forms.CharField):
    """A positive decimal as people type it: nothing is rounded, and nothing is guessed.

    A comma only groups thousands, and only where each group is whole: whoever writes half a coin
    with a comma must not buy five.
    """

    def clean(self, value: Any) -> Decimal | None:
        text = super().clean(value)
        if not text:
            return None
        if not _TYPED.fullmatch(text):
            message = "Write a number such as 0.5, with a point."
            if "," in text:
                message = "Write 0.5 with a point; a comma only groups thousands, as in 1,500.25."
            raise forms.ValidationError(message)
        whole, _, fraction = text.replace(",", "").partition(".")
        if len(whole.lstrip("0")) > WHOLE or len(fraction.rstrip("0")) > PLACES:
            message = f"At most {WHOLE} digits before the point and {PLACES} after it."
            raise forms.ValidationError(message)
        number = Decimal(f"{whole or 0}.{fraction.rstrip('0')}")
        if number <= 0:
            message = "Enter a number above zero."
            raise forms.ValidationError(message)
        return number


class TicketForm(forms.Form):
    """What a trader asks for.

    The client order id is made with the form, so a form sent twice is one order.
    """

    client_order_id = forms.CharField(widget=forms.HiddenInput, min_length=8, max_length=64)
    symbol = forms.ModelChoiceField(VenueSymbol.objects.none(), empty_label=None)
    account = forms.ModelChoiceField(Account.objects.none(), empty_label=None)
    portfolio = forms.ModelChoiceField(Portfolio.objects.none(), empty_label=None)
    side = forms.ChoiceField(
        choices=[(Side.BUY.value, "Buy"), (Side.SELL.value, "Sell")], widget=forms.RadioSelect
    )
    order_type = forms.ChoiceField(
        choices=[(OrderType.LIMIT.value, "Limit"), (OrderType.MARKET.value, "Market")],
        widget=forms.RadioSelect,
    )
    quantity = ExactField()
    limit_price = ExactField(required=False)
    time_in_force = forms.ChoiceField(choices=DURATIONS, required=False)
    post_only = forms.BooleanField(required=False, label="Post only")
    purpose = forms.CharField(required=False, max_length=200, label="What it is for")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self._choices("symbol", VenueSymbol.objects.current().select_related("venue"))
        accounts = Account.objects.filter(is_enabled=True).select_related("venue")
        portfolios = Portfolio.objects.filter(is_open=True)
        self._choices("account", eligible_rows(user, Action.ORDER_PLACE, accounts))
        self._choices("portfolio", eligible_rows(user, Action.ORDER_PLACE, portfolios))

    def _choices(self, name: str, rows: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 -- narrows the type
        field.queryset = rows

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("order_type") == OrderType.MARKET.value:
            data.update(limit_price=None, time_in_force=TimeInForce.IOC.value, post_only=False)
            self.errors.pop("limit_price", None)
        elif data.get("limit_price") is None and "limit_price" not in self.errors:
            self.add_error("limit_price", "A limit order needs a price.")
        data["time_in_force"] = data.get("time_in_force") or TimeInForce.GTC.value
        if data.get("post_only") and data["time_in_force"] != TimeInForce.GTC.value:
            self.add_error("post_only", "Post only goes with an order that stays until cancelled.")
        symbol, account = data.get("symbol"), data.get("account")
        if symbol and account and symbol.venue_id != account.venue_id:
            self.add_error("account", f"{account} is not at {symbol.venue}.")
        if not self.errors and not may(self.user, Action.ORDER_PLACE, self.ticket()):
            self.add_error("portfolio", "Your roles do not allow orders for it at this account.")
        return data

    def ticket(self) -> Ticket:
        """Make the ticket of a valid form."""
        data = self.cleaned_data
        return Ticket(
            consumer_id=self.user.pk,
            account=data["account"],
            portfolio=data["portfolio"],
            symbol=data["symbol"],
            side=Side(data["side"]),
            order_type=OrderType(data["order_type"]),
            time_in_force=TimeInForce(data["time_in_force"]),
            quantity=data["quantity"],
            limit_price=data["limit_price"],
            post_only=data["post_only"],
            purpose=data["purpose"],
        )


def new_client_order_id() -> str:
    return str(uuid.uuid4())
