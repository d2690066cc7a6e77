"""How tests of the registry's endpoints call them."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from cqops.platform.access.models import User
from cqops.platform.access.tokens import issue

ROOT = "/api/v1/"


class Program:
    """Calls with a token, and reads JSON."""

    def __init__(self, token: str) -> None:
        self.client = APIClient()
        self.client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")

    def get(self, path: str, **asked: Any) -> Any:
        return self.client.get(ROOT + path, asked)

    def post(self, path: str, *, seen: int | None = None, **body: Any) -> Any:
        return self.client.post(ROOT + path, body, format="json", **_seen(seen))

    def patch(self, path: str, *, seen: int | str | None = None, **body: Any) -> Any:
        return self.client.patch(ROOT + path, body, format="json", **_seen(seen))


def _seen(version: int | str | None) -> dict[str, Any]:
    if version is None:
        return {}
    return {"HTTP_IF_MATCH": version if isinstance(version, str) else f'"{version}"'}


def program_of(user: User) -> Program:
    return Program(issue(user=user, name="registry"))


def problem_of(answer: Any, status: int) -> dict[str, Any]:
    """Return a refusal, once it has the form every refusal has."""
    assert answer.status_code == status, answer.content.decode()
    assert answer["Content-Type"] == "application/problem+json"
    said = answer.json()
    assert (said["status"], said["type"]) == (status, "about:blank")
    assert said["title"]
    assert said["detail"]
    return said


def fields_of(problem: dict[str, Any]) -> set[str]:
    return {one["field"] for one in problem["errors"]}
