"""Where each asset of a relationship graph is drawn, and each line between them. Pure.

Columns from left to right: what stands on the asset, the asset, and what it stands on, down to the
ground. Within a column the order is that of whom a box is joined to, so that lines rarely cross. The
same graph is always drawn the same, and no two boxes ever overlap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

BOX_WIDTH, BOX_HEIGHT = 108, 36
GAP_ACROSS, GAP_DOWN = 62, 12
ACROSS, PITCH = BOX_WIDTH + GAP_ACROSS, BOX_HEIGHT + GAP_DOWN
MARGIN = 4
DEEPEST = 3
# How many boxes stand in one lane before a column has two.
LONG = 14
WORD_ASIDE, WORD_ABOVE, WORD_BELOW = 9, 5, 11


@dataclass(frozen=True, slots=True)
class Link(Generic[K]):
    """One asset stands to another like this: the first stands on the second."""

    source: K
    target: K
    kind: str


@dataclass(frozen=True, slots=True)
class Box(Generic[K]):
    """A node, by its upper left corner. Columns count from the asset: 1 is what it stands on.

    A column that is long has two lanes; a line from a box runs straight past the other lane first.
    """

    node: K
    column: int
    x: int
    y: int
    inwards: int = 0
    outwards: int = 0

    @property
    def middle(self) -> int:
        return self.y + BOX_HEIGHT // 2

    @property
    def right(self) -> int:
        return self.x + BOX_WIDTH

    @property
    def past_left(self) -> int:
        return self.x - (self.inwards if self.column > 0 else self.outwards)

    @property
    def past_right(self) -> int:
        return self.right + (self.outwards if self.column > 0 else self.inwards)


@dataclass(frozen=True, slots=True)
class Line(Generic[K]):
    """A curve from box to box, and where its word stands: at the end away from the asset."""

    link: Link[K]
    path: str
    word_x: int
    word_y: int
    word_is_left: bool


@dataclass(frozen=True, slots=True)
class Drawing(Generic[K]):
    width: int
    height: int
    boxes: tuple[Box[K], ...]
    lines: tuple[Line[K], ...]

    @property
    def columns(self) -> int:
        return len({box.column for box in self.boxes})


def drawn(centre: K, links: Iterable[Link[K]]) -> Drawing[K]:
    """Place everything that the links join to the centre."""
    known = list(dict.fromkeys(links))
    columns = _columns(centre, known)
    held = [link for link in known if {link.source, link.target} <= columns.keys()]
    boxes = _boxes(columns, held)
    places = {box.node: box for box in boxes}
    height = max(box.y for box in boxes) + BOX_HEIGHT + MARGIN
    swings = any(places[link.source].column == places[link.target].column for link in held)
    width = max(box.right for box in boxes) + MARGIN + (GAP_ACROSS if swings else 0)
    return Drawing(width, height, boxes, tuple(_lines(places, held)))


def _columns(centre: K, links: list[Link[K]]) -> dict[K, int]:
    """Give each node its column: how many steps down it stands below the asset, or above it."""
    down: dict[K, set[K]] = defaultdict(set)
    up: dict[K, set[K]] = defaultdict(set)
    for link in links:
        down[link.source].add(link.target)
        up[link.target].add(link.source)
    order = {node: place for place, node in enumerate(_nodes(centre, links))}
    found: dict[K, int] = {centre: 0}
    for way, sign in ((down, 1), (up, -1)):
        for node, steps in _steps(centre, way, order, set(found)).items():
            found[node] = sign * steps
    return found


def _steps(
    centre: K, way: Mapping[K, set[K]], order: Mapping[K, int], taken: set[K]
) -> dict[K, int]:
    """Count the longest way to each node, as far as one way goes; a circle ends at the deepest."""
    found: dict[K, int] = {}
    front = {centre}
    for step in range(1, DEEPEST + 1):
        reached = {node for one in front for node in way.get(one, ())} - taken
        for node in sorted(reached, key=order.__getitem__):
            found[node] = step
        front = reached
    return found


def _nodes(centre: K, links: Iterable[Link[K]]) -> list[K]:
    ends = (node for link in links for node in (link.source, link.target))
    return list(dict.fromkeys([centre, *ends]))


def _boxes(columns: Mapping[K, int], links: list[Link[K]]) -> tuple[Box[K], ...]:
    """Stack each column beside the middle of the tallest; a long one in two lanes, like bricks.

    The middle of a brick is the gap between two of the other lane, which is where its line runs.
    """
    stacks = _stacks(columns, links)
    tall = {column: _tall(len(stack)) for column, stack in stacks.items()}
    tallest = max(tall.values())
    found: list[Box[K]] = []
    x = MARGIN
    for column, stack in sorted(stacks.items()):
        lanes, top = _lanes(len(stack)), MARGIN + (tallest - tall[column]) // 2
        for row, node in enumerate(stack):
            lane = row % lanes
            at = lane if column > 0 else lanes - 1 - lane
            inwards, outwards = lane * ACROSS, (lanes - 1 - lane) * ACROSS
            y = top + row * PITCH // lanes
            found.append(Box(node, column, x + at * ACROSS, y, inwards, outwards))
        x += lanes * ACROSS
    return tuple(found)


def _lanes(count: int) -> int:
    return 2 if count > LONG else 1


def _tall(count: int) -> int:
    return (count - 1) * PITCH // _lanes(count) + BOX_HEIGHT


def _stacks(columns: Mapping[K, int], links: list[Link[K]]) -> dict[int, list[K]]:
    """Order each column by the middle of those it is joined to in the column nearer to the asset."""
    stacks: dict[int, list[K]] = defaultdict(list)
    for node, column in columns.items():
        stacks[column].append(node)
    joined: dict[K, set[K]] = defaultdict(set)
    for link in links:
        joined[link.source].add(link.target)
        joined[link.target].add(link.source)
    for column in sorted(stacks, key=abs):
        if column == 0:
            continue
        inner = column - (1 if column > 0 else -1)
        nearer = {node: row for row, node in enumerate(stacks.get(inner, []))}
        stacks[column].sort(key=lambda node, rows=nearer: _middle(joined[node], rows))  # type: ignore[misc]
    return dict(stacks)


def _middle(others: set[K], rows: Mapping[K, int]) -> float:
    known = [rows[other] for other in others if other in rows]
    return sum(known) / len(known) if known else 0.0


def _lines(places: Mapping[K, Box[K]], links: list[Link[K]]) -> Iterable[Line[K]]:
    """Draw each line; several that end at one side of a box set their words under each other."""
    said: dict[tuple[K, bool], int] = defaultdict(int)
    for link in links:
        source, target = places[link.source], places[link.target]
        outer = source if abs(source.column) >= abs(target.column) else target
        inner = target if outer is source else source
        is_left = outer.x > inner.x
        x = outer.x - WORD_ASIDE if is_left else outer.right + WORD_ASIDE
        y = outer.middle - WORD_ABOVE + WORD_BELOW * said[outer.node, is_left]
        said[outer.node, is_left] += 1
        yield Line(link, _curve(source, target), x, y, is_left)


def _curve(source: Box[K], target: Box[K]) -> str:
    """Leave a box at the side that faces the other; within a column, swing out and back."""
    y, to = source.middle, target.middle
    if source.column == target.column:
        bow = max(source.past_right, target.past_right) + GAP_ACROSS // 2
        return f"M{source.right} {y} C{bow} {y} {bow} {to} {target.right} {to}"
    if source.x < target.x:
        start, past, before, end = source.right, source.past_right, target.past_left, target.x
    else:
        start, past, before, end = source.x, source.past_left, target.past_right, target.right
    half = (past + before) // 2
    return f"M{start} {y} H{past} C{half} {y} {half} {to} {before} {to} H{end}"
