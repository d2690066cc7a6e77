"""Whatever somebody sends: every file is either read, line by line, or refused in words."""

import json
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.addresses import BadAddress, Family, normalised, normalised_many
from assets.imports import (
    Format,
    Limits,
    Unreadable,
    detect,
    guessed,
    header_of,
    placed,
    read,
    table_of,
)
from assets.imports.places import answering
from tests.assets.imports.workbook import in_a_sheet, packed, xlsx

# The first text of a checkout takes Hypothesis some seconds by itself.
pytestmark = pytest.mark.slow
KINDS = frozenset({"native", "token"})
LIMITS = Limits(size=50_000, unpacked=100_000, rows=20, columns=8, cell=50, depth=8)
CHAINS = answering([("ethereum", "Ethereum", "evm", {}), ("solana", "Solana", "solana", {})])
EXAMPLES = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60)
anything = st.recursive(
    scalars, lambda one: st.lists(one) | st.dictionaries(st.text(), one), max_leaves=12
)
addresses = st.text(max_size=60) | st.from_regex(r"0x[0-9a-fA-F]{38,42}", fullmatch=True)
coins = st.fixed_dictionaries(
    {},
    optional={
        "id": scalars,
        "symbol": st.text(max_size=40) | scalars,
        "name": st.text(max_size=130),
        "platforms": st.dictionaries(st.sampled_from(["ethereum", "solana", ""]), addresses)
        | anything,
        "detail_platforms": st.dictionaries(
            st.sampled_from(["ethereum", "base"]),
            st.none()
            | st.fixed_dictionaries(
                {}, optional={"contract_address": addresses, "decimal_place": st.integers()}
            ),
        ),
    },
)
tokens = st.fixed_dictionaries(
    {},
    optional={
        "chainId": st.sampled_from([1, 8453, -1, 10**30]) | scalars,
        "address": addresses,
        "symbol": st.text(max_size=40),
        "name": st.text(max_size=130),
        "decimals": st.integers() | scalars,
    },
)


def read_or_refuse(data, form):
    """Read a file to the end, as far as that may go; anything but a refusal in words fails."""
    try:
        mapping = {}
        if form in {Format.CSV, Format.XLSX}:
            header = header_of(data, form, LIMITS)
            mapping = guessed(header)
            assert table_of(data, form, LIMITS).header == header
        lines = list(read(data, form, kinds=KINDS, mapping=mapping, limits=LIMITS))
    except Unreadable as error:
        words = str(error)
    else:
        return kept(lines)
    assert words.strip()
    return []


def kept(lines):
    """Hold what every line that was read has to be."""
    assert len(lines) <= LIMITS.rows * 202
    for one in (found := placed(lines, CHAINS, is_strict=False)):
        held = [one.symbol, one.name, one.chain, one.address, one.error, one.place]
        assert all("\x00" not in text for text in held)
        assert "".join(held).encode()
        assert one.error or one.subject
        assert one.line >= 1
    return found


@EXAMPLES
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data):
    for form in {detect(data), *Format}:
        read_or_refuse(data, form)
    for mark in (b"PK\x03\x04", b"[", b'{"tokens":'):
        read_or_refuse(mark + data, detect(mark))


@EXAMPLES
@given(st.lists(coins | anything, max_size=6))
def test_any_list_of_coins_is_read(items):
    read_or_refuse(json.dumps(items).encode(), Format.COINS)


@EXAMPLES
@given(st.lists(tokens | anything, max_size=6))
def test_any_list_of_tokens_is_read(items):
    read_or_refuse(json.dumps({"tokens": items}).encode(), Format.TOKENS)


HEADER = ["symbol", "name", "type", "coingecko", "chain", "address", "decimals", "canonical"]
rows = st.lists(st.lists(st.text(max_size=20), max_size=9), max_size=6)


@EXAMPLES
@given(rows, st.sampled_from([",", ";", "\t"]), st.booleans())
def test_any_table_is_read_or_refused(cells, mark, is_quoted):
    write = json.dumps if is_quoted else str
    text = "\n".join(mark.join(write(cell) for cell in row) for row in [HEADER, *cells])
    read_or_refuse(text.encode("utf-8", "surrogatepass"), Format.CSV)


@EXAMPLES
@given(rows, st.binary(max_size=8), st.integers(0, 3000))
def test_any_workbook_is_read_or_refused_also_with_bytes_exchanged(cells, wrong, at):
    plain = [["".join(c for c in cell if c.isprintable()) for cell in row] for row in cells]
    data = bytearray(xlsx([HEADER, *plain]))
    data[at : at + len(wrong)] = wrong
    read_or_refuse(bytes(data), Format.XLSX)


@EXAMPLES
@given(st.text(alphabet="<>/crow v=\"'19AZst&;!", max_size=80))
def test_any_text_in_the_place_of_a_sheet_is_read_or_refused(text):
    for sheet in (text, in_a_sheet(text)):
        files = xlsx([["a"]], **{"worksheets/sheet1.xml": sheet})
        read_or_refuse(files, Format.XLSX)
    read_or_refuse(packed({"xl/workbook.xml": text}, zipfile.ZIP_STORED), Format.XLSX)


@EXAMPLES
@given(st.lists(addresses, max_size=5), st.sampled_from(list(Family)))
def test_many_addresses_are_written_as_each_is_by_itself(texts, family):
    for text, found in zip(texts, normalised_many(family, texts), strict=True):
        try:
            alone = normalised(family, text)
        except BadAddress as error:
            alone = error
        assert str(found) == str(alone)
        assert type(found) is type(alone)


def test_more_addresses_than_go_together_are_all_written():
    texts = [f"0x{number:040x}" for number in range(0xABCDEF, 0xABCDEF + 1200)]
    found = normalised_many("evm", texts)
    assert found == [normalised("evm", text) for text in texts[:3]] + found[3:]
    assert [one.lower() for one in found] == texts
    assert found[600] == normalised("evm", texts[600])
    assert found[1199] == normalised("evm", texts[1199])


def test_a_chain_answers_to_its_id_its_name_and_what_lists_call_it():
    known = answering(
        [
            ("bnb", "BNB Smart Chain", "evm", {}),
            ("linea", "Linea", "evm", {"chain_id": 59144, "coingecko": "linea-mainnet"}),
            ("odd", "bnb", "other", {}),
        ]
    )
    for name in ("bnb", "bnb smart chain", "binance-smart-chain", "56"):
        assert known[name].slug == "bnb"
    assert known["59144"] == known["linea-mainnet"] == known["linea"]
    with pytest.raises(KeyError):
        known["1"]
