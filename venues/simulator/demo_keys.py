"""Throwaway keys for the simulated venues: made on the spot, worth nothing anywhere else."""

from __future__ import annotations

import base64
import fcntl
import secrets
import uuid
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from venues.simulator.keys import FILE_NAME, KeyEntry

DEMO_BALANCES: Final[Mapping[str, Decimal]] = {
    "USD": Decimal(2_000_000),
    "USDC": Decimal(500_000),
    "BTC": Decimal(25),
    "ETH": Decimal(400),
    "SOL": Decimal(5_000),
}


class DemoKey(NamedTuple):
    """What the desk stores (`key_id`, `secret`, `more`) and what the simulator is told (`entry`)."""

    key_id: str
    secret: str
    entry: KeyEntry
    more: Mapping[str, str] = {}


def generate_demo_key(
    account_ref: str = "demo",
    *,
    balances: Mapping[str, Decimal] = DEMO_BALANCES,
    venue: str = "coinbase_advanced",
) -> DemoKey:
    """Make an Ed25519 key in the form the venue's portal hands out."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    key_id = f"organizations/{uuid.uuid4()}/apiKeys/{uuid.uuid4()}"
    return DemoKey(
        key_id,
        base64.b64encode(private.private_bytes_raw() + public).decode(),
        KeyEntry(
            key_id=key_id,
            account_ref=account_ref,
            public_key=base64.b64encode(public).decode(),
            balances=dict(balances),
            venue=venue,
        ),
    )


def generate_shared_key(
    account_ref: str = "demo",
    *,
    balances: Mapping[str, Decimal] = DEMO_BALANCES,
    venue: str = "coinbase_exchange",
) -> DemoKey:
    """Make a key that signs with a shared secret and comes with a passphrase."""
    key_id, passphrase = secrets.token_hex(16), secrets.token_urlsafe(12)
    secret = base64.b64encode(secrets.token_bytes(64)).decode()
    entry = KeyEntry(
        key_id=key_id,
        account_ref=account_ref,
        secret=secret,
        passphrase=passphrase,
        balances=dict(balances),
        venue=venue,
    )
    return DemoKey(key_id, secret, entry, {"passphrase": passphrase})


def generate_older_key(
    account_ref: str = "demo", *, balances: Mapping[str, Decimal] = DEMO_BALANCES
) -> DemoKey:
    """Make a key of Coinbase Advanced's older kind: it signs with HMAC and has no passphrase."""
    key_id, secret = secrets.token_hex(8), secrets.token_hex(16)
    entry = KeyEntry(key_id=key_id, account_ref=account_ref, secret=secret, balances=dict(balances))
    return DemoKey(key_id, secret, entry, {"scheme": "hmac"})


def register_key(data_dir: Path, entry: KeyEntry) -> None:
    """Tell the simulator of a key, whether it runs or not; safe beside other writers."""
    data_dir.mkdir(parents=True, exist_ok=True)
    path = data_dir / FILE_NAME
    with (data_dir / f"{FILE_NAME}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = msgspec.json.decode(path.read_bytes(), type=list[KeyEntry]) if path.exists() else []
        kept = [one for one in known if one.key_id != entry.key_id]
        fresh = path.with_suffix(".new")
        fresh.write_bytes(msgspec.json.format(msgspec.json.encode([*kept, entry]), indent=1))
        fresh.replace(path)
