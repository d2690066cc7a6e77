"""Where a desk keeps what it makes: one folder, so that one `rm -rf` undoes everything."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
INSTALLATION = "installation.json"


@dataclass(frozen=True, kw_only=True)
class Places:
    """The checkout a desk runs from and the folder it writes to."""

    checkout: Path
    local: Path

    @property
    def logs(self) -> Path:
        return self.local / "logs"

    @property
    def environment_file(self) -> Path:
        return self.local / "env"

    @property
    def lock_file(self) -> Path:
        return self.local / "lock"

    @property
    def ledger_file(self) -> Path:
        return self.local / "processes.json"

    def create(self) -> None:
        """Make the folders that are missing; one that exists keeps its permissions."""
        for folder in (self.local, self.logs):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def shown(self, path: Path) -> str:
        """Say a path the way someone standing in the checkout would type it."""
        try:
            return str(path.relative_to(self.checkout))
        except ValueError:
            return str(path)


def places_from(environ: Mapping[str, str], *, checkout: Path = CHECKOUT) -> Places:
    """Find the desk's folder: LOCAL_DIR when set (a second desk), else .local in the checkout."""
    named = environ.get("LOCAL_DIR", "")
    local = Path(named).expanduser() if named else checkout / ".local"
    return Places(checkout=checkout, local=local.resolve())


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner only from its first byte."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(path)


def identity_of(folder: Path) -> str | None:
    """Read which installation lives in a folder, without beginning one."""
    try:
        found = json.loads((folder / INSTALLATION).read_text(encoding="utf-8"))
        return str(found["identity"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
