"""A throwaway authority, so that clients who insist on HTTPS and WSS can be pointed at the simulator.

It signs one certificate for this machine and its own key is never written down: nobody can sign
another with it. Whoever is to trust the simulator is given `ca.pem` as their CA bundle, and trusts
nothing else by it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAMES: Final = ("localhost", "127.0.0.1", "::1", "simulator")
_LIFE: Final = timedelta(days=30)
_RENEW_BEFORE: Final = timedelta(days=7)
_CLOCKS_DIFFER_BY: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Papers:
    """What a server shows, and what a client trusts."""

    ca: Path
    server: Path


def papers(data_dir: Path, *, names: Iterable[str] = (), now: datetime | None = None) -> Papers:
    """Return the papers in the data folder, made anew when they are missing, old or for others."""
    folder = data_dir / "tls"
    found = Papers(folder / "ca.pem", folder / "server.pem")
    wanted = (*NAMES, *(name for name in names if name not in NAMES))
    now = now or datetime.now(UTC)
    if not _still_good(found, wanted, now):
        folder.mkdir(parents=True, exist_ok=True)
        _issue(found, wanted, now)
    return found


def _still_good(found: Papers, names: tuple[str, ...], now: datetime) -> bool:
    try:
        shown = x509.load_pem_x509_certificate(found.server.read_bytes())
        trusted = x509.load_pem_x509_certificate(found.ca.read_bytes())
        shown.verify_directly_issued_by(trusted)
    except Exception:  # noqa: BLE001 -- whatever is wrong with them, new ones are the remedy
        return False
    known = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return now + _RENEW_BEFORE < shown.not_valid_after_utc and list(known) == _general(names)


def _issue(place: Papers, names: tuple[str, ...], now: datetime) -> None:
    authority, key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    issuer = _name("CQOps simulator, throwaway authority")
    ca = (
        _begin(issuer, authority.public_key(), issuer, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), False)
        .sign(authority, hashes.SHA256())
    )
    shown = (
        _begin(_name("CQOps simulator"), key.public_key(), issuer, now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(_general(names)), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()),
            critical=False,
        )
        .sign(authority, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write(place.server, shown.public_bytes(Encoding.PEM) + secret)
    _write(place.ca, ca.public_bytes(Encoding.PEM))


def _begin(
    subject: x509.Name, key: ec.EllipticCurvePublicKey, issuer: x509.Name, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCKS_DIFFER_BY)
        .not_valid_after(now + _LIFE)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general(names: tuple[str, ...]) -> list[x509.GeneralName]:
    found: list[x509.GeneralName] = []
    for name in names:
        try:
            found.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            found.append(x509.DNSName(name))
    return found


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write(path: Path, content: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.chmod(0o600)
    fresh.write_bytes(content)
    fresh.replace(path)
