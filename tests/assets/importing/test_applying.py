"""A batch is applied all or not at all, by as many people as it takes, and undone the same way."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from assets.errors import Conflict, Unfounded
from assets.imports import Unreadable
from assets.models import (
    Asset,
    Deployment,
    Finding,
    Identifier,
    ImportBatch,
    ImportRow,
    QualityFlag,
)
from assets.services.deployments import propose_deployment
from assets.services.flags import raise_flag
from assets.services.importing.asking import NotYet, request_apply, request_undo
from assets.services.importing.batches import choose_columns, drop, read_again, upload
from assets.services.importing.work import GIVEN_UP, scan_brought, sweep, work_on
from assets.services.renaming import rename
from assets.services.resolution import by_address, by_symbol
from cqops.platform.access.policy import NotAllowed
from cqops.platform.approvals.models import Request
from cqops.platform.approvals.services import Verdict, decide, settle_left
from cqops.platform.audit.models import Entry
from cqops.platform.events.models import Event
from tests import cast
from tests.assets import stage
from tests.assets.importing.brought import (
    applied,
    brought,
    outcomes,
    table,
    undone,
    words,
    worked,
)

pytestmark = pytest.mark.django_db
USDC, WETH = stage.USDC, stage.WETH
ROW = f"UNI,Uniswap,token,uniswap,ethereum,{USDC},18,yes"


@pytest.fixture(autouse=True)
def ethereum(db):
    return stage.chain()


def asked_of(batch, kind="assets.import"):
    return Request.objects.filter(kind=kind, subject_id=str(batch.pk)).latest("requested_at")


class TestApplying:
    def test_contracts_come_in_once_a_second_person_agreed(self, steward, second):
        batch = brought(table(ROW), steward, source="Issuer")
        request_apply(batch_id=batch.pk, reason="their list", by=steward)
        assert worked(batch).state == "asked"
        shown = {row.label: row.text for row in asked_of(batch).instruction_rows}
        assert (shown["Source"], shown["New contract"]) == ("Issuer", "1")
        assert shown["Digest"] == batch.digest
        assert shown["Known assets whose contracts it touches"] == "0"
        assert not Deployment.objects.exists()

        cast.approve(asked_of(batch), second)
        done = worked(batch)

        assert (done.state, done.applied_by) == ("applied", steward)
        found = Deployment.objects.get()
        assert (found.decimals, found.is_canonical, found.source) == (18, True, "Issuer")
        assert (found.batch_id, found.recorded_by, found.approval) == (
            *(batch.pk, steward, asked_of(batch)),
        )
        assert by_address(chain="ethereum", address=USDC).asset_id == found.asset_id
        assert by_symbol(symbol="uni").asset_id == found.asset_id
        assert Identifier.objects.get().value == "uniswap"
        assert asked_of(batch).state == "executed"

    def test_it_is_told_once_in_the_audit_and_to_the_outside(self, steward, second):
        batch = applied(brought(table(ROW), steward), steward, second)

        entry = Entry.objects.get(action="import.applied")
        assert (entry.who, entry.decision_id) == ("stella", str(batch.approval_id))
        assert entry.after["digest"] == batch.digest
        assert entry.after["contract"] == 1
        assert [one.kind for one in Event.objects.filter(aggregate="import")] == ["import.applied"]
        assert not Event.objects.filter(aggregate="asset").exists()

    def test_what_cannot_alter_trading_one_person_applies(self, steward):
        batch = applied(brought(table("UNI,Uniswap,,uniswap,,,,"), steward), steward)
        assert batch.state == "applied"
        assert not Request.objects.exists()
        assert Asset.objects.get().kind == "token"

    def test_the_same_file_again_brings_nothing_new(self, steward, second):
        applied(brought(table(ROW), steward), steward, second)
        again = brought(table(ROW), steward)
        assert outcomes(again) == ["ignored"]

        done = applied(again, steward)

        assert done.state == "applied"
        assert Asset.objects.count() == Deployment.objects.count() == 1

    def test_with_one_bad_line_nothing_is_applied_unless_it_is_left_out_on_purpose(
        self, steward, second
    ):
        batch = brought(table(ROW, "BAD,,,bad,,,,"), steward)
        with pytest.raises(NotYet, match="1 line has errors, so nothing is applied"):
            request_apply(batch_id=batch.pk, reason="try", by=steward)

        done = applied(batch, steward, second, leaves_errors_out=True)

        assert done.state == "applied"
        assert Asset.objects.get().symbol == "UNI"

    def test_what_rests_on_known_assets_is_seen_beside_the_request(self, steward, second):
        stage.deployed(stage.asset("UNI", "Uniswap"), USDC, decimals=18)
        flagged = Asset.objects.get()
        flag = QualityFlag(asset=flagged, kind="depeg", severity=20, note="low")
        raise_flag(flag=flag, by=steward)
        stage.chain("base")
        header = "asset_id,chain,address,decimals"
        batch = brought(table(f"{flagged.pk},base,{WETH},18", header=header), steward)
        request_apply(batch_id=batch.pk, reason="x", by=steward)
        asked = asked_of(batch)
        assert asked.instruction_texts["Known assets whose contracts it touches"] == "1"
        assert {row.label: row.text for row in asked.snapshot_rows}["Flags"] == "UNI: Low: depeg"
        cast.approve(asked, second)
        assert worked(batch).state == "applied"
        assert flagged.deployments.known().count() == 2

    def test_a_conflicting_line_is_left_as_it_stands(self, steward, second):
        made = stage.asset("WETH", "Wrapped Ether")
        stage.deployed(made, WETH, decimals=18)
        rows = [ROW, f"WETH,Wrapped Ether,,,ethereum,{WETH},6,"]
        batch = applied(brought(table(*rows), steward), steward, second)
        assert batch.state == "applied"
        assert made.deployments.get().decimals == 18

    def test_what_changed_since_it_was_looked_at_is_looked_at_again(self, steward, second):
        batch = brought(table("UNI,Uniswap,,uniswap,,,,"), steward)
        brought_before = brought(table("UNI,Uniswap,,uniswap,,,,"), steward)
        applied(brought_before, steward)

        back = applied(batch, steward)

        assert back.state == "ready"
        assert "1 line would come to something else now" in back.words
        assert Asset.objects.count() == 1
        read_again(batch_id=batch.pk, by=steward)
        assert outcomes(worked(batch)) == ["ignored"]

    def test_a_refused_request_leaves_it_to_be_read_again(self, steward, second):
        batch = brought(table(ROW), steward)
        request_apply(batch_id=batch.pk, reason="their list", by=steward)
        asked = asked_of(batch)
        decide(
            request_id=asked.pk,
            by=second,
            verdict=Verdict.REFUSE,
            reason="not theirs",
            seen_hash=asked.instruction_hash,
        )
        settle_left()
        batch.refresh_from_db()
        assert batch.state == "ready"
        assert "not theirs" in batch.words

    def test_the_source_corrects_itself_and_both_clocks_keep_what_it_said(self, steward, second):
        first = applied(brought(table(ROW), steward), steward, second)
        then = timezone.now()
        changed = f"UNIX,Uniswap Labs,,uniswap,ethereum,{USDC},8,yes"

        done = applied(brought(table(changed), steward), steward, second)

        assert done.state == "applied", done.words
        asset = Asset.objects.get()
        assert (asset.symbol, asset.name, asset.version) == ("UNIX", "Uniswap Labs", 2)
        now = timezone.now()
        assert Deployment.objects.at(as_of=now, known_at=now).get().decimals == 8
        assert Deployment.objects.at(as_of=then, known_at=then).get().batch == first
        assert by_symbol(symbol="UNI", as_of=then).asset_id == asset.pk
        assert by_symbol(symbol="UNI", as_of=now).answer == "unknown"
        assert by_symbol(symbol="UNIX", as_of=now).asset_id == asset.pk

        back = undone(done, steward, second)

        assert back.state == "undone", back.words
        asset.refresh_from_db()
        assert (asset.symbol, asset.name, asset.version) == ("UNI", "Uniswap", 3)
        now = timezone.now()
        stands = Deployment.objects.at(as_of=now, known_at=now).get()
        assert (stands.decimals, stands.batch) == (18, first)
        assert by_symbol(symbol="UNI", as_of=now).asset_id == asset.pk
        assert by_symbol(symbol="UNIX", as_of=now).answer == "unknown"


class TestTheDatabase:
    """Past the services, nothing of a list comes in but what was agreed to."""

    @pytest.fixture
    def released(self, steward, second):
        batch = applied(brought(table(ROW), steward), steward, second)
        stage.run_sql("SELECT set_config('cqops.approval', %s, true)", str(batch.approval_id))
        return batch

    def test_a_used_approval_brings_no_contract_but_those_of_its_lines(self, released):
        other = stage.asset("FAKE")
        claim = {"chain_id": "ethereum", "source": "x", "batch": released}
        for wrong in ({"address": WETH}, {"address": WETH, "id": released.rows.get().pk}):
            row = {**claim, "asset": other, "decimals": 18, **wrong}
            if "id" in wrong:
                row["id"] = released.rows.get().deployment_id
            with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
                Deployment(**row).save(force_insert=True)

    def test_nothing_is_taken_back_with_the_approval_to_apply(self, released):
        with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
            stage.run_sql("UPDATE assets_deployment SET superseded_at = now()")

    def test_a_line_that_was_asked_for_is_not_changed_added_or_removed(self, steward, second):
        batch = brought(table(ROW), steward)
        for text in (
            "UPDATE assets_importrow SET decimals = 6",
            "DELETE FROM assets_importrow",
            "UPDATE assets_importbatch SET state = 'applied'",
            "DELETE FROM assets_importbatch",
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                stage.run_sql(text)
        with pytest.raises(IntegrityError, match="stays as it was read"), transaction.atomic():
            ImportRow.objects.create(batch=batch, number=9, line=9)
        request_apply(batch_id=batch.pk, reason="x", by=steward)
        for text in (
            "UPDATE assets_importbatch SET digest = 'other'",
            "UPDATE assets_importbatch SET source = 'other'",
            "UPDATE assets_importbatch SET state = 'checking'",
        ):
            with pytest.raises(IntegrityError), transaction.atomic():
                stage.run_sql(text)

    def test_a_correction_by_a_person_is_no_more_the_lists(self, released, steward, second):
        row = Deployment.objects.get()
        asked = propose_deployment(
            asset_id=row.asset_id,
            chain_id="ethereum",
            address=USDC,
            decimals=8,
            is_canonical=True,
            source="the contract",
            reason="read there",
            corrects=row,
            by=steward,
        )
        cast.approve(asked, second)
        assert Deployment.objects.known().get().batch_id is None
        again = brought(table(ROW), steward)
        assert words(again) == [
            ": The list says 18 decimals, canonical; here stand 8, canonical, by the contract."
        ]


class TestUndoing:
    def test_takes_back_everything_it_brought_and_nothing_else(self, steward, second):
        kept = stage.asset("WETH", "Wrapped Ether")
        stage.deployed(kept, WETH, decimals=18)
        rows = [ROW, f"WETH,Wrapped Ether,,weth,ethereum,{WETH},18,"]
        batch = applied(brought(table(*rows), steward), steward, second)
        then = timezone.now()
        assert Identifier.objects.known().count() == 2
        stage.asset("UNI", "Another")
        scan_brought(batch.pk)
        assert Finding.objects.filter(kind="same_symbol").count() == 1

        done = undone(batch, steward, second)

        assert (done.state, done.undone_by) == ("undone", steward)
        assert Deployment.objects.known().get().asset == kept
        assert not Identifier.objects.known().exists()
        gone = Asset.objects.get(name="Uniswap")
        assert gone.retired_reason == "The import was undone: it was the wrong one"
        assert not gone.aliases.known().exists()
        assert by_address(chain="ethereum", address=USDC, known_at=then).asset_id == gone.pk
        assert by_address(chain="ethereum", address=USDC).answer == "unknown"
        assert Entry.objects.filter(action="import.undone").count() == 1
        again = brought(table(*rows), steward)
        assert outcomes(again) == ["new", "new"]
        assert applied(again, steward, second).state == "applied"

    @pytest.mark.parametrize(
        ("build", "why"),
        [
            ("flag", "quality flags rest on its assets (Uniswap)"),
            ("rename", "assets were changed since (Uniswap)"),
            ("alias", "aliases were changed since (Uniswap)"),
            ("list", "identifiers rest on its assets (Uniswap)"),
        ],
    )
    def test_is_refused_once_something_was_built_on_it(self, steward, second, build, why):
        batch = applied(brought(table(ROW), steward), steward, second)
        asset = Asset.objects.get()
        if build == "flag":
            flag = QualityFlag(asset=asset, kind="depeg", severity=20, note="low")
            raise_flag(flag=flag, by=steward)
        elif build in {"rename", "alias"}:
            now = timezone.now()
            rename(asset_id=asset.pk, ticker="X", since=now, reason="so", by=steward)
        else:
            more = table(f"{asset.pk},9", header="asset_id,cmc")
            assert applied(brought(more, steward), steward).state == "applied"

        with pytest.raises(NotYet, match="cannot be undone any more") as refused:
            request_undo(batch_id=batch.pk, reason="wrong", by=steward)
        assert why in str(refused.value)

    def test_what_is_built_while_it_waits_stops_it_too(self, steward, second):
        batch = applied(brought(table(ROW), steward), steward, second)
        request_undo(batch_id=batch.pk, reason="wrong", by=steward)
        flag = QualityFlag(asset=Asset.objects.get(), kind="depeg", severity=20, note="low")
        raise_flag(flag=flag, by=steward)
        cast.approve(asked_of(batch, "assets.import_undo"), second)

        back = worked(batch)

        assert (back.state, asked_of(batch, "assets.import_undo").state) == ("applied", "voided")
        assert "quality flags rest on its assets" in back.words
        assert Deployment.objects.known().exists()


class TestTheWayThere:
    def test_who_may_not_edit_brings_nothing_in(self, approver):
        with pytest.raises(NotAllowed):
            upload(content=table(ROW), file_name="x.csv", by=approver)

    def test_columns_are_chosen_once_each_from_those_there_are(self, steward):
        batch = upload(content=table(ROW), file_name="x.csv", by=steward)
        for wrong in ({"symbol": "nowhere"}, {"symbol": "name", "name": "name"}):
            with pytest.raises(Unfounded):
                choose_columns(batch_id=batch.pk, mapping=wrong, by=steward)
        choose_columns(batch_id=batch.pk, mapping={"symbol": "symbol"}, by=steward)
        assert "Nothing says which asset" in words(worked(batch))[0]

    def test_what_cannot_be_read_is_told(self, steward):
        with pytest.raises(Unreadable):
            upload(content=b"  ", file_name="x.csv", by=steward)
        batch = brought(b'[{"id": ', steward)
        assert batch.state == "unreadable"
        assert "not a list of coins" in batch.words
        assert drop(batch_id=batch.pk, by=steward).state == "dropped"
        with pytest.raises(Conflict, match="has moved on"):
            drop(batch_id=batch.pk, by=steward)

    def test_nothing_is_asked_without_a_reason(self, steward):
        batch = brought(table(ROW), steward)
        with pytest.raises(Unfounded):
            request_apply(batch_id=batch.pk, reason=" ", by=steward)

    def test_the_sweep_takes_up_what_was_left_and_gives_up_in_the_end(self, steward):
        batch = upload(content=table(ROW), file_name="x.csv", by=steward)
        choose_columns(batch_id=batch.pk, mapping=batch.mapping, by=steward)
        sweep()
        batch.refresh_from_db()
        assert batch.state == "checking"
        long_ago = timezone.now() - timedelta(minutes=1)
        ImportBatch.objects.filter(pk=batch.pk).update(moved_at=long_ago)
        sweep()
        batch.refresh_from_db()
        assert (batch.state, batch.attempts) == ("ready", 0)
        read_again(batch_id=batch.pk, by=steward)
        ImportBatch.objects.filter(pk=batch.pk).update(attempts=3)
        work_on(batch.pk)
        batch.refresh_from_db()
        assert (batch.state, batch.words) == ("unreadable", GIVEN_UP)

    def test_one_that_never_comes_to_an_end_may_be_asked_for_again(self, steward, second):
        batch = brought(table(ROW), steward)
        request_apply(batch_id=batch.pk, reason="x", by=steward)
        cast.approve(asked_of(batch), second)
        ImportBatch.objects.filter(pk=batch.pk).update(attempts=3)

        back = worked(batch)

        assert (back.state, back.words) == ("ready", GIVEN_UP)
        assert asked_of(batch).state == "voided"
        assert applied(back, steward, second).state == "applied"

    def test_an_approver_may_be_the_second(self, steward, approver):
        batch = applied(brought(table(ROW), steward), steward, approver)
        assert batch.state == "applied"

    def test_whoever_lost_the_role_meanwhile_applies_nothing(self, steward, second):
        batch = brought(table("UNI,Uniswap,,uniswap,,,,"), steward)
        request_apply(batch_id=batch.pk, reason="x", by=steward)
        steward.role_grants.all().delete()
        back = worked(batch)
        assert (back.state, Asset.objects.exists()) == ("ready", False)
