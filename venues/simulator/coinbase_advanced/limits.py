"""How many calls this venue takes: thirty a second a key, ten a second an address without one."""

from __future__ import annotations

import math
from typing import Final

from venues.simulator.coinbase_advanced.signing import key_named_in
from venues.simulator.limits import Allowance, Bucket, Rate, RateLimits
from venues.simulator.web import Request, Response

PRIVATE: Final = Rate(30, 30)
PUBLIC: Final = Rate(10, 10)


def _buckets(request: Request) -> tuple[Bucket, ...]:
    key_id = key_named_in(request)
    return (Bucket(f"key {key_id}", PRIVATE) if key_id else Bucket(f"ip {request.peer}", PUBLIC),)


def _headers(allowance: Allowance) -> dict[str, str]:
    return {
        "x-ratelimit-limit": f"{allowance.limit:g}",
        "x-ratelimit-remaining": str(allowance.left),
        "x-ratelimit-reset": str(math.ceil(allowance.full_in)),
    }


def _refuse(_bucket: Bucket, _allowance: Allowance) -> Response:
    # The venue promises no Retry-After.
    body = b'{"errors":[{"id":"rate_limit_exceeded","message":"Too many requests"}]}'
    return Response(status=429, body=body)


LIMITS: Final = RateLimits(_buckets, _refuse, _headers)
