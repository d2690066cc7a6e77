import pytest

from cqops.platform.live.channels import Keep
from cqops.platform.live.hub import MAILBOX_LIMIT, Mailbox


async def test_a_slow_page_gets_the_latest_state_only():
    box = Mailbox()
    for number in range(5):
        box.put("book:x", f"{number}".encode(), Keep.LATEST)
    box.put("book:y", b"other", Keep.LATEST)
    assert [await box.take(), await box.take()] == [b"4", b"other"]
    assert box.coalesced == 4


async def test_events_keep_their_order_and_go_before_states():
    box = Mailbox()
    box.put("book:x", b"state", Keep.LATEST)
    box.put("orders", b"1", Keep.ALL)
    box.put("orders", b"2", Keep.ALL)
    assert [await box.take() for _ in range(3)] == [b"1", b"2", b"state"]


async def test_a_page_that_fell_too_far_behind_is_told_to_read_again():
    box = Mailbox()
    box.put("positions", b"1", Keep.ALL)
    for number in range(MAILBOX_LIMIT):
        box.put("orders", f"{number}".encode(), Keep.ALL)
    told = [await box.take(), await box.take()]
    assert [b"resync" in frame for frame in told] == [True, True]
    assert [b'"orders"' in told[0], b'"positions"' in told[1]] == [True, True]


async def test_leaving_a_channel_drops_what_waits_for_it():
    box = Mailbox()
    box.put("book:x", b"old", Keep.LATEST)
    box.forget("book:x")
    box.put("book:y", b"new", Keep.LATEST)
    assert await box.take() == b"new"


@pytest.mark.parametrize("keep", list(Keep))
async def test_a_reader_wakes_when_something_comes(keep):
    box = Mailbox()
    box.put("c", b"x", keep)
    assert await box.take() == b"x"
