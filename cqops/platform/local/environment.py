"""The variables every process of a local desk is started with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cqops.platform.local.installation import Installation
from cqops.platform.local.places import Places, write_private
from cqops.platform.local.ports import LOOPBACK
from cqops.platform.local.refusal import Refusal

LOCAL_KIND = "SIMULATED"
USER_MAY_SET = ("SECRET_KEY", "CREDENTIAL_KEYS", "ALLOWED_HOSTS")


@dataclass(frozen=True, kw_only=True)
class Endpoints:
    """Where the pieces of one desk listen."""

    database_url: str
    redis_url: str
    port: int
    simulator_port: int


def desk_variables(
    places: Places, installation: Installation, endpoints: Endpoints, environ: Mapping[str, str]
) -> dict[str, str]:
    """List what the desk adds to its children's environment.

    Secrets the user already has in the environment win, so that a desk on real servers can keep
    the keys its data was sealed with.
    """
    variables = {
        "ENVIRONMENT": LOCAL_KIND,
        "LOCAL": "true",
        "SECRET_KEY": installation.secret_key,
        "CREDENTIAL_KEYS": installation.credential_key,
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "DATABASE_URL": endpoints.database_url,
        "REDIS_URL": endpoints.redis_url,
        "PORT": str(endpoints.port),
        "SIMULATOR_URL": f"http://{LOOPBACK}:{endpoints.simulator_port}",
        "SIMULATOR_PORT": str(endpoints.simulator_port),
        "SIMULATOR_DIR": str(places.local / "simulator"),
        "LOCAL_DIR": str(places.local),
    }
    theirs = {name: given(environ, name) for name in USER_MAY_SET}
    return {**variables, **{name: value for name, value in theirs.items() if value}}


def given(environ: Mapping[str, str], name: str) -> str:
    """Read what the user set, as a value or in the file named by <NAME>_FILE; empty if neither."""
    value, source = environ.get(name, ""), environ.get(f"{name}_FILE", "")
    if value or not source:
        return value
    try:
        return Path(source).read_text(encoding="utf-8").strip()
    except OSError as error:
        message = f"{name}_FILE names {source}, which cannot be read ({error.strerror})."
        raise Refusal(message) from error


def children_environment(
    variables: Mapping[str, str], environ: Mapping[str, str]
) -> dict[str, str]:
    """Lay the desk's variables over the user's own, and keep log lines prompt."""
    return {**environ, **variables, "PYTHONUNBUFFERED": "1"}


def write_environment_file(places: Places, variables: Mapping[str, str]) -> None:
    """Leave the variables where manage.py finds them, so that it works by hand beside the desk."""
    lines = [f"{name}={value}\n" for name, value in variables.items()]
    write_private(places.environment_file, "".join(lines))


def read_environment_file(places: Places) -> dict[str, str]:
    """Read the variables of the desk that runs here."""
    lines = places.environment_file.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)
