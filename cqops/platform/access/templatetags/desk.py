"""How money, times and states are written, in every template alike."""

from __future__ import annotations

import re
import zoneinfo
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.conf import settings
from django.template.defaultfilters import stringfilter
from django.utils import timezone
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from cqops.platform.access.policy import may
from cqops.platform.access.scopes import Subject
from cqops.platform.telemetry.logs import request_id

register = template.Library()

ABSENT = "\N{EN DASH}"
GROUP = 3
UUIDS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
AMOUNT = re.compile(r"-?\d+(\.\d+)?")
HOURS_OF_TWO_DAYS = 48
# What a state means for the person who looks, whatever the machine calls it.
TONES = {
    "good": {
        "filled",
        "acknowledged",
        "partially_filled",
        "live",
        "tradable",
        "on",
        "clean",
        "resolved",
        "pass",
        "approved",
        "executed",
        "approve",
    },
    "busy": {
        "queued",
        "sending",
        "syncing",
        "connecting",
        "closing",
        "explained",
        "awaiting_approval",
        "pending",
    },
    "warn": {
        "in_doubt",
        "stale",
        "halted",
        "gone",
        "not_traded",
        "reduce_only",
        "warn",
        "unsent",
        "expired",
        "breaks",
        "not_checked",
        "open",
        "voided",
    },
    "bad": {"rejected", "refused", "down", "off", "suspended", "refuse", "crossed", "denied"},
}
WHAT_AN_ENVIRONMENT_MEANS = {
    "SIMULATED": "Simulated venues. No order leaves this machine and no money moves.",
    "SANDBOX": "The venues' own test systems. Orders leave this desk; no real money moves.",
    "LIVE": "Live venues. Every order here moves real money.",
}
SIDES = {"buy": "Buy", "sell": "Sell"}


@register.simple_tag
def moment(at: datetime | None, venue_zone: str = "", style: str = "full") -> str:
    """Show a time in the person's zone; the title adds UTC and, where given, the venue's own."""
    if at is None:
        return ABSENT
    here = timezone.localtime(at)
    is_today = here.date() == timezone.localdate()
    if style == "short":
        style = "clock" if is_today else "day"
    pattern = {"full": "%Y-%m-%d %H:%M:%S", "clock": "%H:%M:%S", "day": "%d %b %H:%M"}[style]
    title = f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"
    if venue_zone:
        title += f" · venue {at.astimezone(zoneinfo.ZoneInfo(venue_zone)):%H:%M:%S %Z}"
    return format_html(
        '<time class="moment" datetime="{}" title="{}">{}</time>',
        at.astimezone(UTC).isoformat(timespec="milliseconds"),
        f"{here:%Y-%m-%d %H:%M:%S %Z} · {title}",
        here.strftime(pattern),
    )


@register.filter
def age(at: datetime, now: datetime) -> str:
    """Say how long ago something was, with the time itself in the title."""
    seconds = max(int((now - at).total_seconds()), 0)
    minutes, hours = seconds // 60, seconds // 3600
    if hours >= HOURS_OF_TWO_DAYS:
        text = f"{hours // 24} d"
    elif hours:
        text = f"{hours} h {minutes % 60} min"
    else:
        text = f"{minutes} min" if minutes else f"{seconds} s"
    return format_html(
        '<time class="moment" datetime="{}" title="{}">{}</time>',
        at.astimezone(UTC).isoformat(timespec="milliseconds"),
        f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S %Z}",
        text,
    )


@register.filter
def change(value: Any) -> str:
    """Write a gain or loss exactly, its sign before it."""
    text = amount(value)
    plus = "+" if value is not None and Decimal(str(value)) > 0 else ""
    return format_html('<span class="{}">{}{}</span>', signed(value), plus, text)


@register.simple_tag
def zone() -> str:
    """Name the zone every time on the page is shown in."""
    return timezone.get_current_timezone_name()


@register.filter
def plain(value: Any) -> str:
    """Write a number in full: no exponent, no trailing zeros, nothing rounded."""
    if value is None or value == "":
        return ABSENT
    text = f"{Decimal(str(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@register.filter
def scale(step: Any) -> int:
    """Count the decimal places of a step, so that a column of its multiples lines up."""
    return step if isinstance(step, int) else len(plain(step).partition(".")[2])


@register.filter
def amount(value: Any, step: Any = 0) -> str:
    """Write an exact number, padded to the places of a step and never rounded."""
    text = plain(value)
    if text == ABSENT:
        return ABSENT
    whole, _, fraction = text.partition(".")
    fraction = fraction.ljust(scale(step), "0")
    return _grouped(f"{whole}.{fraction}" if fraction else whole)


