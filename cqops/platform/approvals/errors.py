"""Why the engine refuses, each in words for whoever asked.

Refused
├── NotYours          this person may not ask for or decide this
├── BadReason         a refusal needs a reason
├── NotConfirmed      what is severe was not confirmed before approving
├── AlreadyDecided    somebody was faster; said as news, not as a failure
├── TooLate           the deadline passed, or the request is over
├── Changed           what is asked for is not what was seen
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


class NotReleased(Refused):
    """No approval stands behind this instruction, so nothing is carried out."""
