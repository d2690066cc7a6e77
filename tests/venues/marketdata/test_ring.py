"""The last minutes of public data: bounded by age and bytes, and honest about where it begins."""

from venues.marketdata.ring import Ring
from venues.transport.tap import Direction, Kind, Raw


class Wall:
    now = 1_000.0

    def __call__(self):
        return self.now


def frame(at, body=b'{"product_id":"BTC-USD"}'):
    return Raw(direction=Direction.RECEIVED, kind=Kind.FRAME, at=at, body=body, operation="level2")


def ring(wall, *, seconds=60, most_bytes=10_000):
    return Ring(seconds=seconds, most_bytes=most_bytes, wall=wall)


def test_a_span_holds_the_frames_of_its_symbol_and_its_time():
    wall = Wall()
    held = ring(wall)
    for at in (1_001, 1_005, 1_009):
        held.note(frame(at))
    held.note(frame(1_006, b'{"product_id":"ETH-USD"}'))

    found = held.span(1_002, 1_007, about="BTC-USD")

    assert [raw.at for raw in found.frames] == [1_005]
    assert found.is_whole


def test_what_is_too_old_is_let_go_and_a_span_over_it_is_not_whole():
    held = ring(Wall(), seconds=10)
    held.note(frame(1_001))
    held.note(frame(1_020))

    found = held.span(1_000, 1_030, about="BTC-USD")

    assert [raw.at for raw in found.frames] == [1_020]
    assert not found.is_whole


def test_a_flood_costs_no_more_than_the_bytes_it_may():
    held = ring(Wall(), most_bytes=1_000)
    for number in range(1_000):
        held.note(frame(1_001 + number / 1_000))

    assert 500 < held.bytes <= 1_000
    assert not held.span(1_000, 1_001, about="BTC-USD").is_whole


def test_a_ring_that_began_later_than_the_span_does_not_call_it_whole():
    wall = Wall()
    held = ring(wall)
    held.note(frame(1_001))

    assert not held.span(990, 1_002, about="BTC-USD").is_whole


def test_a_stopped_ring_holds_nothing_and_begins_anew():
    wall = Wall()
    held = ring(wall)
    held.note(frame(1_001))
    held.stop()
    held.note(frame(1_002))
    assert held.bytes == 0

    wall.now = 1_010.0
    held.go_on()
    held.note(frame(1_011))

    assert not held.span(1_000, 1_020, about="BTC-USD").is_whole
    assert held.span(1_010, 1_020, about="BTC-USD").is_whole


def test_it_knows_when_each_stream_last_brought_something_even_when_stopped():
    held = ring(Wall())
    held.stop()
    held.note(frame(1_003))

    assert held.heard == {"level2": 1_003}
