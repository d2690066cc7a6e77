"""Proves the log: the chain examined from its first seal, against all that is known of it elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, Min, OuterRef, QuerySet
from django.utils import timezone

from cqops.platform.audit import anchoring, chain, witness
from cqops.platform.audit.models import Entry, Review, Seal
from cqops.platform.audit.sequencer import given
from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell

CHUNK = 2_000
LATELY = timedelta(hours=6)
SEALED_WITHIN = timedelta(seconds=10)
WORST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """Entries that have no seal yet: just written, or forgotten by a sequencer that stands."""

    count: int = 0
    oldest: datetime | None = None

    def is_late(self, now: datetime) -> bool:
        return self.oldest is not None and now - self.oldest > SEALED_WITHIN

    def words(self, now: datetime) -> str:
        if self.oldest is None:
            return "Every entry is sealed."
        age = (now - self.oldest).total_seconds()
        several = self.count != 1
        return (
            f"{self.count} {'entries are' if several else 'entry is'} not sealed yet, "
            f"{'the oldest' if several else 'it is'} {age:.0f} s old."
        )


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What an examination found. The unsealed tail is named, and wrong only in what it holds."""

    seals: int
    head: int
    head_hash: str
    anchors: int
    tail: Tail
    findings: list[chain.Finding] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        return not self.findings

    def words(self) -> str:
        against = f"{self.anchors} anchor{'' if self.anchors == 1 else 's'}"
        if self.is_good:
            return f"{self.seals} seals verified against {against}: nothing was changed."
        return f"{self.seals} seals examined against {against}: {len(self.findings)} faults."


def verify() -> Verdict:
    """Examine the whole chain against every anchor, and the entries that wait for their seal."""
    # Anchors first: each was written for a seal that was already committed.
    anchors, findings = anchoring.stand()
    findings += witness.findings()
    examination = chain.Examination(
        anchors=[*anchors, *anchoring.inner(anchors)], given=given(), findings=findings
    )
    for link, entry in links():
        examination.take(link, entry.content() if entry else None, entry.hash if entry else "")
    waiting = unsealed()
    for entry in waiting.iterator(CHUNK):
        if chain.entry_hash(entry.content()) != entry.hash:
            words = f"Entry {entry.pk} was edited before it was sealed."
            findings.append(chain.Finding(chain.Fault.EDITED, words))
    examination.finish()
    return Verdict(
        seals=examination.count,
        head=examination.last.sequence if examination.last else 0,
        head_hash=examination.last.seal_hash if examination.last else "",
        anchors=len(anchors),
        tail=tail(),
        findings=findings,
    )


def verify_and_remember() -> Verdict:
    verdict = verify()
    worst = " ".join(finding.words for finding in verdict.findings[:WORST_SHOWN])
    Review.objects.create(
        kind=Review.Kind.VERIFIED,
        at=timezone.now(),
        is_good=verdict.is_good,
        sequence=verdict.head,
        # A chain that does not hold is nothing to hold a later one against.
        seal_hash=verdict.head_hash if verdict.is_good else "",
        words=f"{verdict.words()} {worst}".strip(),
    )
    if not verdict.is_good:
        tell("audit.faults", f"{verdict.words()} {worst}", severity=Severity.URGENT)
    return verdict


def links() -> Iterator[tuple[chain.Link, Entry | None]]:
    """Walk the chain in order, each seal with the entry it belongs to, if that is still there."""
    last = 0
    while True:
        seals = list(Seal.objects.filter(sequence__gt=last).order_by("sequence")[:CHUNK])
        if not seals:
            return
        entries = Entry.objects.in_bulk([seal.entry_id for seal in seals])
        for seal in seals:
            yield seal.link(), entries.get(seal.entry_id)
        last = seals[-1].sequence


def unsealed() -> QuerySet[Entry]:
    """Find what has no seal. An entry may be committed after younger ones were sealed."""
    return Entry.objects.filter(~Exists(Seal.objects.filter(entry_id=OuterRef("pk")))).order_by(
        "pk"
    )


def tail(*, since: datetime | None = None) -> Tail:
    """Describe what is not sealed; a page that is asked often looks at the last hours only."""
    waiting = unsealed().filter(at__gte=since) if since else unsealed()
    found = waiting.order_by().aggregate(count=Count("pk"), oldest=Min("at"))
    return Tail(count=found["count"], oldest=found["oldest"])


def exported() -> Iterator[str]:
    """Write the sealed chain as lines for `python -m cqops.platform.audit.chain`."""
    for link, entry in links():
        content: dict[str, Any] | None = None
        if entry is not None:
            content = {**entry.content(), "hash": entry.hash}
        seal = {name: getattr(link, name) for name in link.__slots__}
        yield json.dumps({"seal": seal, "entry": content}, ensure_ascii=False) + "\n"


def last(kind: Review.Kind) -> Review | None:
    return Review.objects.filter(kind=kind).order_by("-pk").first()
