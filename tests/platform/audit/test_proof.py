"""Whoever changes the log behind its back is found: the triggers are taken away first, as an owner can."""

import json
import random
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from cqops.platform.audit import chain, proof
from cqops.platform.audit.models import Entry, Review, Seal
from cqops.platform.audit.sequencer import BATCH, LOCK, Sequencer
from cqops.platform.audit.services import record
from cqops.platform.audit.status import chained
from cqops.platform.telemetry.models import OpsEvent
from tests.platform.audit import tampering
from tests.platform.audit.tampering import sql

ENTRIES = 40


@contextmanager
def as_the_owner():
    """Take the triggers away, and put everything back afterwards, whatever was changed."""
    with transaction.atomic():
        for table in ("audit_entry", "audit_seal"):
            sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        transaction.set_rollback(True)


@pytest.fixture
def anchored(db):
    """Forty sealed entries, and the head of their chain written down outside."""
    for number in range(ENTRIES):
        record(action="order.placed", subject_kind="n", subject_id=str(number), after={"n": number})
    assert Sequencer().run() == ENTRIES
    proof.anchor()
    return list(Entry.objects.order_by("pk").values_list("pk", flat=True))


def faults():
    return {finding.fault for finding in proof.verify().findings}


def words():
    return " ".join(finding.words for finding in proof.verify().findings)


def test_an_untouched_log_holds(anchored):
    verdict = proof.verify()

    assert verdict.is_good
    assert (verdict.seals, verdict.head, verdict.anchors) == (ENTRIES, ENTRIES, 1)
    assert verdict.tail.count == 0
    assert "40 seals verified against 1 anchor: nothing was changed" in verdict.words()


class TestOneOfEach:
    def test_an_edited_entry_is_named(self, anchored):
        with as_the_owner():
            sql("UPDATE audit_entry SET after = '{\"n\": 41}' WHERE id = %s", anchored[7])
            assert words() == f"Entry {anchored[7]} was edited after it was sealed."

    def test_an_edit_that_renews_the_hash_beside_it_is_named_too(self, anchored):
        with as_the_owner():
            sql("UPDATE audit_entry SET who = 'mallory' WHERE id = %s", anchored[7])
            edited = Entry.objects.get(pk=anchored[7])
            new = chain.entry_hash(edited.content())
            sql("UPDATE audit_entry SET hash = %s WHERE id = %s", new, edited.pk)
            assert words() == f"Entry {anchored[7]} was edited after it was sealed."

    def test_a_deleted_entry_is_named(self, anchored):
        with as_the_owner():
            sql("DELETE FROM audit_entry WHERE id = %s", anchored[7])
            assert words() == f"Entry {anchored[7]} (seal 8) was deleted."

    def test_swapped_entries_are_named(self, anchored):
        one, other = anchored[3], anchored[9]
        with as_the_owner():
            for here, there in ((one, -1), (other, one), (-1, other)):
                sql("UPDATE audit_entry SET id = %s WHERE id = %s", there, here)
            assert words() == f"Entries {one} and {other} were swapped."

    def test_a_cut_out_of_the_middle_is_named(self, anchored):
        with as_the_owner():
            sql("DELETE FROM audit_entry WHERE id = ANY(%s)", anchored[5:8])
            sql("DELETE FROM audit_seal WHERE sequence BETWEEN 6 AND 8")
            assert "Cut: seal 6 to 8 missing before seal 9." in words()

    def test_newest_entries_cut_away_with_their_seals_are_found_by_the_anchor(self, anchored):
        with as_the_owner():
            sql("DELETE FROM audit_entry WHERE id > %s", anchored[-4])
            sql("DELETE FROM audit_seal WHERE sequence > 37")
            assert "Cut: the chain ends at seal 37, but seal 40 was anchored at" in words()

    def test_everything_cut_away_is_found_by_the_anchor(self, anchored):
        with as_the_owner():
            sql("DELETE FROM audit_entry")
            sql("DELETE FROM audit_seal")
            assert faults() == {chain.Fault.CUT}

    def test_a_chain_written_anew_is_found_by_the_anchor(self, anchored):
        with as_the_owner():
            sql("UPDATE audit_entry SET who = 'mallory' WHERE id = %s", anchored[2])
            edited = Entry.objects.get(pk=anchored[2])
            new = chain.entry_hash(edited.content())
            sql("UPDATE audit_entry SET hash = %s WHERE id = %s", new, edited.pk)
            sql("DELETE FROM audit_seal")
            Sequencer().run()
            assert "Seal 40 is not the one anchored at" in words()

    def test_a_changed_seal_is_named(self, anchored):
        with as_the_owner():
            sql("UPDATE audit_seal SET sealed_at = sealed_at - interval '1 day' WHERE sequence = 5")
            assert words() == "Seal 5 was changed after it was made."

    def test_an_edit_before_sealing_is_named(self, anchored):
        late = record(action="x.y")
        with as_the_owner():
            sql("UPDATE audit_entry SET action = 'x.z' WHERE id = %s", late.pk)
            assert words() == f"Entry {late.pk} was edited before it was sealed."

    def test_a_lost_or_broken_anchor_file_is_named(self, anchored, settings):
        settings.AUDIT_ANCHOR_FILE.write_text("not an anchor\n")
        assert "Line 1 of the anchor file is not an anchor" in words()
        settings.AUDIT_ANCHOR_FILE.unlink()
        assert "is gone" in words()


