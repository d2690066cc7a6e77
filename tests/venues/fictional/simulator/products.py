"""What Harbour lists, and how its street behaves."""

from __future__ import annotations

from decimal import Decimal

from venues.simulator.market import Street
from venues.simulator.terms import FeeRates, Product

FEES = FeeRates(maker=Decimal("0.0040"), taker=Decimal("0.0060"))
TICK, STEP = Decimal("0.01"), Decimal("0.000001")


def _product(symbol: str) -> Product:
    base, quote = symbol.split("-")
    return Product(
        symbol=symbol,
        base=base,
        quote=quote,
        market=symbol,
        price_tick=TICK,
        quantity_step=STEP,
        min_quantity=STEP,
        max_quantity=Decimal(1_000_000),
        min_notional=Decimal(1),
        max_notional=Decimal(150_000_000),
    )


def _street(symbol: str, price: str, size: float) -> Street:
    return Street(
        symbol=symbol,
        price_tick=TICK,
        quantity_step=STEP,
        start_price=Decimal(price),
        move_per_step=3e-5,
        half_spread=2e-6,
        gap=1.2e-5,
        typical_size=size,
    )


PRODUCTS = (_product("BTC-USD"), _product("ETH-USD"))
STREETS = (_street("BTC-USD", "65010.00", 0.4), _street("ETH-USD", "1920.50", 6.0))
