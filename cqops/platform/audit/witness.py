"""What the database itself has counted: rows of the log that were deleted or changed.

Nothing of ours ever deletes or changes one, and a trigger that refuses it leaves no count. So a count is
somebody who took the trigger away. It tells of entries that were gone before any seal knew of them,
where numbers tell nothing: a transaction that is taken back uses up a number too. PostgreSQL keeps its
counts from start to start and begins anew after a crash; a count of none therefore proves nothing.
"""

from __future__ import annotations

from django.db import connection

from cqops.platform.audit import chain

COUNTED = """
    SELECT relname, n_tup_del, n_tup_upd FROM pg_stat_all_tables
    WHERE relid IN ('audit_entry'::regclass, 'audit_seal'::regclass, 'audit_review'::regclass)
    ORDER BY relname
"""


def counted() -> list[tuple[str, int, int]]:
    """Return the tables of the log, with the rows ever deleted from and changed in each."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTED)
        return [(str(table), int(gone), int(other)) for table, gone, other in cursor.fetchall()]


def findings() -> list[chain.Finding]:
    found = []
    for table, deleted, changed in counted():
        if deleted:
            words = f"The database has counted {deleted} rows deleted from {table}."
            found.append(chain.Finding(chain.Fault.DELETED, words))
        if changed:
            words = f"The database has counted {changed} rows changed in {table}."
            found.append(chain.Finding(chain.Fault.EDITED, words))
    return found
