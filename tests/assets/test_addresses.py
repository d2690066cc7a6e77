"""Each family has one spelling for an address, and refuses what its checksum tells is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assets.addresses import BadAddress, Family, normalised
from assets.addresses.base58 import NotBase58, decode, decode_checked, encode, encode_checked
from assets.addresses.bech32 import LETTERS, NotBech32
from assets.addresses.bech32 import decode as decode_bech32
from assets.addresses.bech32 import encode as encode_bech32
from assets.addresses.families import checksummed
from assets.addresses.keccak import keccak_256

# The four of EIP-55 with mixed letters, and its all-capital and all-small ones.
EIP55 = [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
]
# From BIP 173 and BIP 350.
WITNESS = [
    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
    "tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7",
    "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
    "BC1SW50QGDZ25J",
    "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
]
NO_WITNESS = [
    "tc1qw508d6qejxtdg4y5r3zarvary0c5xw7kg3g4tx",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
    "BC13W508D6QEJXTDG4Y5R3ZARVARY0C5XW7KN40WF2",
    "bc1rw5uspcuh",
    "bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du",
    "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
    "bc1gmk9yu",
]
ANYTHING = "0123456789abcdefABCDEFxXzZTqlpuo1/:.- \t\n\u200b\u00e9\x00"
USDC_SOLANA = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"
USDT_TRON = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
GENESIS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        (b"testing", "5f16f4c7f149ac4f9510d9cf8cf384038ad348b3bcdc01915f95de12df9d1b02"),
        (
            b"Transfer(address,address,uint256)",
            "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
        ),
        (
            b"The quick brown fox jumps over the lazy dog",
            "4d741b6f1eb29cb2a9b9911c82f56fa8d73b04959d3d9d222895df6c0b28aa15",
        ),
    ],
)
def test_keccak_is_that_of_ethereum(data, digest):
    assert keccak_256(data).hex() == digest


@given(st.binary(max_size=600))
def test_every_length_is_padded_apart(data):
    """Also at the borders of a block, where padding is one byte or a whole block."""
    assert len(keccak_256(data)) == 32
    assert keccak_256(data) != keccak_256(data + b"\0")
    for size in (135, 136, 137):
        assert keccak_256(bytes(size)) != keccak_256(bytes(size + 1))


@pytest.mark.parametrize("address", EIP55)
def test_the_examples_of_eip_55(address):
    assert normalised(Family.EVM, address) == address
    for spelling in (address.lower(), "0x" + address[2:].upper(), "0X" + address[2:].lower()):
        assert normalised(Family.EVM, spelling) == address
    assert normalised(Family.EVM, f"  {address}\n") == address


@pytest.mark.parametrize("address", EIP55[:4])
def test_capitals_that_are_no_checksum_are_refused_in_a_sentence(address):
    swapped = address[:-1] + address[-1].swapcase()
    with pytest.raises(BadAddress, match=r"not its checksum \(EIP-55\)"):
        normalised(Family.EVM, swapped if swapped != address else "0x5" + address[3:])


@given(st.binary(min_size=20, max_size=20))
def test_any_evm_address_has_one_spelling(data):
    text = "0x" + data.hex()
    once = normalised(Family.EVM, text)
    assert once.lower() == text
    assert normalised(Family.EVM, once) == once == checksummed(text)


@given(st.binary(min_size=20, max_size=20), st.integers(2, 41))
def test_one_capital_turned_is_noticed(data, place):
    right = checksummed("0x" + data.hex())
    wrong = right[:place] + right[place].swapcase() + right[place + 1 :]
    letters = wrong[2:]
    if wrong == right or letters in {letters.lower(), letters.upper()}:
        return
    with pytest.raises(BadAddress):
        normalised(Family.EVM, wrong)


@pytest.mark.parametrize("address", [USDC_SOLANA, "11111111111111111111111111111111"])
def test_solana_holds_32_bytes(address):
    assert normalised(Family.SOLANA, address) == address


@pytest.mark.parametrize("address", [USDC_SOLANA[:-3], USDC_SOLANA + "1", "0" * 44, EIP55[0]])
def test_what_is_no_solana_address_is_refused(address):
    with pytest.raises(BadAddress, match="no Solana address"):
        normalised(Family.SOLANA, address)


@given(st.binary(min_size=32, max_size=32))
def test_any_32_bytes_are_a_solana_address(data):
    assert normalised(Family.SOLANA, encode(data)) == encode(data)


@given(st.binary(max_size=60))
def test_base58_reads_back_what_it_wrote(data):
    assert decode(encode(data)) == data
    if data:
        assert decode_checked(encode_checked(data)) == data


@given(st.binary(min_size=21, max_size=21), st.data())
def test_one_letter_changed_fails_the_checksum(content, data):
    text = encode_checked(content)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([one for one in "1AZaz9" if one != text[place]]))
    with pytest.raises(NotBase58):
        decode_checked(text[:place] + other + text[place + 1 :])


@pytest.mark.parametrize("address", [GENESIS, "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"])
def test_bitcoin_by_base58check_stays_as_it_is(address):
    assert normalised(Family.UTXO, address) == address
    with pytest.raises(BadAddress, match="neither base58check"):
        normalised(Family.UTXO, address[:-1] + ("a" if address[-1] != "a" else "b"))


@pytest.mark.parametrize("address", WITNESS)
def test_witness_addresses_are_in_small_letters(address):
    assert normalised(Family.UTXO, address) == address.lower()


@pytest.mark.parametrize("address", NO_WITNESS[1:])
def test_what_is_no_witness_address_is_refused(address):
    with pytest.raises(BadAddress):
        normalised(Family.UTXO, address)


@given(st.lists(st.integers(0, 31), max_size=50), st.booleans())
def test_bech32_reads_back_what_it_wrote(digits, is_m):
    found = decode_bech32(encode_bech32("bc", digits, is_m=is_m))
    assert (found.prefix, list(found.digits), found.is_m) == ("bc", digits, is_m)


@given(st.lists(st.integers(0, 31), min_size=8, max_size=40), st.data())
def test_bech32_notices_one_letter(digits, data):
    text = encode_bech32("bc", digits)
    place = data.draw(st.integers(3, len(text) - 1))
    other = data.draw(st.sampled_from([one for one in LETTERS if one != text[place]]))
    with pytest.raises(NotBech32):
        decode_bech32(text[:place] + other + text[place + 1 :])


def test_cosmos_takes_accounts_contracts_and_denominations():
    account = encode_bech32("cosmos", [0] * 32)
    contract = encode_bech32("osmo", [0] * 51 + [16])
    assert normalised(Family.COSMOS, account.upper()) == account
    assert normalised(Family.COSMOS, contract) == contract
    assert normalised(Family.COSMOS, "ibc/27394FB092D2ECCD5612") == "ibc/27394FB092D2ECCD5612"
    assert normalised(Family.COSMOS, "uatom") == "uatom"
    for wrong in (account[:-1], encode_bech32("cosmos", [0] * 16), "cosmos1qq"):
        with pytest.raises(BadAddress):
            normalised(Family.COSMOS, wrong)


def test_tron_begins_with_its_mark():
    assert normalised(Family.TRON, USDT_TRON) == USDT_TRON
    for wrong in (GENESIS, USDT_TRON[:-1] + "u", "T" * 34):
        with pytest.raises(BadAddress, match="no Tron address"):
            normalised(Family.TRON, wrong)


def test_other_families_take_one_word_and_small_hexadecimal():
    assert normalised(Family.OTHER, "0xABCD") == "0xabcd"
    assert normalised(Family.OTHER, "0x2::sui::SUI") == "0x2::sui::SUI"
    assert normalised(Family.OTHER, "token.near") == "token.near"


@pytest.mark.parametrize("family", Family)
@pytest.mark.parametrize("address", ["", "   ", "a b", "a\u200bb", "a\x00b", "x" * 121])
def test_no_family_takes_nothing_white_space_or_what_is_not_seen(family, address):
    with pytest.raises(BadAddress):
        normalised(family, address)


@given(st.sampled_from(list(Family)), st.text(ANYTHING, max_size=130))
def test_any_text_is_spelt_one_way_or_refused(family, text):
    try:
        once = normalised(family, text)
    except BadAddress:
        return
    assert normalised(family, once) == once
