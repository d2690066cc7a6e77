"""This venue's signature: what is signed, with which digest, and where it is written.

Look into `venues/transport/signers` first: most venues are one `HeaderAuth` or `QueryAuth` with a
prehash of their own. Sign what is sent, never a second rendering of it; clocks and nonces are given.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

import httpx

from venues.adapters._template.missing import missing
from venues.adapters.contract import ApiKey


class TemplateAuth(httpx.Auth):
    """Signs requests, and the message that subscribes to own orders."""

    requires_request_body = True

    def __init__(self, key: ApiKey, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock

    def auth_flow(
        self,
        request: httpx.Request,  # noqa: ARG002 -- until it is signed
    ) -> Generator[httpx.Request, httpx.Response, None]:
        missing("signer.TemplateAuth", "the headers that carry key, time and signature")
