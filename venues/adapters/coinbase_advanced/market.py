"""The venue's market data into the words every venue speaks: books, trades, products, its clock."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from venues.adapters.coinbase_advanced import wire
from venues.adapters.coinbase_advanced.normalizer import (
    Unreadable,
    decode,
    moment,
    number,
    optional,
    side_of,
    time_of,
)
from venues.interface.times import BadTime, from_unix
from venues.interface.types import (
    BookEvent,
    BookEventKind,
    BookSide,
    BookSnapshot,
    Instrument,
    Level,
    LevelChange,
    Side,
    Trade,
)

_BOOK_SIDES: Final = {"bid": BookSide.BID, "offer": BookSide.ASK, "ask": BookSide.ASK}
_BOOK_KINDS: Final = {"snapshot": BookEventKind.SNAPSHOT, "update": BookEventKind.UPDATE}


def read_book(symbol: str, book: wire.PriceBook, received_at: datetime) -> BookSnapshot:
    return BookSnapshot(
        symbol=symbol,
        bids=tuple(Level(number(level.price), number(level.size)) for level in book.bids),
        asks=tuple(Level(number(level.price), number(level.size)) for level in book.asks),
        venue_time=moment(book.time),
        received_at=received_at,
    )


def read_instrument(said: wire.Product) -> Instrument:
    is_closed = (
        said.trading_disabled
        or said.is_disabled
        or said.view_only
        or said.cancel_only
        or said.auction_mode
    )
    base, _, quote = said.product_id.rpartition("-")
    return Instrument(
        symbol=said.product_id,
        base=said.base_currency_id or base,
        quote=said.quote_currency_id or quote,
        price_tick=number(said.price_increment or said.quote_increment),
        quantity_step=number(said.base_increment),
        min_quantity=number(said.base_min_size),
        max_quantity=optional(said.base_max_size),
        min_notional=number(said.quote_min_size),
        max_notional=optional(said.quote_max_size),
        is_tradable=said.status in {"online", ""} and not is_closed,
    )


def read_server_time(body: bytes) -> datetime:
    try:
        return from_unix(decode(body, wire.ServerTime).epochMillis)
    except (BadTime, ValueError) as error:
        raise Unreadable(str(error)) from error


def read_level2(
    said: wire.Level2Event, symbol: str, envelope: wire.Envelope, received_at: datetime
) -> BookEvent:
    """Read one book event under the symbol its listener asked for."""
    kind = _BOOK_KINDS.get(said.type)
    if kind is None:
        message = f"neither snapshot nor update: {said.type!r:.40}"
        raise Unreadable(message)
    _check_numbers(said.updates)
    try:
        changes = tuple(
            [
                LevelChange(_BOOK_SIDES[level.side], level.price_level, level.new_quantity)
                for level in said.updates
            ]
        )
    except KeyError as error:
        message = f"neither bid nor offer: {error!s:.40}"
        raise Unreadable(message) from error
    return BookEvent(
        symbol=symbol,
        kind=kind,
        changes=changes,
        sequence=envelope.sequence_num,
        venue_time=moment(envelope.timestamp),
        received_at=received_at,
    )


def _check_numbers(updates: list[wire.LevelUpdate]) -> None:
    """Refuse a book that holds anything but digits and points, at a few nanoseconds a level."""
    text = "".join([level.price_level + level.new_quantity for level in updates])
    if text and not (text.isascii() and text.replace(".", "").isdigit()):
        message = "a level that is no number"
        raise Unreadable(message)


def read_trade(said: wire.PublicTrade, symbol: str, received_at: datetime) -> Trade:
    """Read a public trade; the venue names the maker's side, we the taker's."""
    maker = side_of(said.side)
    return Trade(
        symbol=symbol,
        venue_trade_id=said.trade_id,
        price=number(said.price),
        quantity=number(said.size),
        side=Side.SELL if maker is Side.BUY else Side.BUY,
        venue_time=time_of(said.time),
        received_at=received_at,
    )
