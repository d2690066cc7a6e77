"""The official SDK makes, reads, lists and cancels orders, and reads what became of the money."""

import json
import sys

from coinbase.rest import RESTClient

asked = json.load(sys.stdin)
client = RESTClient(api_key=asked["key"], api_secret=asked["secret"], base_url=asked["base"])
touch = client.get_best_bid_ask(product_ids=["BTC-USD"]).to_dict()["pricebooks"][0]
resting = client.limit_order_gtc_buy("judge-resting", "BTC-USD", "0.01", "100.00").to_dict()
order_id = resting["success_response"]["order_id"]
seen = {
    "touch": touch,
    "resting": resting,
    "found": client.get_order(order_id).to_dict(),
    "open": client.list_orders(order_status=["OPEN"], product_ids=["BTC-USD"]).to_dict(),
    "held": client.get_accounts(limit=49).to_dict(),
    "cancel": client.cancel_orders([order_id]).to_dict(),
    "cancelled": client.get_order(order_id).to_dict(),
    "still_open": client.list_orders(order_status=["OPEN"]).to_dict(),
}
taken = client.market_order_buy("judge-taken", "BTC-USD", base_size="0.02").to_dict()
taken_id = taken["success_response"]["order_id"]
seen["taken"] = client.get_order(taken_id).to_dict()
seen["fills"] = client.get_fills(order_ids=[taken_id]).to_dict()
seen["accounts"] = client.get_accounts(limit=49).to_dict()
seen["too_dear"] = client.limit_order_gtc_buy("judge-dear", "BTC-USD", "9000", "100.00").to_dict()
kinds = {
    "limit_ioc": client.limit_order_ioc_buy("judge-ioc", "BTC-USD", "0.01", "90000.00"),
    "limit_fok": client.limit_order_fok_buy("judge-fok", "BTC-USD", "0.01", "90000.00"),
    "limit_gtd": client.limit_order_gtd_buy(
        "judge-gtd", "BTC-USD", "0.01", "100.00", "2100-01-01T00:00:00Z"
    ),
    "stop_limit": client.stop_limit_order_gtc_sell(
        "judge-stop", "BTC-USD", "0.01", "1000.00", "1001.00", "STOP_DIRECTION_STOP_DOWN"
    ),
    "bracket": client.trigger_bracket_order_gtc_sell(
        "judge-bracket", "BTC-USD", "0.01", "900000.00", "1000.00"
    ),
    "market_in_quote": client.market_order_buy("judge-quote", "BTC-USD", quote_size="100"),
}
seen["kinds"] = {name: answer.to_dict()["success"] for name, answer in kinds.items()}
moving = client.limit_order_gtc_buy("judge-edited", "BTC-USD", "0.01", "100.00").to_dict()
edited_id = moving["success_response"]["order_id"]
seen["edit"] = client.edit_order(edited_id, size="0.02", price="101.00").to_dict()
seen["edited"] = client.get_order(edited_id).to_dict()
json.dump(seen, sys.stdout)
