"""Personal data: masked in texts, and authors' ids turned into pseudonyms."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from typing import Final

import phonenumbers
from stdnum import iban, luhn

from transforms.text_cleaning import outside_urls

MIN_KEY_BYTES: Final = 16
UNKNOWN_AUTHOR: Final = "unknown"
MAX_NATIONAL_CHARACTERS: Final = 10_000  # each plan costs seconds on a quarter of a MiB of digits

_EMAIL: Final = re.compile(
    r"[\w.+%'-]{1,64}@(?:[\w-]{1,63}\.){1,8}(?:[^\W\d_][\w-]{0,22}[^\W_])(?!\w)"
)
_IBAN: Final = re.compile(r"(?<!\w)[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,34}", re.IGNORECASE)
_IBAN_MIN: Final = 15
_CARD: Final = re.compile(
    r"(?<![\w.,/-])(?:[0-9]{12,19}|[0-9]{4}(?:([ -])[0-9]{4})(?:\1[0-9]{4}){2}(?:\1[0-9]{1,3})?"
    r"|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5})(?![\w/-]|[.,][0-9])"
)
# Issuers' ranges: Visa, Mastercard, American Express, Diners, JCB, Discover, UnionPay, Maestro.
_ISSUED: Final = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}"
    r"|6(?:011|5\d\d|4[4-9]\d)\d{12}|62\d{14,17}|(?:50|5[6-9]|67)\d{10,17}"
)
_IPV4: Final = re.compile(r"(?<![\w.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?!\w|\.\w)")
_IPV6: Final = re.compile(
    r"(?<![\w:.])(?=[0-9a-f]*:)[0-9a-f:]{6,39}(?:(?<=:)[0-9.]{7,15})?(?![\w:])", re.I
)
_VERSION: Final = re.compile(
    r"(?:\bv(?:er(?:sion)?)?|firmware|build|release|update)[.:]?\s*$", re.I
)
_SEVEN_DIGITS: Final = re.compile(r"\d(?:\D{0,3}\d){6}")
_REGIONS: Final = {
    **{"en": ("US", "GB"), "de": ("DE",), "fr": ("FR",), "es": ("ES",), "it": ("IT",)},
    **{"pt": ("BR", "PT"), "nl": ("NL",), "pl": ("PL",), "sv": ("SE",), "da": ("DK",)},
    **{"no": ("NO",), "fi": ("FI",), "tr": ("TR",), "ja": ("JP",), "ko": ("KR",)},
    **{"zh": ("CN",), "ru": ("RU",), "hi": ("IN",)},
}


def mask_personal_data(text: str, country: str = "unknown", lang: str = "und") -> str:
    """`text` with [email], [iban], [card], [ip] and [phone] where such data stood.

    A number is only taken for what its checksum, numbering plan or notation proves it to be:
    prices, dates, years, counts and plain order numbers stay. National phone numbers are read by
    the plan of `country`, or of the countries where `lang` is mostly spoken, in texts of up to
    10,000 characters. Addresses of web pages are searched for e-mail and IP addresses only.
    """
    text = _EMAIL.sub("[email]", text) if "@" in text else text
    if not any(character.isdecimal() for character in text):
        return _IPV6.sub(_mask_ipv6, text)
    text = _IPV6.sub(_mask_ipv6, _IPV4.sub(_mask_ipv4, text))
    regions = (country,) if country in phonenumbers.SUPPORTED_REGIONS else _REGIONS.get(lang, ())
    return outside_urls(text, lambda part: _mask_numbers(part, regions))


def pseudonym(channel: str, author_id: str, key: bytes) -> str:
    """A stable stand-in for an author, 16 hex digits, that only `key` could link to the id."""
    if not author_id:
        return UNKNOWN_AUTHOR
    name = f"{channel}\x00{author_id}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(name, key=key[: hashlib.blake2b.MAX_KEY_SIZE], digest_size=8).hexdigest()


def check_key(key: bytes) -> None:
    """Fail where an author key is too short to keep a secret.

    Raises:
        ValueError: naming the key and the remedy.
    """
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(
            f"privacy.author_key has {len(key)} bytes: give at least {MIN_KEY_BYTES} random ones"
        )


def _mask_numbers(text: str, regions: tuple[str, ...]) -> str:
    text = _CARD.sub(_mask_card, _IBAN.sub(_mask_iban, text))
    if not _SEVEN_DIGITS.search(text):
        return text
    for region in (None, *(regions if len(text) <= MAX_NATIONAL_CHARACTERS else ())):
        text = _mask_phones(text, region)
    return text


def _mask_iban(match: re.Match[str]) -> str:
    """The longest beginning of the match that is an IBAN: words in capitals may follow one."""
    found = match[0]
    for end in range(len(found), _IBAN_MIN - 1, -1):
        follows = found[end : end + 1]
        if not follows.isalnum() and iban.is_valid(found[:end]):
            return f"[iban]{found[end:]}"
    return found


def _mask_card(match: re.Match[str]) -> str:
    digits = match[0].replace(" ", "").replace("-", "")
    return "[card]" if _ISSUED.fullmatch(digits) and luhn.is_valid(digits) else match[0]


def _mask_ipv4(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 12) : match.start()]
    return "[ip]" if _is_address(match[0]) and not _VERSION.search(before) else match[0]


def _mask_ipv6(match: re.Match[str]) -> str:
    """Only what cannot be a time or a score: eight groups, or one of three digits and more."""
    groups = match[0].split(":")
    telling = len(groups) == 8 or any(len(group) >= 3 for group in groups)
    return "[ip]" if telling and _is_address(match[0]) else match[0]


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _mask_phones(text: str, region: str | None) -> str:
    """National numbers have to be grouped as their plan groups them: figures in a row are not."""
    leniency = phonenumbers.Leniency.STRICT_GROUPING if region else phonenumbers.Leniency.VALID
    found = phonenumbers.PhoneNumberMatcher(text, region, leniency)
    for match in reversed([m for m in found if _is_written_as_phone(m.raw_string)]):
        text = f"{text[: match.start]}[phone]{text[match.end :]}"
    return text


def _is_written_as_phone(written: str) -> bool:
    """A bare run of digits is a phone number only with + or 0 in front."""
    return written[0] in "+0(＋" or not written.isdecimal()
