"""Assets beside each other, line by line, for whoever has to tell whether they are one."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone

from assets.models import Asset, QualityFlag
from assets.services.answering import standing_merge
from assets.services.moving import BETWEEN, NOTHING, belongings


def compared(assets: Sequence[Asset]) -> list[tuple[str, list[list[str]]]]:
    """List what each of them is and has: a row for each kind of thing, and in it a line for each thing."""
    lines: dict[str, list[list[str]]] = {}
    for asset in assets:
        for label, words in _of(asset).items():
            lines.setdefault(label, []).append(words)
    return list(lines.items())


def _of(asset: Asset) -> dict[str, list[str]]:
    merge = standing_merge(asset.pk)
    state = f"retired: {asset.retired_reason}" if asset.is_retired else "in use"
    return {
        "Ticker": [asset.symbol],
        "Kind": [asset.get_kind_display()],
        "Category": [asset.category or NOTHING],
        **{label: words.split(BETWEEN) for label, words in belongings(asset.pk).items()},
        "Flags": [flags_of(asset)],
        "State": [f"answers as {merge.into.label}" if merge else state],
        "Known since": [f"{asset.created_at:%Y-%m-%d %H:%M} UTC"],
    }


def flags_of(asset: Asset) -> str:
    standing = QualityFlag.objects.standing(now=timezone.now()).filter(asset=asset)
    return BETWEEN.join(f"{flag} ({flag.evidence})" for flag in standing) or NOTHING
