"""What surrounds every page, on the desk and in the admin: one navigation list feeds both."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone

from cqops.platform.access import demo
from cqops.platform.access.doors import requires
from cqops.platform.access.models import Theme, User
from cqops.platform.access.policy import Action, may
from cqops.platform.approvals.services.inbox import needing
from cqops.platform.overview import OverviewRow, Severity, gather
from cqops.platform.telemetry.status import everything


@dataclass(frozen=True, slots=True)
class Page:
    """A place somebody can go.

    The letter follows `g` on the keyboard, and the icon is a name in the symbol font that desk and
    admin share.
    """

    title: str
    route: str
    action: Action
    icon: str
    key: str = ""
    # Whether the number of requests that need this person stands beside it.
    counts: bool = False

    @property
    def url(self) -> str:
        return reverse(self.route)


VENUES, TRADING = "admin:venues", "admin:trading"
NAVIGATION: list[tuple[str, list[Page]]] = [
    (
        "Now",
        [
            Page("Overview", "overview", Action.DESK_VIEW, "inbox", "o"),
            Page("Approvals", "approvals", Action.APPROVAL_VIEW, "approval", "w", counts=True),
        ],
    ),
    (
        "Markets",
        [
            Page("Markets", "markets", Action.MARKET_VIEW, "candlestick_chart", "m"),
            Page("Venues", "venues", Action.MARKET_VIEW, "network_check", "h"),
        ],
    ),
    (
        "Trading",
        [
            Page("New order", "ticket", Action.ORDER_PLACE, "edit_square", "n"),
            Page("Blotter", "blotter", Action.ORDER_VIEW, "list_alt", "b"),
            Page(
                "Switches",
                f"{TRADING}_tradingswitch_changelist",
                Action.SWITCH_STOP,
                "toggle_on",
                "s",
            ),
        ],
    ),
    (
        "Portfolio",
        [
            Page("Positions", "positions", Action.POSITION_VIEW, "account_balance", "p"),
            Page("Reconciliation", "reconciliation", Action.RECON_VIEW, "balance", "r"),
            Page("Breaks", "breaks", Action.RECON_VIEW, "difference", "k"),
        ],
    ),
    (
        "Registry",
        [
            Page("Look-up", "lookup", Action.REGISTRY_VIEW, "travel_explore", "l"),
            Page("Assets", "assets", Action.REGISTRY_VIEW, "token", "a"),
            Page("Chains", "chains", Action.REGISTRY_VIEW, "link", "c"),
            Page("Duplicates", "findings", Action.REGISTRY_VIEW, "content_copy"),
            Page("Imports", "imports", Action.REGISTRY_VIEW, "upload_file", "i"),
        ],
    ),
    (
        "Configuration",
        [
            Page("Venue settings", f"{VENUES}_venue_changelist", Action.VENUE_VIEW, "hub", "v"),
            Page("Unmapped", "unmapped", Action.REGISTRY_VIEW, "rule_folder", "x"),
            Page("Symbols", f"{VENUES}_listing_changelist", Action.VENUE_VIEW, "sell"),
            Page("Accounts", f"{VENUES}_account_changelist", Action.VENUE_VIEW, "key"),
            Page("Portfolios", f"{TRADING}_portfolio_changelist", Action.REGISTRY_VIEW, "work"),
            Page(
                "Approval rules",
                "admin:approvals_rule_changelist",
                Action.APPROVAL_VIEW,
                "rule",
            ),
            Page("Everything else", "admin:index", Action.VENUE_VIEW, "apps"),
        ],
    ),
    (
        "System",
        [
            Page("People", "admin:access_user_changelist", Action.PEOPLE_VIEW, "group"),
            Page("Audit", "audit", Action.AUDIT_VIEW, "history", "u"),
            Page("Operations", "operations", Action.OPS_VIEW, "monitor_heart", "e"),
            Page(
                "Schedules",
                "admin:django_celery_beat_periodictask_changelist",
                Action.SCHEDULE_VIEW,
                "schedule",
            ),
            Page("API", "api-docs", Action.DESK_VIEW, "api"),
        ],
    ),
]


def allowed_navigation(request: HttpRequest) -> list[tuple[str, list[Page]]]:
    """Keep the pages this person may open, and the groups that still hold one."""
    groups = (
        (group, [page for page in pages if may(request.user, page.action)])
        for group, pages in NAVIGATION
    )
    return [(group, pages) for group, pages in groups if pages]


def shell(request: HttpRequest) -> dict[str, Any]:
    """Give every template what the frame around the page shows."""
    user = getattr(request, "user", None)
    person = user if isinstance(user, User) else None
    navigation = allowed_navigation(request) if person else []
    return {
        "is_simulated": settings.IS_SIMULATED,
        "navigation": navigation,
        "approvals_waiting": partial(_waiting, person),
        "here": _nearest(request.path, navigation),
        "theme_choice": person.theme if person else Theme.SYSTEM,
        "demo_people": demo.people if settings.IS_SIMULATED else [],
    }


def _waiting(person: User | None) -> int:
    """Count what needs this person; asked only where the number is drawn."""
    return needing(person, now=timezone.now()).count() if person else 0


def _nearest(path: str, navigation: list[tuple[str, list[Page]]]) -> str:
    """Find the page of the navigation that this address belongs to."""
    urls = (page.url for _, pages in navigation for page in pages)
    return max(
        (url for url in urls if path == url or (url != "/" and path.startswith(url))),
        key=len,
        default="",
    )


def admin_navigation(request: HttpRequest) -> list[dict[str, Any]]:
    navigation = allowed_navigation(request)
    here = _nearest(request.path, navigation)
    return [
        {
            "title": group,
            "separator": True,
            "items": [
                {
                    "title": page.title,
                    "icon": page.icon,
                    "link": page.url,
                    "active": page.url == here,
                    **({"badge": "cqops.site.admin_badge"} if page.counts else {}),
                }
                for page in pages
            ],
        }
        for group, pages in navigation
    ]


def admin_badge(request: HttpRequest) -> str:
    person = request.user
    count = _waiting(person) if isinstance(person, User) else 0
    return str(count) if count else ""


def admin_stylesheet(request: HttpRequest) -> str:  # noqa: ARG001 -- the admin fixes the signature
    return static("css/admin.css")


@requires(Action.DESK_VIEW)
def overview(request: HttpRequest) -> HttpResponse:
    return render(request, "overview.html", _what_needs_me(request))


@requires(Action.DESK_VIEW)
def overview_rows(request: HttpRequest) -> HttpResponse:
    """Answer the list alone, for the page that watches it."""
    return render(request, "_overview_rows.html", _what_needs_me(request))


def _what_needs_me(request: HttpRequest) -> dict[str, Any]:
    parts = everything()
    failing = [
        OverviewRow(
            title=f"Part of the desk is not working: {name}",
            detail=part.detail,
            severity=Severity.URGENT,
        )
        for name, part in parts.items()
        if not part.ok
    ]
    return {
        "rows": failing + gather(request.user, settings.OVERVIEW_PROVIDERS),  # type: ignore[arg-type]
        "parts": parts,
        "checked_at": timezone.now(),
    }
