"""Where PostgreSQL's files lie when root starts the desk: outside any home, readable to its account.

    /var/lib/cqops/<checkout>/checkout            which checkout this belongs to
    /var/lib/cqops/<checkout>/programs-<version>  the binaries, when the environment is out of reach
    /var/lib/cqops/<checkout>/<desk>/desk         which desk's data this is
    /var/lib/cqops/<checkout>/<desk>/postgres     the data, owned by the account

Only folders made here get owners and permissions; one that exists is used as it is.
"""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from cqops.platform.local.places import identity_of

BASE = Path("/var/lib/cqops")
OWNER_MARK = "checkout"
DESK_MARK = "desk"


class Store:
    """The folder outside the checkout that belongs to it."""

    def __init__(self, checkout: Path, base: Path = BASE) -> None:
        self._checkout = str(checkout)
        digest = hashlib.sha256(self._checkout.encode()).hexdigest()[:12]
        self.folder = base / digest

    def create(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        mark = self.folder / OWNER_MARK
        if not mark.exists():
            mark.write_text(f"{self._checkout}\n", encoding="utf-8")

    def is_ours(self) -> bool:
        """Believe the marker, not the name of the folder."""
        try:
            mark = (self.folder / OWNER_MARK).read_text(encoding="utf-8")
        except OSError:
            return False
        return mark.strip() == self._checkout

    def desk(self, identity: str, local: Path) -> Path:
        """Make the folder of one desk and mark whose it is."""
        folder = self.folder / identity
        folder.mkdir(exist_ok=True)
        mark = folder / DESK_MARK
        if not mark.exists():
            mark.write_text(f"{local}\n", encoding="utf-8")
        return folder

    def desks(self) -> Iterator[tuple[Path, Path]]:
        """List every desk's folder here with the local folder it belongs to."""
        for mark in sorted(self.folder.glob(f"*/{DESK_MARK}")):
            yield mark.parent, Path(mark.read_text(encoding="utf-8").strip())

    def abandoned(self) -> list[Path]:
        """List the data of desks whose local folder is gone: its passwords went with it."""
        return [folder for folder, local in self.desks() if identity_of(local) != folder.name]

    def remove_desks_of(self, local: Path) -> list[Path]:
        """Remove the data of every desk that lived in a folder, and the rest with the last one."""
        if not self.is_ours():
            return []
        removed = []
        for folder, place in list(self.desks()):
            if place.is_relative_to(local) or identity_of(place) != folder.name:
                shutil.rmtree(folder)
                removed.append(folder)
        if not any(True for _ in self.desks()):
            shutil.rmtree(self.folder)
            removed.append(self.folder)
        return removed
