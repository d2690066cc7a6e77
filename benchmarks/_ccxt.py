"""How long ccxt takes for the same bytes. Runs in ccxt's own environment, not in ours.

One line of JSON in, the messages; then a line in for every round and a line of seconds out.
"""

import json
import sys
import time
from types import SimpleNamespace

import ccxt
import ccxt.pro

SYMBOL = "BTC/USD"
SECONDS = 0.02


def with_market(venue):
    market = venue.safe_market_structure(
        {
            "id": "BTC-USD",
            "symbol": SYMBOL,
            "base": "BTC",
            "quote": "USD",
            "baseId": "BTC",
            "quoteId": "USD",
            "type": "spot",
            "spot": True,
            "active": True,
            "precision": {"amount": 1e-8, "price": 0.01},
        }
    )
    venue.set_markets([market])
    return venue, venue.market(SYMBOL)


advanced, market = with_market(ccxt.pro.coinbase())
exchange, exchange_market = with_market(ccxt.pro.coinbaseexchange())
LISTENER = SimpleNamespace(subscriptions={}, resolve=lambda *_: None)
exchange.orderbooks[SYMBOL] = exchange.order_book({})


def advanced_book(body):
    updates = json.loads(body)["events"][0]["updates"]
    sides = {
        "bids": [one for one in updates if one["side"] == "bid"],
        "asks": [one for one in updates if one["side"] != "bid"],
    }
    return advanced.parse_order_book(
        sides, SYMBOL, None, "bids", "asks", "price_level", "new_quantity"
    )


def of_events(member, parse):
    return lambda body: [
        parse(one, market) for event in json.loads(body)["events"] for one in event[member]
    ]


PARSERS = {
    "advanced book snapshot": advanced_book,
    "advanced book update": advanced_book,
    "advanced trades": of_events("trades", advanced.parse_trade),
    "advanced ticker": of_events("tickers", advanced.parse_ws_ticker),
    "advanced order": of_events("orders", advanced.parse_ws_order),
    "advanced orders by REST": lambda body: advanced.parse_orders(
        json.loads(body)["orders"], market
    ),
    "advanced fills by REST": lambda body: advanced.parse_trades(json.loads(body)["fills"], market),
    "exchange book snapshot": lambda body: exchange.parse_order_book(json.loads(body), SYMBOL),
    "exchange book update": lambda body: exchange.handle_order_book(LISTENER, json.loads(body)),
    "exchange trades": lambda body: exchange.parse_ws_trade(json.loads(body), exchange_market),
    "exchange ticker": lambda body: exchange.parse_ticker(json.loads(body), exchange_market),
    "exchange order": lambda body: exchange.parse_ws_order(json.loads(body), exchange_market),
    "exchange orders by REST": lambda body: exchange.parse_orders(
        json.loads(body), exchange_market
    ),
    "exchange fills by REST": lambda body: exchange.parse_trades(json.loads(body), exchange_market),
}


def taken(parse, body, times):
    began = time.process_time()
    for _ in range(times):
        parse(body)
    return time.process_time() - began


def main():
    bodies = {name: text.encode() for name, text in json.loads(sys.stdin.readline()).items()}
    times = {}
    for name, body in bodies.items():
        taken(PARSERS[name], body, 3)
        times[name] = max(1, int(SECONDS / max(taken(PARSERS[name], body, 3) / 3, 1e-6)))
    print(ccxt.__version__, flush=True)
    for _ in sys.stdin:
        found = {
            name: taken(PARSERS[name], body, times[name]) / times[name]
            for name, body in bodies.items()
        }
        print(json.dumps(found), flush=True)


main()
