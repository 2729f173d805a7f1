"""Answer an instruction or a question; others then rank the answers in a project that compares them."""

from typing import Any

from annotation.kinds.contract import Asked, Kind, Lesson, Written, gettext_noop
from annotation.kinds.words import check_words, key_of_words


def export(asked: Asked, written: Written) -> dict[str, Any]:
    """The instruction and the response."""
    return {"instruction": asked.text, "response": written.text}


KIND = Kind(
    slug="respond",
    name=gettext_noop("Response"),
    verb=gettext_noop("Respond"),
    about=gettext_noop("People answer an instruction or a question."),
    check=check_words,
    key_of=key_of_words,
    export=export,
    lesson=Lesson(system="You answer helpfully.", request=lambda asked: asked.text),
    stop={"stop": "unique", "answers": 2, "at_most": 4},
)
