"""Writes the head of the chain down outside the database, and tells whether all of that still stands.

Each anchor is remembered by a review, so that a file somebody shortened, or replaced by a new one, is
missed: the anchors of both places have to agree, and the chain with both.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from cqops.platform.audit import chain
from cqops.platform.audit.models import Review, Seal

LONGEST_LINE = 4_096


def anchor() -> chain.Anchor | None:
    """Append the head to the file, unless it is the last there already; `None` before a first seal."""
    head = Seal.objects.order_by("-sequence").first()
    if head is None:
        return None
    path: Path = settings.AUDIT_ANCHOR_FILE
    last = _last(path)
    if last and (last.sequence, last.hash) == (head.sequence, head.seal_hash):
        return last
    made = chain.Anchor(
        sequence=head.sequence,
        hash=head.seal_hash,
        at=chain.moment(timezone.now()),
        count=_count(head, last),
    )
    _append(path, made.line())
    Review.objects.create(
        kind=Review.Kind.ANCHORED,
        at=timezone.now(),
        is_good=True,
        sequence=head.sequence,
        seal_hash=head.seal_hash,
    )
    return made


def stand() -> tuple[list[chain.Anchor], list[chain.Finding]]:
    """Read the file; what is gone of it, or does not read, is a finding itself."""
    path: Path = settings.AUDIT_ANCHOR_FILE
    # Reviews first: each was written after its line.
    written = _written()
    try:
        with path.open(encoding="utf-8") as lines:
            anchors = chain.read_anchors(lines)
    except FileNotFoundError:
        if not written:
            return [], []
        words = f"The anchor file {path} is gone."
        return [], [chain.Finding(chain.Fault.FORGED, words)]
    except (OSError, ValueError) as error:
        words = f"The anchor file {path} cannot be read: {error}"
        return [], [chain.Finding(chain.Fault.FORGED, words)]
    return anchors, _lost(written, anchors)


def inner(anchors: list[chain.Anchor]) -> list[chain.Anchor]:
    """Return what reviews tell of the chain beyond the file."""
    known = {(one.sequence, one.hash) for one in anchors}
    reviews = Review.objects.exclude(seal_hash="").order_by("pk")
    told = {
        (sequence, seal_hash): at
        for sequence, seal_hash, at in reviews.values_list("sequence", "seal_hash", "at")
    }
    return [
        chain.Anchor(sequence=place[0], hash=place[1], at=chain.moment(at), count=place[0])
        for place, at in told.items()
        if place not in known
    ]


def _written() -> list[int]:
    """Return which seals were written to the file, in the order of its lines."""
    reviews = Review.objects.filter(kind=Review.Kind.ANCHORED).order_by("pk")
    return list(reviews.values_list("sequence", flat=True))


def _lost(written: list[int], anchors: list[chain.Anchor]) -> list[chain.Finding]:
    there = {one.sequence for one in anchors}
    lost = [sequence for sequence in written if sequence not in there]
    if not lost:
        return []
    words = (
        f"The anchor file lacks {len(lost)} of {len(written)} anchors that were written to it, "
        f"the first of them for seal {lost[0]}."
    )
    return [chain.Finding(chain.Fault.CUT, words)]


def _count(head: Seal, last: chain.Anchor | None) -> int:
    """Count the seals up to the head, the older ones by the anchor that counted them already."""
    newer = Seal.objects.filter(sequence__gt=last.sequence if last else 0)
    return (last.count if last else 0) + newer.filter(sequence__lte=head.sequence).count()


def _last(path: Path) -> chain.Anchor | None:
    """Read the last line; `None` where there is no such line, which `verify` then complains about."""
    try:
        with path.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - LONGEST_LINE, 0))
            lines = file.read().splitlines()
        return chain.Anchor(**json.loads(lines[-1]))
    except (OSError, ValueError, TypeError, IndexError):
        return None


def _append(path: Path, line: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
