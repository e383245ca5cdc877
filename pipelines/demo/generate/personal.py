"""Personal data as people post it by mistake: published test numbers and reserved ranges only."""

from __future__ import annotations

import random
from typing import Final

# Checksums and plans are right, but nobody owns these: documents of banks and card schemes print
# the IBANs and cards, regulators keep the telephone ranges for drama, RFC 5737 and 3849 the IPs.
IBANS: Final = (
    "DE89 3704 0044 0532 0130 00",
    "GB29 NWBK 6016 1331 9268 19",
    "ES91 2100 0418 4502 0005 1332",
    "FR14 2004 1010 0505 0001 3M02 606",
)
CARDS: Final = ("4111 1111 1111 1111", "5555 5555 5555 4444", "4242-4242-4242-4242")
PHONES: Final = ("+44 20 7946 0{:03d}", "+44 1632 960{:03d}", "+49 30 23125 {:03d}")
ADDRESSES: Final = ("192.0.2.{}", "203.0.113.{}", "198.51.100.{}")
_NAMES: Final = ("mia.larch", "tom_fielding", "j.example", "sanna-k", "p.moreau", "lena.w")
_ASIDES: Final = (
    "mail me at {email}",
    "you can reach me on {phone}",
    "my iban is {iban}",
    "card {card} if that helps",
    "happens from {ip} too",
    "call {phone} or write to {email}",
)


def with_personal_data(text: str, rng: random.Random) -> str:
    """`text` with an aside that gives away more than its author meant to."""
    aside = rng.choice(_ASIDES).format(
        email=f"{rng.choice(_NAMES)}{rng.randint(1, 99)}@example.com",
        phone=rng.choice(PHONES).format(rng.randint(100, 999)),
        iban=rng.choice(IBANS),
        card=rng.choice(CARDS),
        ip=rng.choice(ADDRESSES).format(rng.randint(2, 250)),
    )
    return f"{text} - {aside}"
