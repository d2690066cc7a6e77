"""What the simulated venue lists, in the venue's own steps, and how its street behaves."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from venues.simulator.market import Street
from venues.simulator.terms import FeeRates, Product

FEES: Final = FeeRates(maker=Decimal("0.0040"), taker=Decimal("0.0060"))
# The venue states no largest sizes any more; it has them all the same.
_LARGEST: Final = Decimal(1_000_000)


def _product(symbol: str, tick: str, step: str) -> Product:
    base, quote = symbol.split("-")
    return Product(
        symbol=symbol,
        base=base,
        quote=quote,
        market=symbol,
        price_tick=Decimal(tick),
        quantity_step=Decimal(step),
        min_quantity=Decimal(step),
        max_quantity=_LARGEST,
        min_notional=Decimal(1),
        max_notional=Decimal(150_000_000),
    )


PRODUCTS: Final = (
    _product("BTC-USD", "0.01", "0.00000001"),
    _product("ETH-USD", "0.01", "0.00000001"),
    _product("ETH-BTC", "0.00001", "0.00000001"),
)

STREETS: Final = (
    Street(
        symbol="BTC-USD",
        price_tick=Decimal("0.01"),
        quantity_step=Decimal("0.00000001"),
        start_price=Decimal("65010.00"),
        move_per_step=3e-5,
        half_spread=2e-6,
        gap=1.2e-5,
        typical_size=0.4,
    ),
    Street(
        symbol="ETH-USD",
        price_tick=Decimal("0.01"),
        quantity_step=Decimal("0.00000001"),
        start_price=Decimal("1920.50"),
        move_per_step=4e-5,
        half_spread=4e-6,
        gap=3e-5,
        typical_size=6.0,
    ),
    Street(
        symbol="ETH-BTC",
        price_tick=Decimal("0.00001"),
        quantity_step=Decimal("0.00000001"),
        start_price=Decimal("0.02954"),
        move_per_step=3e-5,
        half_spread=2e-4,
        gap=5e-4,
        typical_size=3.0,
    ),
)
