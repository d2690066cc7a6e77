"""The hand that makes things go wrong: `/_control/...`, answered to this machine alone.

GET  /_control/state     what waits to go wrong, where the markets are
POST /_control/faults    one fault, see `venues.simulator.faults.Fault`; for example
                         {"kind": "hide_fill", "symbol": "ETH-USD"}, or
                         {"kind": "wrong_balance", "currency": "SOL", "amount": "12.5"}
POST /_control/clear     nothing goes wrong any more; a scenario ends
POST /_control/scenario  {"name": "volatile", "venue": ""} starts one; an empty name ends it
GET  /_control/scenarios the scenarios there are, and what each is about
POST /_control/freeze    {"is_frozen": true} stops the streets
POST /_control/halt      {"venue": "...", "is_halted": true} stops order entry
POST /_control/price     {"venue": "...", "market": "BTC-USD", "price": "64000"} jumps there
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from venues.simulator.faults import Fault
from venues.simulator.scenario import BadScenario, load, names
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


class _Scenario(msgspec.Struct):
    name: str
    venue: str = ""


class _Price(msgspec.Struct):
    market: str
    price: Decimal
    venue: str = "coinbase_advanced"


def answer(simulator: Simulator, scope: Scope, request: Request) -> Response:
    if not _is_local(scope, request):
        return Response(status=403, body=b"local only")
    if f"{request.method} {request.path}" == "GET /scenarios":
        about = {name: load(name).about for name in names()}
        return Response(body=msgspec.json.encode(about))
    try:
        done = _act(simulator, request)
    except (msgspec.DecodeError, KeyError, BadScenario) as error:
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
    if f"{request.method} {request.path}" == "GET /state":
        return True
    act = _ACTS.get(request.path) if request.method == "POST" else None
    if act is not None:
        act(simulator, request.body)
    return act is not None


def _fault(simulator: Simulator, body: bytes) -> None:
    simulator.faults.add(msgspec.json.decode(body, type=Fault))


def _clear(simulator: Simulator, _body: bytes) -> None:
    simulator.director.stop()
    simulator.faults.clear()


def _scenario(simulator: Simulator, body: bytes) -> None:
    wanted = msgspec.json.decode(body, type=_Scenario)
    if wanted.name:
        simulator.director.start(wanted.name, venue=wanted.venue)
    else:
        simulator.director.stop()


def _freeze(simulator: Simulator, body: bytes) -> None:
    simulator.faults.is_frozen = msgspec.json.decode(body, type=_Freeze).is_frozen


def _halt(simulator: Simulator, body: bytes) -> None:
    halt = msgspec.json.decode(body, type=_Halt)
    simulator.venues[halt.venue].exchange.is_halted = halt.is_halted


def _price(simulator: Simulator, body: bytes) -> None:
    jump = msgspec.json.decode(body, type=_Price)
    simulator.venues[jump.venue].exchange.jump(jump.market, jump.price)
    simulator.venues[jump.venue].publish()


_ACTS: Final[Mapping[str, Callable[[Simulator, bytes], None]]] = {
    "/faults": _fault,
    "/clear": _clear,
    "/scenario": _scenario,
    "/freeze": _freeze,
    "/halt": _halt,
    "/price": _price,
}


def _state(simulator: Simulator) -> dict[str, object]:
    return {
        "faults": simulator.faults.waiting,
        "hidden_fills": list(simulator.faults.hidden),
        "scenario": simulator.director.name,
        "is_frozen": simulator.faults.is_frozen,
        "markets": {
            slug: {name: str(m.last_price) for name, m in venue.exchange.markets.items()}
            for slug, venue in simulator.venues.items()
        },
    }
