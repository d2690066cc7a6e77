"""What the simulated venues count. Whoever runs them decides where that can be read."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge

from venues.simulator.web import Message, Send

ANSWERS: Final = Counter(
    "cqops_simulator_answers", "Calls answered by the simulated venues.", ["venue", "status"]
)
SOCKETS: Final = Gauge(
    "cqops_simulator_sockets", "Sockets open at the simulated venues now.", ["venue"]
)


def counted(venue: str, send: Send) -> Send:
    """Count each answer on its way out, faults on command among them."""

    async def counting(message: Message) -> None:
        if message["type"] == "http.response.start":
            ANSWERS.labels(venue, str(message["status"])).inc()
        await send(message)

    return counting
