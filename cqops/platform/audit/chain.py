"""What makes the log provable: the hash of an entry, the seal that chains it, and their examination.

PURE: an auditor runs this very module, without a database and without Django, on an exported chain:

    python -m cqops.platform.audit.chain exported.jsonl [anchors.jsonl]

An entry's hash covers its whole content. A seal covers its place in the chain, the entry's number and
hash, when it was sealed, and the seal before it. So an edit shows in the entry, a deletion in the
seal that has lost its entry, a swap in two of them, and a cut in the sequence or against an anchor.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

START = "0" * 64
CONTENT = (
    "at",
    "who_id",
    "who",
    "roles",
    "door",
    "origin",
    "action",
    "subject_kind",
    "subject_id",
    "subject_text",
    "before",
    "after",
    "reason",
    "request_id",
    "trace_id",
    "decision_id",
)


def moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def canonical(content: Mapping[str, Any]) -> bytes:
    """Write content the one way it is hashed: named fields, sorted, compact, in UTF-8."""
    chosen = {name: content[name] for name in CONTENT}
    return json.dumps(
        chosen, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def entry_hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(canonical(content)).hexdigest()


def seal_hash(
    *, sequence: int, entry_id: int, entry_hash: str, previous_hash: str, sealed_at: str
) -> str:
    words = f"{sequence}|{entry_id}|{entry_hash}|{previous_hash}|{sealed_at}"
    return hashlib.sha256(words.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One seal, as it is stored."""

    sequence: int
    entry_id: int
    entry_hash: str
    previous_hash: str
    sealed_at: str
    seal_hash: str

    def is_whole(self) -> bool:
        return self.seal_hash == seal_hash(
            sequence=self.sequence,
            entry_id=self.entry_id,
            entry_hash=self.entry_hash,
            previous_hash=self.previous_hash,
            sealed_at=self.sealed_at,
        )


def following(
    previous: Link | None, *, entry_id: int, entry_hash: str, sealed_at: str, after: int = 0
) -> Link:
    """Make the next seal of the chain; never with a number up to `after`, all of which were given."""
    parts = {
        "sequence": max(previous.sequence if previous else 0, after) + 1,
        "entry_id": entry_id,
        "entry_hash": entry_hash,
        "previous_hash": previous.seal_hash if previous else START,
        "sealed_at": sealed_at,
    }
    return Link(**parts, seal_hash=seal_hash(**parts))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The head of the chain as it was written down outside the database."""

    sequence: int
    hash: str
    at: str
    count: int

    def line(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":")) + "\n"


class BadAnchor(ValueError):
    """A line of the anchor file is not an anchor."""


def read_anchors(lines: Iterable[str]) -> list[Anchor]:
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(Anchor(**json.loads(line)))
        except (ValueError, TypeError) as error:
            message = f"Line {number} of the anchor file is not an anchor."
            raise BadAnchor(message) from error
    return found


class Fault(StrEnum):
    EDITED = "edited"
    DELETED = "deleted"
    SWAPPED = "swapped"
    CUT = "cut"
    FORGED = "forged"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, in words."""

    fault: Fault
    words: str


