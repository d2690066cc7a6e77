import pytest

from assets.explorers import explorer_of, page_of_address


@pytest.mark.parametrize(
    "url",
    [
        "http://etherscan.io",
        "javascript:alert(1)",
        "//etherscan.io",
        "https://",
        "https://me@x.io",
        "https://[",
        "",
    ],
)
def test_only_a_plain_https_address_is_followed(url):
    assert explorer_of(url) == page_of_address("evm", url, "0xabc") == ""


def test_an_address_is_shown_where_its_family_has_a_page_for_it():
    assert (
        page_of_address("evm", "https://etherscan.io/", "0xAb")
        == "https://etherscan.io/address/0xAb"
    )
    assert (
        page_of_address("tron", "https://tronscan.org", "TR7")
        == "https://tronscan.org/#/contract/TR7"
    )
    assert page_of_address("cosmos", "https://www.mintscan.io", "cosmos1") == ""
    assert (
        page_of_address("solana", "https://x.io", 'a"/../<')
        == "https://x.io/address/a%22%2F..%2F%3C"
    )
