"""Keys as Tollgate mints them, and as it stores them: docs/API-DESIGN.md says how."""

import hashlib
import hmac
import zlib

BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def base62(number, length):
    """A number in so many digits."""
    digits = bytearray(length)
    for at in reversed(range(length)):
        number, rest = divmod(number, 62)
        digits[at] = BASE62[rest]
    return bytes(digits)


def key_of(number):
    """The key of a number; its random part is a hash, for a bench has to know every key again."""
    # 43 digits carry 256 bits; half of them are enough to be unlike all others.
    random = int.from_bytes(hashlib.md5(b"bench %d" % number).digest(), "big")
    signed = b"tg_live_" + base62(random, 43)
    return signed + base62(zlib.crc32(signed), 6)


def digest_of(key, pepper):
    """What is stored instead of a key."""
    return hmac.digest(pepper, key, "sha256")
