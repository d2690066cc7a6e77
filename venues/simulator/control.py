"""The hand that makes things go wrong: `/_control/...`, answered to this machine alone.

GET  /_control/state     what waits to go wrong, where the markets are
POST /_control/faults    one fault, see `venues.simulator.faults.Fault`; for example
                         {"kind": "hide_fill", "symbol": "ETH-USD"}, or
                         {"kind": "wrong_balance", "currency": "SOL", "amount": "12.5"}
POST /_control/clear     nothing goes wrong any more
POST /_control/freeze    {"is_frozen": true} stops the streets
POST /_control/halt      {"venue": "...", "is_halted": true} stops order entry
POST /_control/price     {"venue": "...", "market": "BTC-USD", "price": "64000"} jumps there
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from venues.simulator.faults import Fault
from venues.simulator.web import Request, Response, Scope

if TYPE_CHECKING:
    from venues.simulator.app import Simulator

PREFIX: Final = "_control"
_LOCAL_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
_LOCAL_PEERS: Final = frozenset({"127.0.0.1", "::1"})


class _Freeze(msgspec.Struct):
    is_frozen: bool


class _Halt(msgspec.Struct):
    is_halted: bool
    venue: str = "coinbase_advanced"


class _Price(msgspec.Struct):
    market: str
    price: Decimal
    venue: str = "coinbase_advanced"


def answer(simulator: Simulator, scope: Scope, request: Request) -> Response:
    if not _is_local(scope, request):
        return Response(status=403, body=b"local only")
    try:
        done = _act(simulator, request)
    except (msgspec.DecodeError, KeyError) as error:
        return Response(status=400, body=msgspec.json.encode({"error": str(error)}))
    return Response(body=msgspec.json.encode(_state(simulator))) if done else Response(status=404)


def _is_local(scope: Scope, request: Request) -> bool:
    """Refuse other machines, and pages in a browser on this one."""
    peer = (scope.get("client") or ("",))[0]
    host = request.headers.get("host", "").rpartition(":")[0] or request.headers.get("host", "")
    is_form = request.method == "POST" and not request.headers.get("content-type", "").startswith(
        "application/json"
    )
    return peer in _LOCAL_PEERS and host in _LOCAL_HOSTS and not is_form


def _act(simulator: Simulator, request: Request) -> bool:
    match f"{request.method} {request.path}":
        case "GET /state":
            pass
        case "POST /faults":
            simulator.faults.add(msgspec.json.decode(request.body, type=Fault))
        case "POST /clear":
            simulator.faults.clear()
        case "POST /freeze":
            wanted = msgspec.json.decode(request.body, type=_Freeze)
            simulator.faults.is_frozen = wanted.is_frozen
        case "POST /halt":
            halt = msgspec.json.decode(request.body, type=_Halt)
            simulator.venues[halt.venue].exchange.is_halted = halt.is_halted
        case "POST /price":
            jump = msgspec.json.decode(request.body, type=_Price)
            simulator.venues[jump.venue].exchange.jump(jump.market, jump.price)
            simulator.venues[jump.venue].publish()
        case _:
            return False
    return True


def _state(simulator: Simulator) -> dict[str, object]:
    return {
        "faults": simulator.faults.waiting,
        "hidden_fills": list(simulator.faults.hidden),
        "is_frozen": simulator.faults.is_frozen,
        "markets": {
            slug: {name: str(m.last_price) for name, m in venue.exchange.markets.items()}
            for slug, venue in simulator.venues.items()
        },
    }
