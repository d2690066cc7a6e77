"""The one spelling an address has in the registry, for each family of chains."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum

from assets.addresses import base58, bech32
from assets.addresses.keccak import keccak_256

LONGEST = 120
HEX_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")
# Move-based chains write 32 bytes; their letters carry no checksum.
HEX_WORD = re.compile(r"0[xX][0-9a-fA-F]{1,64}")
SOLANA_BYTES = 32
TRON_MARK, TRON_BYTES = 0x41, 21
HASH_BYTES = 21  # a version and a hash of 20
WITNESS_BYTES = (2, 40)
WITNESS_V0_BYTES = frozenset({20, 32})
LAST_WITNESS = 16
COSMOS_BYTES = frozenset({20, 32})


class Family(StrEnum):
    """How addresses of a chain are written."""

    EVM = "evm"
    SOLANA = "solana"
    UTXO = "utxo"
    COSMOS = "cosmos"
    TRON = "tron"
    OTHER = "other"


class BadAddress(ValueError):
    """No address of this family is written like this; the words are for whoever typed it."""


def normalised(family: Family | str, address: str) -> str:
    """Return the one spelling of an address, or refuse it in a sentence."""
    text = address.strip()
    if not text:
        message = "An address is missing."
        raise BadAddress(message)
    if len(text) > LONGEST or any(letter.isspace() or not letter.isprintable() for letter in text):
        message = f"An address is one word of at most {LONGEST} characters."
        raise BadAddress(message)
    return _SPELLING[Family(family)](text)


def checksummed(address: str) -> str:
    """Write the capitals of EIP-55, which are the checksum of an EVM address."""
    letters = address[2:].lower()
    digest = keccak_256(letters.encode()).hex()
    shown = (
        letter.upper() if int(digit, 16) >= 8 else letter  # noqa: PLR2004 -- the top bit of four
        for letter, digit in zip(letters, digest, strict=False)
    )
    return "0x" + "".join(shown)


def _evm(text: str) -> str:
    if not HEX_ADDRESS.fullmatch(text):
        message = f"{text} is no EVM address: that is 0x and 40 hexadecimal digits."
        raise BadAddress(message)
    letters, right = text[2:], checksummed(text)
    if letters not in {letters.lower(), letters.upper()} and f"0x{letters}" != right:
        message = (
            f"The capital letters of {text} are not its checksum (EIP-55), so a digit may be wrong."
            " Copy it again from where it came from."
        )
        raise BadAddress(message)
    return right


def _solana(text: str) -> str:
    try:
        size = len(base58.decode(text))
    except base58.NotBase58 as error:
        message = f"{text} is no Solana address: {error}."
        raise BadAddress(message) from error
    if size != SOLANA_BYTES:
        message = f"{text} is no Solana address: it holds {size} bytes and not {SOLANA_BYTES}."
        raise BadAddress(message)
    return text


def _utxo(text: str) -> str:
    """Take base58check of a hash, or a witness address of any chain in small letters."""
    try:
        if len(base58.decode_checked(text)) == HASH_BYTES:
            return text
        why = "it holds no version and hash of 20 bytes"
    except base58.NotBase58 as error:
        why = str(error)
    try:
        return _witness(text)
    except bech32.NotBech32 as error:
        message = f"{text} is neither base58check ({why}) nor a witness address ({error})."
        raise BadAddress(message) from error


def _witness(text: str) -> str:
    found = bech32.decode(text)
    if not found.digits or found.digits[0] > LAST_WITNESS:
        message = "it names no witness version"
        raise bech32.NotBech32(message)
    version, program = found.digits[0], found.content(skip=1)
    least, most = WITNESS_BYTES
    is_sized = least <= len(program) <= most and (version or len(program) in WITNESS_V0_BYTES)
    if not is_sized or found.is_m != (version > 0):
        message = "its length or checksum is not that of its version"
        raise bech32.NotBech32(message)
    return text.lower()


def _cosmos(text: str) -> str:
    """Take an account or contract in bech32; denominations such as `ibc/...` have no checksum."""
    if "/" in text or text.isalpha():
        return text
    try:
        found = bech32.decode(text)
        size = len(found.content())
    except bech32.NotBech32 as error:
        message = f"{text} is no Cosmos address: {error}."
        raise BadAddress(message) from error
    if found.is_m or size not in COSMOS_BYTES:
        message = f"{text} is no Cosmos address: it holds {size} bytes and not 20 or 32."
        raise BadAddress(message)
    return text.lower()


def _tron(text: str) -> str:
    try:
        content = base58.decode_checked(text)
    except base58.NotBase58 as error:
        message = f"{text} is no Tron address: {error}."
        raise BadAddress(message) from error
    if len(content) != TRON_BYTES or content[0] != TRON_MARK:
        message = f"{text} is no Tron address: those hold 21 bytes and begin with T."
        raise BadAddress(message)
    return text


def _other(text: str) -> str:
    """Keep it as it is, but for hexadecimal, where capitals mean nothing."""
    return text.lower() if HEX_WORD.fullmatch(text) else text


_SPELLING: dict[Family, Callable[[str], str]] = {
    Family.EVM: _evm,
    Family.SOLANA: _solana,
    Family.UTXO: _utxo,
    Family.COSMOS: _cosmos,
    Family.TRON: _tron,
    Family.OTHER: _other,
}
