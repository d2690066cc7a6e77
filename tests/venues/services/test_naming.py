"""Which orders a frame is found by."""

import pytest

from venues.services.naming import MOST_NAMES, names_in

OURS, THEIRS = "6fb5e251-522f-42d0-a328-511228b14c37", "4bd00b68-4316-46a4-9954-905a655b0f14"


@pytest.mark.parametrize(
    "text",
    [
        f'{{"client_order_id":"{OURS}","order_id":"{THEIRS}"}}',
        f'{{"clientOid":"{OURS}","orderId":"{THEIRS}"}}',
        f'{{"cl_ord_id" : "{OURS}", "result": {{"txid": ["{THEIRS}"]}}}}',
        f'{{"cloid":"{OURS.upper()}","oid":"{THEIRS}"}}',
    ],
)
def test_an_order_is_found_under_the_names_venues_give_its_ids(text):
    assert {OURS, THEIRS} <= set(names_in(text=text))


def test_a_number_is_an_id_too():
    assert names_in(text='{"oid":91490942,"sz":"0.5"}') == ["91490942"]


def test_an_id_in_the_path_counts_and_a_time_or_a_product_does_not():
    line = f"GET /orders/historical/{THEIRS}?start=2026-11-25T09%3A13&product_id=BTC-USD"

    found = names_in(text='{"product_id":"BTC-USD","user_id":"0b1c2d3e"}', line=line)

    assert found == [THEIRS]


def test_what_the_call_was_about_comes_first_and_in_lower_case():
    assert names_in(text="", reference="Desk-Order-1") == ["desk-order-1"]


def test_a_listing_without_end_is_cut():
    text = ",".join(f'{{"order_id":"{number:08d}"}}' for number in range(MOST_NAMES + 50))

    assert len(names_in(text=text)) == MOST_NAMES
