"""How an address is written, by the family of its chain: one spelling each, or a refusal in words.

Pure: no chain is asked. What a family's own checksum can tell is told here; whether anything lives
there is not.
"""

from assets.addresses.bulk import normalised_many
from assets.addresses.families import BadAddress, Family, normalised

__all__ = ["BadAddress", "Family", "normalised", "normalised_many"]
