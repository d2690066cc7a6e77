"""Whoever changes the log behind its back is found: the triggers are taken away first, as an owner can."""

import json
import random
import threading
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from cqops.platform.audit import anchoring, chain, proof, witness
from cqops.platform.audit.models import Entry, Review, Seal
from cqops.platform.audit.sequencer import BATCH, LOCK, Sequencer
from cqops.platform.audit.services import record
from cqops.platform.audit.status import chained
from cqops.platform.telemetry.models import OpsEvent
from tests.platform.audit import tampering
from tests.platform.audit.tampering import sql

ENTRIES = 40
LATER = 10


@contextmanager
def as_the_owner():
    """Take the triggers away, and put everything back afterwards, whatever was changed."""
    with transaction.atomic():
        for table in ("audit_entry", "audit_seal", "audit_review"):
            sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        transaction.set_rollback(True)


@pytest.fixture
def seal(db, django_capture_on_commit_callbacks):
    """Write entries and seal them as a committed pass does; the sequence forgets them at the end."""

    def make(numbers):
        written = [
            record(action="order.placed", subject_kind="n", subject_id=str(n), after={"n": n}).pk
            for n in numbers
        ]
        with django_capture_on_commit_callbacks(execute=True):
            assert Sequencer().run() == len(written)
        return written

    yield make
    sql("SELECT setval('audit_seal_given', 1, false)")


@pytest.fixture
def anchored(seal):
    """Forty sealed entries, and the head of their chain written down outside."""
    written = seal(range(ENTRIES))
    anchoring.anchor()
    return written


@pytest.fixture
def after_the_anchor(anchored, seal):
    """Ten more sealed entries that no anchor knows of yet."""
    return seal(range(ENTRIES, ENTRIES + LATER))


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

    def test_everything_cut_away_with_anchors_and_reviews_is_found_by_the_number_given(
        self, anchored, settings
    ):
        settings.AUDIT_ANCHOR_FILE.unlink()
        with as_the_owner():
            for table in ("audit_entry", "audit_seal", "audit_review"):
                sql(f"DELETE FROM {table}")  # noqa: S608
            assert words() == "Cut: the chain ends at seal 0, but 40 were given."

    def test_a_tail_cut_after_the_last_anchor_is_found(self, after_the_anchor):
        with as_the_owner():
            sql("DELETE FROM audit_entry WHERE id = ANY(%s)", after_the_anchor[-3:])
            sql("DELETE FROM audit_seal WHERE sequence > 47")
            assert words() == "Cut: the chain ends at seal 47, but 50 were given."

    def test_a_tail_cut_away_is_still_missed_when_the_chain_has_grown_again(self, after_the_anchor):
        with as_the_owner():
            sql("DELETE FROM audit_entry WHERE id = ANY(%s)", after_the_anchor[-3:])
            sql("DELETE FROM audit_seal WHERE sequence > 47")
            for _ in range(5):
                record(action="x.y")
            Sequencer().run()
            assert words() == "Cut: seal 48 to 50 missing before seal 51."

    def test_a_chain_written_anew_after_the_last_verification_is_found_without_the_file(
        self, anchored, settings
    ):
        proof.verify_and_remember()
        settings.AUDIT_ANCHOR_FILE.unlink()
        with as_the_owner():
            sql("UPDATE audit_seal SET seal_hash = reverse(seal_hash) WHERE sequence = 40")
            assert "Seal 40 is not the one anchored at" in words()

    def test_a_chain_written_anew_is_found_by_the_anchor(self, anchored):
        with as_the_owner():
            sql("UPDATE audit_entry SET who = 'mallory' WHERE id = %s", anchored[2])
            edited = Entry.objects.get(pk=anchored[2])
            new = chain.entry_hash(edited.content())
            sql("UPDATE audit_entry SET hash = %s WHERE id = %s", new, edited.pk)
            sql("DELETE FROM audit_seal")
            sql("SELECT setval('audit_seal_given', 1, false)")
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

    def test_a_shortened_anchor_file_and_a_new_one_in_its_place_are_named(
        self, after_the_anchor, settings
    ):
        anchoring.anchor()
        first, last = settings.AUDIT_ANCHOR_FILE.read_text().splitlines(keepends=True)
        settings.AUDIT_ANCHOR_FILE.write_text(first)
        assert words() == (
            "The anchor file lacks 1 of 2 anchors that were written to it, "
            "the first of them for seal 50."
        )
        settings.AUDIT_ANCHOR_FILE.unlink()
        anchoring.anchor()
        assert "The anchor file lacks 1 of 3" in words()
        settings.AUDIT_ANCHOR_FILE.write_text(first + last)
        assert words() == ""


@pytest.mark.django_db(transaction=True)
def test_an_entry_deleted_before_its_seal_is_counted_by_the_database(monkeypatch):
    monkeypatch.undo()
    before = {table: rest for table, *rest in witness.counted()}
    late = record(action="x.y")
    with transaction.atomic():
        sql("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        sql("UPDATE audit_entry SET who = 'mallory' WHERE id = %s", late.pk)
        sql("DELETE FROM audit_entry WHERE id = %s", late.pk)
        sql("ALTER TABLE audit_entry ENABLE TRIGGER USER")
    sql("SELECT pg_stat_force_next_flush()")

    after = {table: rest for table, *rest in witness.counted()}
    deleted, changed = (
        now - then for now, then in zip(*(x["audit_entry"] for x in (after, before)), strict=True)
    )
    assert (deleted, changed) == (1, 1)
    said = " ".join(finding.words for finding in witness.findings())
    assert f"counted {after['audit_entry'][0]} rows deleted from audit_entry" in said
    assert f"counted {after['audit_entry'][1]} rows changed in audit_entry" in said
    assert not proof.verify().is_good


@pytest.mark.django_db(transaction=True)
def test_what_the_database_refuses_is_not_counted(monkeypatch):
    monkeypatch.undo()
    record(action="x.y")
    before = witness.counted()
    for words_ in ("DELETE FROM audit_entry", "UPDATE audit_entry SET who = 'mallory'"):
        with pytest.raises(IntegrityError, match="append-only"):
            sql(words_)
    sql("SELECT pg_stat_force_next_flush()")

    assert witness.counted() == before


@pytest.mark.slow
def test_a_thousand_tampers_of_a_thousand_are_found(anchored, after_the_anchor):
    """Half of them after the last anchor, where only the number given tells of a missing tail."""
    dice = random.Random(20260302)  # noqa: S311 -- the same thousand every time
    missed, done = [], {}
    for _ in range(1_000):
        with as_the_owner():
            way = dice.choice(tampering.WAYS)
            reach = after_the_anchor if dice.random() < 0.5 else [*anchored, *after_the_anchor]
            way(dice, reach)
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
        assert "Seal 41 of 41 is written in" in capsys.readouterr().out

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
