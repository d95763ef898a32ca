"""How hard a pre-shared key is to guess.

Whoever answers in the peer's place once can try keys at leisure (RFC 7296, 2.15; CVE-2018-5389).
"""

from __future__ import annotations

import itertools
import math

ENOUGH_BITS = 80
"""What guessing offline cannot reach: sixteen random letters and digits have more."""

_CLASSES = (
    (frozenset(b"0123456789"), 10),
    (frozenset(b"abcdefghijklmnopqrstuvwxyz"), 26),
    (frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"), 26),
    (frozenset(range(32, 127)) - frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"), 33),
)
_PRINTABLE = frozenset(range(32, 127))


def guessing_bits(key: bytes) -> float:
    """An upper bound: the octets that neither repeat nor follow from the one before, out of the classes they are of."""
    if not key:
        return 0.0
    steps = [after - before for before, after in itertools.pairwise(key)]
    fresh = 1 + sum(1 for step in steps if step not in (-1, 0, 1))
    if frozenset(key) <= _PRINTABLE:
        alphabet = sum(size for members, size in _CLASSES if members & frozenset(key))
    else:
        alphabet = 256
    # `abcabcabc...` has no more in it than its few letters.
    return min(fresh, 3 * len(frozenset(key))) * math.log2(alphabet)
