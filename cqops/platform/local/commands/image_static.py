"""Image step: collect the static files under the settings of the production shape.

No secret is at hand while an image is built and none is needed: the values here are made up and
end with this process.
"""

import base64
import os
import secrets
import subprocess
import sys
from collections.abc import Mapping, Sequence

from cqops.platform.local.places import Places

COLLECT = ("manage.py", "collectstatic", "--noinput", "--verbosity", "0")


def main(places: Places, environ: Mapping[str, str], _arguments: Sequence[str]) -> int:
    made_up = {
        "ENVIRONMENT": "SANDBOX",
        "LOCAL": "false",
        "ALLOWED_HOSTS": "localhost",
        "SECRET_KEY": secrets.token_urlsafe(64),
        "AUDIT_ANCHOR_FILE": os.devnull,
        "CREDENTIAL_KEYS": base64.urlsafe_b64encode(os.urandom(32)).decode(),
        "DATABASE_URL": "postgres://nobody@localhost:5432/none",
        "REDIS_URL": "redis://localhost:6379/0",
    }
    outcome = subprocess.run(
        [sys.executable, *COLLECT], cwd=places.checkout, env={**environ, **made_up}, check=False
    )
    return outcome.returncode
