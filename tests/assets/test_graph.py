"""Where the boxes of a relationship graph stand: never on each other, whatever is joined to what."""

import re
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from assets.graph import BOX_HEIGHT, BOX_WIDTH, LONG, Link, drawn

NODES = st.integers(0, 30)
LINKS = st.lists(
    st.builds(Link, NODES, NODES, st.sampled_from(["wraps", "stakes"])).filter(
        lambda link: link.source != link.target
    ),
    max_size=60,
)


def overlap(one, two):
    return abs(one.x - two.x) < BOX_WIDTH and abs(one.y - two.y) < BOX_HEIGHT


def columns(drawing):
    return {box.node: box.column for box in drawing.boxes}


@given(LINKS)
def test_no_two_boxes_overlap_and_all_of_them_are_on_the_sheet(links):
    drawing = drawn(0, links)
    for one, two in combinations(drawing.boxes, 2):
        assert not overlap(one, two)
    for box in drawing.boxes:
        assert box.x > 0 < box.y
        assert box.right < drawing.width
        assert box.y + BOX_HEIGHT < drawing.height
    nodes = [box.node for box in drawing.boxes]
    assert len(nodes) == len(set(nodes))
    assert 0 in nodes


@given(LINKS)
def test_every_line_joins_two_boxes_that_are_there_and_the_same_graph_is_drawn_the_same(links):
    drawing = drawn(0, links)
    assert drawing == drawn(0, links)
    places = {box.node: box for box in drawing.boxes}
    for line in drawing.lines:
        source, target = places[line.link.source], places[line.link.target]
        numbers = [int(text) for text in re.findall(r"-?\d+", line.path)]
        assert numbers[0] in {source.x, source.right}
        assert numbers[1] == source.middle
        assert numbers[-1] in {target.x, target.right, target.middle}
        assert all(0 <= number <= max(drawing.width, drawing.height) for number in numbers)
    neighbours = {link.target for link in links if link.source == 0}
    assert neighbours <= places.keys()


def test_what_it_stands_on_is_to_the_right_down_to_the_ground_and_what_stands_on_it_to_the_left():
    links = [
        Link("wstETH", "stETH", "wraps"),
        Link("stETH", "ETH", "stakes"),
        Link("vault", "wstETH", "wraps"),
    ]
    assert columns(drawn("wstETH", links)) == {"wstETH": 0, "stETH": 1, "ETH": 2, "vault": -1}
    # Siblings do not belong to the picture of one of them.
    assert columns(drawn("WETH", [Link("WETH", "ETH", "wraps"), *links])) == {"WETH": 0, "ETH": 1}


def test_the_longest_way_counts_so_that_lines_run_in_one_direction():
    links = [Link("a", "b", "wraps"), Link("a", "c", "wraps"), Link("b", "c", "wraps")]
    assert columns(drawn("a", links)) == {"a": 0, "b": 1, "c": 2}


def test_two_synthetics_that_track_each_other_are_drawn_once():
    drawing = drawn("a", [Link("a", "b", "synthetic_of"), Link("b", "a", "synthetic_of")])
    assert columns(drawing) == {"a": 0, "b": 1}
    assert len(drawing.lines) == 2
    assert len({(line.word_x, line.word_y) for line in drawing.lines}) == 2


def test_an_asset_alone_is_one_box():
    drawing = drawn("a", [])
    assert len(drawing.boxes) == drawing.columns == 1


def test_forty_neighbours_stand_in_two_lanes_and_lines_run_between_the_boxes():
    drawing = drawn("ETH", [Link(f"n{i}", "ETH", "stakes") for i in range(40)])
    boxes = [box for box in drawing.boxes if box.column == -1]
    lanes = {box.x for box in boxes}
    assert (len(boxes), len(lanes)) == (40, 2)
    assert drawing.height < 1100
    inner = max(lanes)
    for outer in (box for box in boxes if box.x != inner):
        assert all(
            not box.y <= outer.middle <= box.y + BOX_HEIGHT for box in boxes if box.x == inner
        )
    few = drawn("ETH", [Link(f"n{i}", "ETH", "stakes") for i in range(LONG)])
    assert len({box.x for box in few.boxes}) == 2
