"""The demo set: well-known assets of the main chains, put together by hand.

Values only; `assets.demo` seeds them. Addresses are those the issuers and chains publish, as far as whoever
wrote this was sure of them: what was not certain is left out. The two look-alikes are invented, at addresses
nobody holds the key of, and are flagged.
"""

from __future__ import annotations

from dataclasses import dataclass

from assets.models import AssetKind, ChainFamily, FlagKind, RelationshipKind, Severity


@dataclass(frozen=True, slots=True)
class NewAsset:
    symbol: str
    name: str
    kind: AssetKind
    places: int = 4
    category: str = ""
    coingecko: str = ""
    # Tells two of one ticker apart, and the same again at the next start.
    key: str = ""

    @property
    def ref(self) -> str:
        return self.key or self.symbol


@dataclass(frozen=True, slots=True)
class NewChain:
    slug: str
    name: str
    family: ChainFamily
    native: str
    explorer: str


NATIVE, TOKEN, STABLE = AssetKind.NATIVE, AssetKind.TOKEN, AssetKind.STABLECOIN
WRAPPED, STAKED = AssetKind.WRAPPED, AssetKind.STAKED
# Those the desk trades come first: their ids are older than this set.
ASSETS = [
    NewAsset("BTC", "Bitcoin", NATIVE, 8, "layer 1", "bitcoin"),
    NewAsset("ETH", "Ether", NATIVE, 8, "layer 1", "ethereum"),
    NewAsset("SOL", "Solana", NATIVE, 6, "layer 1", "solana"),
    NewAsset("USD", "US dollar", AssetKind.FIAT, 2),
    NewAsset("USDC", "USD Coin", STABLE, 2, "stablecoin", "usd-coin"),
    NewAsset("EUR", "Euro", AssetKind.FIAT, 2),
    NewAsset("WETH", "Wrapped Ether", WRAPPED, 8, "ether family", "weth"),
    NewAsset("stETH", "Lido Staked Ether", STAKED, 8, "ether family", "staked-ether"),
    NewAsset("wstETH", "Wrapped stETH", WRAPPED, 8, "ether family", "wrapped-steth"),
    NewAsset("rETH", "Rocket Pool ETH", STAKED, 8, "ether family", "rocket-pool-eth"),
    NewAsset(
        "cbETH",
        "Coinbase Wrapped Staked ETH",
        STAKED,
        8,
        "ether family",
        "coinbase-wrapped-staked-eth",
    ),
    NewAsset("WBTC", "Wrapped Bitcoin", WRAPPED, 8, "bitcoin family", "wrapped-bitcoin"),
    NewAsset("cbBTC", "Coinbase Wrapped BTC", WRAPPED, 8, "bitcoin family", "coinbase-wrapped-btc"),
    NewAsset("USDC.e", "Bridged USD Coin", WRAPPED, 2, "stablecoin"),
    NewAsset("USDT", "Tether", STABLE, 2, "stablecoin", "tether"),
    NewAsset("DAI", "Dai", STABLE, 2, "stablecoin", "dai"),
    NewAsset("XRP", "XRP", NATIVE, 4, "layer 1", "ripple"),
    NewAsset("BNB", "BNB", NATIVE, 4, "layer 1", "binancecoin"),
    NewAsset("DOGE", "Dogecoin", NATIVE, 4, "layer 1", "dogecoin"),
    NewAsset("ADA", "Cardano", NATIVE, 4, "layer 1", "cardano"),
    NewAsset("AVAX", "Avalanche", NATIVE, 4, "layer 1", "avalanche-2"),
    NewAsset("LTC", "Litecoin", NATIVE, 6, "layer 1", "litecoin"),
    NewAsset("TRX", "TRON", NATIVE, 4, "layer 1", "tron"),
    NewAsset("ATOM", "Cosmos Hub", NATIVE, 4, "layer 1", "cosmos"),
    NewAsset("POL", "Polygon Ecosystem Token", NATIVE, 4, "layer 1"),
    NewAsset("LINK", "Chainlink", TOKEN, 4, "oracle", "chainlink"),
    NewAsset("UNI", "Uniswap", TOKEN, 4, "exchange", "uniswap"),
    NewAsset("AAVE", "Aave", TOKEN, 4, "lending", "aave"),
    NewAsset("GOLD", "Gold, an ounce", AssetKind.PERPETUAL, 4, "metal"),
    NewAsset("TSLA", "Tesla", AssetKind.EQUITY, 4, "share"),
    NewAsset("USDC", "USD Coin (look-alike)", TOKEN, 2, "look-alike", key="USDC look-alike"),
    NewAsset("ETH", "Ethereum Classic Gold", TOKEN, 4, "look-alike", key="ETH look-alike"),
]
EVM = ChainFamily.EVM
CHAINS = [
    NewChain("bitcoin", "Bitcoin", ChainFamily.UTXO, "BTC", "https://mempool.space"),
    NewChain("ethereum", "Ethereum", EVM, "ETH", "https://etherscan.io"),
    NewChain("solana", "Solana", ChainFamily.SOLANA, "SOL", "https://explorer.solana.com"),
    NewChain("base", "Base", EVM, "ETH", "https://basescan.org"),
    NewChain("arbitrum", "Arbitrum One", EVM, "ETH", "https://arbiscan.io"),
    NewChain("optimism", "OP Mainnet", EVM, "ETH", "https://optimistic.etherscan.io"),
    NewChain("polygon", "Polygon PoS", EVM, "POL", "https://polygonscan.com"),
    NewChain("avalanche", "Avalanche C-Chain", EVM, "AVAX", "https://snowtrace.io"),
    NewChain("bnb", "BNB Smart Chain", EVM, "BNB", "https://bscscan.com"),
    NewChain("tron", "TRON", ChainFamily.TRON, "TRX", "https://tronscan.org"),
    NewChain("litecoin", "Litecoin", ChainFamily.UTXO, "LTC", "https://litecoinspace.org"),
    NewChain("cosmoshub", "Cosmos Hub", ChainFamily.COSMOS, "ATOM", "https://www.mintscan.io"),
]
# asset, chain, address, decimals, whether it is the issuer's own on that chain
DEPLOYMENTS = [
    ("USDC", "ethereum", "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", 6, True),
    ("USDC", "solana", "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v", 6, True),
    ("USDC", "base", "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", 6, True),
    ("USDC", "arbitrum", "0xaf88d065e77c8cC2239327C5EDb3A432268e5831", 6, True),
    ("USDC", "optimism", "0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85", 6, True),
    ("USDC", "polygon", "0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359", 6, True),
    ("USDC", "avalanche", "0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E", 6, True),
    ("USDC.e", "arbitrum", "0xFF970A61A04b1cA14834A43f5dE4533eBDDB5CC8", 6, True),
    ("USDC.e", "optimism", "0x7F5c764cBc14f9669B88837ca1490cCa17c31607", 6, True),
    ("USDC.e", "polygon", "0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174", 6, True),
    ("USDT", "ethereum", "0xdAC17F958D2ee523a2206206994597C13D831ec7", 6, True),
    ("USDT", "tron", "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", 6, True),
    ("USDT", "solana", "Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB", 6, True),
    ("DAI", "ethereum", "0x6B175474E89094C44Da98b954EedeAC495271d0F", 18, True),
    ("WETH", "ethereum", "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2", 18, True),
    ("WETH", "base", "0x4200000000000000000000000000000000000006", 18, True),
    ("WETH", "optimism", "0x4200000000000000000000000000000000000006", 18, True),
    ("WETH", "arbitrum", "0x82aF49447D8a07e3bd95BD0d56f35241523fBab1", 18, True),
    ("stETH", "ethereum", "0xae7ab96520DE3A18E5e111B5EaAb095312D7fE84", 18, True),
    ("wstETH", "ethereum", "0x7f39C581F595B53c5cb19bD0b3f8dA6c935E2Ca0", 18, True),
    ("rETH", "ethereum", "0xae78736Cd615f374D3085123A210448E74Fc6393", 18, True),
    ("cbETH", "ethereum", "0xBe9895146f7AF43049ca1c1AE358B0541Ea49704", 18, True),
    ("WBTC", "ethereum", "0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599", 8, True),
    ("cbBTC", "ethereum", "0xcbB7C0000aB88B473b1f5aFd9ef808440eed33Bf", 8, True),
    ("cbBTC", "base", "0xcbB7C0000aB88B473b1f5aFd9ef808440eed33Bf", 8, True),
    ("LINK", "ethereum", "0x514910771AF9Ca656af840dff83E8264EcF986CA", 18, True),
    ("UNI", "ethereum", "0x1f9840a85d5aF5bf1D1762F925BDADdC4201F984", 18, True),
    ("AAVE", "ethereum", "0x7Fc66500c84A76Ad7e9c93437bFc5Ac33E2DDaE9", 18, True),
    ("POL", "ethereum", "0x455e53CBB86018Ac2B8092FdCd39d8444aFFC3F6", 18, True),
    # One digit away from the real one, as such addresses are made to be.
    ("USDC look-alike", "ethereum", "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb47", 6, False),
    ("ETH look-alike", "bnb", "0x00000000000000000000000000000000000e7bad", 18, False),
]
WRAPS, STAKES = RelationshipKind.WRAPS, RelationshipKind.STAKES
BRIDGES = RelationshipKind.BRIDGES
# asset, what it does, other, a fixed ratio or where the rate is published
RELATIONS = [
    ("WETH", WRAPS, "ETH", "1"),
    ("stETH", STAKES, "ETH", "1"),
    ("wstETH", WRAPS, "stETH", "stEthPerToken() of the contract"),
    ("rETH", STAKES, "ETH", "getExchangeRate() of the contract"),
    ("cbETH", STAKES, "ETH", "exchangeRate() of the contract"),
    ("WBTC", WRAPS, "BTC", "1"),
    ("cbBTC", WRAPS, "BTC", "1"),
    ("USDC.e", BRIDGES, "USDC", "1"),
]
# symbol, name, members; the first is the one the group goes by
GROUPS = [
    ("BTC", "Everything bitcoin", ["BTC", "WBTC", "cbBTC"]),
    ("ETH", "Everything ether", ["ETH", "WETH", "stETH", "wstETH", "rETH", "cbETH"]),
    ("USDC", "USD Coin and what is bridged from it", ["USDC", "USDC.e"]),
]
TICKERS = [("BTC", "XBT")]
CURRENCIES = ["USD", "EUR"]
FLAGS = [
    (
        "USDC look-alike",
        FlagKind.SCAM,
        Severity.CRITICAL,
        "Carries the name and ticker of USD Coin at an address one digit away from the issuer's.",
    ),
    (
        "ETH look-alike",
        FlagKind.SCAM,
        Severity.CRITICAL,
        "Goes by the ticker of ether, and is a token nobody stands behind.",
    ),
]
