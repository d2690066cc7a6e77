"""Must show: rename a ticker, use it again for another asset, and be right on every date and clock."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assets.models import Alias, Asset, GroupMember
from assets.services import resolution
from assets.services.catalogue import create_asset, retire_asset, update_chain
from assets.services.identifiers import add_identifier, end_identifier
from assets.services.renaming import add_alias, end_alias, rename
from assets.services.resolution import Answer, by_address, by_group, by_identifier, by_symbol
from cqops.platform.access.allowances import seeding
from tests.assets import stage
from tests.assets.stage import APR, FEB, JAN, MAR
from tests.assets.test_claims import day

pytestmark = pytest.mark.django_db


def meant(found):
    assert found.words.endswith(".")
    return found.candidates[0].name if found.answer is Answer.OK else found.answer.value


def test_a_ticker_renamed_and_used_again_is_right_on_every_date_and_both_clocks(steward):
    old = stage.asset("GOLD", "Old gold")
    before = timezone.now()
    rename(asset_id=old.pk, ticker="OGLD", since=FEB, reason="rebrand", by=steward)
    renamed = timezone.now()
    create_asset(
        asset=Asset(symbol="GOLD", name="New gold", kind="token"), by=steward, ticker_since=MAR
    )

    def gold(as_of, known_at=None):
        return meant(by_symbol(symbol="gold", as_of=as_of, known_at=known_at))

    assert [gold(JAN), gold(FEB + timedelta(days=9)), gold(APR)] == [
        "Old gold",
        "unknown",
        "New gold",
    ]
    # As far as it was known before the renaming was recorded, and before the ticker was used again.
    assert [gold(one, before) for one in (JAN, FEB, APR)] == ["Old gold"] * 3
    assert [gold(one, renamed) for one in (JAN, FEB, APR)] == ["Old gold", "unknown", "unknown"]
    assert gold(JAN, JAN) == "unknown"  # nothing was known then
    assert meant(by_symbol(symbol="OGLD", as_of=JAN)) == "unknown"
    assert meant(by_symbol(symbol="OGLD", as_of=FEB)) == "Old gold"
    old.refresh_from_db()
    assert old.symbol == "OGLD"


def test_a_renaming_found_out_late_is_dated_back_and_corrected(steward):
    one = stage.asset("AAA")
    rename(asset_id=one.pk, ticker="BBB", since=MAR, reason="rebrand", by=steward)
    rename(asset_id=one.pk, ticker="CCC", since=FEB, reason="an earlier one", by=steward)
    names = {}
    for at in (JAN, FEB, MAR):
        names[at] = Alias.objects.at(as_of=at, known_at=timezone.now()).get().ticker
    assert names == {JAN: "AAA", FEB: "CCC", MAR: "BBB"}
    one.refresh_from_db()
    assert one.symbol == "BBB"


def test_several_assets_of_one_ticker_are_ambiguous_with_why():
    stage.asset("USDC", "USD Coin")
    stage.asset("usdc", "Impostor")
    found = by_symbol(symbol="USDC")
    assert (found.answer, found.asset_id) == (Answer.AMBIGUOUS, None)
    assert {one.name for one in found.candidates} == {"USD Coin", "Impostor"}
    assert all("ticker" in one.why and "says" in one.why for one in found.candidates)
    assert "2 assets" in found.words


def test_a_chain_tells_two_of_one_ticker_apart(steward):
    real, other = stage.asset("USDC", "USD Coin"), stage.asset("USDC", "Bridged")
    stage.chain("base")
    stage.deployed(real)
    stage.deployed(other, stage.WETH, chain_id="base")
    assert meant(by_symbol(symbol="usdc", chain="ethereum")) == "USD Coin"
    assert meant(by_symbol(symbol="usdc", chain="base")) == "Bridged"
    assert meant(by_symbol(symbol="usdc", chain="solana")) == "unknown"
    coin = stage.asset("ETH", "Ether")
    assert meant(by_symbol(symbol="ETH", chain="ethereum")) == "unknown"
    changes = {"native_asset_id": coin.pk}
    update_chain(chain_id="ethereum", expected_version=1, changes=changes, by=steward)
    assert meant(by_symbol(symbol="ETH", chain="ethereum")) == "Ether"


def test_an_address_is_found_in_any_letters_and_a_wrong_one_told_apart():
    stage.deployed(stage.asset("USDC", "USD Coin"))
    for text in (stage.USDC, stage.USDC.lower(), f" {stage.USDC} "):
        assert meant(by_address(chain="ethereum", address=text)) == "USD Coin"
    wrong = by_address(chain="ethereum", address=stage.USDC[:-1] + "b")
    assert wrong.answer is Answer.UNKNOWN
    assert "checksum" in wrong.words
    assert by_address(chain="nowhere", address=stage.USDC).words == (
        "There is no chain called 'nowhere' here."
    )
    assert meant(by_address(chain="ethereum", address=stage.WETH)) == "unknown"


def test_an_id_that_changes_hands_answers_by_its_date(steward):
    one, two = stage.asset("MATIC", "Polygon"), stage.asset("POL", "POL")
    said = {"scheme": "coingecko", "value": "matic-network", "source": "CoinGecko", "by": steward}
    first = add_identifier(asset_id=one.pk, **said)
    before = timezone.now()
    end_identifier(identifier=first, at=MAR, reason="migrated", by=steward)
    add_identifier(asset_id=two.pk, valid_from=MAR, **said)
    ask = {"scheme": "coingecko", "value": "matic-network"}
    assert meant(by_identifier(**ask, as_of=FEB)) == "Polygon"
    assert meant(by_identifier(**ask, as_of=APR)) == "POL"
    assert meant(by_identifier(**ask, as_of=APR, known_at=before)) == "Polygon"
    assert meant(by_identifier(scheme="defillama", value="x")) == "unknown"


def test_a_further_ticker_ends_without_touching_the_first(steward):
    btc = stage.asset("BTC", "Bitcoin")
    xbt = add_alias(asset_id=btc.pk, ticker="XBT", source="Kraken", by=steward)
    assert meant(by_symbol(symbol="xbt")) == "Bitcoin"
    end_alias(alias=xbt, at=FEB, reason="no longer", by=steward)
    assert meant(by_symbol(symbol="xbt")) == "unknown"
    assert meant(by_symbol(symbol="xbt", as_of=JAN)) == "Bitcoin"
    assert meant(by_symbol(symbol="btc")) == "Bitcoin"


def test_a_retired_asset_answers_for_its_own_time_only(steward):
    luna = stage.asset("LUNA", "Terra")
    before = timezone.now()
    retire_asset(asset_id=luna.pk, expected_version=1, reason="collapsed", by=steward)
    stage.asset("LUNA", "Terra 2")
    assert meant(by_symbol(symbol="LUNA")) == "Terra 2"
    assert meant(by_symbol(symbol="LUNA", as_of=before, known_at=before)) == "Terra"


def test_a_group_answers_with_its_canonical_member():
    eth, weth = stage.asset("ETH", "Ether"), stage.asset("WETH", "Wrapped ether")
    group = stage.group("ETH")
    assert meant(by_group(symbol="eth")) == "unknown"
    with seeding():
        for asset, is_canonical in ((eth, True), (weth, False)):
            GroupMember.objects.create(
                group=group, asset=asset, is_canonical=is_canonical, source="t"
            )
    assert meant(by_group(symbol="eth")) == "Ether"
    now = timezone.now()
    members = resolution.members_of(group.pk, resolution.Clocks(now, now))
    assert [one.asset.symbol for one in members] == ["ETH", "WETH"]


@pytest.mark.slow
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30
)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 2),
            st.sampled_from(["AAA", "bbb", "AaA"]),
            *[st.integers(0, 6)] * 4,
        ).filter(lambda row: row[2] < row[3] and row[4] < row[5]),
        max_size=6,
    ),
    st.tuples(st.integers(0, 6), st.integers(0, 6)),
)
def test_whatever_was_said_the_answer_names_exactly_who_it_may_be(rows, clocks):
    """Never one of several, and never somebody of whom nothing was said at that time."""
    from django.db import IntegrityError, transaction  # noqa: PLC0415

    as_of, known_at = clocks
    with stage.tried():
        made = [Asset.objects.create(symbol=f"N{i}", name=f"N{i}", kind="token") for i in range(3)]
        expected = set()
        for number, ticker, since, until, recorded, superseded in rows:
            try:
                with transaction.atomic():
                    Alias.objects.create(
                        asset=made[number],
                        ticker=ticker,
                        source="t",
                        valid_from=day(since),
                        valid_to=day(until),
                        recorded_at=day(recorded),
                        superseded_at=day(superseded),
                    )
            except IntegrityError:
                continue
            if (
                ticker.upper() == "AAA"
                and since <= as_of < until
                and recorded <= known_at < superseded
            ):
                expected.add(made[number].pk)
        found = by_symbol(symbol="aaa", as_of=day(as_of), known_at=day(known_at))
        assert {one.asset_id for one in found.candidates} == expected
        assert found.answer == ["unknown", "ok", "ambiguous", "ambiguous"][len(expected)]
        assert found.asset_id == (expected.pop() if len(expected) == 1 else None)