@pytest.mark.slow
def test_a_thousand_tampers_of_a_thousand_are_found(anchored):
    dice = random.Random(20260302)  # noqa: S311 -- the same thousand every time
    missed, done = [], {}
    for _ in range(1_000):
        with as_the_owner():
            way = dice.choice(tampering.WAYS)
            way(dice, anchored)
            what = way.__name__
            done[what] = done.get(what, 0) + 1
            if proof.verify().is_good:
                missed.append(what)

    assert missed == []
    assert sum(done.values()) == 1_000
    assert len(done) == len(tampering.WAYS)
    assert proof.verify().is_good


class TestSequencer:
    def test_continues_the_chain_in_batches(self, db):
        Entry.objects.bulk_create(
            Entry(at=timezone.now(), door="task", action="x", hash=f"{n:064}")
            for n in range(BATCH + 5)
        )

        assert Sequencer().run() == BATCH + 5
        assert Seal.objects.order_by("-sequence").first().sequence == BATCH + 5

    @pytest.mark.django_db(transaction=True)
    def test_never_skips_an_entry_that_commits_late(self):
        sequencer, written, go_on = Sequencer(), threading.Event(), threading.Event()

        def slow():
            with transaction.atomic():
                record(action="late.one")
                written.set()
                go_on.wait(4)
            connection.close()

        thread = threading.Thread(target=slow)
        thread.start()
        written.wait(4)
        record(action="quick.one")
        assert sequencer.run() == 1
        assert sequencer.run() == 0
        go_on.set()
        thread.join()

        assert sequencer.run() == 1
        order = [Entry.objects.get(pk=seal.entry_id).action for seal in Seal.objects.all()]
        assert order == ["quick.one", "late.one"]
        assert Entry.objects.get(action="late.one").pk < Entry.objects.get(action="quick.one").pk
        assert proof.verify().is_good

    @pytest.mark.django_db(transaction=True)
    def test_only_one_works_and_the_others_do_not_wait(self):
        record(action="x.y")
        held, go_on = threading.Event(), threading.Event()

        def hold():
            with transaction.atomic():
                sql("SELECT pg_advisory_xact_lock(%s)", LOCK)
                held.set()
                go_on.wait(4)
            connection.close()

        thread = threading.Thread(target=hold)
        thread.start()
        held.wait(4)
        assert Sequencer().run() == 0
        go_on.set()
        thread.join()
        assert Sequencer().run() == 1

    def test_looks_only_at_what_may_still_be_open_once_it_has_seen_everything(
        self, anchored, django_assert_num_queries
    ):
        sequencer = Sequencer()
        assert sequencer.run() == 0
        assert sequencer._floor > 0


