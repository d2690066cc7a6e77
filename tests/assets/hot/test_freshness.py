"""What an area is at grows only, and an answer is stamped with all that it rests on."""

from assets.hot.freshness import UNKNOWN, Freshness


def test_a_stamp_moves_with_each_area_it_rests_on_and_with_no_other():
    freshness = Freshness()
    freshness.proven({"assets": 5, "names": 7, "flags": 9}, until=1.0)
    seen = [freshness.stamp_of(["assets", "names"])]
    for area, version in (("flags", 20), ("assets", 21), ("names", 22), ("assets", 23)):
        freshness.told(area, version)
        seen.append(freshness.stamp_of(["assets", "names"]))
    assert seen == [7, 7, 21, 22, 23]


def test_what_comes_late_moves_nothing_back():
    freshness = Freshness()
    freshness.told("assets", 5)
    freshness.told("assets", 3)
    freshness.proven({"assets": 4}, until=1.0)
    assert freshness.stamp_of(["assets"]) == 5


def test_an_area_that_nobody_tells_of_has_no_stamp():
    freshness = Freshness()
    freshness.proven({"assets": 5}, until=1.0)
    assert freshness.stamp_of(["assets", "venue_symbols"]) == UNKNOWN


def test_followers_hear_of_what_moved_and_of_nothing_else():
    freshness = Freshness()
    heard = []
    freshness.follow(lambda: heard.append(freshness.stamp_of(["assets"])))
    freshness.told("assets", 5)
    freshness.proven({"assets": 5}, until=1.0)
    freshness.told("assets", 6)
    assert heard == [UNKNOWN, 5, 6]


def test_nothing_is_believed_before_it_is_proven_nor_after_it_is_lost():
    freshness = Freshness()
    freshness.told("assets", 5)
    assert freshness.believed_until == 0
    freshness.proven({}, until=8.0)
    assert freshness.believed_until == 8
    freshness.lost()
    assert freshness.believed_until == 0
