"""The unmapped queue: what the desk has at stake first, many accepted at once on one kind of evidence."""

import csv
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from assets.models import FlagKind, QualityFlag, Severity
from assets.services.flags import raise_flag
from assets.services.merging import record_merge
from cqops.platform.access.allowances import seeding
from cqops.platform.access.policy import Role
from cqops.platform.approvals.models import Request
from portfolio.models import Position
from tests import cast
from tests.assets import stage
from trading.models import ExecutionReport
from venues.models import InstrumentKind, Listing, Standing, Venue, VenueSymbol
from venues.services import queue
from venues.services.interest import stakes
from venues.services.queue import BadCursor, Filter
from venues.services.suggesting import suggestions_for
from venues.suggestions import Evidence

pytestmark = pytest.mark.django_db
URL = "/symbols/unmapped/"


@pytest.fixture
def steward(db):
    return cast.person(Role.STEWARD, "stella")


@pytest.fixture
def second(db):
    return cast.person(Role.STEWARD, "sven")


@pytest.fixture
def coins(db):
    """Make assets that go by their tickers; the cast's own have none."""
    return {name: stage.asset(name, f"Coin {name}") for name in ("AAA", "BBB", "CCC", "USD")}


def symbols_of(page):
    return [line.listing.symbol for line in page.lines]


def reading(listing, base, quote):
    return f"{listing.pk}:{base.pk}:{quote.pk}"


def suggestion(listing):
    return suggestions_for([listing])[listing.pk]


class TestSuggestions:
    def test_a_contract_in_custody_comes_before_the_ticker(self, coins):
        stage.deployed(coins["AAA"], stage.USDC)
        text = f"evm_ethereum_mainnet:{stage.USDC.lower()}"
        one = Listing.objects.create(
            venue=cast.venue(),
            symbol=text,
            said_base="BBB",
            said_quote="USD",
            kind=InstrumentKind.CUSTODY,
            listed_at=timezone.now(),
            **cast.TERMS,
        )
        found = suggestion(one)
        assert found.best.base.asset_id == coins["AAA"].pk
        assert found.best.base.evidence is Evidence.CONTRACT
        assert "Its contract on ethereum is" in found.best.base.words

    def test_a_lookalike_and_a_flag_are_said_and_nothing_is_suggested(self, coins, steward):
        forged = stage.asset("A\u0410A", "Forged")
        flagged = stage.asset("BBB", "Copy")
        flag = QualityFlag(asset=flagged, kind=FlagKind.SCAM, severity=Severity.CRITICAL, note="x")
        raise_flag(flag=flag, by=steward)
        first = suggestion(cast.listing("AAA-USD"))
        assert first.best is None
        assert f"AAA reads like {forged.label}, which is not called that." in first.warnings
        other = suggestion(cast.listing("BBB-USD"))
        assert other.best is None
        assert "BBB may mean 2 assets by ticker: choose one." in other.warnings
        assert any("critical: scam" in text for text in other.warnings)

    def test_what_was_agreed_to_before_at_the_venue_is_its_code_until_it_is_suspended(self, coins):
        stage.asset("USD", "Another dollar")
        assert suggestion(cast.listing("AAA-USD")).quote.best is None
        row = cast.symbol("CCC-USD")
        found = suggestion(cast.listing("AAA-USD")).quote
        assert found.best.asset_id == row.quote_id
        assert found.best.evidence is Evidence.IDENTIFIER
        cast.suspend(row)
        assert suggestion(cast.listing("AAA-USD")).quote.best is None

    def test_what_was_merged_is_suggested_as_the_other_and_its_flags_stand_against_that(
        self, coins, steward
    ):
        with seeding():
            record_merge(asset_id=coins["AAA"].pk, into_id=coins["BBB"].pk, by=None)
        found = suggestion(cast.listing("AAA-USD"))
        assert found.best.base.asset_id == coins["BBB"].pk
        assert "That is said of" in found.best.base.words
        flag = QualityFlag(asset=coins["AAA"], kind="scam", severity=Severity.CRITICAL, note="x")
        raise_flag(flag=flag, by=steward)
        assert suggestion(cast.listing("AAA-USD")).best is None

    def test_three_hundred_cost_no_more_queries_than_three(self, coins):
        few = [cast.listing(f"AAA{n}-USD") for n in range(3)]
        many = few + many_listings(300)
        with CaptureQueriesContext(connection) as of_few:
            suggestions_for(few)
        with CaptureQueriesContext(connection) as of_many:
            suggestions_for(many)
        assert len(of_many) == len(of_few) < 12


