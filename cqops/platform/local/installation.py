"""What a desk makes up once and must remember: its identity, secrets and ports."""

import base64
import json
import os
import secrets
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from cqops.platform.local.places import INSTALLATION, write_private
from cqops.platform.local.ports import free_port
from cqops.platform.local.refusal import Refusal


@dataclass(kw_only=True)
class Installation:
    """One desk's identity. Lost with its folder, and the data sealed with it is lost too."""

    folder: Path
    identity: str
    secret_key: str
    credential_key: str
    database_password: str
    superuser_password: str
    redis_password: str
    ports: dict[str, int] = field(default_factory=dict)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the desk's memory, or begin one."""
        path = folder / INSTALLATION
        if not path.exists():
            fresh = cls._invented(folder)
            fresh.save()
            return fresh
        try:
            return cls(folder=folder, **json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            message = (
                f"{path} cannot be read ({error}). It holds this desk's passwords:"
                " restore it, or start afresh with `make clean`."
            )
            raise Refusal(message) from error

    @classmethod
    def _invented(cls, folder: Path) -> Self:
        return cls(
            folder=folder,
            identity=uuid.uuid4().hex[:12],
            secret_key=secrets.token_urlsafe(64),
            credential_key=base64.urlsafe_b64encode(os.urandom(32)).decode(),
            database_password=secrets.token_hex(24),
            superuser_password=secrets.token_hex(24),
            redis_password=secrets.token_hex(24),
        )

    def save(self) -> None:
        values = asdict(self)
        del values["folder"]
        write_private(self.folder / INSTALLATION, json.dumps(values, indent=2) + "\n")

    def port(self, name: str) -> int:
        """Give a server the port it had last time, or another one when that is taken."""
        port = free_port(self.ports.get(name))
        if self.ports.get(name) != port:
            self.ports[name] = port
            self.save()
        return port
