"""Answers that say what the one before said: kept as a time and a reference."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec

from venues.transport.tap import Kind

if TYPE_CHECKING:
    from venues.services.archiving import Frame

MOST_QUESTIONS = 500
WORTH_A_REFERENCE = 200


class Latest:
    """The last answer to each question, so that one that says the same again is kept as a reference.

    A sweep asks for the open orders every few seconds, and hears mostly what it heard before.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, ...], Frame] = OrderedDict()

    def shortened(self, frame: Frame) -> Frame:
        """Return the frame, or its time and a reference where its text is kept already."""
        if frame.kind != Kind.ANSWER or len(frame.text) < WORTH_A_REFERENCE:
            return frame
        question = (frame.venue, str(frame.account), frame.operation, frame.line)
        before = self._kept.get(question)
        if before and (before.text, before.status, before.day) == (
            frame.text,
            frame.status,
            frame.day,
        ):
            return msgspec.structs.replace(frame, text="", names=[], same_as=before.id)
        self._kept[question] = frame
        self._kept.move_to_end(question)
        if len(self._kept) > MOST_QUESTIONS:
            self._kept.popitem(last=False)
        return frame

    def forget(self) -> None:
        self._kept.clear()
