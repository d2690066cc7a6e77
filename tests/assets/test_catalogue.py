"""Assets and chains come in, change one version at a time, and are retired with a reason."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from assets.errors import Conflict, Retired, Stale, Unfounded
from assets.models import Alias, Asset, Chain
from assets.services import catalogue, renaming
from assets.services.catalogue import retire_asset, retire_chain, save_asset, update_asset
from cqops.platform.access.policy import NotAllowed, Role
from cqops.platform.audit.models import Entry
from cqops.platform.events.models import Event
from tests import cast
from tests.assets import stage

pytestmark = pytest.mark.django_db


def kinds_of_events():
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def test_a_new_asset_has_its_ticker_a_record_and_an_event(steward):
    asset = stage.asset("SOL", "Solana", by=steward)
    alias = Alias.objects.get()
    assert (alias.ticker, alias.is_primary, alias.source) == ("SOL", True, steward.name)
    assert (asset.version, kinds_of_events()) == (1, ["asset.created"])
    entry = Entry.objects.get(action="asset.created")
    assert (entry.who, entry.after["symbol"]) == ("stella", "SOL")


def test_of_two_editors_the_second_is_told_how_it_stands(steward, second):
    asset = stage.asset("SOL")
    update_asset(
        asset_id=asset.pk, expected_version=1, changes={"name": "Solana"}, reason="", by=steward
    )
    with pytest.raises(Stale, match="at version 2, and you saw 1") as told:
        update_asset(asset_id=asset.pk, expected_version=1, changes={"name": "Sol"}, by=second)
    assert told.value.existing.name == "Solana"
    assert kinds_of_events() == ["asset.created", "asset.updated"]
    entry = Entry.objects.get(action="asset.changed")
    assert (entry.before, entry.after) == ({"name": "SOL"}, {"name": "Solana"})


def test_a_change_of_nothing_is_none(steward):
    asset = stage.asset("SOL")
    assert (
        update_asset(
            asset_id=asset.pk, expected_version=1, changes={"name": "SOL"}, by=steward
        ).version
        == 1
    )
    assert kinds_of_events() == ["asset.created"]


def test_saving_a_changed_symbol_renames_it(steward):
    asset = stage.asset("SOL")
    asset.symbol = "SOLA"
    save_asset(asset=asset, by=steward)
    assert asset.version == 2
    assert {one.ticker for one in Alias.objects.known()} == {"SOL", "SOLA"}
    assert Alias.objects.known().get(ticker="SOL").valid_to is not None


def test_what_is_no_part_of_an_asset_is_refused(steward):
    asset = stage.asset("SOL")
    for changes in ({"retired_reason": "x"}, {"version": 9}, {"id": 1}):
        with pytest.raises(ValidationError, match="cannot be changed"):
            update_asset(asset_id=asset.pk, expected_version=1, changes=changes, by=steward)


def test_retiring_keeps_the_row_and_says_why(steward):
    asset = stage.asset("LUNA")
    with pytest.raises(Unfounded):
        retire_asset(asset_id=asset.pk, expected_version=1, reason=" ", by=steward)
    retire_asset(asset_id=asset.pk, expected_version=1, reason="collapsed", by=steward)
    assert Asset.objects.get().retired_reason == "collapsed"
    assert kinds_of_events()[-1] == "asset.deleted"
    with pytest.raises(Retired, match="collapsed"):
        retire_asset(asset_id=asset.pk, expected_version=2, reason="again", by=steward)
    with pytest.raises(Retired, match="collapsed"):
        renaming.add_alias(asset_id=asset.pk, ticker="LUNC", source="x", by=steward)


@pytest.mark.parametrize("role", [Role.TRADER, Role.APPROVER, Role.ADMIN, Role.AUDITOR])
def test_only_a_steward_changes_the_registry(role):
    other = cast.person(role)
    asset = stage.asset("SOL")
    for act in (
        lambda: stage.asset("NEW", by=other),
        lambda: update_asset(asset_id=asset.pk, expected_version=1, changes={}, by=other),
        lambda: retire_asset(asset_id=asset.pk, expected_version=1, reason="x", by=other),
        lambda: catalogue.register_chain(chain=Chain(id="x", name="X", family="evm"), by=other),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_a_chain_comes_in_once_and_keeps_the_family_its_addresses_are_written_by(steward):
    chain = stage.chain()
    assert kinds_of_events() == ["chain.registered"]
    with pytest.raises(Conflict, match="a chain called ethereum already") as told:
        catalogue.register_chain(chain=Chain(id="ethereum", name="Other", family="evm"))
    assert told.value.existing == chain
    for wrong in ("Ether eum", "-x", ""):
        with pytest.raises(ValidationError):
            catalogue.register_chain(chain=Chain(id=wrong, name="X", family="evm"))
    stage.deployed(stage.asset("USDC"))
    with pytest.raises(ValidationError, match="its family"):
        catalogue.update_chain(
            chain_id="ethereum", expected_version=1, changes={"family": "solana"}, by=steward
        )
    catalogue.update_chain(
        chain_id="ethereum",
        expected_version=1,
        changes={"explorer_url": "https://etherscan.io"},
        by=steward,
    )
    retire_chain(chain_id="ethereum", expected_version=2, reason="gone", by=steward)
    assert Chain.objects.get().is_retired


def test_what_is_retired_stays_as_it_is(steward):
    asset, chain = stage.asset("LUNA"), stage.chain()
    retire_asset(asset_id=asset.pk, expected_version=1, reason="collapsed", by=steward)
    retire_chain(chain_id=chain.pk, expected_version=1, reason="halted", by=steward)
    with pytest.raises(Retired, match="collapsed"):
        update_asset(asset_id=asset.pk, expected_version=2, changes={"name": "x"}, by=steward)
    with pytest.raises(Retired, match="halted"):
        catalogue.update_chain(
            chain_id=chain.pk, expected_version=2, changes={"name": "x"}, by=steward
        )


@pytest.mark.parametrize(
    "metadata", [None, [], {"x": "\x00"}, {"x": float("inf")}, {"x": [float("nan")]}]
)
def test_metadata_is_what_can_be_kept(metadata):
    with pytest.raises(ValidationError) as told:
        catalogue.create_asset(
            asset=Asset(symbol="SOL", name="Solana", kind="token", metadata=metadata)
        )
    assert list(told.value.message_dict) == ["metadata"]


def test_a_ticker_from_a_day_to_come_is_refused(steward):
    later = timezone.now() + timedelta(days=1)
    with pytest.raises(ValidationError, match="not from a day to come"):
        stage.asset("SOL", ticker_since=later)
