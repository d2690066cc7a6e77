"""What venues list and what it stands for, over REST: filters, clocks, what waits, what is done at once."""

import pytest
from drf_spectacular.generators import SchemaGenerator

from cqops.platform.access.policy import Role
from tests import cast
from tests.assets import stage
from tests.assets.api.calling import fields_of, problem_of, program_of
from venues.api_symbol_urls import urlpatterns
from venues.models import Listing, Standing, VenueSymbol

pytestmark = pytest.mark.django_db
VENUE = "coinbase_advanced"


@pytest.fixture
def second(db):
    return cast.person(Role.STEWARD, "sven")


@pytest.fixture
def api(second):
    return program_of(cast.person(Role.STEWARD, "stella"))


def names(answer):
    assert answer.status_code == 200, answer.content.decode()
    return [one["symbol"] for one in answer.json()["results"]]


def proposed(*listings, **changes):
    rows = [
        {
            "listing": str(one.pk),
            "base": str(cast.asset(one.said_base).pk),
            "quote": str(cast.asset(one.said_quote).pk),
        }
        for one in listings
    ]
    return {"symbols": rows, "evidence": "name", "reason": "its own page", **changes}


class TestReading:
    def test_listings_are_filtered_and_paged(self, api):
        cast.symbol("AAA-USD")
        for text in ("BBB-USD", "CCC-EUR"):
            cast.listing(text)
        cast.listing("OLD-USD")
        Listing.objects.filter(symbol="OLD-USD").update(gone_at=stage.FEB)
        assert names(api.get("listings")) == ["AAA-USD", "BBB-USD", "CCC-EUR"]
        assert names(api.get("listings", gone=True, text="old")) == ["OLD-USD"]
        assert names(api.get("listings", standing="unmapped", quote="USD")) == ["BBB-USD"]
        assert names(api.get("listings", venue=VENUE, base="CCC", kind="spot")) == ["CCC-EUR"]
        assert names(api.get("listings", venue="kraken")) == []
        first = api.get("listings", limit=2)
        assert first.json()["total"] == 3
        assert names(api.get("listings", limit=2, after=first.json()["next"])) == ["CCC-EUR"]

    def test_a_name_that_means_nothing_is_refused(self, api):
        assert fields_of(problem_of(api.get("listings", colour="red"), 400)) == {"colour"}
        assert fields_of(problem_of(api.get("listings", after="!"), 400)) == {"after"}
        assert fields_of(problem_of(api.get("venue-symbols", standing="x"), 400)) == {"standing"}

    def test_what_a_symbol_stands_for_is_read_on_both_clocks(self, api):
        row = cast.symbol("AAA-USD")
        cast.symbol("BBB-USD")
        asked = {"base": str(row.base_id), "quote": str(row.quote_id)}
        assert names(api.get("venue-symbols", **asked)) == ["AAA-USD"]
        assert names(api.get("venue-symbols", venue=VENUE, symbol="BBB-USD")) == ["BBB-USD"]
        assert names(api.get("venue-symbols", as_of="2001-01-01T00:00:00Z")) == []
        assert len(names(api.get("venue-symbols", history=True))) == 2
        both = api.get("venue-symbols", history=True, as_of="2001-01-01T00:00:00Z")
        assert fields_of(problem_of(both, 400)) == {"history"}
        one = api.get(f"venue-symbols/{row.pk}").json()
        assert (one["base"], one["venue"], one["contract_size"]) == (str(row.base_id), VENUE, "1")
        problem_of(api.get(f"venue-symbols/{row.base_id}"), 404)

    def test_suggestions_say_what_they_rest_on(self, api):
        base, quote = stage.asset("AAA"), stage.asset("USD")
        row = cast.listing("AAA-USD")
        said = api.get(f"listings/{row.pk}/suggestions").json()
        assert said["best"]["base"]["asset"] == str(base.pk)
        assert said["best"]["evidence"] == "ticker"
        assert said["choices"][0]["quote"]["asset"] == str(quote.pk)
        stage.asset("AAA", "Second of the name")
        said = api.get(f"listings/{row.pk}/suggestions").json()
        assert said["best"] is None
        assert len(said["choices"]) == 2
        assert "AAA may mean 2 assets by ticker: choose one." in said["warnings"]