def many_listings(number, base="AAA"):
    rows = [
        Listing(
            venue=cast.venue(),
            symbol=f"{base}-USD-{at:04}",
            said_base=base,
            said_quote="USD",
            kind=InstrumentKind.FUTURE,
            listed_at=timezone.now(),
            **cast.TERMS,
        )
        for at in range(number)
    ]
    return Listing.objects.bulk_create(rows)


class TestOrder:
    def test_what_changed_comes_first_then_what_is_at_stake_then_the_rest(self, coins):
        for text in ("AAA-USD", "BBB-USD", "CCC-USD"):
            cast.listing(text)
        held = cast.account()
        Position.objects.create(
            portfolio=cast.portfolio(),
            account=held,
            asset=coins["CCC"],
            quote=coins["USD"],
            quantity=Decimal(2),
        )
        Listing.objects.filter(symbol="BBB-USD").update(why="The venue says otherwise.")
        found = queue.page(Filter())
        assert symbols_of(found) == ["BBB-USD", "CCC-USD", "AAA-USD"]
        assert found.lines[1].stakes == ("the desk holds CCC",)

    def test_fills_that_could_not_be_booked_count(self, coins):
        ExecutionReport.objects.create(
            account=cast.account(),
            venue_execution_id="E1",
            symbol_text="AAA-USD",
            venue_order_id="V1",
            side="buy",
            price=1,
            quantity=1,
            fee=0,
            fee_currency="USD",
            liquidity="taker",
            executed_at=timezone.now(),
            received_at=timezone.now(),
        )
        assert stakes().words(cast.listing("AAA-USD")) == ("1 fill not booked",)
        assert stakes().words(cast.listing("BBB-USD")) == ()

    def test_one_teller_that_fails_hides_nothing(self, coins, settings):
        settings.SYMBOL_INTEREST = ["tests.venues.test_queue.failing", *settings.SYMBOL_INTEREST]
        cast.listing("AAA-USD")
        assert symbols_of(queue.page(Filter())) == ["AAA-USD"]

    def test_pages_by_key_show_every_symbol_once(self, coins):
        many_listings(7)
        cast.listing("BBB-USD", why="It changed.")
        seen, after = [], ""
        while True:
            found = queue.page(Filter(size=3, after=after))
            seen += symbols_of(found)
            after = found.next
            if not after:
                break
        assert seen == ["BBB-USD", *(f"AAA-USD-{at:04}" for at in range(7))]

    def test_a_filter_by_evidence_reads_on_until_the_page_is_full(self, coins, monkeypatch):
        monkeypatch.setattr(queue, "CHUNK", 2)
        many_listings(4)
        many_listings(3, base="NEW")
        unsure = queue.page(Filter(evidence="unsure", size=2))
        assert symbols_of(unsure) == ["NEW-USD-0000", "NEW-USD-0001"]
        rest = queue.page(Filter(evidence="unsure", size=2, after=unsure.next))
        assert (symbols_of(rest), rest.next) == (["NEW-USD-0002"], "")
        assert len(queue.page(Filter(evidence="ticker")).lines) == 4

    @pytest.mark.parametrize("text", ["x", "WzFd", "é", "WzksIiIsIiIsIiJd"])
    def test_a_cursor_that_is_not_ours_is_refused(self, text):
        with pytest.raises(BadCursor):
            queue.page(Filter(after=text))

    def test_what_is_asked_about_does_not_wait_and_a_venue_may_still_be_off(self, coins):
        one = cast.listing("AAA-USD")
        Listing.objects.filter(pk=one.pk).update(standing=Standing.PROPOSED)
        cast.listing("BBB-USD")
        Venue.objects.update(is_enabled=False)
        assert symbols_of(queue.page(Filter())) == ["BBB-USD"]


