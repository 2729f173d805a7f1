"""Translate a sentence."""

from annotation.kinds.contract import Asked, Kind, Lesson, gettext_noop
from annotation.kinds.words import check_words, export_pair, key_of_words


def request(asked: Asked) -> str:
    """Which languages, and the sentence."""
    return f"Translate from {asked.source_language_name} to {asked.language_name}:\n{asked.text}"


KIND = Kind(
    slug="translate",
    name=gettext_noop("Translation"),
    verb=gettext_noop("Translate"),
    about=gettext_noop("People say a sentence in another language."),
    check=check_words,
    key_of=key_of_words,
    export=export_pair,
    lesson=Lesson(system="You are a careful translator.", request=request),
    restates=True,
)
