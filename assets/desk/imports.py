"""The pages of imports: the list, and one page a batch that shows the step it has come to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from assets.imports import FIELDS, LIMITS, Format, Unreadable
from assets.models import ImportBatch, ImportRow, ImportState, Outcome
from assets.services.importing import listing
from assets.services.importing.asking import needs_second, request_apply, request_undo
from assets.services.importing.batches import (
    choose_columns,
    columns_of,
    drop,
    read_again,
    upload,
)
from assets.services.importing.listing import Filter
from assets.services.importing.progress import noted
from assets.services.pages import BadCursor
from cqops.platform.access.doors import DeskRequest, requires
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.errors import Refused
from cqops.platform.exports import csv_response

FORMATS = {
    Format.COINS: "CoinGecko coin list (JSON)",
    Format.TOKENS: "Token list (JSON)",
    Format.CSV: "Table (CSV)",
    Format.XLSX: "Workbook (XLSX)",
}
STEPS = ["Upload", "Columns", "Look", "Agree", "Apply"]
_REACHED = {
    ImportState.MAPPING: 1,
    ImportState.CHECKING: 2,
    ImportState.READY: 2,
    ImportState.ASKED: 3,
    ImportState.APPLYING: 4,
}


@requires(Action.REGISTRY_VIEW)
def imports(request: DeskRequest) -> HttpResponse:
    try:
        found = listing.batches(request.GET.get("after", ""))
    except BadCursor as error:
        messages.error(request, str(error))
        return redirect("imports")
    context = {
        "batches": found.rows,
        "next": found.next,
        "after": request.GET.get("after", ""),
        "formats": FORMATS.items(),
        "labels": FORMATS,
        "may_edit": may(request.user, Action.REGISTRY_EDIT),
        "most_megabytes": LIMITS.size // 1024 // 1024,
        "checked_at": timezone.now(),
    }
    return render(request, "assets/imports.html", context)


@require_POST
@requires(Action.REGISTRY_EDIT)
def import_upload(request: DeskRequest) -> HttpResponse:
    """Take a file in; what cannot be read at all is told, and not kept."""
    sent = request.FILES.get("file")
    form = request.POST.get("form", "")
    if not isinstance(sent, UploadedFile) or form not in {"", *Format}:
        messages.error(request, "Choose a file first.")
        return redirect("imports")
    try:
        batch = upload(
            # One byte more than may be, so that a file of any size is refused and never held.
            content=sent.read(LIMITS.size + 1),
            file_name=sent.name or "",
            form=form,
            source=request.POST.get("source", ""),
            by=request.user,
        )
    except Unreadable as error:
        messages.error(request, f"Nothing was taken in. {error}")
        return redirect("imports")
    return redirect("import", batch_id=batch.pk)


@requires(Action.REGISTRY_VIEW)
def import_page(request: DeskRequest, batch_id: UUID) -> HttpResponse:
    batch = _found(batch_id)
    if "seen" in request.GET:
        return _progress(request, batch)
    wanted = Filter(**{name: request.GET.get(name, "") for name in ("outcome", "text", "after")})
    if request.GET.get("format") == "csv":
        return _export(batch, wanted)
    try:
        found = listing.lines(batch, wanted)
    except BadCursor as error:
        messages.error(request, str(error))
        return redirect("import", batch_id=batch_id)
    context = {
        "batch": batch,
        "label": FORMATS[Format(batch.form)],
        "lines": found.rows,
        "next": found.next,
        "filter": wanted,
        "outcomes": _outcomes(batch),
        "may_edit": may(request.user, Action.REGISTRY_EDIT),
        "steps": _steps(batch),
        **_standing(batch),
    }
    return render(request, "assets/import.html", context)


def _found(batch_id: UUID) -> ImportBatch:
    rows = ImportBatch.objects.defer("content")
    return get_object_or_404(
        rows.select_related("uploaded_by", "applied_by", "undone_by"), pk=batch_id
    )


def _progress(request: DeskRequest, batch: ImportBatch) -> HttpResponse:
    """Answer the page that watches; once the batch has moved on, the page is drawn anew."""
    if batch.state != request.GET["seen"]:
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {"batch": batch, "note": noted(batch.pk) if batch.is_at_work else None}
    return render(request, "assets/_import_progress.html", context)


def _outcomes(batch: ImportBatch) -> list[dict[str, Any]]:
    return [
        {"value": value, "label": label, "count": batch.counts.get(value, 0)}
        for value, label in Outcome.choices
    ]


def _steps(batch: ImportBatch) -> list[dict[str, Any]]:
    """List the steps of a batch, and which of them it is at; those it does not need are left out."""
    at = _REACHED.get(ImportState(batch.state), len(STEPS))
    left_out = set() if batch.is_table else {"Columns"}
    if batch.digest and not needs_second(batch):
        left_out.add("Agree")
    return [
        {"name": name, "is_done": place < at, "is_here": place == at}
        for place, name in enumerate(STEPS)
        if name not in left_out
    ]


def _standing(batch: ImportBatch) -> dict[str, Any]:
    """Gather what the step it has come to needs."""
    found: dict[str, Any] = {"needs_second": needs_second(batch)}
    if batch.state == ImportState.MAPPING:
        found["columns"] = columns_of(batch)
        found["fields"] = [
            (field, label, batch.mapping.get(field, "")) for field, label in FIELDS.items()
        ]
    if batch.state == ImportState.ASKED:
        found["asked"] = batch.approval
    if batch.state == ImportState.UNDO_ASKED:
        found["asked"] = batch.undo_approval
    return found


def _act(request: DeskRequest, batch_id: UUID, act: Callable[[], object]) -> HttpResponse:
    """Do one thing to a batch, and come back to it with what stood in the way, in words."""
    _found(batch_id)
    try:
        act()
    except (Refused, Unreadable) as error:
        messages.error(request, str(error))
    return redirect("import", batch_id=batch_id)


@require_POST
@requires(Action.REGISTRY_EDIT)
def import_columns(request: DeskRequest, batch_id: UUID) -> HttpResponse:
    mapping = {field: request.POST.get(field, "") for field in FIELDS}
    return _act(
        request,
        batch_id,
        lambda: choose_columns(batch_id=batch_id, mapping=mapping, by=request.user),
    )


@require_POST
@requires(Action.REGISTRY_EDIT)
def import_again(request: DeskRequest, batch_id: UUID) -> HttpResponse:
    return _act(request, batch_id, lambda: read_again(batch_id=batch_id, by=request.user))


@require_POST
@requires(Action.REGISTRY_EDIT)
def import_apply(request: DeskRequest, batch_id: UUID) -> HttpResponse:
    return _act(
        request,
        batch_id,
        lambda: request_apply(
            batch_id=batch_id,
            reason=request.POST.get("reason", ""),
            leaves_errors_out="leaves_errors_out" in request.POST,
            by=request.user,
        ),
    )


@require_POST
@requires(Action.REGISTRY_EDIT)
def import_undo(request: DeskRequest, batch_id: UUID) -> HttpResponse:
    reason = request.POST.get("reason", "")
    return _act(
        request, batch_id, lambda: request_undo(batch_id=batch_id, reason=reason, by=request.user)
    )


@require_POST
@requires(Action.REGISTRY_EDIT)
def import_drop(request: DeskRequest, batch_id: UUID) -> HttpResponse:
    return _act(request, batch_id, lambda: drop(batch_id=batch_id, by=request.user))


COLUMNS = [
    *("line", "place", "outcome", "why", "does", "symbol", "name", "chain", "address", "decimals"),
    *("coingecko", "coinmarketcap", "defillama"),
]


def _export(batch: ImportBatch, wanted: Filter) -> HttpResponse:
    rows = (_line(row) for row in listing.rows(batch, wanted).iterator())
    return csv_response("import-lines", COLUMNS, rows)


def _line(row: ImportRow) -> list[object]:
    return [
        *(row.line, row.place, row.outcome, row.words, row.deed_words, row.symbol, row.name),
        *(row.chain, row.address, row.decimals),
        *(row.coingecko, row.coinmarketcap, row.defillama),
    ]