class TestTail:
    def test_an_unsealed_tail_is_named_and_is_no_fault(self, anchored):
        for _ in range(2):
            record(action="x.y")

        verdict = proof.verify()

        assert verdict.is_good
        assert verdict.tail.count == 2
        assert "2 entries are not sealed yet" in verdict.tail.words(timezone.now())
        assert chained()[0]

    def test_a_tail_that_grows_old_turns_the_status_red(self, anchored):
        record(action="x.y")

        later = timezone.now() + timedelta(minutes=1)
        assert proof.tail().is_late(later)
        assert "it is 60 s old" in proof.tail().words(later)

    def test_faults_are_told_to_those_who_run_the_desk(self, anchored, settings, journal):
        proof.verify_and_remember()
        settings.AUDIT_ANCHOR_FILE.unlink()
        proof.verify_and_remember()
        journal.flush()

        told = OpsEvent.objects.get()
        assert (told.kind, told.severity) == ("audit.faults", "urgent")
        assert "is gone" in told.words

    def test_faults_turn_the_status_red_until_they_are_gone(self, anchored, settings):
        kept = settings.AUDIT_ANCHOR_FILE.read_text()
        settings.AUDIT_ANCHOR_FILE.write_text(kept.replace(':40,"hash":"', ':40,"hash":"0'))
        proof.verify_and_remember()
        assert chained() == (False, "the last verification found faults: see the audit page")

        settings.AUDIT_ANCHOR_FILE.write_text(kept)
        proof.verify_and_remember()
        assert chained()[0]


class TestCommand:
    def test_verify_says_it_in_words_and_by_its_exit_code(self, anchored, capsys):
        call_command("audit", "verify")
        assert "nothing was changed" in capsys.readouterr().out

        with as_the_owner():
            sql("DELETE FROM audit_entry WHERE id = %s", anchored[0])
            with pytest.raises(SystemExit, match="1"):
                call_command("audit", "verify")
        assert "was deleted" in capsys.readouterr().out

    def test_anchors_are_only_ever_added(self, anchored, settings, capsys):
        record(action="x.y")
        call_command("audit", "seal")
        call_command("audit", "anchor")

        lines = settings.AUDIT_ANCHOR_FILE.read_text().splitlines()
        assert [json.loads(line)["sequence"] for line in lines] == [40, 41]
        assert json.loads(lines[1])["count"] == 41
        assert Review.objects.filter(kind="anchored").count() == 2
        assert "Seal 41 of 41 written to" in capsys.readouterr().out

    def test_an_empty_log_has_nothing_to_anchor(self, db, settings, capsys):
        call_command("audit", "anchor")

        assert "nothing to anchor" in capsys.readouterr().out
        assert not settings.AUDIT_ANCHOR_FILE.exists()


class TestOffline:
    @pytest.fixture
    def exported(self, anchored, tmp_path, capsys):
        call_command("audit", "export")
        path = tmp_path / "exported.jsonl"
        path.write_text(capsys.readouterr().out)
        return path

    def test_an_exported_chain_is_verified_without_a_database(self, exported, settings, capsys):
        assert chain.main([str(exported), str(settings.AUDIT_ANCHOR_FILE)]) == 0
        assert "40 seals examined, against 1 anchors: 0 faults." in capsys.readouterr().out
        assert Entry.objects.filter(action="export.taken").count() == 1

    def test_an_exported_chain_that_was_edited_is_found(self, exported, capsys):
        exported.write_text(exported.read_text().replace('"n": 12', '"n": 13'))

        assert chain.main([str(exported)]) == 1
        assert "was edited after it was sealed" in capsys.readouterr().out

    def test_a_file_that_is_no_export_is_refused_in_words(self, tmp_path, capsys):
        (tmp_path / "x").write_text("{}\n")

        assert chain.main([str(tmp_path / "x")]) == 2
        assert "Cannot be read" in capsys.readouterr().err
