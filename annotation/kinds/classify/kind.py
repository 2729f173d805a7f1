"""Put a sentence into one or several classes of the project's schema."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from annotation.kinds.contract import (
    Asked,
    Kind,
    Lesson,
    SettingField,
    UnusableAnswer,
    UnusableSettings,
    Written,
    gettext_noop,
    only,
)
from annotation.kinds.schema import check_labels, described, names_of


def check(text: str, payload: Mapping[str, Any], asked: Asked) -> Written:
    """{"labels": [names]}: known ones, each once, in the schema's order."""
    labels = payload.get("labels")
    known = names_of(asked.settings)
    if text or set(payload) - {"labels"} or not isinstance(labels, list):
        raise UnusableAnswer("An answer of this kind is a choice of labels.", field="labels")
    if not labels:
        raise UnusableAnswer("Choose what fits, or skip it.", field="labels")
    if unknown := [label for label in labels if label not in known]:
        raise UnusableAnswer(
            "%(name)s is not one of the labels: %(known)s.", field="labels", name=unknown[0], known=", ".join(known)
        )
    if len(labels) > 1 and not asked.settings.get("several"):
        raise UnusableAnswer("Choose one.", field="labels")
    return Written(payload={"labels": [label for label in known if label in labels]})


def check_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """labels: the classes; several: whether more than one may fit; question: what is asked."""
    only(given, ("labels", "several", "question"))
    if not isinstance(given.get("several", False), bool):
        raise UnusableSettings("several is true or false.")
    return {
        "labels": check_labels(given.get("labels")),
        "several": given.get("several", False),
        "question": str(given.get("question", ""))[:200],
    }


def from_form(form: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, Any]]:
    """The ticked labels."""
    return "", {"labels": list(form.get("labels") or [])}


def export(asked: Asked, written: Written) -> dict[str, Any]:
    """The sentence and its labels."""
    return {"text": asked.text, "labels": list(written.payload["labels"])}


def request(asked: Asked) -> str:
    """The question, the labels with what they mean, and the sentence."""
    question = asked.settings.get("question") or "What fits this sentence?"
    number = "One or several of" if asked.settings.get("several") else "One of"
    return f"{question} {number}: {described(asked.settings)}.\n{asked.text}"


def read(asked: Asked, said: str) -> tuple[str, dict[str, Any]]:
    """The labels among what was said, in commas."""
    parts = {part.strip().casefold() for part in said.splitlines()[0].split(",")} if said.strip() else set()
    return "", {"labels": [name for name in names_of(asked.settings) if name.casefold() in parts]}


def arrange(asked: Asked, given: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The labels, the question, and whether several may be ticked."""
    return {key: asked.settings.get(key) for key in ("labels", "several", "question")}


KIND = Kind(
    slug="classify",
    name=gettext_noop("Classification"),
    verb=gettext_noop("Classify"),
    about=gettext_noop("People sort sentences into classes; two who agree settle it."),
    check=check,
    from_form=from_form,
    check_settings=check_settings,
    arrange=arrange,
    setting_fields=(
        SettingField(
            name="labels",
            label=gettext_noop("Labels"),
            typed_as="labels",
            help=gettext_noop("One on each line. After a colon, words that explain it."),
        ),
        SettingField(name="several", label=gettext_noop("Several may fit"), typed_as="flag"),
        SettingField(name="question", label=gettext_noop("What is asked"), typed_as="line"),
    ),
    key_of=lambda written: json.dumps(written.payload["labels"]),
    export=export,
    lesson=Lesson(
        system="You sort sentences carefully.",
        request=request,
        completion=lambda asked, written: ", ".join(written.payload["labels"]),
        read=read,
    ),
    is_text=False,
    is_reviewed=False,
    stop={"stop": "matching", "answers": 2, "at_most": 3},
)