class TestAsking:
    def test_many_wait_in_one_request_and_a_second_person_agrees(self, api, second):
        rows = [cast.listing(f"A{number}-USD") for number in range(3)]
        answer = api.post("listings/propose", **proposed(*rows))
        assert answer.status_code == 202, answer.content.decode()
        assert not VenueSymbol.objects.exists()
        assert api.get(f"listings/{rows[0].pk}").json()["standing"] == Standing.PROPOSED
        again = problem_of(api.post("listings/propose", **proposed(rows[0])), 409)
        assert "asked about already" in again["detail"]
        cast.approve(rows[0].__class__.objects.get(pk=rows[0].pk).request, second)
        assert len(names(api.get("venue-symbols", venue=VENUE))) == 3

    def test_what_cannot_be_asked_names_the_field(self, api):
        row = cast.listing("AAA-USD")
        fine = proposed(row)
        twice = api.post("listings/propose", **{**fine, "symbols": fine["symbols"] * 2})
        assert fields_of(problem_of(twice, 400)) == {"symbols"}
        nobody = {**fine["symbols"][0], "base": str(row.pk)}
        assert (
            "There is no asset"
            in problem_of(api.post("listings/propose", **{**fine, "symbols": [nobody]}), 400)[
                "detail"
            ]
        )
        guess = api.post("listings/propose", **{**fine, "evidence": "a guess"})
        assert fields_of(problem_of(guess, 400)) == {"evidence"}
        nowhere = {**fine["symbols"][0], "listing": nobody["quote"]}
        problem_of(api.post("listings/propose", **{**fine, "symbols": [nowhere]}), 409)

    def test_a_mapped_one_is_changed_and_not_mapped_again(self, api):
        row = cast.symbol("AAA-USD")
        known = problem_of(api.post("listings/propose", **proposed(row.listing)), 409)
        assert known["existing"]["name"].startswith("AAA-USD at")
        said = {"evidence": "name", "reason": "it always was", "quote": str(row.quote_id)}
        wrong = {**said, "base": str(cast.asset("BBB").pk)}
        assert api.post(f"listings/{row.listing_id}/change", **wrong).status_code == 202
        problem_of(api.post(f"listings/{row.pk}/change", **wrong), 404)

    def test_one_person_suspends_and_two_let_it_go_on(self, api, second):
        row = cast.symbol("AAA-USD")
        trader = program_of(cast.person(Role.TRADER))
        path = f"listings/{row.listing_id}"
        answer = trader.post(f"{path}/suspend", reason="odd prints")
        assert (answer.status_code, answer.json()["standing"]) == (200, "suspended")
        problem_of(trader.post(f"{path}/resume", reason="fine again"), 403)
        assert api.post(f"{path}/resume", reason="fine again").status_code == 202
        cast.approve(Listing.objects.get(pk=row.listing_id).request, second)
        assert api.get(path).json()["standing"] == "mapped"

    def test_what_is_not_traded_is_set_aside_and_taken_up(self, api):
        rows = [cast.listing(f"A{number}-USD") for number in range(2)]
        ids = [str(one.pk) for one in rows]
        answer = api.post("listings/set-aside", listings=ids, reason="leveraged")
        assert [one["standing"] for one in answer.json()] == ["not_traded"] * 2
        problem_of(api.post("listings/set-aside", listings=ids, reason="again"), 409)
        problem_of(api.post("listings/propose", **proposed(rows[0])), 409)
        answer = api.post("listings/take-up", listings=ids, reason="asked for")
        assert [one["standing"] for one in answer.json()] == ["unmapped"] * 2
        empty = api.post("listings/take-up", listings=[], reason="nothing")
        assert fields_of(problem_of(empty, 400)) == {"listings"}


def test_the_document_tells_every_address_with_its_refusals():
    made = SchemaGenerator().get_schema(request=None, public=True)
    for pattern in urlpatterns:
        path = "/api/v1/" + str(pattern.pattern).replace("<uuid:", "{").replace(">", "}")
        for method, said in made["paths"][path].items():
            refused = {code: one for code, one in said["responses"].items() if code >= "400"}
            assert {"401", "403"} < set(refused), (method, path)
            for one in refused.values():
                assert list(one["content"]) == ["application/problem+json"], (method, path)
            for one in said.get("parameters", []):
                is_told = one.get("description") or "enum" in one["schema"]
                assert is_told or one["name"] == "limit" or one["in"] == "path", (path, one)
