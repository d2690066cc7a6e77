"""What symbols of the ten venues stand for, as far as the demo set goes: the majors, in each venue's own spelling.

Values only; `venues.demo` seeds them. Symbols are spelt as the venues' documents spell them in market data:
Kraken's as its second socket does, Hyperliquid's perpetuals by their coin alone, trade.xyz's with its prefix.
A desk in custody buys nothing: its symbols name what it holds, and the dollars it values that in.
"""

from __future__ import annotations

from dataclasses import dataclass

from venues.models import InstrumentKind


@dataclass(frozen=True, slots=True)
class NewVenue:
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class NewSymbol:
    """A symbol, what the venue says it is, and what it stands for: references of the registry's set."""

    symbol: str
    said_base: str
    said_quote: str
    base: str
    quote: str
    kind: InstrumentKind = InstrumentKind.SPOT


VENUES = [
    NewVenue("coinbase_advanced", "Coinbase Advanced"),
    NewVenue("coinbase_exchange", "Coinbase Exchange"),
    NewVenue("coinbase_prime", "Coinbase Prime"),
    NewVenue("binance", "Binance"),
    NewVenue("kraken", "Kraken"),
    NewVenue("hyperliquid", "Hyperliquid"),
    NewVenue("tradexyz", "trade.xyz"),
    NewVenue("lighter", "Lighter"),
    NewVenue("falconx", "FalconX"),
    NewVenue("fordefi", "Fordefi"),
]
# The desk's own two list further ones by themselves once their instruments are read.
TRADED = {
    "coinbase_advanced": ["BTC-USD", "ETH-USD", "SOL-USD", "BTC-USDC"],
    "coinbase_exchange": ["BTC-USD", "ETH-USD"],
}
MAJORS = ("BTC", "ETH", "SOL", "XRP", "DOGE", "ADA", "AVAX", "LTC", "LINK", "UNI", "AAVE")
PERPETUALS = MAJORS[:8]


def _pairs(template: str, quote: str, bases: tuple[str, ...] = MAJORS) -> list[NewSymbol]:
    return [
        NewSymbol(template.format(base=base, quote=quote), base, quote, base, quote)
        for base in bases
    ]


def _perpetuals(template: str) -> list[NewSymbol]:
    return [
        NewSymbol(template.format(base=base), base, "USDC", base, "USDC", InstrumentKind.PERPETUAL)
        for base in PERPETUALS
    ]


def _held(chain: str, base: str, where: str = "native") -> NewSymbol:
    return NewSymbol(f"{chain}:{where}", base, "USD", base, "USD", InstrumentKind.CUSTODY)


def _traded(slug: str) -> list[NewSymbol]:
    found = []
    for text in TRADED[slug]:
        base, quote = text.split("-")
        found.append(NewSymbol(text, base, quote, base, quote))
    return found


SYMBOLS = {
    "coinbase_advanced": _traded("coinbase_advanced"),
    "coinbase_exchange": _traded("coinbase_exchange"),
    "coinbase_prime": _pairs("{base}-{quote}", "USD"),
    "binance": [*_pairs("{base}{quote}", "USDT"), *_pairs("{base}{quote}", "USDC", MAJORS[:5])],
    "kraken": _pairs("{base}/{quote}", "USD"),
    "hyperliquid": _perpetuals("{base}"),
    "tradexyz": [
        NewSymbol("xyz:EUR", "EUR", "USDC", "EUR", "USDC", InstrumentKind.PERPETUAL),
        NewSymbol("xyz:GOLD", "GOLD", "USDC", "GOLD", "USDC", InstrumentKind.PERPETUAL),
        NewSymbol("xyz:TSLA", "TSLA", "USDC", "TSLA", "USDC", InstrumentKind.PERPETUAL),
    ],
    "lighter": [
        *_perpetuals("{base}"),
        NewSymbol("ETH/USDC", "ETH", "USDC", "ETH", "USDC"),
    ],
    "falconx": _pairs("{base}/{quote}", "USD"),
    "fordefi": [
        _held("evm_ethereum_mainnet", "ETH"),
        _held("solana_mainnet", "SOL"),
        _held("evm_ethereum_mainnet", "USDC", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"),
        _held("evm_ethereum_mainnet", "USDT", "0xdAC17F958D2ee523a2206206994597C13D831ec7"),
    ],
}
