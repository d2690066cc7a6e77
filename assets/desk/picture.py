"""The relationship graph as a template draws it: what each box and line of it says."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from assets.graph import Box, Drawing, Line, drawn
from assets.models import Asset, RelationshipKind
from assets.services.neighbours import Neighbourhood

# Room in a box, in letters.
SYMBOL, NAME = 11, 18
# How many columns are still read on a phone without moving the picture.
COLUMNS = 3
WORDS = {
    RelationshipKind.WRAPS: "wraps",
    RelationshipKind.STAKES: "stakes",
    RelationshipKind.BRIDGES: "bridges",
    RelationshipKind.MIGRATED_TO: "migrated",
    RelationshipKind.SYNTHETIC_OF: "tracks",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """An asset in the picture."""

    box: Box[UUID]
    asset: Asset
    is_here: bool
    is_flagged: bool

    @property
    def symbol(self) -> str:
        return shortened(self.asset.symbol, SYMBOL - 2 * self.is_flagged)

    @property
    def name(self) -> str:
        return shortened(self.asset.name, NAME)


@dataclass(frozen=True, slots=True)
class Joined:
    """A line in the picture: the first asset stands to the second like this."""

    line: Line[UUID]
    kind: str
    word: str


@dataclass(frozen=True, slots=True)
class Picture:
    drawing: Drawing[UUID]
    seen: tuple[Seen, ...]
    joined: tuple[Joined, ...]

    @property
    def is_wide(self) -> bool:
        return self.drawing.columns > COLUMNS


def picture(asset: Asset, around: Neighbourhood) -> Picture:
    drawing = drawn(asset.pk, around.links)
    seen = tuple(
        Seen(box, around.assets[box.node], box.node == asset.pk, box.node in around.flagged)
        for box in drawing.boxes
    )
    joined = tuple(
        Joined(line, line.link.kind, WORDS[RelationshipKind(line.link.kind)])
        for line in drawing.lines
    )
    return Picture(drawing, seen, joined)


def shortened(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}\N{HORIZONTAL ELLIPSIS}"
