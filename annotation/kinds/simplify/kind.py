"""Say the same in simpler words. Several people do it for each sentence: there is more than one good way."""

from collections.abc import Mapping
from typing import Any

from annotation.kinds.contract import Asked, Kind, Lesson, UnusableAnswer, Written, gettext_noop
from annotation.kinds.words import check_words, export_pair, key_of_words


def check(text: str, payload: Mapping[str, Any], asked: Asked) -> Written:
    """Words that are not the sentence itself."""
    written = check_words(text, payload, asked)
    if key_of_words(written) == key_of_words(Written(asked.text)):
        raise UnusableAnswer("This is the sentence as it was. If it cannot be simpler, skip it and say so.")
    return written


def request(asked: Asked) -> str:
    """The language, and the sentence."""
    return f"Say this in simpler words, in {asked.language_name}:\n{asked.text}"


KIND = Kind(
    slug="simplify",
    name=gettext_noop("Simplification"),
    verb=gettext_noop("Simplify"),
    about=gettext_noop("Several people say the same in simpler words."),
    check=check,
    key_of=key_of_words,
    export=export_pair,
    lesson=Lesson(system="You write plainly.", request=request),
    restates=True,
    stop={"stop": "unique", "answers": 3, "at_most": 5},
    guidance=gettext_noop("Common words, short sentences, one thought in each. Leave out nothing that matters."),
)
