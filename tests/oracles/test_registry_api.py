"""Somebody else's fuzzer walks over the registry's endpoints and finds nothing that the document does not tell."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from assets.api.urls import urlpatterns as of_assets
from cqops.platform.access.policy import Role
from cqops.platform.access.tokens import issue
from tests import cast
from tests.assets import stage
from tests.oracles.conftest import judge
from venues.api_symbol_urls import urlpatterns as of_symbols

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "2")
SEED = os.environ.get("SCHEMATHESIS_SEED", "1")
# That a value fits a document is not enough to be taken: an id must be of something that is there, and
# what is asked for must go together.
LEFT_OUT = "positive_data_acceptance"
# RFC 6585 has a status of its own for a version that is missing.
SETTINGS = """
[checks]
missing_required_header.expected-statuses = ["400", "401", "428"]
"""


def own_paths() -> str:
    """Write the addresses of the registry's own endpoints as one pattern."""
    own = (
        re.sub(r"<\w+:(\w+)>", r"[{]\1[}]", str(one.pattern)) for one in [*of_assets, *of_symbols]
    )
    return f"^/api/v1/({'|'.join(own)})$"


@pytest.mark.slow
@pytest.mark.timeout(300, func_only=True)
@pytest.mark.django_db(transaction=True)
def test_schemathesis_finds_nothing(live_server, tmp_path: Path):
    fuzzer = judge("schemathesis").python.with_name("schemathesis")
    stage.deployed(stage.asset("USDC", "USD Coin"))
    cast.symbol()
    cast.listing("ETH-USD")
    token = issue(user=cast.person(Role.STEWARD), name="schemathesis")
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    outcome = subprocess.run(
        [
            *(
                fuzzer,
                "--config-file",
                settings,
                "run",
                f"{live_server.url}/api/schema/?format=json",
            ),
            *("--header", f"Authorization: Bearer {token}"),
            *("--include-path-regex", own_paths()),
            *("--exclude-checks", LEFT_OUT, "--max-examples", EXAMPLES, "--seed", SEED),
            *("--phases", "examples,coverage,fuzzing", "--no-color"),
            *("--generation-database", "none", "--suppress-health-check", "all"),
        ],
        env={"PATH": os.environ["PATH"]},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout[-60000:] + outcome.stderr[-2000:]
