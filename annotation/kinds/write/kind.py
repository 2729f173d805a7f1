"""Write something of one's own: to a prompt, to a picture, or freely."""

from typing import Any

from annotation.kinds.contract import Asked, Kind, Written, gettext_noop
from annotation.kinds.words import check_words, key_of_words


def export(asked: Asked, written: Written) -> dict[str, Any]:
    """The prompt (empty for free writing), the picture's description, and the words."""
    return {"prompt": asked.text, "picture": asked.extra.get("picture", ""), "text": written.text}


KIND = Kind(
    slug="write",
    name=gettext_noop("Writing"),
    verb=gettext_noop("Write"),
    about=gettext_noop("People write something of their own: to a prompt, to a picture, or freely."),
    check=check_words,
    key_of=key_of_words,
    export=export,
    stop={"stop": "unique", "answers": 3, "at_most": 10},
)
