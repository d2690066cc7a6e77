"""What a venue says a key may do: asked, kept with its time, and said in plain words.

Nothing of the key itself is kept here. What a venue does not say is told apart from what it denies, and
from no answer at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from cqops.platform.access.models import User
from cqops.platform.access.policy import Action, demand
from cqops.platform.audit.services import record
from cqops.platform.telemetry.notes import Severity
from cqops.platform.telemetry.ops import tell
from venues.interface.errors import Cause, Rejected, VenueError
from venues.interface.types import KeyRights
from venues.models import Account, Credential, KeyTest
from venues.services.clients import try_key

SAID = ("tested_at", "test", "can_view", "can_trade", "can_transfer", "ends_at")


def ask_venue(credential: Credential) -> str:
    """Put into the row, without saving it, what the venue says of the key; return why it does not."""
    rights, why = KeyRights(can_view=None, can_trade=None, can_transfer=None), ""
    try:
        rights = try_key(credential)
        credential.test = KeyTest.ACCEPTED
    except VenueError as error:
        is_refusal = isinstance(error, Rejected) or error.cause is Cause.AUTH
        credential.test = KeyTest.REFUSED if is_refusal else KeyTest.SILENT
        why = str(error)
    credential.can_view = rights.can_view
    credential.can_trade = rights.can_trade
    credential.can_transfer = rights.can_transfer
    credential.ends_at = rights.ends_at
    credential.tested_at = timezone.now()
    return why


def try_connection(*, credential: Credential, by: User) -> str:
    """Try a key that waits, is spare or in use, keep what the venue said, and say it."""
    demand(by, Action.VENUE_EDIT, credential)
    if credential.retired_at is not None:
        return "This key is out of use, and is not tried any more."
    why = ask_venue(credential)
    keep(credential, by=by)
    return f"{said_of(credential)} {why}".strip()


def keep(credential: Credential, *, by: User | None) -> None:
    """Store what was just asked; tell of a key in use that can do more than was agreed to."""
    credential.save(update_fields=SAID)
    words = said_of(credential)
    record(
        action="credential.tested",
        subject=credential.account,
        after={"key": credential.pk, "said": words},
        by=by,
    )
    if credential.activated_at and exceeds(credential):
        told = f"The key of {credential.account} can withdraw, and nobody agreed to that."
        labels = {"account": credential.account.name, "venue": credential.account.venue.slug}
        tell("key.can_withdraw", told, severity=Severity.URGENT, labels=labels)


def exceeds(credential: Credential) -> bool:
    """Tell whether the venue lets it withdraw although no second person agreed."""
    return bool(credential.can_transfer) and not credential.may_transfer


def said_of(credential: Credential) -> str:
    """Say what the venue said, in one or two sentences."""
    if credential.test == KeyTest.NEVER:
        return "The venue was not asked yet what this key may do."
    if credential.test == KeyTest.REFUSED:
        return "The venue refuses this key."
    if credential.test == KeyTest.SILENT:
        return "The venue did not answer, so nobody knows what this key may do."
    return f"{_powers(credential)} {_end(credential)}"


def _powers(credential: Credential) -> str:
    powers = {
        "view": credential.can_view,
        "trade": credential.can_trade,
        "withdraw": credential.can_transfer,
    }
    by_answer = {
        answer: [name for name, said in powers.items() if said is answer]
        for answer in (True, False, None)
    }
    sentences = []
    if by_answer[True]:
        sentences.append(f"It may {_listed(by_answer[True], 'and')}.")
    if by_answer[False]:
        sentences.append(f"It may not {_listed(by_answer[False], 'or')}.")
    if by_answer[None]:
        unknown = _listed(by_answer[None], "or")
        sentences.append(f"The venue does not say whether it may {unknown}.")
    return " ".join(sentences)


def _end(credential: Credential) -> str:
    if credential.ends_at is None:
        return "The venue does not say when it ends."
    return f"It ends {credential.ends_at:%Y-%m-%d %H:%M} UTC."


def _listed(names: list[str], word: str) -> str:
    *most, last = names
    return f"{', '.join(most)} {word} {last}" if most else last


@dataclass(frozen=True, slots=True)
class Objection:
    """Why nothing new is traded with a key, and whether what only reduces exposure may go all the same."""

    words: str = ""
    lets_reduce: bool = False


NO_OBJECTION: Final = Objection()


def objection_to_trading(account: Account) -> Objection:
    """Say what speaks against trading with the key that the account uses now."""
    key = account.credentials.in_use().only("can_trade", "can_transfer", "may_transfer").first()
    if key is None:
        return NO_OBJECTION
    if key.can_trade is False:
        return Objection(
            f"The key of {account} may only view. Books, balances, fills and reconciliation go on; to"
            " trade, ask an admin for a key that may."
        )
    if exceeds(key):
        return Objection(
            f"The key of {account} can withdraw, and nobody agreed to that. Ask an admin to replace it"
            " by one that cannot.",
            lets_reduce=True,
        )
    return NO_OBJECTION
