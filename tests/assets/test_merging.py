"""A duplicate answers as the other asset once two people agree, on both clocks, and can be split again."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from assets.errors import Conflict, Merged, Unfounded
from assets.models import Finding, Merge, QualityFlag
from assets.services import resolution
from assets.services.catalogue import retire_asset
from assets.services.flags import raise_flag
from assets.services.groups import add_member
from assets.services.identifiers import add_identifier, end_identifier
from assets.services.merging import between, propose_merge, propose_split, record_merge
from assets.services.obstacles import obstacles
from assets.services.relations import relate
from assets.services.renaming import add_alias
from assets.services.scanning import scan
from cqops.platform.access.allowances import seeding
from cqops.platform.access.policy import Role
from cqops.platform.approvals.errors import AlreadyAsked, NotYours
from cqops.platform.approvals.models import Decision, Request
from cqops.platform.audit.models import Entry
from cqops.platform.events.models import Event
from tests import cast
from tests.assets import stage
from tests.assets.stage import FEB, JAN, MAR

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair():
    """Make a coin, and the same coin once more, with what only the second one knows."""
    one = stage.asset("TWIN", "Twin coin twice")
    other = stage.asset("TWIN", "Twin coin")
    stage.deployed(one, stage.WETH)
    stage.deployed(other, stage.USDC)
    add_identifier(asset_id=one.pk, scheme="coingecko", value="twin-2", source="list", by=None)
    return one, other


def ask(pair, by, **more):
    given = {"reason": "the issuer says so", "by": by, **more}
    return propose_merge(asset_id=pair[0].pk, into_id=pair[1].pk, **given)


def merge(pair, steward, second, **more):
    cast.approve(ask(pair, steward, **more), second)
    return Merge.objects.known().get(asset=pair[0])


def seeded(one, other, **more):
    with seeding():
        return record_merge(asset_id=one.pk, into_id=other.pk, by=None, **more)


def rows_of(request):
    return {row.label: row.text for row in request.instruction_rows}


def at_its_address(**clocks):
    return resolution.by_address(chain="ethereum", address=stage.WETH, **clocks)


def test_both_ids_go_on_and_every_name_of_the_one_answers_as_the_other(pair, steward, second):
    one, other = pair
    merge(pair, steward, second)
    for found in (
        at_its_address(),
        resolution.by_identifier(scheme="coingecko", value="twin-2"),
        resolution.by_symbol(symbol="twin"),
        resolution.by_symbol(symbol="twin", chain="ethereum"),
    ):
        assert (found.answer, found.asset_id) == ("ok", other.pk)
    assert (
        "Twin coin twice (TWIN), merged into Twin coin (TWIN)" in at_its_address().candidates[0].why
    )
    kinds = list(Event.objects.filter(kind="asset.merged").values_list("aggregate_id", flat=True))
    assert kinds == [str(one.pk)]
    entries = Entry.objects.filter(action="asset.merged")
    assert {entry.subject_id for entry in entries} == {str(one.pk), str(other.pk)}
    assert {entry.decision_id for entry in entries} == {str(Request.objects.get().pk)}


def test_before_it_on_either_clock_each_answers_for_itself(pair, steward, second):
    one, other = pair
    before = timezone.now()
    merge(pair, steward, second, since=FEB)
    assert at_its_address(as_of=JAN).asset_id == one.pk
    assert at_its_address(as_of=MAR).asset_id == other.pk
    assert at_its_address(as_of=MAR, known_at=before).asset_id == one.pk
    assert resolution.by_symbol(symbol="TWIN", as_of=JAN).answer == "ambiguous"
    assert resolution.by_symbol(symbol="TWIN", as_of=MAR).answer == "ok"


def test_a_ticker_and_a_contract_of_two_that_are_one_meet_on_a_chain(steward):
    one, other = stage.asset("OLD", "Old"), stage.asset("NEW", "New")
    stage.deployed(one, stage.WETH)
    assert resolution.by_symbol(symbol="NEW", chain="ethereum").answer == "unknown"
    seeded(one, other)
    assert resolution.by_symbol(symbol="NEW", chain="ethereum").asset_id == other.pk


def test_whoever_agrees_reads_what_follows_and_what_it_touches(pair, steward, second):
    raise_flag(
        flag=QualityFlag(asset=pair[0], kind="scam", severity=50, note="fake", source="x"), by=None
    )
    asked = ask(pair, steward)
    rows = rows_of(asked)
    assert rows["Contracts that follow"] == f"ethereum: {stage.WETH} (6 decimals)"
    assert rows["Ids that follow"] == "coingecko:twin-2"
    assert rows["Tickers that follow"] == "TWIN"
    assert (rows["Groups that follow"], rows["Same since"]) == ("nothing", "always")
    seen = {row.label: row.text for row in asked.snapshot_rows}
    assert seen["Flags"] == "TWIN: Critical: scam"
    assert {"Symbols in force", "Orders open"} <= seen.keys()


def test_a_contract_that_comes_in_meanwhile_voids_the_question(pair, steward, second):
    asked = ask(pair, steward)
    stage.deployed(pair[0], "0x" + "1" * 40, chain_id=stage.chain("base").pk)
    with pytest.raises(Exception, match="changed"):
        cast.approve(asked, second)
    assert not Merge.objects.exists()


def test_agreeing_to_ones_own_and_merging_past_the_approval_fail_by_sql_too(pair, steward, second):
    one, other = pair
    asked = ask(pair, steward)
    with pytest.raises(NotYours):
        cast.approve(asked, steward)
    with pytest.raises(IntegrityError, match="whoever asked"), transaction.atomic():
        Decision.objects.create(
            request=asked,
            by=steward,
            verdict="approve",
            instruction_hash=asked.instruction_hash,
            at=timezone.now(),
            seats=[],
        )
    with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
        Merge.objects.create(asset=one, into=other, source="x")
    with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
        record_merge(asset_id=one.pk, into_id=other.pk, by=steward)
    cast.approve(asked, second)
    stage.run_sql("SELECT set_config('cqops.approval', %s, true)", str(asked.pk))
    with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
        Merge.objects.create(asset=other, into=stage.asset("X"), source="x")
    with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
        stage.run_sql("UPDATE assets_merge SET superseded_at = clock_timestamp()")


def test_one_question_about_two_assets_waits_at_a_time_whichever_way_round(pair, steward, second):
    ask(pair, steward)
    with pytest.raises(AlreadyAsked):
        ask(pair[::-1], second)


def test_what_cannot_be_one_is_refused_in_words(pair, steward):
    other = pair[1]
    third = stage.asset("THIRD")
    relate(asset_id=third.pk, kind="wraps", other_id=other.pk, source="x", by=None)
    fourth = stage.asset("FOURTH")
    relate(asset_id=fourth.pk, kind="stakes", other_id=third.pk, source="x", by=None)
    for wrong, words in (
        ((other, other), "is itself already"),
        ((third, other), "THIRD wraps TWIN: what comes from an asset is not that asset"),
        ((other, third), "what comes from an asset"),
        ((fourth, other), "come from each other through others"),
    ):
        with pytest.raises(Conflict, match=words):
            ask(wrong, steward)
    with pytest.raises(ValidationError, match="since a moment that has come"):
        ask(pair, steward, since=timezone.now() + timedelta(days=1))
    with pytest.raises(Unfounded):
        ask(pair, steward, reason=" ")
    with pytest.raises(NotYours):
        ask(pair, cast.person(Role.TRADER))


def test_two_canonical_contracts_or_groups_for_risk_are_refused_then_and_later(steward):
    one, other = stage.asset("ONE"), stage.asset("TWO")
    stage.deployed(one, stage.WETH, is_canonical=True)
    there = stage.deployed(other, stage.USDC, is_canonical=True)
    first, second = stage.group("G1"), stage.group("G2")
    add_member(group_id=first.pk, asset_id=one.pk, source="x", by=None, is_for_risk=True)
    member = add_member(
        group_id=second.pk, asset_id=other.pk, source="x", by=None, is_for_risk=True
    )
    with pytest.raises(
        Conflict, match=r"canonical contract on Ethereum.*For risk one counts in G1"
    ):
        ask((one, other), steward)
    with seeding():
        for row in (there, member):
            row.superseded_at = timezone.now()
            row.save(update_fields=["superseded_at"])
    seeded(one, other)
    with pytest.raises(Conflict, match="another canonical contract"):
        stage.deployed(other, stage.USDC, is_canonical=True)
    with pytest.raises(Conflict, match="Risk counts it in another group"):
        add_member(group_id=second.pk, asset_id=other.pk, source="x", by=None, is_for_risk=True)


def test_it_is_one_step_and_never_round(pair, steward):
    one, other = pair
    third = stage.asset("THIRD")
    seeded(one, other)
    for wrong in ((other, one), (other, third), (third, one), (one, third)):
        with pytest.raises(Conflict, match=r"split the two first|merge into Twin coin"):
            ask(wrong, steward)
        with seeding(), pytest.raises(IntegrityError), transaction.atomic():
            Merge.objects.create(asset=wrong[0], into=wrong[1], source="x")


def test_a_circle_through_a_merge_is_refused_whichever_came_last(steward):
    one, other, wrapped = (stage.asset(name) for name in ("ONE", "TWO", "WRAP"))
    relate(asset_id=wrapped.pk, kind="wraps", other_id=other.pk, source="x", by=None)
    seeded(one, other)
    with pytest.raises(Exception, match="circle"):
        relate(asset_id=other.pk, kind="stakes", other_id=wrapped.pk, source="x", by=None)
    with (
        seeding(),
        pytest.raises(IntegrityError, match="comes from the other"),
        transaction.atomic(),
    ):
        Merge.objects.create(asset=wrapped, into=other, source="x")


def test_a_flag_on_either_stands_against_both_and_what_wraps_them(pair):
    one, other = pair
    wrapped, twice = stage.asset("wTWIN"), stage.asset("wTWIN2")
    relate(asset_id=wrapped.pk, kind="wraps", other_id=other.pk, source="x", by=None)
    flag = QualityFlag(asset=one, kind="exploit", severity=50, note="drained", source="x")
    raise_flag(flag=flag, by=None)
    now = timezone.now()
    assert not obstacles({other.pk}, now=now)
    seeded(one, other)
    seeded(twice, wrapped)
    now = timezone.now()
    for asset in (one, other, wrapped, twice):
        assert [found.flag for found in obstacles({asset.pk}, now=now)] == [flag]
    on_wrapper = raise_flag(
        flag=QualityFlag(asset=twice, kind="scam", severity=50, note="fake", source="x"), by=None
    )
    assert on_wrapper in [found.flag for found in obstacles({one.pk}, now=timezone.now())]


def test_what_is_new_is_said_of_the_other_and_what_stands_still_ends(pair, steward):
    one, other = pair
    seeded(one, other)
    with pytest.raises(Merged, match="Say it there"):
        add_alias(asset_id=one.pk, ticker="MORE", source="x", by=steward)
    end_identifier(
        identifier=one.identifiers.get(), at=timezone.now(), reason="it moved", by=steward
    )
    raise_flag(flag=QualityFlag(asset=one, kind="scam", severity=50, note="x"), by=steward)
    for asset in pair:
        with pytest.raises(Merged, match="split before"):
            retire_asset(asset_id=asset.pk, expected_version=1, reason="gone", by=steward)


class TestSplitting:
    def test_what_moved_is_where_it_was_and_what_was_added_stays(self, pair, steward, second):
        one, other = pair
        found = merge(pair, steward, second)
        add_alias(asset_id=other.pk, ticker="LATER", source="list", by=steward)
        merged_at = timezone.now()
        asked = propose_split(merge=found, reason="they are two", by=second)
        rows = rows_of(asked)
        assert rows["Contracts that return"] == f"ethereum: {stage.WETH} (6 decimals)"
        assert rows["Tickers that stay with TWIN"] == "LATER"
        with pytest.raises(NotYours):
            cast.approve(asked, second)
        cast.approve(asked, steward)
        assert at_its_address().asset_id == one.pk
        assert at_its_address(known_at=merged_at).asset_id == other.pk
        assert resolution.by_symbol(symbol="LATER").asset_id == other.pk
        assert between(one.pk, other.pk) is None
        assert Event.objects.filter(kind="asset.split").count() == 1
        assert Entry.objects.filter(action="asset.split").count() == 2

    def test_it_may_be_two_again_from_a_day_on(self, pair, steward, second):
        one, other = pair
        found = merge(pair, steward, second)
        cast.approve(propose_split(merge=found, reason="forked", by=steward, since=FEB), second)
        assert at_its_address(as_of=JAN).asset_id == other.pk
        assert at_its_address(as_of=MAR).asset_id == one.pk
        with pytest.raises(Conflict, match="does not stand any more"):
            propose_split(merge=found, reason="again", by=steward)
        merge_again = ask(pair, steward, since=FEB)
        cast.approve(merge_again, second)
        assert at_its_address(as_of=MAR).asset_id == other.pk

    def test_findings_follow(self, pair, steward, second):
        scan(now=timezone.now())
        finding = Finding.objects.get(kind="same_symbol")
        found = merge(pair, steward, second)
        finding.refresh_from_db()
        assert finding.state == "confirmed"
        assert scan(now=timezone.now()).found["same_symbol"] == 0
        cast.approve(propose_split(merge=found, reason="they are two", by=steward), second)
        finding.refresh_from_db()
        assert finding.state == "open"
