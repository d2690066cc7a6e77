"""Every scenario on every adapter; and a suite that fails adapters that are broken on purpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.venues.adapters.conformance.scenarios import NEEDS, SCENARIOS
from tests.venues.adapters.conformance.stage import (
    FICTIONAL,
    OTHER,
    OTHER_KEYS,
    STAGES,
    SYMBOL,
    Tape,
    staged,
)
from venues.adapters.registry import ADAPTERS
from venues.interface.errors import Cause, OutcomeUnknown, Rejected
from venues.interface.types import BookEvent, OrderStatus, Page, StreamReset
from venues.marketdata.assembler import Assembler


def test_every_adapter_is_on_the_stage():
    assert STAGES.keys() == ADAPTERS.keys()
    assert not FICTIONAL.keys() & ADAPTERS.keys()


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted({**STAGES, **FICTIONAL}))
@pytest.mark.parametrize("name", sorted(SCENARIOS))
async def test_scenario(slug: str, name: str, tmp_path: Path):
    async with staged(slug, tmp_path) as desk:
        if not NEEDS[name](desk):
            pytest.skip(f"{slug} does not declare this")
        await SCENARIOS[name](desk)
        assert desk.strangers() == []


# What a key of the other kind changes: who one is, at every door there is.
SIGNED = (
    "an_order_lives_from_placing_to_cancelling",
    "a_market_order_fills_and_its_fills_and_balances_agree",
    "a_key_nobody_knows_is_an_auth_failure",
    "a_secret_that_does_not_fit_the_key_is_an_auth_failure",
    "a_clock_that_is_wrong_is_corrected_by_the_venues",
    "reads_get_over_a_bad_moment",
    "a_streamed_book_equals_the_venues_own",
    "a_lost_book_message_brings_a_new_snapshot",
    "own_orders_are_followed_to_their_end",
    "a_refused_private_stream_says_so_and_never_looks_alive",
)


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted(OTHER_KEYS))
@pytest.mark.parametrize("name", SIGNED)
async def test_scenario_with_the_other_kind_of_key(slug: str, name: str, tmp_path: Path):
    async with staged(slug, tmp_path, OTHER_KEYS[slug]) as desk:
        assert NEEDS[name](desk)
        await SCENARIOS[name](desk)
        assert desk.strangers() == []


@pytest.mark.slow
async def test_books_are_right_over_several_sockets_too(tmp_path: Path, monkeypatch: Any):
    monkeypatch.setattr("venues.adapters.coinbase_advanced.client.MOST_PRODUCTS_ON_A_SOCKET", 1)
    async with staged("coinbase_advanced", tmp_path) as desk:
        tape = Tape(desk.client.subscribe_order_book([SYMBOL, OTHER]))
        await tape.until(
            lambda items: (
                {one.symbols for one in items if isinstance(one, StreamReset)}
                == {(SYMBOL,), (OTHER,)}
            )
        )
        books = {symbol: Assembler(symbol) for symbol in (SYMBOL, OTHER)}
        await tape.until(
            lambda items: {i.symbol for i in items if isinstance(i, BookEvent)} == books.keys()
        )
        at = len(tape.items)
        desk.app.step()
        desk.app.second()
        await tape.until(
            lambda items: (
                {i.symbol for i in items[at:] if isinstance(i, BookEvent) and not i.changes}
                == books.keys()
            )
        )
        for item in tape.items:
            if isinstance(item, BookEvent):
                books[item.symbol].apply(item)
        await tape.close()
        for symbol, book in books.items():
            truth, taken = await desk.client.get_order_book(symbol, 100), book.snapshot(100)
            assert taken is not None
            assert (taken.bids, taken.asks) == (truth.bids, truth.asks)


class Broken:
    """An adapter with one thing wrong with it."""

    def __init__(self, client: Any, **wrong: Callable[..., Any]) -> None:
        self._client = client
        self._wrong = wrong

    def __getattr__(self, name: str) -> Any:
        whole = getattr(self._client, name)
        wrong = self._wrong.get(name)
        if wrong is None:
            return whole

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await wrong(whole, *args, **kwargs)

        return call


async def a_timeout_is_a_failure(place: Any, request: Any) -> Any:
    try:
        return await place(request)
    except OutcomeUnknown as error:
        raise Rejected(str(error), cause=Cause.TEMPORARY) from error


async def only_the_first_page(listing: Any, query: Any) -> Any:
    return Page((await listing(query)).items, "")


async def every_order_is_open(get: Any, ref: Any) -> Any:
    return replace(await get(ref), status=OrderStatus.ACKNOWLEDGED)


async def amounts_through_a_float(balances: Any) -> Any:
    return tuple(
        replace(one, available=Decimal(float(one.available) * 1.0000001))
        for one in await balances()
    )


async def sides_are_swapped(place: Any, request: Any) -> Any:
    other = {"buy": "sell", "sell": "buy"}[request.side.value]
    return await place(replace(request, side=type(request.side)(other)))


BREAKS = [
    (
        "place_order",
        a_timeout_is_a_failure,
        "a_lost_answer_is_unknown_and_the_client_id_tells_the_truth",
    ),
    ("get_fills", only_the_first_page, "a_thousand_fills_are_paged_without_loss"),
    ("get_order", every_order_is_open, "an_order_lives_from_placing_to_cancelling"),
    (
        "get_balance",
        amounts_through_a_float,
        "a_market_order_fills_and_its_fills_and_balances_agree",
    ),
    ("place_order", sides_are_swapped, "an_order_lives_from_placing_to_cancelling"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("method", "wrong", "name"), BREAKS)
@pytest.mark.parametrize("slug", sorted({**STAGES, **FICTIONAL}))
async def test_a_broken_adapter_fails(
    slug: str, method: str, wrong: Callable[..., Any], name: str, tmp_path: Path
):
    async with staged(slug, tmp_path) as desk:
        whole = desk.client
        desk.client = Broken(whole, **{method: wrong})
        with pytest.raises((AssertionError, Rejected, pytest.fail.Exception)):
            await SCENARIOS[name](desk)
        desk.client = whole
