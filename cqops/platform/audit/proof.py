"""Proves the log: the chain examined from its first seal, and its head written down outside."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, Min, OuterRef, QuerySet
from django.utils import timezone

from cqops.platform.audit import chain
from cqops.platform.audit.models import Entry, Review, Seal
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
    anchors, findings = _anchors()
    examination = chain.Examination(anchors=anchors, findings=findings)
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


def anchor() -> chain.Anchor | None:
    """Append the head of the chain to the file outside; nothing to do before the first seal."""
    head = Seal.objects.order_by("-sequence").first()
    if head is None:
        return None
    made = chain.Anchor(
        sequence=head.sequence,
        hash=head.seal_hash,
        at=chain.moment(timezone.now()),
        count=Seal.objects.filter(sequence__lte=head.sequence).count(),
    )
    _append(settings.AUDIT_ANCHOR_FILE, made.line())
    Review.objects.create(
        kind=Review.Kind.ANCHORED, at=timezone.now(), is_good=True, sequence=head.sequence
    )
    return made


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _anchors() -> tuple[list[chain.Anchor], list[chain.Finding]]:
    """Read the anchors; a file that was there and is gone, or does not read, is a finding itself."""
    path: Path = settings.AUDIT_ANCHOR_FILE
    try:
        with path.open(encoding="utf-8") as lines:
            return chain.read_anchors(lines), []
    except FileNotFoundError:
        if not Review.objects.filter(kind=Review.Kind.ANCHORED).exists():
            return [], []
        words = f"The anchor file {path} is gone."
    except (OSError, ValueError) as error:
        words = f"The anchor file {path} cannot be read: {error}"
    return [], [chain.Finding(chain.Fault.FORGED, words)]


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
