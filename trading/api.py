"""Orders over REST. The client order id is the idempotency key."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action
from cqops.platform.access.rest import caller
from trading.forms import PLAIN, TicketForm, new_client_order_id
from trading.models import ExecutionReport, Order, Portfolio
from trading.services.blotter import BadCursor, Filter, page, visible
from trading.services.cancels import TooLate, request_cancel
from trading.services.tickets import Conflict, place
from trading.states import State
from venues.models import Account, Listing, VenueSymbol


class AmountText(serializers.CharField):
    """An exact decimal as text, without exponent and padding."""

    def to_representation(self, value: Any) -> str:
        text = format(value, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text


class PlainNumber(serializers.RegexField):
    """A decimal string: digits and a point. Separators are for people, a JSON number is not exact."""

    default_error_messages = {
        "invalid": 'Send a decimal string such as "0.5": digits and a point, no separators.'
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(rf"^{PLAIN}$", max_length=100, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class ExecutionView(serializers.ModelSerializer[ExecutionReport]):
    price = AmountText()
    quantity = AmountText()
    fee = AmountText()

    class Meta:
        model = ExecutionReport
        fields = [
            "venue_execution_id",
            "price",
            "quantity",
            "fee",
            "fee_currency",
            "liquidity",
            "executed_at",
            "received_at",
        ]


class OrderView(serializers.ModelSerializer[Order]):
    venue = serializers.SlugField(source="symbol.venue.slug")
    symbol = serializers.CharField(source="symbol.symbol")
    account = serializers.CharField(source="account.name")
    portfolio = serializers.CharField(source="portfolio.name")
    # More words than a ticket takes: venues report orders that were not placed here.
    side = serializers.CharField()
    order_type = serializers.CharField()
    time_in_force = serializers.CharField()
    quantity = AmountText()
    limit_price = AmountText(allow_null=True)
    worst_price = AmountText(
        allow_null=True, help_text="What an approver accepted at worst for a market order."
    )
    approval = serializers.UUIDField(
        source="approval_id", allow_null=True, help_text="The request a second person decides."
    )
    filled_quantity = AmountText()
    average_price = AmountText(allow_null=True)
    explanation = serializers.CharField(source="sentence")

    class Meta:
        model = Order
        fields = [
            "id",
            "client_order_id",
            "venue_order_id",
            "venue",
            "account",
            "portfolio",
            "symbol",
            "side",
            "order_type",
            "time_in_force",
            "post_only",
            "quantity",
            "limit_price",
            "worst_price",
            "filled_quantity",
            "average_price",
            "state",
            "approval",
            "explanation",
            "reason",
            "is_cancel_requested",
            "placed_at",
            "sent_at",
            "updated_at",
            "version",
            "verdicts",
            "purpose",
        ]


class OrderWithExecutions(OrderView):
    executions = ExecutionView(many=True)

    class Meta(OrderView.Meta):
        fields = [*OrderView.Meta.fields, "executions"]


class OrderPage(serializers.Serializer[Any]):
    results = OrderView(many=True)
    next = serializers.CharField(help_text="Pass as `before` for the next page; empty at the end.")


class NewOrder(serializers.Serializer[Any]):
    """An order as a program asks for it, in names and not in keys."""

    client_order_id = serializers.RegexField(
        r"^[A-Za-z0-9_.:\-]{8,64}$",
        required=False,
        help_text="Your idempotency key. A repeat with the same content returns the first order.",
    )
    venue = serializers.SlugField()
    account = serializers.CharField(max_length=80)
    portfolio = serializers.CharField(max_length=80)
    symbol = serializers.CharField(max_length=40)
    side = serializers.ChoiceField(["buy", "sell"])
    order_type = serializers.ChoiceField(["limit", "market"])
    quantity = PlainNumber(help_text="A decimal string, in base units.")
    limit_price = PlainNumber(required=False, allow_blank=True)
    time_in_force = serializers.ChoiceField(["gtc", "ioc", "fok"], required=False)
    post_only = serializers.BooleanField(required=False, default=False)
    purpose = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="What it is for, in your words."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Turn names into rows; a name that does not exist is named."""
        symbol = VenueSymbol.objects.current().filter(
            venue__slug=attrs["venue"], symbol=attrs["symbol"]
        )
        account = Account.objects.filter(venue__slug=attrs["venue"], name=attrs["account"])
        portfolio = Portfolio.objects.filter(name=attrs["portfolio"])
        rows = {
            "symbol": symbol.first(),
            "account": account.first(),
            "portfolio": portfolio.first(),
        }
        missing = {
            name: f"There is no {name} {attrs[name]!r}." for name, row in rows.items() if not row
        }
        if "symbol" in missing:
            listed = Listing.objects.listed().select_related("venue")
            found = listed.filter(venue__slug=attrs["venue"], symbol=attrs["symbol"]).first()
            missing["symbol"] = (found and found.why_not_traded) or missing["symbol"]
        if missing:
            raise serializers.ValidationError(missing)
        return {**attrs, **{name: row.pk for name, row in rows.items() if row}}


