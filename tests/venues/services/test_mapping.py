"""What a venue's symbol stands for takes two people, by SQL too; stopping it takes one."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from assets.errors import Conflict, Unfounded
from assets.services.catalogue import retire_asset
from cqops.platform.access.allowances import approved
from cqops.platform.access.policy import NotAllowed, Role
from cqops.platform.approvals.errors import AlreadyAsked, NothingChanges, NotYours
from cqops.platform.approvals.models import Decision, Request
from cqops.platform.approvals.services import Changed, Verdict, decide, settle_left, withdraw
from cqops.platform.audit.models import Entry
from cqops.platform.events.models import Event
from tests import cast
from trading.models import Order
from trading.services.tickets import place
from venues.models import Listing, Standing, VenueSymbol
from venues.services.mapping import (
    Evidence,
    propose_change,
    propose_mappings,
    propose_resume,
)
from venues.services.meaning import by_venue_symbol
from venues.services.stopping import set_aside, suspend, take_up
from venues.services.wanted import Wanted, ids_in, line

pytestmark = pytest.mark.django_db


@pytest.fixture
def steward(db):
    return cast.person(Role.STEWARD, "stella")


@pytest.fixture
def second(db):
    return cast.person(Role.STEWARD, "sven")


def wanted(listing, base="BTC", quote="USD"):
    return Wanted(listing_id=listing.pk, base_id=cast.asset(base).pk, quote_id=cast.asset(quote).pk)


def propose(by, *listings, **changes):
    given = {"evidence": Evidence.CONTRACT, "reason": "its own page", "by": by}
    asked = [wanted(one, *one.symbol.split("-")) for one in listings or [cast.listing()]]
    return propose_mappings(wanted=asked, **{**given, **changes})


def change(by, row, base="WBTC", **changes):
    given = {"evidence": Evidence.DOCUMENT, "reason": "it always was", "by": by}
    return propose_change(wanted=wanted(row.listing, base), **{**given, **changes})


def standing_of(listing):
    return Listing.objects.get(pk=listing.pk).standing


def rows_of(request):
    return {row.label: row.text for row in request.instruction_rows}


def payload_of(kind):
    return json.loads(Event.objects.get(kind=kind).payload)


def kinds_told():
    return list(
        Event.objects.filter(kind__startswith="venue_symbol").values_list("kind", flat=True)
    )


def sql(text, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(text, values)


class TestMapping:
    def test_is_recorded_once_another_person_agrees(self, steward, second):
        asked = propose(steward)
        listing = cast.listing()
        assert standing_of(listing) == Standing.PROPOSED
        assert not VenueSymbol.objects.exists()
        rows = rows_of(asked)
        assert rows["Rests on"] == "contract address"
        assert rows[listing.key].startswith("BTC (BTC) paid with USD (USD), spot [")
        assert rows[f"{listing.key} now"] == "nothing; the venue says BTC/USD spot, 1 each"
        assert {row.label for row in asked.snapshot_rows} >= {"Flags", "Orders open", "Positions"}
        with pytest.raises(NotYours):
            cast.approve(asked, steward)

        cast.approve(asked, second)

        found = VenueSymbol.objects.get()
        assert (found.base.symbol, found.quote.symbol, found.contract_size) == ("BTC", "USD", 1)
        assert (found.recorded_by, found.approval_id) == (steward, asked.pk)
        assert found.price_tick == listing.price_tick
        assert standing_of(listing) == Standing.MAPPED
        assert by_venue_symbol(venue=cast.venue().slug, symbol="BTC-USD").asset_id == found.base_id
        assert kinds_told() == ["venue_symbol.mapped"]
        entry = Entry.objects.get(action="symbol.mapped")
        assert (entry.who, entry.decision_id) == ("stella", str(asked.pk))

    def test_many_are_asked_about_at_once_and_each_is_a_line(self, steward, second):
        names = [f"A{number}-USD" for number in range(5)]
        listings = [cast.listing(name) for name in names]
        asked = propose(steward, *listings)
        assert rows_of(asked)["Symbols"] == "5"
        assert asked.title.startswith("Map A")
        assert asked.title.endswith("and 2 more")

        cast.approve(asked, second)

        assert VenueSymbol.objects.in_force().count() == 5
        assert {standing_of(one) for one in listings} == {Standing.MAPPED}

    def test_a_refusal_leaves_it_to_be_asked_about_again(self, steward, second):
        asked = propose(steward)
        withdraw(request_id=asked.pk, by=steward)
        settle_left()
        assert standing_of(cast.listing()) == Standing.UNMAPPED
        cast.approve(propose(steward), second)
        assert standing_of(cast.listing()) == Standing.MAPPED

    def test_of_two_who_ask_about_the_same_the_second_is_told(self, steward, second):
        propose(steward, cast.listing("A-USD"), cast.listing("B-USD"))
        with pytest.raises(AlreadyAsked):
            propose(second, cast.listing("B-USD"), cast.listing("C-USD"))
        assert standing_of(cast.listing("C-USD")) == Standing.UNMAPPED

    def test_an_asset_that_was_retired_meanwhile_voids_it_in_words(self, steward, second):
        asked = propose(steward)
        retire_asset(
            asset_id=cast.asset("BTC").pk, reason="a double", expected_version=1, by=second
        )
        cast.approve(asked, second)
        assert "was retired" in Request.objects.get(pk=asked.pk).reason
        assert standing_of(cast.listing()) == Standing.UNMAPPED

    @pytest.mark.parametrize(
        ("changes", "refusal"),
        [
            ({"reason": " "}, Unfounded),
            ({"since": timezone.now() + timedelta(days=1)}, ValidationError),
        ],
    )
    def test_what_lacks_a_reason_or_is_in_the_future_is_not_asked(self, steward, changes, refusal):
        with pytest.raises(refusal):
            propose(steward, **changes)
        assert standing_of(cast.listing()) == Standing.UNMAPPED

    def test_a_trader_may_not_ask(self):
        with pytest.raises(NotYours):
            propose(cast.person(Role.TRADER))


class TestBySql:
    def test_agreeing_to_ones_own_fails(self, steward, second):
        asked = propose(steward)
        with pytest.raises(IntegrityError, match="whoever asked"), transaction.atomic():
            Decision.objects.create(
                request=asked,
                by=steward,
                verdict="approve",
                instruction_hash=asked.instruction_hash,
                at=timezone.now(),
                seats=[],
            )

    def test_an_approval_of_one_thing_is_none_of_another(self, steward, second):
        asked = propose(steward)
        decide(
            request_id=asked.pk,
            by=second,
            verdict=Verdict.APPROVE,
            seen_hash=asked.instruction_hash,
        )
        other = wanted(cast.listing(), "WBTC")
        now = timezone.now()
        Request.objects.filter(pk=asked.pk).update(state="executed", executed_at=now, ended_at=now)
        claim = VenueSymbol(
            listing=cast.listing(),
            venue=cast.venue(),
            symbol="BTC-USD",
            base_id=other.base_id,
            quote_id=other.quote_id,
            source="me",
            **cast.TERMS,
        )
        with pytest.raises(IntegrityError, match="second person"), approved(asked.pk):
            claim.save(force_insert=True)
        claim.base = cast.asset("BTC")
        with approved(asked.pk):
            claim.save(force_insert=True)

    @pytest.mark.parametrize(
        "text",
        [
            "UPDATE venues_venuesymbol SET base_id = quote_id",
            "UPDATE venues_venuesymbol SET contract_size = 10",
            "UPDATE venues_venuesymbol SET valid_to = now()",
            "UPDATE venues_venuesymbol SET superseded_at = now()",
            "DELETE FROM venues_venuesymbol",
            "DELETE FROM venues_listing",
            "UPDATE venues_listing SET said_base = 'WBTC'",
            "UPDATE venues_listing SET symbol = 'ETH-USD'",
            "UPDATE venues_listing SET standing = 'suspended'",
        ],
    )
    def test_what_stands_is_not_changed_past_the_services(self, text):
        row = cast.symbol()
        with pytest.raises(IntegrityError):
            sql(text)
        assert VenueSymbol.objects.get().base_id == row.base_id

    def test_nobody_maps_or_lets_go_on_alone(self):
        row = cast.symbol()
        cast.suspend(row)
        for listing in (row.listing, cast.listing("ETH-USD")):
            with pytest.raises(IntegrityError, match="second person"):
                sql(
                    "UPDATE venues_listing SET standing = 'mapped', why = '' WHERE id = %s",
                    listing.pk,
                )

    def test_what_is_new_is_not_mapped(self):
        with pytest.raises(IntegrityError, match="not mapped"), transaction.atomic():
            cast.listing(standing=Standing.MAPPED)

    def test_steps_and_status_follow_the_venue(self):
        cast.symbol()
        sql("UPDATE venues_venuesymbol SET price_tick = 2, status = 'halted'")
        assert VenueSymbol.objects.get().price_tick == 2


class TestStopping:
    def test_one_person_suspends_at_once_with_a_reason_and_two_let_it_go_on(self, steward, second):
        row = cast.symbol()
        trader = cast.person(Role.TRADER)
        with pytest.raises(Unfounded):
            suspend(listing_id=row.listing_id, reason="", by=trader)
        suspend(listing_id=row.listing_id, reason="its price is odd", by=trader)
        assert standing_of(row.listing) == Standing.SUSPENDED
        assert kinds_told() == ["venue_symbol.suspended"]
        with pytest.raises(NothingChanges):
            suspend(listing_id=row.listing_id, reason="again", by=trader)
        with pytest.raises(NotAllowed):
            suspend(listing_id=row.listing_id, reason="x", by=cast.person(Role.VIEWER))

        asked = propose_resume(listing_id=row.listing_id, reason="it was a crash", by=steward)
        assert standing_of(row.listing) == Standing.SUSPENDED
        cast.approve(asked, second)

        assert standing_of(row.listing) == Standing.MAPPED
        assert VenueSymbol.objects.get() == row
        assert Entry.objects.get(action="symbol.resumed").decision_id == str(asked.pk)

    def test_it_still_means_what_it_means_while_it_is_suspended(self):
        row = cast.symbol()
        cast.suspend(row)
        assert by_venue_symbol(venue=row.venue.slug, symbol=row.symbol).asset_id == row.base_id

    def test_what_we_do_not_trade_is_out_until_it_is_taken_up(self, steward):
        listing = cast.listing()
        set_aside(listing_ids={listing.pk}, reason="a meme", by=steward)
        assert standing_of(listing) == Standing.NOT_TRADED
        with pytest.raises(Conflict, match="a meme"):
            propose(steward)
        with pytest.raises(NothingChanges):
            set_aside(listing_ids={listing.pk}, reason="again", by=steward)
        take_up(listing_ids={listing.pk}, reason="clients ask", by=steward)
        assert standing_of(listing) == Standing.UNMAPPED

    def test_what_was_mapped_is_taken_up_as_suspended(self, steward):
        row = cast.symbol()
        set_aside(listing_ids={row.listing_id}, reason="not ours", by=steward)
        take_up(listing_ids={row.listing_id}, reason="ours", by=steward)
        assert standing_of(row.listing) == Standing.SUSPENDED

    def test_what_is_asked_about_is_answered_first(self, steward, second):
        propose(steward)
        with pytest.raises(Conflict, match="asks about"):
            set_aside(listing_ids={cast.listing().pk}, reason="x", by=steward)


class TestCorrections:
    """What a symbol was taken for turns out wrong: both clocks, and what was traded meanwhile."""

    @pytest.fixture
    def traded(self, steward):
        cast.desk_switch()
        cast.publish_book(cast.symbol())
        trader = cast.person(Role.TRADER)
        return place(ticket=cast.ticket(trader), client_order_id="under-it", by=trader)

    def test_it_tells_on_the_request_and_to_programs_what_was_traded(self, traded, steward, second):
        row = cast.symbol()
        asked = change(steward, row, since=cast.SINCE + timedelta(days=1))
        seen = {one.label: one.text for one in asked.snapshot_rows}
        assert "order to buy 0.5 BTC-USD" in seen["Traded under the wrong one"]
        assert "Traded under the wrong one" in str(asked.findings)

        cast.approve(asked, second)

        now = VenueSymbol.objects.in_force().get()
        assert now.base.symbol == "WBTC"
        assert Order.objects.get(pk=traded.pk).symbol_id == row.pk
        told = payload_of("venue_symbol.traded_under_another")
        assert (told["what_id"], told["under_id"]) == (str(traded.pk), str(row.pk))
        changed = payload_of("venue_symbol.changed")
        assert (changed["former_id"], changed["traded_under_another"]) == (str(row.pk), 1)

    def test_an_order_never_comes_to_stand_for_something_else(self, traded):
        other = cast.symbol("ETH-USD")
        with pytest.raises(IntegrityError, match="keeps what"), transaction.atomic():
            Order.objects.filter(pk=traded.pk).update(symbol=other)

    def test_both_clocks_keep_what_was_known(self, steward, second):
        row = cast.symbol()
        turn = cast.SINCE + timedelta(days=100)
        before = timezone.now()
        cast.approve(change(steward, row, since=turn), second)

        def meant(as_of, known_at):
            found = by_venue_symbol(
                venue=row.venue.slug, symbol=row.symbol, as_of=as_of, known_at=known_at
            )
            return found.candidates[0].symbol if found.candidates else found.answer

        early, late, now = turn - timedelta(days=1), turn + timedelta(days=1), timezone.now()
        assert (meant(early, now), meant(late, now)) == ("BTC", "WBTC")
        assert (meant(early, before), meant(late, before)) == ("BTC", "BTC")
        assert meant(late, cast.SINCE - timedelta(days=1)) == "unknown"

    def test_saying_what_stands_already_changes_nothing(self, steward):
        with pytest.raises(NothingChanges):
            change(steward, cast.symbol(), base="BTC")

    def test_what_the_venue_changes_meanwhile_voids_the_question(self, steward, second):
        asked = change(steward, cast.symbol())
        cast.suspend(cast.symbol())
        Listing.objects.update(said_base="XBT")
        with pytest.raises(Changed):
            cast.approve(asked, second)
        assert Request.objects.get(pk=asked.pk).state == "voided"
        assert VenueSymbol.objects.get().base.symbol == "BTC"

    def test_a_suspension_meanwhile_voids_it_and_stays(self, steward, second):
        asked = change(steward, cast.symbol())
        cast.suspend(cast.symbol())
        with pytest.raises(Changed):
            cast.approve(asked, second)
        assert Request.objects.get(pk=asked.pk).state == "voided"
        assert Listing.objects.get().standing == "suspended"


def test_a_line_can_be_read_back_whatever_the_names_are():
    base, quote = cast.asset("BTC"), cast.asset("[x/y]")
    base.name = "Bitcoin [00000000-0000-0000-0000-000000000000/x]"
    text = line(base=base, quote=quote, kind="spot", contract_size=Decimal("0.0100"))
    assert ids_in(text) == (base.pk, quote.pk)
    assert text.endswith("/spot/0.01]")
    with pytest.raises(ValueError, match="no assets"):
        ids_in("BTC")


def test_two_are_named_once_each(steward):
    one = wanted(cast.listing())
    with pytest.raises(ValidationError):
        propose_mappings(wanted=[one, replace(one)], evidence=Evidence.NAME, reason="x", by=steward)
