"""The life of a batch up to where it is read: uploaded, its columns chosen, or given up."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from assets import doorbell
from assets.errors import Conflict, Unfounded
from assets.imports import LIMITS, Format, Unreadable, detect, guessed, header_of
from assets.imports.tables import FIELDS
from assets.models import ImportBatch, ImportState
from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.audit.services import record

READ = "assets.work_on_import"
State = ImportState
USUAL_SOURCE = {
    Format.COINS: "CoinGecko",
    Format.TOKENS: "Token list",
    Format.CSV: "Table",
    Format.XLSX: "Table",
}


@transaction.atomic
def upload(
    *, content: bytes, file_name: str, by: User, form: str = "", source: str = ""
) -> ImportBatch:
    """Take a file in. One whose columns need choosing waits for that; any other is read at once."""
    demand(by, Action.REGISTRY_EDIT, {})
    if not content.strip():
        message = "The file is empty."
        raise Unreadable(message)
    if len(content) > LIMITS.size:
        message = f"The file is larger than {LIMITS.size:,} bytes, which are the most."
        raise Unreadable(message)
    chosen = Format(form) if form else detect(content)
    now = timezone.now()
    batch = ImportBatch(
        source=(source.strip() or USUAL_SOURCE[chosen])[:120],
        file_name=(file_name.strip() or "unnamed")[:200],
        file_hash=hashlib.sha256(content).hexdigest(),
        content=content,
        form=chosen,
        state=State.MAPPING,
        uploaded_by=by,
        uploaded_at=now,
        moved_at=now,
    )
    if batch.is_table:
        # What cannot be read at all is told now, and nothing is kept of it.
        batch.mapping = guessed(header_of(content, chosen))
    batch.save(force_insert=True)
    record(
        action="import.uploaded",
        subject=batch,
        after={"source": batch.source, "file": batch.file_name, "sha256": batch.file_hash},
        by=by,
    )
    if not batch.is_table:
        _read(batch)
    return batch


@transaction.atomic
def choose_columns(*, batch_id: UUID, mapping: Mapping[str, str], by: User) -> ImportBatch:
    """Say which column is what, and have the table read by that."""
    demand(by, Action.REGISTRY_EDIT, {})
    batch = held(batch_id, State.MAPPING, State.READY)
    chosen = {field: column for field, column in mapping.items() if field in FIELDS and column}
    columns = columns_of(batch)
    if strange := sorted(set(chosen.values()) - set(columns)):
        message = f"This file has no column called {', '.join(strange)}."
        raise Unfounded(message)
    twice = {column for column in chosen.values() if list(chosen.values()).count(column) > 1}
    if twice:
        message = f"A column says one thing: {', '.join(sorted(twice))} is chosen twice."
        raise Unfounded(message)
    batch.mapping = chosen
    batch.save(update_fields=["mapping"])
    record(action="import.columns_chosen", subject=batch, after={"columns": chosen}, by=by)
    _read(batch)
    return batch


@transaction.atomic
def read_again(*, batch_id: UUID, by: User) -> ImportBatch:
    """Judge the same file by what stands now."""
    demand(by, Action.REGISTRY_EDIT, {})
    batch = held(batch_id, State.READY)
    record(action="import.read_again", subject=batch, by=by)
    _read(batch)
    return batch


@transaction.atomic
def drop(*, batch_id: UUID, by: User) -> ImportBatch:
    """Give up a batch of which nothing was applied."""
    demand(by, Action.REGISTRY_EDIT, {})
    batch = held(batch_id, State.MAPPING, State.READY, State.UNREADABLE)
    move(batch, State.DROPPED)
    record(action="import.dropped", subject=batch, by=by)
    return batch


def columns_of(batch: ImportBatch) -> tuple[str, ...]:
    """Name the columns of a table, without the empty ones."""
    header = header_of(bytes(batch.content), Format(batch.form))
    return tuple(dict.fromkeys(column for column in header if column))


def held(batch_id: UUID | str, *states: ImportState) -> ImportBatch:
    """Hold a batch for change, if it is where it has to be."""
    rows = ImportBatch.objects.defer("content")
    batch = rows.select_for_update(of=("self",)).get(pk=batch_id)
    if states and batch.state not in states:
        message = f"{batch} has moved on meanwhile: {batch.get_state_display().lower()}."
        raise Conflict(message, batch)
    return batch


def move(batch: ImportBatch, there: ImportState, *, words: str = "", **more: Any) -> None:
    """Take a held batch one step; the database knows which steps there are."""
    now: datetime = timezone.now()
    values = {"state": there, "words": words[:500], "moved_at": now, "attempts": 0, **more}
    for name, value in values.items():
        setattr(batch, name, value)
    batch.save(update_fields=list(values))


def start(batch: ImportBatch, there: ImportState, **more: Any) -> None:
    """Give a held batch to a worker."""
    move(batch, there, **more)
    doorbell.ring(READ, batch.pk)


def _read(batch: ImportBatch) -> None:
    start(batch, State.CHECKING)
