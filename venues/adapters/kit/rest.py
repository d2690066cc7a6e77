"""What every REST client does the same way: keys, answers, clocks, pages, looking an order up.

What we believe of an answer depends on the question. An unreadable answer to a read is safe to ask
again; an unreadable answer to anything that may have changed something is an unknown outcome.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

import httpx
import msgspec

from venues.adapters.contract import ApiKey, Surroundings, VenueConfig
from venues.adapters.kit.listing import Listing, PageWords
from venues.adapters.kit.reading import ZERO, Answer, Unreadable, Written, decode, plain_raw
from venues.adapters.kit.watching import Known, Watcher
from venues.interface.errors import Cause, NotSent, OutcomeUnknown, Rejected, VenueError
from venues.interface.types import (
    Health,
    Order,
    OrderQuery,
    OrderRef,
    OrderRequest,
    OrderStatus,
    Page,
)
from venues.transport.http import HttpTransport, Refusal, Safety
from venues.transport.operation import CANCEL, LOOK_UP, Operation

T = TypeVar("T")
Item = TypeVar("Item")
W = TypeVar("W")
Params = Sequence[tuple[str, str]]

MOST_PAGES: Final = 200
# How far the venue's clock and ours may be apart when an order is looked for by time.
CLOCK_MARGIN: Final = timedelta(minutes=2)
# Beyond this our own clock is taken to be wrong when signing.
CLOCK_TOLERANCE: Final = timedelta(seconds=2)


class RestClient:
    """One account at one venue, over HTTP. A venue's client adds its paths, words and signer."""

    def __init__(
        self,
        *,
        config: VenueConfig,
        key: ApiKey | None,
        around: Surroundings,
        read_refusal: Callable[[int, bytes], Refusal],
        known: Known,
    ) -> None:
        self._config = config
        self._around = around
        self._key = key
        self._clock_offset = timedelta()
        self._watcher = Watcher(known, around)
        self._look = self._watcher.look  # also at parts that are read later than the answer
        self._read_refusal = read_refusal
        self._http = HttpTransport(
            config.rest_url,
            auth=self._sign(key) if key else None,
            read_refusal=self._refusal,
            on_unauthorized=self._ask_the_time,
            patience=around.patience,
            seams=around.seams,
        )

    @abstractmethod
    def _sign(self, key: ApiKey) -> httpx.Auth:
        """Make the signing step of this account's key."""

    @abstractmethod
    async def _venue_time(self) -> datetime:
        """Ask the venue for its time, without a key."""

    async def aclose(self) -> None:
        await self._http.aclose()

    async def health(self) -> Health:
        """Ask for the time, which needs no key; testing the key is the test of a key."""
        stopwatch = self._around.seams.stopwatch
        began, asked_at = stopwatch(), self._around.now()
        try:
            venue_time = await self._venue_time()
        except VenueError as error:
            return Health(
                is_up=False,
                latency_seconds=stopwatch() - began,
                clock_offset_seconds=None,
                message=str(error),
            )
        seconds = stopwatch() - began
        offset = venue_time - asked_at - timedelta(seconds=seconds / 2)
        self._clock_offset = offset if abs(offset) > CLOCK_TOLERANCE else timedelta()
        return Health(
            is_up=True, latency_seconds=seconds, clock_offset_seconds=offset.total_seconds()
        )

    def _signing_time(self) -> float:
        return (self._around.now() + self._clock_offset).timestamp()

    async def _ask_the_time(self) -> None:
        """Sign by the venue's clock when ours is wrong: a request made too early or late is a 401."""
        await self.health()

    def _refusal(self, status: int, body: bytes) -> Refusal:
        self._watcher.look_at_refusal(body)
        return self._read_refusal(status, body)

    def _need_key(self) -> None:
        if self._key is None:
            message = "this needs an API key and none is given"
            raise NotSent(message, cause=Cause.AUTH)

    # Reading

    async def _read(self, path: str, params: Params, kind: type[T], operation: Operation) -> T:
        self._need_key()
        answer = await self._http.get(path, params=params, operation=operation)
        return self._reading(lambda: self._decode(answer, kind))

    async def _read_kept(
        self, path: str, params: Params, kind: type[T], operation: Operation
    ) -> tuple[T, Answer]:
        """Read, and keep what was written beside what is made of it."""
        self._need_key()
        answer = await self._http.get(path, params=params, operation=operation)
        return self._reading(lambda: self._decode(answer, kind)), Answer(answer)

    async def _read_page(
        self, path: str, params: Params, kind: type[T], operation: Operation
    ) -> tuple[T, Answer, Mapping[str, str]]:
        """Read a page whose headers say how to go on."""
        self._need_key()
        answer, headers = await self._http.get_page(path, params=params, operation=operation)
        return self._reading(lambda: self._decode(answer, kind)), Answer(answer), headers

    async def _read_openly(
        self, path: str, params: Params, kind: type[T], operation: Operation
    ) -> T:
        """Read what needs no key, without showing one."""
        answer = await self._http.get(
            path,
            params=params,
            headers={"Cache-Control": "no-cache"},
            is_signed=False,
            operation=operation,
        )
        return self._reading(lambda: self._decode(answer, kind))

    def _decode(self, answer: bytes, kind: type[T]) -> T:
        """Read an answer, and notice members nobody knows."""
        found = decode(answer, kind)
        self._look(kind, answer)
        return found

    def _reading(self, read: Callable[[], T]) -> T:
        """Say of an unreadable answer to a read that asking again is safe."""
        try:
            return read()
        except Unreadable as error:
            self._around.on_drift("unreadable answer", str(error))
            message = f"the venue's answer cannot be read: {error}"
            raise NotSent(message, cause=Cause.TEMPORARY) from error

    def _each(
        self,
        read: Callable[[W, Written, datetime], T],
        said: Sequence[W],
        answer: Answer,
        *way: str,
    ) -> list[T]:
        """Make something of each thing a page lists, keeping what was written of it."""
        now = self._around.now()
        return self._reading(
            lambda: [read(one, Written(answer, (*way, at)), now) for at, one in enumerate(said)]
        )

    def _notice(self, kind: str, word: str, known: object) -> None:
        """Report a word of the venue's that we have no meaning for."""
        if word not in known:  # type: ignore[operator]
            self._around.on_drift(f"unknown {kind}", word[:80])

    def _notice_statuses(self, orders: Iterable[Order], words: Iterable[str]) -> None:
        """Report each status that was read as unknown, in the venue's word for it."""
        unknown_status = OrderStatus.UNKNOWN
        for order, word in zip(orders, words, strict=True):
            if order.status is unknown_status:
                self._around.on_drift("unknown order status", word[:80])

    async def _all(self, page: Callable[[str], Awaitable[Page[T]]], what: str) -> list[T]:
        """Read a listing to its end; one that has no end is no listing."""
        found: list[T] = []
        cursor = ""
        for _ in range(MOST_PAGES):
            said = await page(cursor)
            found += said.items
            cursor = said.cursor
            if not cursor:
                return found
        message = f"more than {MOST_PAGES} pages of {what}"
        raise NotSent(message, cause=Cause.TEMPORARY)

    async def _listed(
        self, path: str, words: PageWords, kind: type[Listing[Item]], operation: Operation
    ) -> list[Item]:
        """Read the whole of a listing whose body says how to go on."""

        async def page(cursor: str) -> Page[Item]:
            params = words.params(OrderQuery(limit=words.largest, cursor=cursor))
            said = await self._read(path, params, kind, operation)
            return Page(tuple(said.items), next_cursor(cursor, said.cursor, has_next=said.has_next))

        return await self._all(page, path.rpartition("/")[2])

    async def get_order(self, ref: OrderRef) -> Order:
        raise NotImplementedError

    async def get_orders(self, query: OrderQuery) -> Page[Order]:
        raise NotImplementedError

    async def _first_order(self, request: OrderRequest, venue_order_id: str = "") -> Order:
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
            raise unknown(message) from error

    async def _find_by_scanning(self, ref: OrderRef, query: OrderQuery) -> Order:
        """Look through the listing, for a venue without a way to ask by our id.

        Only a listing read to its end proves that an order is not there.
        """
        query = replace(query, since=ref.sent_at - CLOCK_MARGIN if ref.sent_at else None)
        for _ in range(MOST_PAGES):
            page = await self.get_orders(query)
            for order in page.items:
                if order.client_order_id == ref.client_order_id:
                    return order
            if not page.cursor:
                message = f"no order {ref.client_order_id} on {ref.symbol} since it was sent"
                raise Rejected(message, cause=Cause.NOT_FOUND)
            query = replace(query, cursor=page.cursor)
        message = f"order {ref.client_order_id} was not among the first {MOST_PAGES} pages"
        raise NotSent(message, cause=Cause.TEMPORARY)

    # Acting

    async def _create(
        self, path: str, body: object, kind: type[T], operation: Operation
    ) -> tuple[T, bytes]:
        """Send an order once; what cannot be read of the answer leaves its outcome open."""
        self._need_key()
        answer = await self._http.post(
            path, msgspec.json.encode(body), safety=Safety.ONCE, operation=operation
        )
        return self._said(answer, kind, "order"), answer

    async def _cancel(self, path: str, body: object, kind: type[T], reference: str) -> T:
        """Ask for a cancel, which may be asked again."""
        self._need_key()
        answer = await self._http.post(
            path,
            msgspec.json.encode(body),
            safety=Safety.REPEATABLE,
            operation=CANCEL.about(reference),
        )
        return self._said(answer, kind, "cancel")

    async def _delete(self, path: str, params: Params, kind: type[T], reference: str) -> T:
        self._need_key()
        answer = await self._http.delete(path, params=params, operation=CANCEL.about(reference))
        return self._said(answer, kind, "cancel")

    def _said(self, answer: bytes, kind: type[T], what: str) -> T:
        """Say of an unreadable answer to an act that its outcome is open."""
        try:
            return self._decode(answer, kind)
        except Unreadable as error:
            self._around.on_drift("unreadable answer", str(error))
            message = f"the answer to the {what} cannot be read: {error}"
            raise unknown(message) from error

    def _accepted(self, request: OrderRequest, venue_order_id: str, answer: bytes) -> Order:
        """Say only what an acceptance proves: taken for processing, nothing resting or filled."""
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
            received_at=self._around.now(),
            raw=self._kept(answer),
        )

    def _kept(self, answer: bytes) -> Mapping[str, object]:
        """Keep an acceptance whole; members nobody reads must not undo an order that stands."""
        try:
            return plain_raw(answer)
        except Unreadable as error:
            self._around.on_drift("unreadable answer", str(error))
            return {"unreadable": answer.decode(errors="replace")}


def looking_up(ref: OrderRef) -> Operation:
    return LOOK_UP.about(ref.client_order_id or ref.venue_order_id)


def unknown(message: str) -> OutcomeUnknown:
    return OutcomeUnknown(message, cause=Cause.TEMPORARY)


def next_cursor(asked: str, said: str | None, *, has_next: bool | None) -> str:
    """Return the way on, or nothing at the end; a listing that hides its rest is no listing."""
    if has_next is False or (has_next is None and not said):
        return ""
    if not said or said == asked:
        message = "the venue says there is more and not how to read it"
        raise NotSent(message, cause=Cause.TEMPORARY)
    return said
