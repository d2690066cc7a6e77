"""Everybody at once about the same symbols: one is asked, and the others are told."""

import pytest

from cqops.platform.access.policy import Role
from cqops.platform.approvals.errors import AlreadyAsked
from cqops.platform.approvals.models import Request
from tests import cast
from tests.assets.test_races import outcomes_of
from venues.models import Listing, Standing
from venues.services.mapping import Evidence, propose_mappings
from venues.services.wanted import Wanted

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
CROWD = 8


def test_of_many_who_ask_about_what_overlaps_one_asks_and_the_others_are_told():
    people = [cast.person(Role.STEWARD) for _ in range(CROWD)]
    usd = cast.asset("USD")
    listings = [cast.listing(f"A{number}-USD") for number in range(CROWD)]
    assets = [cast.asset(f"A{number}") for number in range(CROWD)]

    def ask(number):
        # Each wants a symbol of its own, and one that all want; in any order of theirs.
        chosen = [number, 0] if number % 2 else [0, number]
        wanted = [
            Wanted(listing_id=listings[one].pk, base_id=assets[one].pk, quote_id=usd.pk)
            for one in dict.fromkeys(chosen)
        ]
        return lambda: propose_mappings(
            wanted=wanted, evidence=Evidence.TICKER, reason="it is", by=people[number]
        )

    found = outcomes_of([ask(number) for number in range(CROWD)], refusals=AlreadyAsked)

    assert found == {"done": 1, "AlreadyAsked": CROWD - 1}
    request = Request.objects.get()
    proposed = Listing.objects.filter(standing=Standing.PROPOSED)
    assert {one.request_id for one in proposed} == {request.pk}
    assert proposed.count() == len(request.instruction_rows) // 2 - 2