def failing():
    raise RuntimeError


class TestPage:
    def test_many_are_accepted_in_one_request_and_the_second_person_reads_each(
        self, client, coins, steward, second
    ):
        rows = many_listings(30)
        client.force_login(steward)
        page = client.get(URL, {"size": "50"}).content.decode()
        assert page.count('name="tick"') == 30
        ticks = [reading(one, coins["AAA"], coins["USD"]) for one in rows]
        answer = client.post(URL, {"do": "accept", "tick": ticks, "reason": "its own page"})
        assert answer.status_code == 302, answer.content.decode()
        asked = Request.objects.get()
        assert asked.instruction_texts["Symbols"] == "30"
        assert asked.instruction_texts["Rests on"] == "ticker"

        client.force_login(second)
        shown = client.get(reverse("approval", args=[asked.pk])).content.decode()
        assert shown.count('data-label="Asked"') == 30
        assert "5 more" in shown
        assert "Its ticker is AAA, says" in shown
        waits = client.get(URL, {"tab": "asked"}).content.decode()
        assert "stella" in waits.lower()
        cast.approve(asked, second)
        assert set(Listing.objects.values_list("standing", flat=True)) == {Standing.MAPPED}
        assert VenueSymbol.objects.in_force().count() == 30

    def test_different_evidence_at_once_is_refused_in_words_and_the_ticks_stay(
        self, client, coins, steward
    ):
        row = cast.symbol("CCC-USD")
        # Both codes were agreed to before at the venue; of the other, the quote alone.
        known = cast.listing("CCC-EUR", said_quote="USD")
        weak = cast.listing("AAA-USD")
        client.force_login(steward)
        ticks = [
            f"{known.pk}:{row.base_id}:{row.quote_id}",
            f"{weak.pk}:{coins['AAA'].pk}:{row.quote_id}",
        ]
        answer = client.post(URL, {"do": "accept", "tick": ticks, "reason": "both"})
        assert answer.status_code == 422
        text = answer.content.decode()
        assert "1 on identifier, 1 on ticker. Ask about one kind at a time" in text
        assert text.count(" checked>") == 2
        assert 'value="both"' in text
        assert not Request.objects.exists()

    def test_another_candidate_is_chosen_in_the_row(self, client, coins, steward, second):
        other = stage.asset("AAA", "Second of the name")
        one = cast.listing("AAA-USD")
        client.force_login(steward)
        body = {"do": "accept", "tick": str(one.pk), "reason": "its page"}
        unchosen = client.post(URL, body)
        assert unchosen.status_code == 422
        assert "Choose first what these stand for (1): AAA-USD" in unchosen.content.decode()
        chosen = reading(one, other, coins["USD"])
        assert client.post(URL, {**body, "choice": chosen}).status_code == 302
        assert str(other.pk) in Request.objects.get().instruction_texts[one.key]

    def test_what_the_registry_does_not_suggest_is_refused(self, client, coins, steward):
        one = cast.listing("AAA-USD")
        client.force_login(steward)
        ticks = reading(one, coins["BBB"], coins["USD"])
        answer = client.post(URL, {"do": "accept", "tick": ticks, "reason": "x"})
        assert answer.status_code == 422
        assert "is not suggested to stand for that any more" in answer.content.decode()

    @pytest.mark.parametrize(
        "body",
        [
            {"do": "accept", "reason": "x"},
            {"do": "accept", "tick": "nonsense", "reason": "x"},
            {"do": "accept", "tick": "a:b:c", "reason": "x"},
            {"do": "else"},
            {},
        ],
    )
    def test_a_broken_form_is_refused_in_words(self, client, steward, body):
        client.force_login(steward)
        answer = client.post(URL, body)
        assert answer.status_code == 422
        assert 'id="problem"' in answer.content.decode()

    def test_what_we_do_not_trade_leaves_with_a_reason_and_is_taken_up_again(
        self, client, coins, steward
    ):
        rows = many_listings(3)
        client.force_login(steward)
        ticks = [str(one.pk) for one in rows]
        assert client.post(URL, {"do": "set_aside", "tick": ticks}).status_code == 422
        client.post(URL, {"do": "set_aside", "tick": ticks, "reason": "leveraged"})
        assert "Every symbol of every venue has an answer" in client.get(URL).content.decode()
        aside = client.get(URL, {"tab": "not_traded"}).content.decode()
        assert aside.count("leveraged") == 3
        client.post(URL, {"do": "take_up", "tick": ticks, "reason": "asked for"})
        assert queue.counts().waits == 3

    def test_what_is_stopped_stands_on_top_and_is_asked_about_alone(
        self, client, coins, steward, second
    ):
        row = cast.symbol("AAA-USD")
        cast.suspend(row)
        client.force_login(steward)
        page = client.get(URL).content.decode()
        assert "Stopped: nobody trades by these" in page
        assert "a doubt" in page
        tick = {"tick": str(row.listing_id), "reason": "looked at"}
        assert client.post(f"{URL}?tab=stopped", {"do": "resume", **tick}).status_code == 302
        asked = Request.objects.get()
        assert asked.title.startswith("Resume")
        assert "Last asked by stella" in client.get(URL, {"tab": "stopped"}).content.decode()

    def test_a_reader_sees_it_and_may_do_nothing(self, client, coins):
        one = cast.listing("AAA-USD")
        client.force_login(cast.person(Role.TRADER))
        page = client.get(URL)
        assert "AAA-USD" in page.content.decode()
        assert 'name="tick"' not in page.content.decode()
        assert (
            client.post(URL, {"do": "set_aside", "tick": one.pk, "reason": "x"}).status_code == 403
        )
        client.force_login(cast.person(Role.VIEWER))
        assert client.get(URL).status_code == 403

    def test_a_broken_page_link_leads_back_to_the_first_page(self, client, steward):
        client.force_login(steward)
        answer = client.get(URL, {"after": "broken"})
        assert answer.status_code == 302
        assert "broken" in str(next(iter(get_messages(answer.wsgi_request))))

    def test_filters_stay_in_the_address_of_what_is_sent(self, client, coins, steward):
        one = cast.listing("AAA-USD")
        client.force_login(steward)
        answer = client.post(
            f"{URL}?venue=kraken&q=a", {"do": "set_aside", "tick": one.pk, "reason": "x"}
        )
        assert parse_qs(urlsplit(answer["Location"]).query) == {"venue": ["kraken"], "q": ["a"]}

    def test_the_download_is_what_the_list_shows(self, client, coins, steward):
        many_listings(2)
        cast.listing("NEW-USD")
        client.force_login(steward)
        answer = client.get(URL, {"format": "csv", "evidence": "ticker"})
        lines = list(csv.DictReader(answer.content.decode().splitlines()))
        assert [line["symbol"] for line in lines] == ["AAA-USD-0000", "AAA-USD-0001"]
        assert lines[0]["base_id"] == str(coins["AAA"].pk)
        assert lines[0]["rests_on"] == "ticker"

    def test_the_overview_counts_what_waits(self, client, coins, steward):
        cast.listing("AAA-USD")
        client.force_login(steward)
        page = client.get("/").content.decode()
        assert "Symbols that wait to be mapped" in page
        assert "The desk has nothing at stake in any of them." in page
