"""Brings lists in as a steward and a worker do, for tests."""

from __future__ import annotations

from assets.models import ImportBatch, ImportRow
from assets.services.importing.asking import request_apply, request_undo
from assets.services.importing.batches import choose_columns, upload
from assets.services.importing.work import work_on
from cqops.platform.access.models import User
from cqops.platform.approvals.models import Request
from tests import cast

HEADER = "symbol,name,type,coingecko,chain,address,decimals,canonical"


def table(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def brought(content: bytes, by: User, *, source: str = "List", name: str = "list") -> ImportBatch:
    """Upload a file, take the columns as they are guessed, and let a worker read it."""
    batch = upload(content=content, file_name=name, source=source, by=by)
    if batch.state == "mapping":
        choose_columns(batch_id=batch.pk, mapping=batch.mapping, by=by)
    return worked(batch)


def worked(batch: ImportBatch) -> ImportBatch:
    work_on(batch.pk)
    return ImportBatch.objects.get(pk=batch.pk)


def applied(batch: ImportBatch, by: User, second: User | None = None, **more: bool) -> ImportBatch:
    """Ask for a batch, have a second person agree if it takes one, and let a worker apply it."""
    request_apply(batch_id=batch.pk, reason="the issuer's list", by=by, **more)
    return _agreed(batch, "assets.import", second)


def undone(batch: ImportBatch, by: User, second: User | None = None) -> ImportBatch:
    request_undo(batch_id=batch.pk, reason="it was the wrong one", by=by)
    return _agreed(batch, "assets.import_undo", second)


def _agreed(batch: ImportBatch, kind: str, second: User | None) -> ImportBatch:
    asked = Request.objects.filter(kind=kind, subject_id=str(batch.pk), state="pending").first()
    if asked is not None and second is not None:
        cast.approve(asked, second)
    return worked(batch)


def outcomes(batch: ImportBatch) -> list[str]:
    rows = ImportRow.objects.filter(batch=batch).order_by("number")
    return [row.outcome for row in rows]


def words(batch: ImportBatch) -> list[str]:
    rows = ImportRow.objects.filter(batch=batch).order_by("number")
    return [f"{row.deed_words}: {row.words}" for row in rows]
