"""What the simulated venue lists, in the venue's own steps, and how its street behaves."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from venues.simulator.market import Street
from venues.simulator.terms import FeeRates, Product

FEES: Final = FeeRates(maker=Decimal("0.004"), taker=Decimal("0.006"))
STEP_SECONDS: Final = 0.15


def _product(symbol: str, tick: str, step: str, largest: str, *, market: str = "") -> Product:
    base, quote = symbol.split("-")
    return Product(
        symbol=symbol,
        base=base,
        quote=quote,
        market=market or symbol,
        price_tick=Decimal(tick),
        quantity_step=Decimal(step),
        min_quantity=Decimal(step),
        max_quantity=Decimal(largest),
        min_notional=Decimal(1),
        max_notional=Decimal(150_000_000),
    )


PRODUCTS: Final = (
    _product("BTC-USD", "0.01", "0.00000001", "3400"),
    _product("ETH-USD", "0.01", "0.00000001", "42000"),
    _product("SOL-USD", "0.01", "0.00000001", "280000"),
    # Another name of the same book, settled in USDC.
    _product("BTC-USDC", "0.01", "0.00000001", "3400", market="BTC-USD"),
)

STREETS: Final = (
    Street(
        symbol="BTC-USD",
        price_tick=Decimal("0.01"),
        quantity_step=Decimal("0.00000001"),
        start_price=Decimal("65000.00"),
        move_per_step=3e-5,
        half_spread=2e-6,
        gap=1.2e-5,
        typical_size=0.25,
    ),
    Street(
        symbol="ETH-USD",
        price_tick=Decimal("0.01"),
        quantity_step=Decimal("0.00000001"),
        start_price=Decimal("1920.00"),
        move_per_step=4e-5,
        half_spread=4e-6,
        gap=3e-5,
        typical_size=4.0,
    ),
    Street(
        symbol="SOL-USD",
        price_tick=Decimal("0.01"),
        quantity_step=Decimal("0.00000001"),
        start_price=Decimal("82.50"),
        move_per_step=6e-5,
        half_spread=3e-5,
        gap=1.2e-4,
        typical_size=60.0,
    ),
)
