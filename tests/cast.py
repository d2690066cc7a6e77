"""The cast of the tests: plain functions that make valid rows, and a venue that follows a script."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from django.conf import settings
from django.db import connection

from assets.models import Asset, AssetKind
from cqops.platform.access.allowances import seeding
from cqops.platform.access.models import RoleGrant, User
from cqops.platform.access.people import seed_grant
from cqops.platform.access.policy import Role
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import Verdict, decide, settle_left
from cqops.platform.approvals.services.programs import make_token
from cqops.platform.live.redis import client as redis_client
from tests.canaries import planted
from trading.models import Order, Portfolio, PortfolioKind, SwitchMode, SwitchScope, TradingSwitch
from trading.services.checks import Ticket
from venues.interface.types import (
    CancelAnswer,
    Fill,
    KeyRights,
    OrderQuery,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Page,
    Side,
    TimeInForce,
)
from venues.interface.types import Order as VenueOrder
from venues.mock import BareVenue, samples
from venues.mock.abilities import WithFills
from venues.mock.samples import NOON
from venues.models import Account, Listing, Standing, Venue, VenueSymbol
from venues.services import powers
from venues.services.books import PublishedBook, book_key
from venues.services.keys import seed_credential

SINCE = NOON - timedelta(days=365)


def person(
    role: Role | None, username: str = "", *, scope: str = "desk", scope_id: uuid.UUID | None = None
) -> User:
    user = User.objects.create(username=username or f"{role or 'stranger'}-{uuid.uuid4().hex[:6]}")
    if role is not None:
        grant(user, role, scope=scope, scope_id=scope_id)
    return user


def grant(
    user: User, role: Role, *, scope: str = "desk", scope_id: uuid.UUID | None = None
) -> RoleGrant:
    made = seed_grant(person=user, role=role, scope=scope, scope_id=scope_id)
    # What a person was granted is read once a request.
    vars(user).pop("grants", None)
    return made


def asset(symbol: str, kind: str = AssetKind.NATIVE) -> Asset:
    found = Asset.objects.filter(symbol=symbol).first()
    return found or Asset.objects.create(symbol=symbol, name=symbol, kind=kind)


def venue(slug: str = "coinbase_advanced") -> Venue:
    found = Venue.objects.filter(slug=slug).first()
    return found or Venue.objects.create(
        slug=slug,
        name=slug.title(),
        adapter="coinbase_advanced",
        environment_id=settings.ENVIRONMENT,
        rest_url="http://127.0.0.1:9",
        ws_url="ws://127.0.0.1:9",
    )


def approve(request: Request, by: User) -> None:
    """Agree to a request, and let a worker carry it out."""
    decide(
        request_id=request.pk,
        by=by,
        verdict=Verdict.APPROVE,
        seen_hash=request.instruction_hash,
    )
    settle_left()


def agreed_token(owner: User, scopes: list[str], name: str = "agreed") -> str:
    """Make a token that a second person agreed to, and return its text."""
    second = person(Role.ADMIN)
    _, text, asked = make_token(owner=owner, name=name, scopes=scopes, days=1)
    if asked is not None:
        approve(asked, second)
    return text


def pass_deadline(request: Request) -> None:
    """Move a request into the past, which the database refuses to everybody else."""
    now = datetime.now(UTC)
    past = [now - timedelta(hours=2), now - timedelta(seconds=1), request.pk]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE approvals_request DISABLE TRIGGER request_checked")
        cursor.execute(
            "UPDATE approvals_request SET requested_at = %s, deadline = %s WHERE id = %s", past
        )
        cursor.execute("ALTER TABLE approvals_request ENABLE TRIGGER request_checked")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


TERMS = {
    "price_tick": Decimal("0.01"),
    "quantity_step": Decimal("0.0001"),
    "min_quantity": Decimal("0.0001"),
    "min_notional": Decimal(1),
}


def listing(text: str = "BTC-USD", **changes: object) -> Listing:
    """List a symbol that nobody mapped yet."""
    base, quote = text.split("-")
    found = Listing.objects.listed().filter(venue=venue(), symbol=text).first()
    given = {"said_base": base, "said_quote": quote, "listed_at": SINCE, **TERMS, **changes}
    return found or Listing.objects.create(venue=venue(), symbol=text, **given)


def symbol(text: str = "BTC-USD") -> VenueSymbol:
    base, quote = text.split("-")
    found = VenueSymbol.objects.in_force().filter(venue=venue(), symbol=text).first()
    if found is not None:
        return found
    listed = listing(text)
    with seeding():
        made = VenueSymbol.objects.create(
            listing=listed,
            venue=venue(),
            symbol=text,
            base=asset(base),
            quote=asset(quote, AssetKind.FIAT),
            source="the cast",
            valid_from=SINCE,
            recorded_at=SINCE,
            **TERMS,
        )
        listed.standing = Standing.MAPPED
        listed.save()
    return made


def suspend(row: VenueSymbol) -> None:
    Listing.objects.filter(pk=row.listing_id).update(standing=Standing.SUSPENDED, why="a doubt")


def account(name: str = "Main") -> Account:
    found = Account.objects.filter(venue=venue(), name=name).first()
    if found is None:
        found = Account.objects.create(
            venue=venue(), name=name, environment_id=settings.ENVIRONMENT
        )
        seed_credential(account=found, key_id=f"key of {name}", secret=planted("venue secret"))
    return found


def portfolio(name: str = "Alpha") -> Portfolio:
    return Portfolio.objects.get_or_create(name=name, defaults={"kind": PortfolioKind.FUND})[0]


def desk_switch(mode: str = SwitchMode.ON) -> TradingSwitch:
    with seeding():
        switch, _ = TradingSwitch.objects.update_or_create(
            scope=SwitchScope.DESK, subject_id=None, defaults={"mode": mode}
        )
    return switch


def venue_says(
    patch: pytest.MonkeyPatch,
    *,
    can_trade: bool | None = True,
    can_transfer: bool | None = False,
    **more: object,
) -> None:
    """Let every venue that is asked what a key may do say this."""
    rights = KeyRights(can_view=True, can_trade=can_trade, can_transfer=can_transfer, **more)  # type: ignore[arg-type]
    patch.setattr(powers, "try_key", lambda _: rights)


def ticket(consumer: User, **changes: object) -> Ticket:
    made = Ticket(
        consumer_id=consumer.pk,
        account=account(),
        portfolio=portfolio(),
        symbol=symbol(),
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=Decimal("0.5"),
        limit_price=Decimal("50000.00"),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def publish_book(
    row: VenueSymbol,
    *,
    bid: str = "50000.00",
    ask: str = "50001.00",
    age: float = 0.0,
    state: str = "live",
) -> None:
    book = PublishedBook(
        state=state,
        bids=[(bid, "3")],
        asks=[(ask, "3")],
        received_at=datetime.now(UTC) - timedelta(seconds=age),
    )
    redis_client().set(book_key(row.key), msgspec.json.encode(book))


def venue_order(order: Order, status: OrderStatus, **changes: object) -> VenueOrder:
    terms: dict[str, object] = {
        "client_order_id": order.client_order_id,
        "symbol": order.symbol.symbol,
        "side": Side(order.side),
        "order_type": OrderType(order.order_type),
        "status": status,
        "quantity": order.quantity,
        "limit_price": order.limit_price,
        "filled_quantity": Decimal(0),
        "raw": {"status": status.value.upper()},
    }
    return samples.order(**{**terms, **changes})


def fill(order: Order, *, number: int, quantity: str, price: str = "50000") -> Fill:
    return samples.fill(
        venue_execution_id=f"E-{order.client_order_id}-{number}",
        client_order_id=order.client_order_id,
        symbol=order.symbol.symbol,
        side=Side(order.side),
        price=price,
        quantity=quantity,
        executed_at=NOON + timedelta(seconds=number),
        received_at=NOON + timedelta(seconds=number),
    )


class ScriptedVenue(BareVenue, WithFills):
    """The public mock venue with three hooks, and what reached it at hand."""

    def __init__(self) -> None:
        super().__init__()
        self.balances = []
        self.placed: list[OrderRequest] = []
        self.cancelled: list[OrderRef] = []
        self.on_place: Callable[[OrderRequest], None] = lambda request: None
        self.on_answer: Callable[[OrderRequest], None] = lambda request: None
        self.on_get: Callable[[OrderRef], None] = lambda ref: None

    async def place_order(self, request: OrderRequest) -> VenueOrder:
        self.on_place(request)
        self.placed.append(request)
        order = await super().place_order(request)
        self.on_answer(request)
        return order

    async def get_order(self, ref: OrderRef) -> VenueOrder:
        self.on_get(ref)
        return await super().get_order(ref)

    async def cancel_order(self, ref: OrderRef) -> CancelAnswer:
        self.cancelled.append(ref)
        return await super().cancel_order(ref)

    async def get_orders(self, query: OrderQuery) -> Page[VenueOrder]:
        return await super().get_orders(_whenever(query))

    async def get_fills(self, query: OrderQuery) -> Page[Fill]:
        return await super().get_fills(_whenever(query))


def _whenever(query: OrderQuery) -> OrderQuery:
    """Forget the times: the cast lives at noon, the process under test in the present."""
    return replace(query, since=None, until=None)
