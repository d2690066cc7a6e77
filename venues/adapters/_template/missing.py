"""What is still to be written of an adapter, said in one way. It goes when nothing calls it any more."""

from __future__ import annotations

from typing import NoReturn


def missing(part: str, what: str) -> NoReturn:
    message = f"still to write: {part}: {what}"
    raise NotImplementedError(message)
