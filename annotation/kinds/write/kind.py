"""Write something of one's own: to a prompt, to a picture, or freely."""

from typing import Any

from annotation.kinds.contract import Asked, Kind, Lesson, Written, gettext_noop
from annotation.kinds.words import check_words, key_of_words


def export(asked: Asked, written: Written) -> dict[str, Any]:
    """The prompt (empty for free writing), the picture's description, and the words."""
    return {"prompt": asked.text, "picture": asked.extra.get("picture", ""), "text": written.text}


def request(asked: Asked) -> str:
    """The language, and the prompt or the picture's description, if there is one."""
    if picture := asked.extra.get("picture", ""):
        return f"Write in {asked.language_name} about this picture: {picture}\n{asked.text}".strip()
    return (
        f"Write in {asked.language_name}:\n{asked.text}" if asked.text else f"Write something in {asked.language_name}."
    )


KIND = Kind(
    slug="write",
    name=gettext_noop("Writing"),
    verb=gettext_noop("Write"),
    about=gettext_noop("People write something of their own: to a prompt, to a picture, or freely."),
    check=check_words,
    key_of=key_of_words,
    export=export,
    lesson=Lesson(system="You are a careful writer.", request=request),
    stop={"stop": "unique", "answers": 3, "at_most": 10},
)
