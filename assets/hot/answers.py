"""What two addresses of the REST API answer, as the bytes they are sent in.

They are written by the very serializers and the renderer of those addresses, once a change.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from rest_framework.renderers import JSONRenderer

from assets.api.assets import whole
from assets.api.resolve import ResolutionView
from assets.hot.kinds import Found
from assets.hot.lookups import HOUR, cache, meaning_of
from assets.models import Asset
from assets.services.resolution import Clocks, concluded, question
from assets.services.search import collisions_until

_MOMENTS = b',"as_of":'


class Answer(msgspec.Struct, frozen=True):
    """A body, and the version it is of, where it has one."""

    body: bytes
    version: int = 0


def _asset(key: str, now: datetime) -> Found[Answer]:
    asset = Asset.objects.filter(pk=UUID(key)).first()
    if asset is None:
        return Found(None)
    body = _written(whole(asset))
    return Found(Answer(body, asset.version), collisions_until(asset, now=now))


def _symbol(key: tuple[str, str], now: datetime) -> Found[Answer]:
    """Write the answer without its two moments, which are those of whoever asks."""
    symbol, chain = key
    found = meaning_of((symbol.upper(), chain), now)
    resolution = concluded(question(symbol, chain), found.value or (), Clocks(now, now))
    body, _, _ = _written(ResolutionView(resolution).data).rpartition(_MOMENTS)
    return Found(Answer(body), found.until)


def _written(data: Any) -> bytes:
    written: bytes = JSONRenderer().render(data)
    return written


def moments(now: datetime) -> bytes:
    """Write the two moments of a question about now."""
    text = _written(now.isoformat().replace("+00:00", "Z"))
    return b'%b%b,"known_at":%b}' % (_MOMENTS, text, text)


asset_answer = cache.kind(
    "asset answer", areas=["assets", "names", "merges"], ttl=HOUR, read=_asset, shape=Answer
)
symbol_answer = cache.kind(
    "symbol answer",
    areas=["assets", "names", "homes", "merges"],
    ttl=HOUR,
    read=_symbol,
    shape=Answer,
)
