"""How many calls this venue takes: a key, an address, and fewer for fills. It names no headers."""

from __future__ import annotations

from typing import Final

import msgspec

from venues.simulator.limits import Allowance, Bucket, Rate, RateLimits
from venues.simulator.web import Request, Response

PRIVATE: Final = Rate(15, 30)
FILLS: Final = Rate(10, 20)
PUBLIC: Final = Rate(10, 15)


def _buckets(request: Request) -> tuple[Bucket, ...]:
    key_id = request.headers.get("cb-access-key", "")
    if not key_id:
        return (Bucket(f"ip {request.peer}", PUBLIC),)
    if request.path == "/fills":
        return (Bucket(f"fills {key_id}", FILLS),)
    return (Bucket(f"key {key_id}", PRIVATE),)


def _refuse(bucket: Bucket, _allowance: Allowance) -> Response:
    kind = "Public" if bucket.rate is PUBLIC else "Private"
    return Response(
        status=429, body=msgspec.json.encode({"message": f"{kind} rate limit exceeded"})
    )


LIMITS: Final = RateLimits(_buckets, _refuse)
