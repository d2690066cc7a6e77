"""The second factor: codes from an app, codes on paper for the day it is gone, and who must have one.

The seed is sealed, paper codes are hashed, a code opens one door once, and guessing gets slower with
every wrong one. It is taken away by another admin with a second person, and by nobody else.
"""

from __future__ import annotations

import base64
import secrets
import time
from urllib.parse import quote

import segno
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.safestring import SafeString, mark_safe
from django_otp.oath import TOTP

from cqops.env import Environment
from cqops.platform.access.models import Authenticator, BackupCode, User
from cqops.platform.access.policy import Role
from cqops.platform.access.seals import seal, unseal
from cqops.platform.audit.services import record

STEP_SECONDS = 30
# Steps a phone's clock may be off.
TOLERANCE = 1
SEED_BYTES = 20
PAPER_CODES = 10
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


class TooSoon(Exception):
    """Too many wrong codes. Wait a moment before the next one."""


class AlreadyEnrolled(Exception):
    """There is a second factor already. An admin can reset it."""


def refuse_unknown_roles() -> None:
    """End the start in the way of the settings, which cannot know the roles."""
    env = Environment(())
    for name in sorted(set(settings.SECOND_FACTOR_ROLES) - set(Role)):
        env.refuse("SECOND_FACTOR_ROLES", f"names {name!r}", f"roles: {', '.join(Role)}")
    env.finish()


def has_one(user: User) -> bool:
    found: bool = Authenticator.objects.filter(user=user, confirmed=True).exists()
    return found


def must_enrol(user: User) -> bool:
    """Tell whether this person's roles ask for a second factor that is not there yet."""
    return bool(user.roles & set(settings.SECOND_FACTOR_ROLES)) and not has_one(user)


@transaction.atomic
def begin(*, user: User, seed: bytes | None = None) -> Authenticator:
    """Make a seed to scan; it counts only once a code from it has been shown."""
    known = Authenticator.objects.select_for_update().filter(user=user).first()
    if known is not None and known.confirmed:
        raise AlreadyEnrolled
    found: Authenticator = known or Authenticator(user=user, name="app", confirmed=False)
    if seed is not None or not found.sealed_seed:
        found.sealed_seed = seal(seed or secrets.token_bytes(SEED_BYTES))
        found.save()
    return found


@transaction.atomic
def confirm(*, user: User, code: str) -> list[str]:
    """Take the first code, and hand out the paper codes this once."""
    found = Authenticator.objects.select_for_update().filter(user=user, confirmed=False).first()
    if found is None:
        raise AlreadyEnrolled
    if not _takes(found, code):
        return []
    found.confirmed = True
    found.enrolled_at = timezone.now()
    found.save()
    record(action="second_factor.set_up", subject=user, by=user)
    return _new_paper_codes(user)


def _new_paper_codes(user: User) -> list[str]:
    codes = ["".join(secrets.choice(ALPHABET) for _ in range(10)) for _ in range(PAPER_CODES)]
    user.backup_codes.all().delete()
    BackupCode.objects.bulk_create(
        BackupCode(user=user, digest=_digest(user, code)) for code in codes
    )
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def prove(*, user: User, code: str) -> bool:
    """Tell whether this code is the person's, from the app or from paper, and use it up."""
    with transaction.atomic():
        found = Authenticator.objects.select_for_update().filter(user=user, confirmed=True).first()
        if found is None:
            return False
        is_allowed, _ = found.verify_is_allowed()
        if not is_allowed:
            raise TooSoon
        if _takes(found, code) or _takes_paper(user, code):
            found.throttle_reset()
            return True
        found.throttle_increment()
        record(action="second_factor.refused", subject=user, by=user)
        return False


def _takes(found: Authenticator, code: str) -> bool:
    """Compare with the codes of now and around; a step that was used is used."""
    digits = code.replace(" ", "")
    now = int(time.time()) // STEP_SECONDS
    for step in range(now - TOLERANCE, now + TOLERANCE + 1):
        if step > found.last_step and constant_time_compare(digits, _code(found, step)):
            found.last_step = step
            found.save(update_fields=["last_step"])
            return True
    return False


def _takes_paper(user: User, code: str) -> bool:
    digest = _digest(user, code.replace("-", "").replace(" ", "").lower())
    unused = user.backup_codes.filter(digest=digest, used_at=None)
    is_taken = unused.update(used_at=timezone.now()) == 1
    if is_taken:
        left = {"left": paper_codes_left(user)}
        record(action="second_factor.paper_code_used", subject=user, after=left, by=user)
    return is_taken


def _digest(user: User, code: str) -> str:
    return salted_hmac(f"backup-code:{user.pk}", code, algorithm="sha256").hexdigest()


def _code(found: Authenticator, step: int) -> str:
    codes = TOTP(unseal(found.sealed_seed), step=STEP_SECONDS)
    codes.time = step * STEP_SECONDS
    return f"{codes.token():06d}"


def present_code(user: User) -> str:
    """Return the code an app would show now. For demo people only: doors ask `demo` first."""
    found = Authenticator.objects.filter(user=user).first()
    now = int(time.time()) // STEP_SECONDS
    # The code of the next half minute opens too, when the present one was used already.
    step = max(now, found.last_step + 1) if found else 0
    return _code(found, step) if found and step <= now + TOLERANCE else ""


def seed_text(found: Authenticator) -> str:
    """Write the seed as apps take it by hand."""
    return base64.b32encode(unseal(found.sealed_seed)).decode().rstrip("=")


def code_to_scan(found: Authenticator) -> SafeString:
    """Draw what an app scans, as SVG without any style."""
    issuer = quote(f"CQOps {settings.ENVIRONMENT.lower()}")
    account = quote(found.user.username)
    address = f"otpauth://totp/{issuer}:{account}?secret={seed_text(found)}&issuer={issuer}"
    drawn = segno.make(address, error="m").svg_inline(
        border=2, omitsize=True, svgclass="scan", dark="#000", light="#fff"
    )
    return mark_safe(drawn)  # noqa: S308 -- drawn by us, from text that is part of no markup


def paper_codes_left(user: User) -> int:
    return user.backup_codes.filter(used_at=None).count()


@transaction.atomic
def reset(*, person: User, by: User | None = None) -> None:
    """Take somebody's second factor away, so that they enrol a new one: see `ways_in`.

    The database lets one go only within `allowances.approved` or `seeding`.
    """
    Authenticator.objects.filter(user=person).delete()
    person.backup_codes.all().delete()
    record(action="second_factor.reset", subject=person, by=by)