@register.filter
def rounded(value: Any, step: Any) -> str:
    """Round for the eye to the places of a step; the exact figure stays in the title."""
    if value is None or value == "":
        return ABSENT
    exact = Decimal(str(value))
    shown = exact.quantize(Decimal(1).scaleb(-scale(step)))
    return format_html('<span title="{}">{}</span>', plain(exact), _grouped(f"{shown:f}"))


def _grouped(text: str) -> SafeString:
    """Set thousands apart. The gaps are drawn and not written, so a copy has none."""
    sign = "-" if text.startswith("-") else ""
    whole, point, fraction = text.removeprefix("-").partition(".")
    head = len(whole) % GROUP or GROUP
    groups = [whole[:head], *(whole[i : i + GROUP] for i in range(head, len(whole), GROUP))]
    return format_html(
        '<span class="amount">{}{}{}</span>',
        sign,
        format_html_join("", "<i>{}</i>", ((group,) for group in groups)),
        f"{point}{fraction}",
    )


@register.filter
def figures(text: str) -> str:
    """Set thousands apart in a text that is an amount and its unit; any other stays as it is."""
    number, _, unit = text.partition(" ")
    if not AMOUNT.fullmatch(number):
        return text
    return format_html("{} {}", _grouped(number), unit) if unit else text


@register.filter
def times(value: Decimal, by: Decimal) -> Decimal:
    return value * by


@register.filter
def from_the_end(value: Any) -> list[Any]:
    """Turn a list around; asks are drawn with the best price at the bottom."""
    return list(reversed(value or []))


@register.filter
def signed(value: Any) -> str:
    """Name the direction of a gain or loss, for a class beside the sign."""
    if value is None or value == "":
        return "flat"
    number = Decimal(str(value))
    return "up" if number > 0 else "down" if number < 0 else "flat"


@register.filter
@stringfilter
def side(value: str) -> SafeString:
    """Mark buy and sell by word and by colour."""
    return format_html('<span class="side side-{}">{}</span>', value, SIDES.get(value, value))


@register.filter
@stringfilter
def words(value: str) -> str:
    """Turn a state's name into words."""
    return value.replace("_", " ").capitalize()


@register.filter
@stringfilter
def tone(value: str) -> str:
    found = (name for name, states in TONES.items() if value.lower() in states)
    return next(found, "calm")


@register.filter
@stringfilter
def state_badge(value: str) -> SafeString:
    return format_html('<span class="badge badge-{}">{}</span>', tone(value), words(value))


@register.filter
def short(value: Any) -> str:
    """Show the first piece of an id; the whole one is in the title."""
    return format_html('<span class="id" title="{}">{}</span>', value, str(value)[:8])


@register.filter
@stringfilter
def bracketed(value: str) -> SafeString:
    """Let the ids that a text carries in brackets stand back, each by its first piece."""
    said, sign, ids = value.partition(" [")
    if not sign:
        return escape(said)
    pieces = UUIDS.sub(lambda found: found[0][:8], ids)
    return format_html('{} <span class="id" title="[{}">[{}</span>', said, ids, pieces)


@register.simple_tag
def request_number() -> str:
    """Give the number under which the log holds the details."""
    return request_id.get()


@register.simple_tag
def stale_seconds() -> int:
    """Tell the page when a book is too old, so that it notices silence by itself."""
    return int(settings.BOOK_STALE_SECONDS)


@register.simple_tag(name="may", takes_context=True)
def may_person(context: template.Context, action: str, subject: Subject | None = None) -> bool:
    """Ask the policy, for what a page offers; the door behind it asks again."""
    return may(context["request"].user, action, subject)


@register.simple_tag
def environment_name() -> str:
    return str(settings.ENVIRONMENT)


@register.inclusion_tag("_environment.html")
def environment_banner() -> dict[str, str]:
    """Say which environment this is; drawn without a request too, for the pages of a failure."""
    return {"name": settings.ENVIRONMENT, "means": WHAT_AN_ENVIRONMENT_MEANS[settings.ENVIRONMENT]}


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """Give this page's query string with some parts changed, so that filters survive a link."""
    parameters = context["request"].GET.copy()
    for name, value in changes.items():
        parameters.pop(name, None)
        if value not in (None, ""):
            parameters[name] = str(value)
    encoded = parameters.urlencode()
    return f"?{encoded}" if encoded else "?"
