"""Takes secrets out of anything about to be written down: logs, errors, taps, evidence.

It errs on the side of hiding too much: a hidden harmless word costs an operator a question, a
written key costs the desk its account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

HIDDEN: Final = "[redacted]"

_SECRET_NAME: Final = re.compile(
    r"(authorization|secret|private|passphrase|password|signature|cookie|jwt|token|mnemonic|"
    r"seed|api[-_]?key|cb-access-(key|sign|passphrase)|x-cb-access-|(^|[-_])sig(n)?$)",
    re.IGNORECASE,
)
# What has to be in a text, in small letters, for a pattern to find anything in it: looking for that is a
# hundred times cheaper, and most of what is on a wire holds none of it.
_IN_TEXT: Final = (
    (
        ("-----begin",),
        re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL),
        HIDDEN,
    ),
    # The password of an address, as in postgres://name:password@host.
    (
        ("://",),
        re.compile(r"(\b[a-z][a-z0-9+.\-]*://[^\s:/@]*:)[^\s@]+(@)", re.IGNORECASE),
        rf"\1{HIDDEN}\2",
    ),
    (("cqops_",), re.compile(r"\bcqops_[A-Za-z0-9_\-]{20,}"), HIDDEN),
    (
        ("bearer", "basic"),
        re.compile(r"\b(Bearer|Basic)\s+[^\s\"',;]+", re.IGNORECASE),
        rf"\1 {HIDDEN}",
    ),
    (("eyj",), re.compile(r"\beyJ[A-Za-z0-9_-]{5,}(\.[A-Za-z0-9_-]*){0,2}"), HIDDEN),
    # It starts at the word that gives it away: a name looked at from its beginning costs its length
    # squared, and what stands before stays as it is in any case.
    (
        (
            *("secret", "private", "passphrase", "password", "signature", "jwt", "mnemonic"),
            *("api", "access-", "listen"),
        ),
        re.compile(
            r"""((?:secret|private_?key|passphrase|password|signature|jwt|"""
            r"""mnemonic|api[-_]?(?:key|sign)|access-(?:key|sign|passphrase)|listen_?key)"""
            r"""[\w-]*["']?\s*[:=]\s*)"""
            r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\{[^{}]*\}|[^\s,;&}\]]+)""",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # Session tokens are long; `"token": "BTC"` and a contract's address are what an order is about.
    (
        ("token", "auth", "session_id"),
        re.compile(
            r"""((?:\b|_)(?:token|auth|session_id)["']?\s*[:=]\s*["']?)"""
            r"""(?!0x[0-9a-f]{40}\b)[\w+/=.:%~-]{12,}""",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (("otp",), re.compile(r"""(\botp["']?\s*[:=]\s*["']?)\w+""", re.IGNORECASE), rf"\1{HIDDEN}"),
    # 64 raw bytes in base64 is the form of an Ed25519 key pair.
    (("==",), re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==(?![A-Za-z0-9+/=])"), HIDDEN),
)


def redact_text(text: str) -> str:
    """Hide tokens, PEM blocks and named secrets inside free text."""
    small = text.casefold()
    for hints, pattern, replacement in _IN_TEXT:
        if any(hint in small for hint in hints):
            text = pattern.sub(replacement, text)
    return text


def redact(value: object) -> object:
    """Hide secrets in text, mappings and sequences, leaving their shape."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        return redact_text(value.decode("utf-8", "replace"))
    if isinstance(value, Mapping):
        return {
            name: HIDDEN if _SECRET_NAME.search(str(name)) else redact(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [redact(inner) for inner in value]
    return value
