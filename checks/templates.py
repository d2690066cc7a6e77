"""Templates: layout by djhtml, rules by djlint (its own formatter mangles them)."""

from collections.abc import Mapping

from checks.tools import FRONT, ROOT, python, run


def layout(environment: Mapping[str, str]) -> tuple[bool, str]:
    return _over_templates(environment, "-m", "djhtml", "--tabwidth", "2", "--check")


def rules(environment: Mapping[str, str]) -> tuple[bool, str]:
    return _over_templates(environment, "-m", "djlint", "--lint", "--quiet")


def _over_templates(environment: Mapping[str, str], *words: str) -> tuple[bool, str]:
    if not any((ROOT / FRONT[0]).rglob("*.html")):
        return True, ""
    return run(python(*words, FRONT[0]), environment)
