"""How a message reaches a client, or does not: the last yard of every simulated venue's socket."""

from __future__ import annotations

from venues.simulator.faults import Fault, Kind
from venues.simulator.web import Socket


class Line:
    """One client's socket, with the faults that hit single messages."""

    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._held: bytes | None = None

    def send(self, message: bytes, fault: Fault | None = None) -> None:
        """Deliver a message; skipping its number is the venue's part of a gap."""
        match fault.kind if fault else None:
            case Kind.DISCONNECT:
                self._socket.hang_up()
            case Kind.HALF_OPEN:
                self._socket.go_silent()
            case Kind.REORDER if self._held is None:
                self._held = message
            case Kind.DROP:
                pass
            case Kind.GARBLE:
                self._write(message[: len(message) // 2])
            case Kind.DUPLICATE:
                self._write(message)
                self._write(message)
            case _:
                self._write(message)

    def _write(self, message: bytes) -> None:
        self._socket.write(message)
        if self._held is not None:
            self._socket.write(self._held)
            self._held = None
