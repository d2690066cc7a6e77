"""One account at Coinbase Advanced, as the nine methods and what it can do beyond them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

import msgspec

from venues.adapters.coinbase_advanced import orders, streams, wire
from venues.adapters.coinbase_advanced.feed import LEVEL2, TRADES, USER, Feed
from venues.adapters.coinbase_advanced.normalizer import ZERO, Unreadable, decode
from venues.adapters.coinbase_advanced.reads import PREFIX, CoinbaseAdvancedReads
from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected, VenueError
from venues.interface.types import (
    BookEvent,
    CancelAnswer,
    Order,
    OrderRef,
    OrderRequest,
    OrderStatus,
    OrderUpdate,
    StreamReset,
    Trade,
)
from venues.transport.http import Safety

# A limit another client keeps in practice; the venue documents none.
MOST_BOOKS_ON_A_SOCKET: Final = 55


class CoinbaseAdvancedClient(CoinbaseAdvancedReads):
    async def place_order(self, request: OrderRequest) -> Order:
        self._need_key()
        body = orders.order_body(request)
        answer = await self._http.post(
            f"{PREFIX}/orders", msgspec.json.encode(body), safety=Safety.ONCE
        )
        try:
            said = decode(answer, wire.Created)
        except Unreadable as error:
            message = f"the answer to the order cannot be read: {error}"
            raise _unknown(message) from error
        if not said.success:
            return await self._refused(request, said)
        success = said.success_response or wire.CreateSuccess()
        venue_order_id = success.order_id or said.order_id or ""
        if not venue_order_id or (success.client_order_id or "") not in {
            "",
            request.client_order_id,
        }:
            message = "the venue accepted, but its answer does not name this order"
            raise _unknown(message)
        if _is_another_order(said, body):
            return await self._first_order(request, venue_order_id)
        return self._accepted(request, venue_order_id, answer)

    def _accepted(self, request: OrderRequest, venue_order_id: str, answer: bytes) -> Order:
        """Say only what the answer proves: accepted for processing, nothing resting or filled."""
        now = self._around.now()
        return Order(
            venue_order_id=venue_order_id,
            client_order_id=request.client_order_id,
            symbol=request.symbol,
            side=request.side,
            order_type=request.order_type,
            status=OrderStatus.PENDING,
            quantity=request.quantity,
            notional=request.notional,
            limit_price=request.limit_price,
            filled_quantity=ZERO,
            filled_value=ZERO,
            fees=ZERO,
            average_price=None,
            created_at=None,
            received_at=now,
            raw=msgspec.json.decode(answer),
        )

    async def _refused(self, request: OrderRequest, said: wire.Created) -> Order:
        refusal = orders.create_refusal(said.error_response, said.failure_reason)
        if refusal is None:
            message = "the venue said no without a reason, which proves nothing"
            raise _unknown(message)
        if refusal.code != orders.DUPLICATE:
            raise Rejected(refusal.message, cause=refusal.cause, venue_code=refusal.code)
        return await self._first_order(request, "")

    async def _first_order(self, request: OrderRequest, venue_order_id: str) -> Order:
        """Read the order this client id already has; it exists, so not finding it proves nothing."""
        ref = OrderRef(
            symbol=request.symbol,
            client_order_id=request.client_order_id,
            venue_order_id=venue_order_id,
        )
        try:
            return await self.get_order(ref)
        except VenueError as error:
            message = f"the client id is taken, its order not readable: {error}"
            raise _unknown(message) from error

    async def cancel_order(self, ref: OrderRef) -> CancelAnswer:
        self._need_key()
        venue_order_id = ref.venue_order_id or (await self.get_order(ref)).venue_order_id
        answer = await self._http.post(
            f"{PREFIX}/orders/batch_cancel",
            msgspec.json.encode({"order_ids": [venue_order_id]}),
            safety=Safety.REPEATABLE,
        )
        try:
            results = decode(answer, wire.Cancelled).results
        except Unreadable as error:
            message = f"the answer to the cancel cannot be read: {error}"
            raise _unknown(message) from error
        result = next((one for one in results if one.order_id == venue_order_id), None)
        if result is None:
            message = "the answer to the cancel does not name the order"
            raise _unknown(message)
        return _cancel_answer(result)

    async def subscribe_order_book(
        self, symbols: Sequence[str]
    ) -> AsyncGenerator[BookEvent | StreamReset, None]:
        listeners = await self._listeners(symbols)
        if len(listeners) > MOST_BOOKS_ON_A_SOCKET:
            message = f"at most {MOST_BOOKS_ON_A_SOCKET} books on one socket: split the symbols"
            raise NotSent(
                message,
                cause=Cause.INVALID,
            )
        feed = self._feed(self._config.ws_url, LEVEL2, tuple(listeners))
        async with aclosing(streams.books(feed, listeners, self._around)) as events:
            async for event in events:
                yield event

    async def subscribe_trades(
        self, symbols: Sequence[str]
    ) -> AsyncGenerator[Trade | StreamReset, None]:
        listeners = await self._listeners(symbols)
        feed = self._feed(self._config.ws_url, TRADES, tuple(listeners))
        async with aclosing(streams.trades(feed, listeners, self._around)) as events:
            async for event in events:
                yield event

    async def subscribe_executions(self) -> AsyncGenerator[OrderUpdate | StreamReset, None]:
        self._need_key()
        feed = self._feed(self._config.ws_user_url, USER, ())
        async with aclosing(streams.executions(feed, self._around)) as events:
            async for event in events:
                yield event

    async def _listeners(self, symbols: Sequence[str]) -> dict[str, list[str]]:
        """Group what was asked for by the product id the market channels deliver."""
        listeners: dict[str, list[str]] = {}
        for symbol in dict.fromkeys(symbols):
            listeners.setdefault(await self._wire_symbol(symbol), []).append(symbol)
        return listeners

    def _feed(self, url: str, channel: str, product_ids: Sequence[str]) -> Feed:
        return Feed(url, channel, product_ids, signer=self._signer, around=self._around)


def _unknown(message: str) -> OutcomeUnknown:
    return OutcomeUnknown(message, cause=Cause.TEMPORARY)


def _is_another_order(said: wire.Created, body: dict[str, object]) -> bool:
    """Compare what the venue says it holds with what we sent: a used id brings back the first."""
    success = said.success_response or wire.CreateSuccess()
    if (success.product_id or body["product_id"]) != body["product_id"]:
        return True
    if (success.side or body["side"]) != body["side"]:
        return True
    configuration = said.order_configuration
    return bool(configuration) and set(configuration or ()) != set(
        body["order_configuration"]  # type: ignore[call-overload]
    )


def _cancel_answer(result: wire.CancelResult) -> CancelAnswer:
    if result.success:
        return CancelAnswer(is_accepted=True)
    code = result.failure_reason or ""
    if code == orders.CANCEL_UNDER_WAY:
        return CancelAnswer(is_accepted=True, venue_code=code)
    if code in {orders.CANCEL_TOO_LATE, orders.CANCEL_RACES}:
        return CancelAnswer(
            is_accepted=False, venue_code=code, is_already_done=code == orders.CANCEL_TOO_LATE
        )
    message = f"the venue refused the cancel: {code or 'no reason given'}"
    raise Rejected(
        message,
        cause=orders.cause_of(code),
        venue_code=code,
    )
