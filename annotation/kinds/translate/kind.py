"""Translate a sentence."""

from annotation.kinds.contract import Kind, gettext_noop
from annotation.kinds.words import check_words, export_pair, key_of_words

KIND = Kind(
    slug="translate",
    name=gettext_noop("Translation"),
    verb=gettext_noop("Translate"),
    about=gettext_noop("People say a sentence in another language."),
    check=check_words,
    key_of=key_of_words,
    export=export_pair,
    restates=True,
)