@dataclass(slots=True)
class Examination:
    """Takes the chain link by link, in order, and remembers everything that does not hold."""

    anchors: Iterable[Anchor] = ()
    given: int = 0
    findings: list[Finding] = field(default_factory=list)
    last: Link | None = None
    count: int = 0
    _expected: dict[int, list[Anchor]] = field(default_factory=dict)
    _altered: dict[int, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for anchor in self.anchors:
            self._expected.setdefault(anchor.sequence, []).append(anchor)

    def take(self, link: Link, content: Mapping[str, Any] | None, stored_hash: str = "") -> None:
        """Examine one link with the entry it seals; `None` where there is no such entry any more."""
        self._chain(link)
        self._entry(link, content, stored_hash)
        self._anchored(link)
        self.last = link
        self.count += 1

    def _chain(self, link: Link) -> None:
        expected = self.last.sequence + 1 if self.last else 1
        before = self.last.seal_hash if self.last else START
        if link.sequence != expected:
            gap = (
                f"{expected}"
                if link.sequence - expected == 1
                else f"{expected} to {link.sequence - 1}"
            )
            self._say(Fault.CUT, f"Cut: seal {gap} missing before seal {link.sequence}.")
        elif link.previous_hash != before:
            self._say(
                Fault.FORGED,
                f"Seal {link.sequence} does not continue the seal that stands before it.",
            )
        if not link.is_whole():
            self._say(Fault.FORGED, f"Seal {link.sequence} was changed after it was made.")

    def _entry(self, link: Link, content: Mapping[str, Any] | None, stored_hash: str) -> None:
        where = f"Entry {link.entry_id} (seal {link.sequence})"
        if content is None:
            self._say(Fault.DELETED, f"{where} was deleted.")
            return
        found = entry_hash(content)
        if found != link.entry_hash:
            self._altered[link.entry_id] = (link.entry_hash, found)
        elif stored_hash != found:
            self._say(Fault.EDITED, f"{where}: the hash stored beside it was edited.")

    def _anchored(self, link: Link) -> None:
        for anchor in self._expected.pop(link.sequence, []):
            if anchor.hash != link.seal_hash:
                self._say(
                    Fault.FORGED,
                    f"Seal {link.sequence} is not the one anchored at {anchor.at}: what stands "
                    "before it was written anew.",
                )

    def finish(self) -> list[Finding]:
        """Conclude: swaps told apart from edits, and anchors that the chain no longer reaches."""
        sealed = {hashes[0]: entry_id for entry_id, hashes in self._altered.items()}
        for entry_id, (_, found) in self._altered.items():
            other = sealed.get(found)
            if other is None:
                self._say(Fault.EDITED, f"Entry {entry_id} was edited after it was sealed.")
            elif entry_id < other or self._altered[other][1] != self._altered[entry_id][0]:
                self._say(Fault.SWAPPED, f"Entries {entry_id} and {other} were swapped.")
        head = self.last.sequence if self.last else 0
        beyond = [anchor for anchors in self._expected.values() for anchor in anchors]
        if beyond:
            furthest = max(beyond, key=lambda anchor: anchor.sequence)
            self._say(
                Fault.CUT,
                f"Cut: the chain ends at seal {head}, but seal {furthest.sequence} was anchored at "
                f"{furthest.at}."
                if furthest.sequence > head
                else f"Cut: seal {furthest.sequence} was anchored at {furthest.at} and is missing.",
            )
        elif self.given > head:
            self._say(
                Fault.CUT, f"Cut: the chain ends at seal {head}, but {self.given} were given."
            )
        return self.findings

    def _say(self, fault: Fault, words: str) -> None:
        self.findings.append(Finding(fault, words))


def read_export(lines: Iterable[str]) -> Iterator[tuple[Link, dict[str, Any] | None, str]]:
    """Read what `manage.py audit export` wrote: one seal with its entry a line."""
    for line in lines:
        row = json.loads(line)
        content = row["entry"]
        yield Link(**row["seal"]), content, content.pop("hash") if content else ""


def main(arguments: list[str]) -> int:
    """Examine an exported chain; 0 when it holds, 1 when it does not, 2 when it cannot be read."""
    if not arguments:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    try:
        written = Path(arguments[1]).read_text(encoding="utf-8") if arguments[1:] else ""
        anchors = read_anchors(written.splitlines())
        examination = Examination(anchors=anchors)
        with Path(arguments[0]).open(encoding="utf-8") as exported:
            for link, content, stored in read_export(exported):
                examination.take(link, content, stored)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"Cannot be read: {error}\n")
        return 2
    findings = examination.finish()
    for finding in findings:
        sys.stdout.write(f"{finding.words}\n")
    against = f", against {len(anchors)} anchors" if anchors else ", against no anchor"
    sys.stdout.write(f"{examination.count} seals examined{against}: {len(findings)} faults.\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
