from __future__ import annotations

import pytest

from venues.adapters.limits import RULES
from venues.transport.operation import CANCEL, LIST_FILLS, PLACE, UNNAMED, Operation, Priority

# The most of each venue's documents: tokens a second and burst, or all of one second.
DOCUMENTED = {
    ("coinbase_advanced", "private"): 30,
    ("coinbase_advanced", "public"): 10,
    ("coinbase_exchange", "private"): 15 + 30,
    ("coinbase_exchange", "fills"): 10 + 20,
    ("coinbase_exchange", "public"): 10 + 15,
}


@pytest.mark.parametrize("adapter", RULES)
def test_no_second_can_hold_more_than_the_venue_documents(adapter):
    for bucket in RULES[adapter].limits.buckets:
        assert bucket.burst + bucket.per_second <= DOCUMENTED[adapter, bucket.name]


@pytest.mark.parametrize("adapter", RULES)
@pytest.mark.parametrize("operation", [PLACE, CANCEL, LIST_FILLS, *UNNAMED.values()], ids=repr)
def test_every_signed_call_draws_on_the_private_bucket_even_an_unnamed_one(adapter, operation):
    drawn = [draw.key for draw in RULES[adapter].limits.draws(operation, is_signed=True)]

    assert "key:private" in drawn
    assert not any(key.endswith("public") and key != "address:public" for key in drawn)


@pytest.mark.parametrize("adapter", RULES)
def test_a_cancel_finds_room_when_reads_and_orders_have_taken_theirs(adapter):
    limits = RULES[adapter].limits
    kept = {
        priority: limits.draws(Operation("x", priority), is_signed=True)[2].kept
        for priority in Priority
    }

    assert kept[Priority.RESCUE] == 0
    assert kept[Priority.ORDER] >= 1
    assert kept[Priority.READ] >= kept[Priority.ORDER] + 1
