"""How assets stand to each other, by the services."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from assets.errors import Conflict, GoesRound, Unfounded
from assets.models import Identifier, Relationship
from assets.services.catalogue import retire_asset
from assets.services.identifiers import add_identifier, end_identifier, verified
from assets.services.relations import end_relationship, relate
from cqops.platform.access.policy import NotAllowed, Role
from cqops.platform.audit.models import Entry
from cqops.platform.events.models import Event
from tests import cast
from tests.assets import stage
from tests.assets.stage import FEB, JAN, MAR

pytestmark = pytest.mark.django_db


def say(one, kind, other, by=None, **more):
    return relate(asset_id=one.pk, kind=kind, other_id=other.pk, source="issuer", by=by, **more)


def test_is_recorded_with_its_ratio_an_event_and_a_record(steward):
    weth, eth = stage.asset("WETH"), stage.asset("ETH")
    made = say(weth, "wraps", eth, steward, ratio_rule="fixed", ratio=Decimal(1), evidence="code")
    assert str(made) == "WETH wraps ETH"
    event = Event.objects.get(kind="asset.relationship_established")
    assert event.aggregate_id == str(weth.pk)
    assert Entry.objects.get(action="relationship.recorded").after["ratio"] == "1"
    with pytest.raises(Conflict, match="known for that time already"):
        say(weth, "wraps", eth, steward)


def test_a_circle_is_refused_in_words(steward):
    one, two, three = stage.asset("ONE"), stage.asset("TWO"), stage.asset("TRI")
    say(one, "wraps", two)
    say(two, "stakes", three)
    with pytest.raises(GoesRound, match="TRI is bridged from ONE would go round in a circle"):
        say(three, "bridges", one, steward)
    with pytest.raises(GoesRound):
        say(one, "wraps", one, steward)


def test_a_ratio_that_does_not_fit_is_told(steward):
    one, two = stage.asset("ONE"), stage.asset("TWO")
    with pytest.raises(Conflict, match="A fixed ratio is a number above zero"):
        say(one, "stakes", two, steward, ratio_rule="fixed")


def test_ends_with_a_reason_and_only_a_steward_says_so(steward):
    one, two = stage.asset("ONE"), stage.asset("TWO")
    made = say(one, "wraps", two, steward)
    with pytest.raises(Unfounded):
        end_relationship(relationship=made, at=FEB, reason="", by=steward)
    with pytest.raises(NotAllowed):
        say(two, "wraps", one, cast.person(Role.TRADER))
    end_relationship(relationship=made, at=FEB, reason="unwound", by=steward)
    left = Relationship.objects.known().get()
    assert (left.valid_to, left.ratio_rule) == (FEB, "none")
    say(two, "wraps", one, steward, valid_from=FEB)


def test_an_id_that_means_another_asset_is_a_conflict_that_names_it(steward):
    one, two = stage.asset("ONE"), stage.asset("TWO")
    said = {"scheme": "coingecko", "value": "one", "source": "list", "by": steward}
    first = add_identifier(asset_id=one.pk, **said)
    with pytest.raises(Conflict, match="means another asset") as told:
        add_identifier(asset_id=two.pk, **said)
    assert told.value.existing == first
    verified(identifier=first, at=JAN)
    assert Identifier.objects.get().last_verified_at == JAN
    with pytest.raises(Unfounded):
        end_identifier(identifier=first, at=MAR, reason=" ", by=steward)


def test_ending_again_makes_an_end_no_later_and_goes_on_for_what_is_retired(steward):
    one, two = stage.asset("ONE"), stage.asset("TWO")
    made = say(one, "wraps", two, steward, valid_to=MAR)
    with pytest.raises(Conflict, match="2026-03-01T00:00:00"):
        end_relationship(relationship=made, at=stage.APR, reason="again", by=steward)
    retire_asset(asset_id=one.pk, expected_version=1, reason="gone", by=steward)
    left = end_relationship(relationship=made, at=FEB, reason="earlier than that", by=steward)
    assert left.valid_to == FEB


@pytest.mark.parametrize("value", ["XXBT", "Kraken:XXBT", "kraken:"])
def test_a_code_at_a_venue_names_the_venue(steward, value):
    with pytest.raises(ValidationError, match="kraken:XXBT"):
        add_identifier(
            asset_id=stage.asset("BTC").pk, scheme="venue", value=value, source="x", by=steward
        )


def test_what_ends_before_it_begins_is_refused_beside_its_field(steward):
    with pytest.raises(ValidationError) as told:
        say(stage.asset("ONE"), "wraps", stage.asset("TWO"), steward, valid_from=MAR, valid_to=FEB)
    assert list(told.value.message_dict) == ["valid_to"]