class WhichOrders(serializers.Serializer[Any]):
    """What a list of orders may be asked for."""

    state = serializers.CharField(required=False, help_text="A state, or open, done, failed.")
    side = serializers.CharField(required=False)
    symbol = serializers.CharField(required=False)
    venue = serializers.CharField(required=False, help_text="The venue's slug.")
    portfolio = serializers.CharField(required=False)
    before = serializers.CharField(required=False, allow_blank=True, help_text="`next` of a page.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=200)


class Orders(APIView):
    actions = {"GET": Action.ORDER_VIEW, "POST": Action.ORDER_PLACE}

    @extend_schema(operation_id="orders_list", parameters=[WhichOrders], responses=OrderPage)
    def get(self, request: Request) -> Response:
        """List orders, newest first."""
        asked = WhichOrders(data=request.query_params)
        asked.is_valid(raise_exception=True)
        try:
            orders, following = page(Filter(**asked.validated_data), by=caller(request))
        except BadCursor as error:
            raise serializers.ValidationError({"before": str(error)}) from error
        return Response({"results": OrderView(orders, many=True).data, "next": following})

    @extend_schema(
        operation_id="orders_place", request=NewOrder, responses={202: OrderView, 422: OrderView}
    )
    def post(self, request: Request) -> Response:
        """Place an order.

        202 when it is on its way, or in state `awaiting_approval` when a second person has to agree;
        422 with every verdict when a check refuses it.
        """
        asked = NewOrder(data=request.data)
        asked.is_valid(raise_exception=True)
        data = {"client_order_id": new_client_order_id(), **asked.validated_data}
        form = TicketForm(data, user=caller(request))
        if not form.is_valid():
            raise serializers.ValidationError(form.errors.get_json_data())
        try:
            order = place(
                ticket=form.ticket(), client_order_id=data["client_order_id"], by=caller(request)
            )
        except Conflict as error:
            return Response({"detail": str(error)}, status=status.HTTP_409_CONFLICT)
        refused = order.state == State.REFUSED
        return Response(
            OrderView(order).data,
            status=status.HTTP_422_UNPROCESSABLE_ENTITY if refused else status.HTTP_202_ACCEPTED,
        )


class OneOrder(APIView):
    actions = {"GET": Action.ORDER_VIEW}

    @extend_schema(operation_id="orders_read", responses=OrderWithExecutions)
    def get(self, request: Request, order_id: UUID) -> Response:
        """Read one order with its executions."""
        return Response(OrderWithExecutions(_found(order_id, by=caller(request))).data)


class CancelOrder(APIView):
    actions = {"POST": Action.ORDER_CANCEL}

    @extend_schema(
        operation_id="orders_cancel", request=None, responses={202: OrderView, 409: OrderView}
    )
    def post(self, request: Request, order_id: UUID) -> Response:
        """Ask for a cancel; its proof is the order's later state."""
        _found(order_id, by=caller(request))
        try:
            order = request_cancel(order_id=order_id, by=caller(request))
        except TooLate as error:
            answer = {**OrderView(_found(order_id, by=caller(request))).data, "detail": str(error)}
            return Response(answer, status=status.HTTP_409_CONFLICT)
        return Response(OrderView(order).data, status=status.HTTP_202_ACCEPTED)


def _found(order_id: UUID, *, by: User) -> Order:
    found = visible(by).filter(pk=order_id).first()
    if found is None:
        raise Http404
    return found
