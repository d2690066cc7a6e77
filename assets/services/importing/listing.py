"""The list of batches, and the lines of one: by outcome, by a piece of text, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from assets.models import ImportBatch, ImportRow, Outcome
from assets.services.pages import Page, page

BATCHES, LINES = 50, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which lines to show: an outcome, and a text that is part of what they say."""

    outcome: str = ""
    text: str = ""
    after: str = ""

    @property
    def is_narrow(self) -> bool:
        return bool(self.outcome or self.text)


def batches(after: str) -> Page[ImportBatch]:
    rows = ImportBatch.objects.defer("content").select_related("uploaded_by")
    return page(rows, by="-uploaded_at", after=after, limit=BATCHES)


def rows(batch: ImportBatch, wanted: Filter) -> QuerySet[ImportRow]:
    found = ImportRow.objects.filter(batch=batch)
    if wanted.outcome in Outcome.values:
        found = found.filter(outcome=wanted.outcome)
    if wanted.text:
        part = Q(symbol__icontains=wanted.text) | Q(name__icontains=wanted.text)
        part |= Q(address__icontains=wanted.text) | Q(subject__icontains=wanted.text)
        found = found.filter(part | Q(words__icontains=wanted.text))
    return found.order_by("number")


def lines(batch: ImportBatch, wanted: Filter) -> Page[ImportRow]:
    return page(rows(batch, wanted), by="number", after=wanted.after, limit=LINES)
