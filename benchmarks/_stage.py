"""What a benchmark of the order path needs: one account, one symbol, a trader, a live book."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
from django.conf import settings

from assets.models import Asset, AssetKind
from cqops.platform.access.models import User
from cqops.platform.access.people import seed_grant
from cqops.platform.access.policy import Role
from cqops.platform.live.redis import client as redis_client
from trading.models import Portfolio, PortfolioKind, SwitchMode
from trading.services.checks import Ticket
from trading.services.switches import seed_mode
from venues.interface.types import OrderType, Side, TimeInForce
from venues.models import Account, Listing, Venue
from venues.services.books import PublishedBook, book_key
from venues.services.recording import seed_meaning


@dataclass(frozen=True)
class Stage:
    trader: User
    ticket: Ticket

    @classmethod
    def set(cls) -> Stage:
        name = uuid.uuid4().hex[:8]
        trader = User.objects.create(username=f"bench-{name}")
        seed_grant(person=trader, role=Role.TRADER)
        base = Asset.objects.create(symbol="BTC", name=f"Bitcoin {name}", kind=AssetKind.NATIVE)
        quote = Asset.objects.create(symbol="USD", name=f"Dollar {name}", kind=AssetKind.FIAT)
        venue = Venue.objects.create(
            slug=f"bench-{name}",
            name=f"Bench {name}",
            adapter="coinbase_advanced",
            environment_id=settings.ENVIRONMENT,
            rest_url="http://127.0.0.1:9",
            ws_url="ws://127.0.0.1:9",
        )
        symbol = seed_meaning(
            listing=Listing(
                venue=venue,
                symbol="BTC-USD",
                said_base="BTC",
                said_quote="USD",
                price_tick=Decimal("0.01"),
                quantity_step=Decimal("0.0001"),
                min_quantity=Decimal("0.0001"),
                min_notional=Decimal(1),
            ),
            base_id=base.pk,
            quote_id=quote.pk,
            source="the benchmark",
        )
        seed_mode(mode=SwitchMode.ON)
        book = PublishedBook(
            state="live",
            bids=[("50000.00", "3")],
            asks=[("50001.00", "3")],
            received_at=datetime.now(UTC) + timedelta(hours=1),
        )
        redis_client().set(book_key(symbol.key), msgspec.json.encode(book))
        ticket = Ticket(
            consumer_id=trader.pk,
            account=Account.objects.create(
                venue=venue, name="Main", environment_id=settings.ENVIRONMENT
            ),
            portfolio=Portfolio.objects.create(name=f"Bench {name}", kind=PortfolioKind.FUND),
            symbol=symbol,
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.GTC,
            quantity=Decimal("0.01"),
            limit_price=Decimal("50000.00"),
        )
        return cls(trader, ticket)
