"""What can alter trading takes two people: contracts, canonical members, and the clearing of severe flags."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from assets.errors import Conflict, NeedsSecond, Unfounded
from assets.models import Deployment, GroupMember, QualityFlag, Severity
from assets.services import groups
from assets.services.claims import ended
from assets.services.deployments import (
    key_of,
    propose_deployment,
    propose_end,
    record_deployment,
)
from assets.services.flags import clear_flag, propose_clear, raise_flag, review_flag
from assets.services.groups import add_member, canonical, propose_canonical, remove_member
from assets.services.resolution import by_address
from cqops.platform.access.policy import NotAllowed, Role
from cqops.platform.approvals.errors import AlreadyAsked, NothingChanges, NotYours
from cqops.platform.approvals.models import Decision, Request
from cqops.platform.approvals.services import Changed, Verdict, decide, settle_left
from cqops.platform.audit.models import Entry
from cqops.platform.events.models import Event
from tests import cast
from tests.assets import stage
from tests.assets.stage import FEB, JAN, MAR

pytestmark = pytest.mark.django_db


@pytest.fixture
def usdc():
    stage.chain()
    return stage.asset("USDC", "USD Coin", kind="stablecoin")


def propose(asset, by, **changes):
    given = {"chain_id": "ethereum", "address": stage.USDC.lower(), "decimals": 6}
    given |= {"source": "issuer", "reason": "its own site", "by": by}
    return propose_deployment(asset_id=asset.pk, **{**given, **changes})


def rows_of(request):
    return {row.label: row.text for row in request.instruction_rows}


def state_of(request):
    return Request.objects.get(pk=request.pk).state


class TestDeployments:
    def test_is_recorded_once_another_person_agrees(self, usdc, steward, second):
        asked = propose(usdc, steward, is_canonical=True)
        assert not Deployment.objects.exists()
        assert rows_of(asked)["Address"] == stage.USDC
        assert rows_of(asked)["Stands now"] == "nothing"
        assert {row.label for row in asked.snapshot_rows} >= {"Flags", "Orders open"}
        with pytest.raises(NotYours):
            cast.approve(asked, steward)

        cast.approve(asked, second)

        found = Deployment.objects.get()
        assert (found.address, found.decimals, found.is_canonical) == (stage.USDC, 6, True)
        assert (found.recorded_by, found.approval_id) == (steward, asked.pk)
        assert by_address(chain="ethereum", address=stage.USDC).asset_id == usdc.pk
        assert Event.objects.filter(kind="asset.deployment_created").count() == 1
        entry = Entry.objects.get(action="deployment.recorded")
        assert (entry.who, entry.decision_id) == ("stella", str(asked.pk))

    def test_agreeing_to_ones_own_fails_by_sql_too(self, usdc, steward, second):
        asked = propose(usdc, steward)
        with pytest.raises(IntegrityError, match="whoever asked"), transaction.atomic():
            Decision.objects.create(
                request=asked,
                by=steward,
                verdict="approve",
                instruction_hash=asked.instruction_hash,
                at=timezone.now(),
                seats=[],
            )
        with pytest.raises(IntegrityError, match="nobody decided"), transaction.atomic():
            Request.objects.filter(pk=asked.pk).update(state="approved")

    def test_nothing_is_recorded_past_the_approval(self, usdc, steward, second):
        with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
            record_deployment(
                asset_id=usdc.pk,
                chain_id="ethereum",
                address=stage.USDC,
                decimals=6,
                source="x",
                by=steward,
            )
        cast.approve(propose(usdc, steward), second)
        row = Deployment.objects.get()
        with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
            stage.run_sql(
                "UPDATE assets_deployment SET superseded_at = now() WHERE id = %s", row.pk
            )

    def test_a_used_approval_allows_nothing_but_what_it_says(self, usdc, steward, second):
        asked = propose(usdc, steward)
        cast.approve(asked, second)
        other = stage.asset("FAKE")
        stage.run_sql("SELECT set_config('cqops.approval', %s, true)", str(asked.pk))
        row = {"chain_id": "ethereum", "source": "x", "asset": usdc, "decimals": 6}
        for wrong in (
            {"address": stage.WETH},
            {"address": stage.USDC, "asset": other},
            {"address": stage.USDC, "decimals": 18},
        ):
            with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
                Deployment.objects.create(**{**row, **wrong})

    def test_one_question_about_an_address_waits_at_a_time(self, usdc, steward, second):
        propose(usdc, steward)
        with pytest.raises(AlreadyAsked):
            propose(stage.asset("FAKE"), second)

    def test_an_address_that_is_known_is_a_conflict_that_names_it(self, usdc, steward):
        there = stage.deployed(usdc)
        with pytest.raises(Conflict, match=r"it is USD Coin \(USDC\)") as told:
            propose(stage.asset("FAKE"), steward)
        assert told.value.existing == there
        with pytest.raises(NothingChanges):
            propose(usdc, steward, corrects=there)

    def test_decimals_are_corrected_by_two_and_what_was_known_stays_known(
        self, usdc, steward, second
    ):
        there = stage.deployed(usdc, decimals=18)
        before = timezone.now()
        asked = propose(usdc, steward, decimals=6, corrects=there)
        assert rows_of(asked)["Stands now"] == "USD Coin (USDC), 18 decimals"
        cast.approve(asked, second)
        assert Deployment.objects.known().get().decimals == 6
        now = timezone.now()
        assert Deployment.objects.at(as_of=JAN, known_at=before).get().decimals == 18
        assert Deployment.objects.at(as_of=JAN, known_at=now).get().decimals == 6

    def test_a_contract_that_moved_is_corrected_from_a_day_on(self, usdc, steward, second):
        there = stage.deployed(usdc)
        other = stage.asset("NEW", "New coin")
        cast.approve(propose(other, steward, corrects=there, valid_from=FEB), second)
        assert by_address(chain="ethereum", address=stage.USDC, as_of=JAN).asset_id == usdc.pk
        assert by_address(chain="ethereum", address=stage.USDC, as_of=MAR).asset_id == other.pk

    def test_a_contract_ends_with_two(self, usdc, steward, second):
        there = stage.deployed(usdc)
        until = timezone.now() - timedelta(days=1)
        cast.approve(
            propose_end(deployment=there, at=until, reason="withdrawn", by=steward), second
        )
        assert by_address(chain="ethereum", address=stage.USDC).answer == "unknown"
        assert by_address(chain="ethereum", address=stage.USDC, as_of=JAN).asset_id == usdc.pk
        assert Entry.objects.filter(action="deployment.ended").count() == 1

    def test_a_later_claim_of_the_address_can_be_corrected_and_ended(self, usdc, steward, second):
        month = timedelta(days=30)
        soon, later = timezone.now() + month, timezone.now() + 3 * month
        there = stage.deployed(usdc)
        cast.approve(propose_end(deployment=there, at=soon, reason="moves", by=steward), second)
        next_one = stage.deployed(stage.asset("NEW"), valid_from=later)
        cast.approve(
            propose(next_one.asset, steward, corrects=next_one, decimals=8, valid_from=soon), second
        )
        corrected = Deployment.objects.known().get(asset=next_one.asset)
        assert (corrected.decimals, corrected.valid_from) == (8, later)
        cast.approve(propose_end(deployment=corrected, at=later, reason="off", by=steward), second)
        assert Deployment.objects.known().get().asset == usdc

    def test_what_could_not_be_carried_out_is_not_asked(self, usdc, steward, second):
        there = stage.deployed(usdc, is_canonical=True)
        chain = {"address": stage.WETH, "is_canonical": True}
        with pytest.raises(Conflict, match="another canonical contract"):
            propose(usdc, steward, **chain)
        with stage.seeding():
            ended(there, at=FEB, by=None, source="x")
        with pytest.raises(Conflict, match="until 2026-02-01"):
            propose(stage.asset("NEW"), steward)
        assert rows_of(propose(stage.asset("AGAIN"), steward, valid_from=FEB))["Asset"]
        known = Deployment.objects.known().get()
        with pytest.raises(Conflict, match="does not stand"):
            propose(usdc, steward, corrects=known)

    def test_ending_what_ends_is_not_asked(self, usdc, steward):
        until = timezone.now() + timedelta(days=1)
        there = stage.deployed(usdc)
        with stage.seeding():
            there = ended(there, at=until, by=None, source="x")
        for act in (
            lambda: propose_end(deployment=there, at=until, reason="x", by=steward),
            lambda: propose(usdc, steward, corrects=there, decimals=18, valid_from=until),
        ):
            with pytest.raises(Conflict, match="already"):
                act()

    def test_addresses_that_are_longer_than_hexadecimal_are_found_as_they_are_spelt(self):
        assert key_of("0xABC") == "0xabc"
        assert key_of("0x2::sui::SUI") == "0x2::sui::SUI"

    def test_what_changed_meanwhile_voids_the_question(self, usdc, steward, second):
        asked = propose(usdc, steward)
        stage.deployed(stage.asset("FAKE"))
        decide_anyway(asked, second)
        assert state_of(asked) == "voided"
        assert Deployment.objects.get().asset.symbol == "FAKE"

    @pytest.mark.parametrize(
        ("wrong", "words"),
        [
            ({"address": stage.USDC[:-1] + "b"}, "checksum"),
            ({"address": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"}, "no EVM address"),
            ({"decimals": 37}, "between 0 and 36"),
        ],
    )
    def test_what_no_deployment_can_be_is_refused_beside_its_field(
        self, usdc, steward, wrong, words
    ):
        with pytest.raises(ValidationError, match=words):
            propose(usdc, steward, **wrong)

    def test_a_reason_is_asked_for_and_a_trader_may_not_ask(self, usdc, steward):
        with pytest.raises(Unfounded):
            propose(usdc, steward, reason=" ")
        with pytest.raises(NotYours):
            propose(usdc, cast.person(Role.TRADER))


def decide_anyway(request, by):
    """Agree to what the engine finds to be something else by now."""
    with pytest.raises(Changed):
        decide(
            request_id=request.pk,
            by=by,
            verdict=Verdict.APPROVE,
            seen_hash=request.instruction_hash,
        )
    settle_left()


class TestCanonicalMembers:
    @pytest.fixture
    def ether(self, steward):
        group = stage.group("ETH")
        eth, weth = stage.asset("ETH", "Ether"), stage.asset("WETH", "Wrapped ether")
        for asset in (eth, weth):
            add_member(group_id=group.pk, asset_id=asset.pk, source="desk", by=steward)
        return group, eth, weth

    def ask(self, group, asset, by, **more):
        return propose_canonical(
            group_id=group.pk, asset_id=asset.pk, reason="deepest", by=by, **more
        )

    def test_the_first_and_every_other_takes_two(self, ether, steward, second):
        group, eth, weth = ether
        asked = self.ask(group, eth, steward)
        with pytest.raises(NotYours):
            cast.approve(asked, steward)
        cast.approve(asked, second)
        assert canonical(group.pk).asset == eth

        since = timezone.now()
        cast.approve(self.ask(group, weth, second, since=since), steward)

        assert canonical(group.pk).asset == weth
        before = since - timedelta(seconds=1)
        told = GroupMember.objects.at(as_of=before, known_at=timezone.now())
        assert told.get(group=group, is_canonical=True).asset == eth
        assert GroupMember.objects.known().filter(group=group, valid_to=None).count() == 2
        entry = Entry.objects.filter(action="member.canonical").latest("id")
        assert entry.before == {"canonical": "Ether (ETH)"}

    def test_one_person_neither_adds_nor_removes_it(self, ether, steward, second):
        group, eth, _ = ether
        other = stage.asset("stETH")
        with pytest.raises(NeedsSecond):
            add_member(
                group_id=group.pk, asset_id=other.pk, source="x", by=steward, is_canonical=True
            )
        cast.approve(self.ask(group, eth, steward), second)
        member = canonical(group.pk)
        with pytest.raises(NeedsSecond):
            remove_member(member=member, at=timezone.now(), reason="x", by=steward)
        with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
            stage.run_sql(
                "UPDATE assets_groupmember SET superseded_at = now() WHERE id = %s", member.pk
            )
        with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
            GroupMember.objects.create(
                group=stage.group("X"), asset=other, is_canonical=True, source="x"
            )

    def test_one_question_about_the_canonical_member_waits_at_a_time(self, ether, steward, second):
        group, eth, weth = ether
        first = self.ask(group, eth, steward)
        with pytest.raises(AlreadyAsked):
            self.ask(group, weth, second)
        cast.approve(first, second)
        with pytest.raises(NothingChanges):
            self.ask(group, eth, steward)

    def test_members_come_go_and_count_by_one_person(self, ether, steward):
        group, _, weth = ether
        member = GroupMember.objects.get(asset=weth)
        now = timezone.now()
        member = groups.count_member(
            member=member, is_for_risk=True, is_for_pnl=False, since=now, by=steward
        )
        other = stage.group("RISK")
        with pytest.raises(Conflict, match="Risk counts it in another group"):
            add_member(
                group_id=other.pk, asset_id=weth.pk, source="x", by=steward, is_for_risk=True
            )
        with pytest.raises(Conflict, match="belongs to this group"):
            add_member(group_id=group.pk, asset_id=weth.pk, source="x", by=steward)
        remove_member(member=member, at=timezone.now(), reason="no longer", by=steward)
        later = timezone.now()
        assert {
            one.asset.symbol
            for one in GroupMember.objects.at(as_of=later, known_at=later).filter(group=group)
        } == {"ETH"}
        with pytest.raises(Conflict, match="Add it first"):
            self.ask(group, weth, steward)
        with pytest.raises(Conflict, match="group of this symbol"):
            stage.group("eth")


class TestFlags:
    def flag(self, by, severity=Severity.CRITICAL, **more):
        given = {"asset": stage.asset("BAD"), "kind": "scam", "note": "copied site"}
        return raise_flag(flag=QualityFlag(severity=severity, **{**given, **more}), by=by)

    def test_is_raised_by_one_person_at_once(self):
        trader = cast.person(Role.TRADER, "tom")
        flag = self.flag(trader)
        assert (flag.raised_by, flag.source) == (trader, trader.name)
        assert Event.objects.filter(kind="asset.flag_set").count() == 1
        assert Entry.objects.get(action="flag.raised").after["severity"] == 50
        with pytest.raises(NotAllowed):
            self.flag(cast.person(Role.VIEWER))

    def test_rests_on_something(self, steward):
        with pytest.raises(Unfounded):
            self.flag(steward, note=" ")

    def test_what_is_light_is_cleared_by_one_with_a_reason(self, steward):
        flag = self.flag(steward, Severity.MEDIUM)
        with pytest.raises(Unfounded):
            clear_flag(flag=flag, reason="", by=steward)
        cleared = clear_flag(flag=flag, reason="verified", by=steward)
        assert (cleared.cleared_by, cleared.cleared_reason) == (steward, "verified")
        assert Event.objects.filter(kind="asset.flag_cleared").count() == 1
        with pytest.raises(Conflict, match="cleared already: verified"):
            clear_flag(flag=flag, reason="again", by=steward)

    @pytest.mark.parametrize("severity", [Severity.HIGH, Severity.CRITICAL])
    def test_what_is_severe_is_cleared_by_two(self, steward, second, severity):
        flag = self.flag(steward, severity)
        with pytest.raises(NeedsSecond):
            clear_flag(flag=flag, reason="fine", by=steward)
        asked = propose_clear(flag=flag, reason="a mistake", by=steward)
        assert rows_of(asked)["Evidence"] == "copied site"
        assert asked.snapshot_rows[0].label == "Flags"
        with pytest.raises(NotYours):
            cast.approve(asked, steward)
        cast.approve(asked, second)
        flag.refresh_from_db()
        assert (flag.cleared_by, flag.cleared_reason) == (steward, "a mistake")
        assert flag.approval_id == asked.pk

    def test_its_review_is_put_on_a_day(self, steward):
        flag = self.flag(steward)
        review_flag(flag=flag, review_on=FEB.date(), by=steward)
        flag.refresh_from_db()
        assert flag.review_on == FEB.date()
        assert Entry.objects.filter(action="flag.reviewed").exists()
