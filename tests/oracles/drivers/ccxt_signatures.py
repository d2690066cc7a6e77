"""What ccxt would send, signed at a fixed second: both Coinbase venues, and the socket's."""

import json
import sys

import ccxt
import ccxt.pro

asked = json.load(sys.stdin)


def of(venue, nonce):
    venue.nonce = lambda: nonce
    return venue


exchange = of(ccxt.coinbaseexchange(asked["exchange"]), asked["at"])
feed = of(ccxt.pro.coinbaseexchange(asked["exchange"]), asked["at"])
# this one counts milliseconds
advanced = of(ccxt.coinbase(asked["advanced"]), asked["at"] * 1000)
json.dump(
    {
        "exchange": [
            exchange.sign(one["path"], ["private"], one["method"], one["params"])
            for one in asked["exchange_calls"]
        ],
        "exchange_socket": feed.authenticate(),
        "advanced": [
            advanced.sign(one["path"], ["v3", "private"], one["method"], one["params"])
            for one in asked["advanced_calls"]
        ],
    },
    sys.stdout,
)
