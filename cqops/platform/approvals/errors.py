"""Why the engine refuses, each in words for whoever asked.

Refused
├── NotYours          this person may not ask for or decide this
├── BadReason         a refusal needs a reason
├── NotConfirmed      what is severe was not confirmed before approving
├── AlreadyDecided    somebody was faster; said as news, not as a failure
├── TooLate           the deadline passed, or the request is over
├── Changed           what is asked for is not what was seen
├── AlreadyAsked      the same is being asked already
├── NobodyLeft        nobody else could agree to it
├── NothingChanges    it is like this already
├── Impossible        nobody could ever do or meet this
└── NotReleased       no approval stands behind this instruction
"""

from __future__ import annotations


class Refused(Exception):
    """The engine does not do this."""


class NotYours(Refused):
    """This person may not ask for or decide this."""


class BadReason(Refused):
    """A refusal needs a reason."""


class NotConfirmed(Refused):
    """What is severe was not confirmed before approving."""


class AlreadyDecided(Refused):
    """Somebody was faster."""


class TooLate(Refused):
    """The deadline passed, or the request is over."""


class Changed(Refused):
    """What is asked for is not what was seen."""


class AlreadyAsked(Refused):
    """The same is being asked already, so it waits for that answer."""


class NobodyLeft(Refused):
    """Nobody else could agree to it."""


class NothingChanges(Refused):
    """It is like this already."""


class Impossible(Refused):
    """Nobody could ever do or meet this."""


class NotReleased(Refused):
    """No approval stands behind this instruction, so nothing is carried out."""
