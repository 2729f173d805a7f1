"""Making what somebody typed safe to keep: one Unicode form, no invisible damage, a bounded length."""

from __future__ import annotations

import hashlib
import unicodedata

import regex

from annotation.worded import Worded

MAXIMUM_CHARACTERS = 4000

# Controls but for line feed and tab; and the marks that only reorder or hide text (Unicode TR 36).
_CONTROL = regex.compile(r"[\p{Cc}--[\n\t]]|[\u202A-\u202E\u2066-\u2069\uFEFF]", flags=regex.V1)
_SURROGATE = regex.compile(r"[\uD800-\uDFFF]")
_BLANKS = regex.compile(r"[^\S\n]+")


class UnusableText(Worded):
    """The text cannot be kept; the message says why and is meant for the person who typed it."""


def clean_text(raw: str, *, maximum: int = MAXIMUM_CHARACTERS) -> str:
    """The text in Unicode NFC, with line ends as \\n, runs of blanks as one, and no blanks around it.

    NFC only (UAX 15): compatibility forms would change letters that orthographies tell apart.

    Raises:
        UnusableText: it is empty, too long (in characters), or holds null bytes, control characters, lone
            surrogates or direction overrides.
    """
    if _SURROGATE.search(raw):
        raise UnusableText("The text holds half of a character (a lone surrogate). Please type it again.")
    if len(raw) > 4 * maximum:
        raise _too_long(raw, maximum)
    text = unicodedata.normalize("NFC", raw.replace("\r\n", "\n").replace("\r", "\n"))
    if found := _CONTROL.search(text):
        raise UnusableText(
            "The text holds an invisible control character (%(code)s).", code=f"U+{ord(found.group()):04X}"
        )
    text = str(_BLANKS.sub(" ", text)).strip()
    if not text:
        raise UnusableText("Nothing was written.")
    if len(text) > maximum:
        raise _too_long(text, maximum)
    return text


def _too_long(text: str, maximum: int) -> UnusableText:
    return UnusableText(
        "The text is too long: %(length)s characters, at most %(most)s are allowed.", length=len(text), most=maximum
    )


def sha256_of(text: str) -> str:
    """SHA-256 of the text's UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
