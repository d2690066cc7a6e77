"""The official SDK's socket client listens until it has seen a first and a later word of each."""

import json
import sys
import time

from coinbase.rest import RESTClient
from coinbase.websocket import WSClient

CHANNELS = {
    "level2": "l2_data",
    "market_trades": "market_trades",
    "user": "user",
    "heartbeats": "heartbeats",
}
asked = json.load(sys.stdin)
key = {"api_key": asked["key"], "api_secret": asked["secret"]}
heard = {name: [] for name in CHANNELS.values()}
others = []


def hear(text):
    message = json.loads(text)
    heard.get(message["channel"], others).append(message)


def wait_for(is_there):
    until = time.monotonic() + asked["patience"]
    while not is_there() and time.monotonic() < until:
        time.sleep(0.05)
        listener.raise_background_exception()


listener = WSClient(on_message=hear, base_url=asked["socket"], retry=False, **key)
listener.open()
listener.subscribe(["BTC-USD"], list(CHANNELS))
wait_for(lambda: heard["user"])
rest = RESTClient(base_url=asked["base"], **key)
placed = rest.limit_order_gtc_buy("judge-streamed", "BTC-USD", "0.01", "100.00").to_dict()
wait_for(lambda: all(len(messages) > 1 for messages in heard.values()))
listener.close()
json.dump({"heard": heard, "others": others, "placed": placed}, sys.stdout)
