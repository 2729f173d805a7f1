"""Translate a sentence."""

from annotation.kinds.contract import Kind
from annotation.kinds.words import check_words, export_pair, key_of_words

KIND = Kind(
    slug="translate",
    name="Translation",
    verb="Translate",
    check=check_words,
    key_of=key_of_words,
    export=export_pair,
)
