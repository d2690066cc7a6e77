"""The look-up page: one box, two moments, and an answer that is never a guess."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from assets.models import Asset, QualityFlag
from assets.services.catalogue import create_asset
from assets.services.flags import raise_flag
from assets.services.groups import add_member
from assets.services.identifiers import add_identifier
from assets.services.lookup import look_up
from assets.services.renaming import rename
from assets.services.resolution import Answer, Clocks
from cqops.platform.access.allowances import seeding
from cqops.platform.access.policy import Role
from tests import cast
from tests.assets import stage
from tests.assets.stage import APR, FEB, JAN, MAR

pytestmark = pytest.mark.django_db


def found(text, *, chain="", clocks=None):
    return look_up(text, clocks=clocks or Clocks.at(None, None), chain=chain)


def meant(text, **more):
    answer = found(text, **more).resolution
    return answer.candidates[0].name if answer.answer is Answer.OK else answer.answer.value


def scam(asset):
    note = "nobody stands behind it"
    flag = QualityFlag(asset=asset, kind="scam", severity=50, note=note, source="auditor")
    return raise_flag(flag=flag, by=None)


def answer_of(page):
    return re.search(r'data-answer="(\w+)"', page)[1]


def test_rename_a_symbol_and_reuse_the_ticker_three_dates_three_right_answers(shown, steward):
    old = stage.asset("GOLD", "Old gold")
    before = timezone.now()
    rename(asset_id=old.pk, ticker="OGLD", since=FEB, reason="rebrand", by=steward)
    create_asset(
        asset=Asset(symbol="GOLD", name="New gold", kind="token"), by=steward, ticker_since=MAR
    )

    now = timezone.now()

    def gold(as_of):
        page = shown("lookup", q="gold", as_of=as_of.isoformat(), known_at=now.isoformat())
        return answer_of(page), "Old gold" in page, ">New gold</a> <span" in page

    assert gold(JAN) == ("ok", True, False)
    assert gold(FEB + timedelta(days=9))[::2] == ("unknown", False)
    assert gold(APR)[::2] == ("ok", True)
    # As far as it was known before anybody said so.
    now = before
    assert gold(APR) == ("ok", True, False)
    assert [meant("gold", clocks=Clocks(at, before)) for at in (JAN, FEB)] == ["Old gold"] * 2


def test_whatever_is_in_hand_finds_the_asset(steward):
    usdc = stage.asset("USDC", "USD Coin")
    stage.deployed(usdc)
    add_identifier(asset_id=usdc.pk, scheme="coingecko", value="usd-coin", source="l", by=steward)
    add_identifier(asset_id=usdc.pk, scheme="venue", value="kraken:USDC", source="l", by=steward)
    group = stage.group("DOLLARS")
    with seeding():
        add_member(group_id=group.pk, asset_id=usdc.pk, is_canonical=True, source="desk", by=None)
    for text in (
        "usdc",
        " USD   coin ",
        "USDC on ethereum",
        "usd coin on Ethereum",
        "ethereum:USDC",
        stage.USDC,
        stage.USDC.lower(),
        f"ethereum:{stage.USDC}",
        f"{stage.USDC} on Ethereum",
        "usd-coin",
        "coingecko:usd-coin",
        "kraken:USDC",
        "group:dollars",
        str(usdc.pk),
    ):
        assert meant(text) == "USD Coin", text
    assert meant("USDC", chain="ethereum") == "USD Coin"
    for text in ("USDC on solana", "defillama:usd-coin", "USD", "group:usdc", str(group.pk)):
        assert meant(text) == "unknown", text


def test_a_venues_symbol_is_its_base_asset_at_each_venue_that_has_it():
    symbol = cast.symbol("BTC-USD")
    for text in ("BTC-USD", "btc-usd", f"{symbol.venue.slug}:BTC-USD"):
        match = found(text).matches[0]
        assert match.asset == symbol.base
        assert "trades it as BTC-USD" in match.whys[0]
    assert meant("nowhere:BTC-USD") == "unknown"


def test_several_are_ambiguous_with_each_and_why_and_none_is_picked(shown):
    real, other = stage.asset("USDC", "USD Coin"), stage.asset("usdc", "Impostor")
    page = shown("lookup", q="USDC")
    assert answer_of(page) == "ambiguous"
    assert "may mean 2 assets, so it stands for none of them" in page
    for one in (real, other):
        assert reverse("asset", args=[one.pk]) in page
    assert page.count("says the registry") == 2


def test_a_scam_is_said_loudly_whether_it_is_the_answer_or_only_looks_like_it(shown):
    real, fake = stage.asset("USDC", "USD Coin"), stage.asset("USDC", "USD Coin Gold")
    stage.deployed(real)
    stage.deployed(fake, stage.WETH)
    scam(fake)
    page = shown("lookup", q=stage.WETH)
    assert 'role="alert"><strong>Scam.</strong> USD Coin Gold (USDC) is flagged critical' in page
    assert "Ok, but flagged" in page
    assert "nobody stands behind it" in page
    page = shown("lookup", q=stage.USDC)
    assert "beware-loud" in page
    assert "Has the same ticker:" in page
    assert "notice-bad loud" not in page


def test_what_is_forged_in_other_letters_is_nothing_and_named_for_what_it_reads_like(shown):
    stage.asset("USDC", "USD Coin")
    page = shown("lookup", q="UЅDC")  # noqa: RUF001 -- a Cyrillic letter in a ticker
    assert answer_of(page) == "unknown"
    assert "It is none of these" in page
    assert "USD Coin (USDC)" in page


def test_part_of_a_name_is_offered_and_never_the_answer(shown):
    stage.asset("USDC", "USD Coin")
    page = shown("lookup", q="D Coi")
    assert answer_of(page) == "unknown"
    assert "holds these letters" in page
    assert "USD Coin (USDC)" in page


def test_an_address_with_a_wrong_digit_says_what_is_wrong(shown):
    stage.deployed(stage.asset("USDC", "USD Coin"))
    page = shown("lookup", q=stage.USDC[:-1] + "b")
    assert answer_of(page) == "unknown"
    assert "not its checksum (EIP-55)" in page
    assert "no chain called" in shown("lookup", q="USDC", chain="nowhere")


def test_moments_typed_in_ones_own_zone_are_in_the_address_in_utc(desk, steward):
    steward.time_zone = "Europe/Zurich"
    steward.save()
    answer = desk.get(reverse("lookup"), {"q": "GOLD", "as_of": "2026-02-01T00:00"})
    assert answer.status_code == 302
    query = parse_qs(urlsplit(answer["Location"]).query)
    assert query == {"q": ["GOLD"], "as_of": ["2026-01-31T23:00:00Z"]}
    page = desk.get(answer["Location"])
    assert page.status_code == 200
    assert 'value="2026-02-01T00:00:00"' in page.content.decode()


def test_a_pinned_answer_stays_what_it_was(desk, shown, steward):
    old = stage.asset("GOLD", "Old gold")
    page = shown("lookup", q="GOLD")
    pinned = re.search(r'href="([^"]+)" title="The address names', page)[1].replace("&amp;", "&")
    rename(asset_id=old.pk, ticker="OGLD", since=FEB, reason="rebrand", by=steward)
    assert answer_of(shown("lookup", q="GOLD")) == "unknown"
    assert answer_of(desk.get(pinned).content.decode()) == "ok"


def test_moments_that_cannot_be_read_are_told_and_nothing_is_answered(shown):
    stage.asset("GOLD")
    for text in ("soon", "2026-02-31", "0001-01-01T00:00:00Z", "9999-12-31"):
        page = shown("lookup", q="GOLD", as_of=text)
        assert "data-answer" not in page
        assert 'class="problem"' in page


def test_odd_texts_are_answered_and_nothing_breaks(shown):
    odd = ["\0", "\0X", "%", "'", "a" * 500, ":", "on", " on ", "x:", "0x", "\U0001d5e8 on base"]
    for text in odd:
        assert found(text).resolution.answer is Answer.UNKNOWN, text
    shown("lookup", q="".join(odd))
    assert "What can be asked" in shown("lookup", q=" ")


@pytest.mark.slow
def test_whatever_is_typed_the_answer_is_ok_for_one_asset_and_no_other_number():
    for name in ("USD Coin", "Impostor"):
        stage.asset("0", name)
    texts = st.text(max_size=60) | st.from_regex(r"\A0[xX][0-9a-fA-F]{38,42}\Z")

    @settings(deadline=None, max_examples=10)
    @given(texts)
    def never_a_guess(text):
        answer = found(text).resolution
        assets = {one.asset_id for one in answer.candidates}
        expected = {0: Answer.UNKNOWN, 1: Answer.OK}.get(len(assets), Answer.AMBIGUOUS)
        assert answer.answer is expected

    never_a_guess()


def test_people_who_may_not_see_the_registry_see_none_of_it(client):
    client.force_login(cast.person(Role.VIEWER))
    for name in ("lookup", "assets", "chains"):
        assert client.get(reverse(name)).status_code == 403
