"""Two lists in JSON: CoinGecko's coins with their platforms, and token lists as Uniswap defined them.

An item that is not written as it should be is told on the line where it begins; the others are read.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from assets.imports.lines import Limits, Line, Unreadable, line_of, reading

T = TypeVar("T")
A_TOKEN, A_NATIVE = "token", "native"
MOST_PLATFORMS = 200


class _Detail(msgspec.Struct):
    contract_address: str | None = None
    decimal_place: int | None = None


class _Coin(msgspec.Struct):
    id: str
    symbol: str
    name: str
    platforms: dict[str, str | None] | None = None
    detail_platforms: dict[str, _Detail | None] | None = None


class _Token(msgspec.Struct, rename="camel"):
    chain_id: int
    address: str
    symbol: str
    name: str
    decimals: int


class _TokenList(msgspec.Struct):
    tokens: list[msgspec.Raw]
    name: str = ""


_coins = msgspec.json.Decoder(list[msgspec.Raw])
_coin = msgspec.json.Decoder(_Coin)
_tokens = msgspec.json.Decoder(_TokenList)
_token = msgspec.json.Decoder(_Token)


def coin_list(data: bytes, *, kinds: frozenset[str], limits: Limits) -> Iterator[Line]:
    """Read coins: one line for what each is, and one for every platform it has a contract on.

    CoinGecko writes all tickers in small letters, so they are read as capitals.
    """
    with reading("list"):
        try:
            items = _coins.decode(data)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Unreadable(_not("a list of coins", error)) from error
    for number, line, raw in _placed(data, items, limits):
        place = f"coin {number}"
        try:
            coin = _decoded(_coin, raw)
        except _NotSo as error:
            yield Line(line=line, place=place, error=f"This is not written as a coin: {error}.")
            continue
        yield from _of_a_coin(coin, line, place, kinds)


def _of_a_coin(coin: _Coin, line: int, place: str, kinds: frozenset[str]) -> Iterator[Line]:
    where = _platforms(coin)
    if not coin.id.strip():
        yield Line(line=line, place=place, error="The id of the coin is missing.")
        return
    if len(where) > MOST_PLATFORMS:
        yield Line(line=line, place=place, error=f"No coin has {len(where)} platforms.")
        return
    said: dict[str, object] = {
        "coingecko": coin.id,
        "symbol": coin.symbol.upper(),
        "name": coin.name,
        "kind": A_TOKEN if where else A_NATIVE,
    }
    yield line_of(line=line, place=place, said=said, kinds=kinds)
    for platform, (address, decimals) in where.items():
        lives = {"chain": platform, "address": address, "decimals": decimals}
        yield line_of(line=line, place=f"{place}, {platform}", said={**said, **lives}, kinds=kinds)


def _platforms(coin: _Coin) -> dict[str, tuple[str, int | None]]:
    """Gather where it lives; a platform without a name or an address says nothing."""
    found: dict[str, tuple[str, int | None]] = {
        platform: (address, None) for platform, address in (coin.platforms or {}).items() if address
    }
    for platform, detail in (coin.detail_platforms or {}).items():
        if detail and detail.contract_address:
            found[platform] = (detail.contract_address, detail.decimal_place)
    return {platform: told for platform, told in found.items() if platform.strip()}


def token_list(data: bytes, *, kinds: frozenset[str], limits: Limits) -> Iterator[Line]:
    """Read tokens: each is one contract on the chain with that number."""
    with reading("list"):
        try:
            items = _tokens.decode(data).tokens
        except (msgspec.DecodeError, UnicodeError) as error:
            raise Unreadable(_not("a token list", error)) from error
    for number, line, raw in _placed(data, items, limits):
        place = f"token {number}"
        try:
            token = _decoded(_token, raw)
        except _NotSo as error:
            yield Line(line=line, place=place, error=f"This is not written as a token: {error}.")
            continue
        said: dict[str, object] = {
            "symbol": token.symbol,
            "name": token.name,
            "kind": A_TOKEN,
            "chain": token.chain_id,
            "address": token.address,
            "decimals": token.decimals,
        }
        yield line_of(line=line, place=place, said=said, kinds=kinds)


class _NotSo(ValueError):
    """An item is not of its shape."""


def _decoded(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw) -> T:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise _NotSo(str(error).rstrip(".")) from error


def _placed(
    data: bytes, items: list[msgspec.Raw], limits: Limits
) -> Iterator[tuple[int, int, msgspec.Raw]]:
    """Count the items, and find the line of the file on which each begins."""
    if len(items) > limits.rows:
        message = f"The list has {len(items):,} items; {limits.rows:,} are the most."
        raise Unreadable(message)
    line, here = 1, 0
    for number, raw in enumerate(items, start=1):
        written = bytes(raw)
        begins = max(data.find(written, here), here)
        line += data.count(b"\n", here, begins)
        yield number, line, raw
        line, here = line + written.count(b"\n"), begins + len(written)


def _not(what: str, error: Exception) -> str:
    return f"This is not {what} in JSON: {str(error).rstrip('.')}."
