"""From the bytes of a list to typed lines, each with its place in the file and what is wrong with it.

Pure, and safe with whatever somebody sends: a file that cannot be read at all is refused in words
(`Unreadable`), and anything wrong with one line is told on that line.
"""

from assets.imports.formats import Format, detect, header_of, read, table_of
from assets.imports.lines import LIMITS, Limits, Line, Unreadable
from assets.imports.places import Chains, KnownChain, placed
from assets.imports.tables import FIELDS, Mapping, Table, guessed

__all__ = [
    "FIELDS",
    "LIMITS",
    "Chains",
    "Format",
    "KnownChain",
    "Limits",
    "Line",
    "Mapping",
    "Table",
    "Unreadable",
    "detect",
    "guessed",
    "header_of",
    "placed",
    "read",
    "table_of",
]
