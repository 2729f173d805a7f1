"""What kinds whose answers are words have in common: cleaning, the script, and when two say the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

import regex

from annotation.kinds.contract import Asked, UnusableAnswer, Written
from annotation.text.clean import MAXIMUM_CHARACTERS, UnusableText, clean_text
from annotation.text.scripts import is_in_script

_FOLDED = regex.compile(r"[\p{P}\p{S}\s]+")


def check_words(text: str, payload: Mapping[str, Any], asked: Asked) -> Written:
    """Words in the answer's script. Raises UnusableAnswer."""
    if payload:
        raise UnusableAnswer("An answer of this kind is text alone.")
    return Written(words(text, asked))


def words(text: str, asked: Asked, *, field: str = "text", maximum: int = MAXIMUM_CHARACTERS) -> str:
    """The text in NFC. Raises UnusableAnswer with a message for the person."""
    try:
        cleaned = clean_text(text, maximum=maximum)
    except UnusableText as error:
        raise UnusableAnswer(error.message, field=field, **error.values) from error
    if not is_in_script(cleaned, asked.script):
        raise UnusableAnswer(
            "Most letters are not in the script of %(language)s (%(script)s). Please check your keyboard.",
            field=field,
            language=asked.language_name,
            script=asked.script,
        )
    return cleaned


def key_of_words(written: Written) -> str:
    """Texts that differ in case, punctuation or blanks alone have one key."""
    return str(_FOLDED.sub(" ", unicodedata.normalize("NFC", written.text).casefold())).strip()


def export_pair(asked: Asked, written: Written) -> dict[str, Any]:
    """What was asked, and the words."""
    return {"source": asked.text, "target": written.text}
