"""What is laid before whoever decides about a key: what the venue says of it, the gravest confirmed apart."""

from __future__ import annotations

from cqops.platform.approvals.exhibits import Finding, Severity
from venues.models import Credential


def findings_of(credential: Credential) -> list[Finding]:
    found = [_about_withdrawing(credential)]
    if credential.can_trade is False:
        words = "It reads books, balances and fills, and reconciles. Nothing is traded with it."
        found.append(Finding(Severity.LOW, "It may only view", words))
    elif credential.can_trade is None:
        words = "Its first order will tell."
        found.append(Finding(Severity.LOW, "The venue does not say whether it may trade", words))
    return found


def _about_withdrawing(credential: Credential) -> Finding:
    if credential.can_transfer:
        words = (
            "The venue says that it can move money out of the account. Whoever gets hold of it can empty"
            " the account, and this desk never needs that to trade."
        )
        return Finding(Severity.HIGH, "It can withdraw", words)
    if credential.can_transfer is None:
        words = (
            "Have whoever made it show you its permissions at the venue before you agree: no answer of"
            " the venue proves that it cannot."
        )
        title = "The venue does not say whether it can withdraw"
        return Finding(Severity.MEDIUM, title, words, is_confirmed_apart=True)
    return Finding(Severity.CLEAR, "It cannot withdraw", "The venue says so.")
