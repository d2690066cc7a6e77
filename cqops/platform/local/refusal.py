"""The one exception a person at the terminal is meant to read."""


class Refusal(Exception):
    """Something is in the way; the message says what, and what to do about it."""
