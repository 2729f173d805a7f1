"""Mark spans of a sentence with labels. Offsets are Unicode code points, from before the first to after the last."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from annotation.kinds.contract import (
    Asked,
    Kind,
    SettingField,
    UnusableAnswer,
    UnusableSettings,
    Written,
    gettext_noop,
    only,
)
from annotation.kinds.schema import check_labels, names_of
from annotation.text.spans import MalformedSpans, read_spans


def check(text: str, payload: Mapping[str, Any], asked: Asked) -> Written:
    """{"spans": [{"start", "end", "label", "suggested_by"}]}; none at all is an answer too."""
    if text or set(payload) != {"spans"}:
        raise UnusableAnswer("An answer of this kind is a list of spans.", field="spans")
    overlap = bool(asked.settings.get("overlap", True))
    try:
        spans = read_spans(payload["spans"], asked.text, names_of(asked.settings), may_overlap=overlap)
    except MalformedSpans as error:
        raise UnusableAnswer(str(error), field="spans") from error
    rows = [{"start": one.start, "end": one.end, "label": one.label, "suggested_by": one.suggested_by} for one in spans]
    return Written(payload={"spans": rows})


def check_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """labels: the kinds of span; overlap: whether spans may overlap; gazetteer: {words: label} to suggest from."""
    only(given, ("labels", "overlap", "gazetteer"))
    labels = check_labels(given.get("labels"))
    gazetteer = given.get("gazetteer", {})
    names = {label["name"] for label in labels}
    if not isinstance(given.get("overlap", True), bool):
        raise UnusableSettings("overlap is true or false.")
    if not isinstance(gazetteer, Mapping) or not all(isinstance(word, str) and word for word in gazetteer):
        raise UnusableSettings("gazetteer names a label for each word or phrase.")
    if wrong := [label for label in gazetteer.values() if label not in names]:
        raise UnusableSettings(f"gazetteer uses the unknown label {wrong[0]}.")
    return {"labels": labels, "overlap": given.get("overlap", True), "gazetteer": dict(gazetteer)}


def from_form(form: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, Any]]:
    """The hidden field that the page's element fills with JSON; what is no JSON is refused as it is."""
    sent = (form.get("spans") or ["[]"])[-1]
    try:
        return "", {"spans": json.loads(sent or "[]")}
    except ValueError:
        return "", {"spans": sent}


def key_of(written: Written) -> str:
    """The same spans with the same labels say the same, wherever they were suggested by."""
    return json.dumps([[span["start"], span["end"], span["label"]] for span in written.payload["spans"]])


def export(asked: Asked, written: Written) -> dict[str, Any]:
    """The sentence, its spans with the words they cover, and whether each began as a suggestion."""
    spans = [{**span, "words": asked.text[span["start"] : span["end"]]} for span in written.payload["spans"]]
    return {"text": asked.text, "spans": spans}


KIND = Kind(
    slug="label",
    name=gettext_noop("Labelling"),
    verb=gettext_noop("Label"),
    about=gettext_noop("People mark words or passages: names, places, parts of speech."),
    check=check,
    from_form=from_form,
    check_settings=check_settings,
    setting_fields=(
        SettingField(
            name="labels",
            label=gettext_noop("Labels"),
            typed_as="labels",
            help=gettext_noop("One on each line. After a colon, words that explain it."),
        ),
        SettingField(name="overlap", label=gettext_noop("Marks may overlap"), typed_as="flag", initial=True),
        SettingField(
            name="gazetteer",
            label=gettext_noop("Known words"),
            typed_as="pairs",
            help=gettext_noop("One on each line: the word or phrase, an equals sign, its label. They are suggested."),
        ),
    ),
    key_of=key_of,
    export=export,
    is_text=False,
    stop={"stop": "total", "answers": 1},
)
