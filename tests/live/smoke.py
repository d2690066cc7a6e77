"""The smoke test of one account at one venue: each step told, and at the end what was not done.

A step that fails does not keep the others from being tried. No part of the key, no balance and no
holding is printed.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_DOWN, Decimal
from typing import Any

from venues.interface.client import ChecksKey, ListsInstruments
from venues.interface.errors import NotSent, OutcomeUnknown, Rejected, VenueError
from venues.interface.types import (
    OPEN_STATUSES,
    BookEvent,
    Instrument,
    KeyRights,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    StreamReset,
)
from venues.marketdata.assembler import Assembler

# Far below the market, so that the order rests, and near enough for price bands.
FAR_AWAY = Decimal("0.7")
LOOKS = 10
_NOT_ENDED = OPEN_STATUSES | {OrderStatus.UNKNOWN}


class Failed(Exception):
    """A step did not show what it must."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What may be done, to which symbol, and how long the stream is watched."""

    symbol: str
    seconds: float
    may_trade: bool = False
    pause_seconds: float = 1.0  # between two looks at an order that has to settle


class Smoke:
    def __init__(
        self, client: Any, terms: Terms, *, say: Callable[[str], object], secrets: Iterable[str]
    ) -> None:
        self._client = client
        self._terms = terms
        self._print = say
        self._secrets = [secret for secret in secrets if secret]
        self._instrument: Instrument | None = None
        self._failed: list[str] = []
        self._left_out: list[str] = []

    def _say(self, text: str) -> None:
        for secret in self._secrets:
            text = text.replace(secret, "[key]")
        self._print(text)

    async def run(self) -> bool:
        await self._step("health", self._health)
        await self._step("key rights", self._rights, needs=ChecksKey)
        await self._step("instruments", self._instruments, needs=ListsInstruments)
        await self._step("balances", self._balances)
        await self._step("book", self._book)
        await self._step(f"{self._terms.seconds:g} s of book stream", self._stream)
        trading = "placing, looking up by both ids, cancelling"
        if self._terms.may_trade:
            await self._step(trading, self._trade)
        else:
            self._left_out.append(f"{trading} (LIVE_TEST_TRADE is not yes)")
        self._conclude()
        return not self._failed

    async def _step(
        self, name: str, play: Callable[[], Awaitable[str]], needs: type | None = None
    ) -> None:
        if needs is not None and not isinstance(self._client, needs):
            self._left_out.append(f"{name} (this venue has none)")
            return
        try:
            self._say(f"ok    {name}: {await play()}")
        except (VenueError, Failed, TimeoutError) as error:
            self._failed.append(name)
            self._say(f"FAIL  {name}: {type(error).__name__}: {error}")

    def _conclude(self) -> None:
        for one in self._left_out:
            self._say(f"NOT DONE: {one}")
        traded = "ORDERS WERE SENT" if self._terms.may_trade else "Nothing was sent but questions"
        ending = (
            f"FAILED: {', '.join(self._failed)}" if self._failed else "all that was tried works"
        )
        self._say(f"{traded}; {ending}.")

    # Reading

    async def _health(self) -> str:
        health = await self._client.health()
        if not health.is_up:
            raise Failed(health.message)
        return f"{health.latency_seconds * 1000:.0f} ms, clock off by {health.clock_offset_seconds:.2f} s"

    async def _rights(self) -> str:
        rights: KeyRights = await self._client.get_key_rights()
        words = {True: "yes", False: "no", None: "not said"}
        told = (
            f"view {words[rights.can_view]}, trade {words[rights.can_trade]}, "
            f"transfer {words[rights.can_transfer]}"
        )
        return told + (" - A DESK WANTS NO SUCH KEY" if rights.can_transfer else "")

    async def _instruments(self) -> str:
        found = await self._client.get_instruments()
        self._instrument = next((one for one in found if one.symbol == self._terms.symbol), None)
        if self._instrument is None:
            message = f"{self._terms.symbol} is none of {len(found)} instruments"
            raise Failed(message)
        return f"{len(found)}, {self._terms.symbol} among them"

    async def _balances(self) -> str:
        return f"{len(await self._client.get_balance())} currencies, amounts not shown"

    async def _book(self) -> str:
        bid, ask = await self._top()
        return f"{bid:f} bid, {ask:f} asked"

    async def _top(self) -> tuple[Decimal, Decimal]:
        book = await self._client.get_order_book(self._terms.symbol, 5)
        if not book.bids or not book.asks or book.bids[0].price >= book.asks[0].price:
            message = "the book is empty or crossed"
            raise Failed(message)
        return book.bids[0].price, book.asks[0].price

    async def _stream(self) -> str:
        book, resets = Assembler(self._terms.symbol), 0
        stream: AsyncGenerator[BookEvent | StreamReset, None]
        stream = self._client.subscribe_order_book([self._terms.symbol])
        with suppress(TimeoutError):
            async with asyncio.timeout(self._terms.seconds), aclosing(stream) as events:
                async for event in events:
                    if isinstance(event, StreamReset):
                        book.reset(event.reason)
                        resets += 1
                    else:
                        book.apply(event)
        if not book.is_live:
            message = f"no live book at the end: {book.reason}"
            raise Failed(message)
        # The first reset is the connect itself.
        return f"{book.updates} events, {max(resets - 1, 0)} interruptions"

    # Trading

    async def _trade(self) -> str:
        request = self._far_away((await self._top())[0])
        own = OrderRef(
            symbol=request.symbol,
            client_order_id=request.client_order_id,
            sent_at=datetime.now(UTC),
            side=request.side,
        )
        try:
            placed = await self._client.place_order(request)
        except OutcomeUnknown as error:
            await self._clear_up(own)
            message = f"no certain answer to the order: {error}"
            raise Failed(message) from error
        both = replace(own, venue_order_id=placed.venue_order_id)
        try:
            await self._find(own, placed.venue_order_id)
            await self._find(both, placed.venue_order_id)
        finally:
            await self._clear_up(both)
        return f"{request.quantity:f} {request.symbol} at {request.limit_price:f}, and gone again"

    def _far_away(self, bid: Decimal) -> OrderRequest:
        """Write the smallest order the venue takes, far below the market and never taking."""
        about = self._instrument
        if about is None:
            message = "without the instrument's steps no order can be written"
            raise Failed(message)
        price = (bid * FAR_AWAY / about.price_tick).to_integral_value(ROUND_DOWN) * about.price_tick
        least = max(about.min_quantity, about.min_notional / price, about.quantity_step)
        steps = (least / about.quantity_step).to_integral_value(ROUND_CEILING)
        return OrderRequest(
            client_order_id=str(uuid.uuid4()),
            symbol=about.symbol,
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            quantity=steps * about.quantity_step,
            limit_price=price,
            post_only=True,
        )

    async def _find(self, ref: OrderRef, venue_order_id: str) -> None:
        for _ in range(LOOKS):
            with suppress(Rejected):
                if (await self._client.get_order(ref)).venue_order_id == venue_order_id:
                    return
            await asyncio.sleep(self._terms.pause_seconds)
        message = f"the order is not found by {'venue' if ref.venue_order_id else 'client'} id"
        raise Failed(message)

    async def _clear_up(self, ref: OrderRef) -> None:
        """Cancel, and look until the order has ended; say so loudly when it may still be open."""
        for _ in range(LOOKS):
            with suppress(Rejected, NotSent, OutcomeUnknown):
                await self._client.cancel_order(ref)
            with suppress(Rejected, NotSent, OutcomeUnknown):
                order = await self._client.get_order(ref)
                if order.status not in _NOT_ENDED:
                    if order.filled_quantity:
                        self._say(f"IT WAS FILLED: {order.filled_quantity:f} {order.symbol}")
                    return
            await asyncio.sleep(self._terms.pause_seconds)
        message = f"AN ORDER MAY STILL BE OPEN: {ref.symbol}, client id {ref.client_order_id}"
        raise Failed(message)
