"""Letters that look like others, as far as a forged name of an asset uses them. Pure.

Not all of Unicode's table of confusables: the letters of tickers and names, and the signs people take
for them.
"""

from __future__ import annotations

import unicodedata

# Each Latin capital, and what is read as it: Cyrillic, Greek, Cherokee, Lisu, digits and signs.
_LOOKS = {
    "A": "\u0410\u0391\u13aa\u15c5\ua4ee@",
    "B": "\u0412\u0392\u13f4\ua4d08",
    "C": "\u0421\u13df\u2ca4\ua4da",
    "D": "\u13a0\ua4d3\u0500",
    "E": "\u0415\u0395\u13ac\ua4f0\u039e3",
    "F": "\u03dc\u15b4\ua4dd",
    "G": "\u13c0\u050c\ua4d6",
    "H": "\u041d\u0397\u13bb\ua4e7",
    "I": "\u0406\u0399\u04c0\ua4f2\u13061|",
    "J": "\u0408\u037f\u13ab\ua4d9",
    "K": "\u041a\u039a\u13e6\ua4d7",
    "L": "\u13de\ua4e1\u216c",
    "M": "\u041c\u039c\u13b7\ua4df",
    "N": "\u039d\ua4e0",
    "O": "\u041e\u039f\u0555\ua4f30",
    "P": "\u0420\u03a1\u13e2\ua4d1",
    "Q": "\u051a",
    "R": "\u13a1\ua4e3",
    "S": "\u0405\u054f\u13da\ua4e25$",
    "T": "\u0422\u03a4\u13a2\ua4d4\u20ae",
    "U": "\u054d\ua4f4",
    "V": "\u0474\u13d9\ua4e6",
    "W": "\u051c\u13b3\ua4ea",
    "X": "\u0425\u03a7\ua4eb",
    "Y": "\u0423\u03a5\u04ae\ua4ec",
    "Z": "\u0396\u13c3\ua4dc2",
}
_LATIN = str.maketrans({sign: latin for latin, signs in _LOOKS.items() for sign in signs})
# Small letters stay small, so that "I", "l" and "1" are one sign and "i" is another.
_SMALL = str.maketrans(
    {
        sign.lower(): latin.lower()
        for latin, signs in _LOOKS.items()
        for sign in signs
        if len(sign.lower()) == 1 and sign.lower() != sign
    }
)


def skeleton(text: str) -> str:
    """Return what a text is read as: two that share it look alike."""
    # Capitals first: small Cyrillic letters look like Latin ones because their capitals do.
    return " ".join(_bare(text).upper().translate(_LATIN).split())


def as_written(text: str) -> str:
    """Return what a text is read as by whoever minds capitals: "UNl" passes for "UNI", "rn" for "m"."""
    seen = _bare(text).translate(_LATIN).translate(_SMALL)
    return " ".join(seen.replace("l", "I").replace("rn", "m").split())


def _bare(text: str) -> str:
    """Leave out accents and signs without a width."""
    if text.isascii():
        return text
    return "".join(
        letter
        for letter in unicodedata.normalize("NFKD", text)
        if unicodedata.category(letter) not in {"Mn", "Cf"}
    )


def disguises(text: str) -> set[str]:
    """Return what a forger would write for it: what it is read as, and one letter exchanged."""
    plain = skeleton(text)
    found = {plain}
    for place, letter in enumerate(plain):
        for sign in _LOOKS.get(letter, ""):
            # Small letters too: not every database knows the capitals of every script.
            found |= {plain[:place] + one + plain[place + 1 :] for one in {sign, sign.lower()}}
    return found - {text.upper()}
