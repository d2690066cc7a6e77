"""What somebody might do to the log who owns the database and took its triggers away."""

import json

from django.db import connection
from psycopg.sql import SQL, Identifier

from cqops.platform.audit import chain
from cqops.platform.audit.models import Entry, Seal
from cqops.platform.audit.sequencer import Sequencer

TEXT_COLUMNS = (
    *("who_id", "who", "roles", "door", "origin", "action", "subject_kind", "subject_id"),
    *("subject_text", "reason", "request_id", "trace_id", "decision_id", "hash"),
)
SEAL_COLUMNS = ("entry_hash", "previous_hash", "seal_hash")


def sql(words, *values):
    with connection.cursor() as cursor:
        cursor.execute(words, values)


def _seal_of(entry):
    return Seal.objects.get(entry_id=entry).sequence


def edit(dice, entries):
    column = Identifier(dice.choice(TEXT_COLUMNS))
    words = SQL("UPDATE audit_entry SET {0} = left('x' || {0}, 8) WHERE id = %s").format(column)
    sql(words, dice.choice(entries))


def edit_values(dice, entries):
    column = Identifier(dice.choice(["before", "after"]))
    value = json.dumps({"n": dice.randint(1_000, 9_999)})
    words = SQL("UPDATE audit_entry SET {} = %s WHERE id = %s").format(column)
    sql(words, value, dice.choice(entries))


def edit_time(dice, entries):
    words = "UPDATE audit_entry SET at = at + interval '1 microsecond' WHERE id = %s"
    sql(words, dice.choice(entries))


def delete(dice, entries):
    one = dice.choice(entries)
    sql("DELETE FROM audit_entry WHERE id = %s", one)
    if dice.random() < 0.5:
        sql("DELETE FROM audit_seal WHERE entry_id = %s", one)


def cut(dice, entries):
    newest = entries[-dice.randint(1, len(entries)) :]
    sql("DELETE FROM audit_entry WHERE id = ANY(%s)", newest)
    sql("DELETE FROM audit_seal WHERE entry_id = ANY(%s)", newest)


def swap(dice, entries):
    one, other = dice.sample(entries, 2)
    for here, there in ((one, -1), (other, one), (-1, other)):
        sql("UPDATE audit_entry SET id = %s WHERE id = %s", there, here)


def swap_seals(dice, entries):
    one, other = dice.sample(entries, 2)
    for here, there in ((one, -1), (other, one), (-1, other)):
        sql("UPDATE audit_seal SET entry_id = %s WHERE entry_id = %s", there, here)


def edit_seal(dice, entries):
    column = Identifier(dice.choice(SEAL_COLUMNS))
    words = SQL("UPDATE audit_seal SET {0} = reverse({0}) WHERE sequence = %s").format(column)
    # The first seal follows nothing but zeros, which read the same backwards.
    one = dice.choice([entry for entry in entries if _seal_of(entry) > 1])
    sql(words, _seal_of(one))


def write_anew(dice, entries):
    """Edit one entry, renew its hash, and let a chain be made over everything from there on."""
    one = dice.choice(entries)
    sql("UPDATE audit_entry SET reason = 'nothing happened' WHERE id = %s", one)
    new = chain.entry_hash(Entry.objects.get(pk=one).content())
    sql("UPDATE audit_entry SET hash = %s WHERE id = %s", new, one)
    sql("DELETE FROM audit_seal WHERE sequence >= %s", _seal_of(one))
    Sequencer().run()


WAYS = (edit, edit_values, edit_time, delete, cut, swap, swap_seals, edit_seal, write_anew)
