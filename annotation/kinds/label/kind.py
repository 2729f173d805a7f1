"""Mark spans of a sentence with labels. Offsets are Unicode code points, from before the first to after the last."""

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
from annotation.text.direction import base_direction
from annotation.text.gazetteer import from_gazetteer
from annotation.text.segments import Stretch, is_blank, pieces
from annotation.text.spans import MalformedSpans, read_spans

HOTKEYS = "123456789abcdefghijklmnopqrstuvwxyz"
EMPTY_ROWS = 5
# What a model says where there is nothing to mark.
NOTHING = "–"


def check(text: str, payload: Mapping[str, Any], asked: Asked) -> Written:
    """{"spans": [{"start", "end", "label", "suggested_by"}]}; none at all is an answer too.

    Pages without JavaScript send {"rows", "accept"} instead: labels from word to word, and suggestions that were kept.
    """
    if text or set(payload) not in ({"spans"}, {"rows", "accept"}):
        raise UnusableAnswer("An answer of this kind is a list of spans.", field="spans")
    overlap = bool(asked.settings.get("overlap", True))
    raw = payload["spans"] if "spans" in payload else _spans_of_rows(payload, asked)
    try:
        spans = read_spans(raw, asked.text, names_of(asked.settings), may_overlap=overlap)
    except MalformedSpans as error:
        raise UnusableAnswer(error.message, field="spans", **error.values) from error
    rows: list[dict[str, Any]] = [
        {"start": one.start, "end": one.end, "label": one.label, "suggested_by": one.suggested_by} for one in spans
    ]
    return Written(payload={"spans": rows})


def words_of(text: str) -> list[Stretch]:
    """The pieces that a page without JavaScript numbers from 1: words, marks, clusters of scripts without spaces."""
    return [piece for piece in pieces(text) if not is_blank(piece.text)]


def _spans_of_rows(payload: Mapping[str, Any], asked: Asked) -> list[dict[str, Any]]:
    words, offered = words_of(asked.text), suggestions_for(asked)
    spans: list[dict[str, Any]] = []
    for number, (exact, first, last, label) in enumerate(payload["rows"], start=1):
        if not (first or last or label):
            continue
        if not (first.isdecimal() and last.isdecimal() and 1 <= int(first) <= int(last) <= len(words)):
            raise UnusableAnswer(
                "Row %(number)s needs two numbers of words, from 1 to %(last)s.",
                field="spans",
                number=number,
                last=len(words),
            )
        start, end = words[int(first) - 1].start, words[int(last) - 1].end
        kept = [int(place) for place in exact.split("-") if place.isdecimal()]
        # A row that still names the same words keeps a place inside a word.
        if len(kept) == 2 and _row_of(words, *kept) == (int(first), int(last)):
            start, end = kept
        spans.append({"start": start, "end": end, "label": label})
    for choice in payload["accept"]:
        if choice.isdecimal() and int(choice) < len(offered):
            one = offered[int(choice)]
            spans.append({key: one[key] for key in ("start", "end", "label", "suggested_by")})
    return spans


def _row_of(words: Sequence[Stretch], start: int, end: int) -> tuple[int, int]:
    """The numbers of the first and the last word that a span touches."""
    touched = [number for number, word in enumerate(words, start=1) if word.start < end and start < word.end]
    return (touched[0], touched[-1]) if touched else (0, 0)


def suggestions_for(asked: Asked) -> list[dict[str, Any]]:
    """What models and the community's known words propose; each is kept or put aside by a person, one by one."""
    found = from_gazetteer(asked.text, asked.settings.get("gazetteer", {}))
    rows: list[dict[str, Any]] = [
        {"start": one.start, "end": one.end, "label": one.label, "suggested_by": one.suggested_by} for one in found
    ]
    for made in asked.suggestions:
        for span in made.get("spans", []):
            same: dict[str, Any] = {key: span[key] for key in ("start", "end", "label")}
            if not any(same.items() <= row.items() for row in rows):
                rows.append({**same, "suggested_by": made["made_by"]})
    return [dict(row, text=asked.text[row["start"] : row["end"]]) for row in rows]


def arrange(asked: Asked, given: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """What the annotator and the rows of words show."""
    spans = given.get("spans", [])
    spans = spans if isinstance(spans, list) else []
    words = words_of(asked.text)
    rows = [_as_row(words, span) for span in spans if isinstance(span, Mapping)]
    labels = asked.settings.get("labels", [])
    taken = {(span.get("start"), span.get("end"), span.get("label")) for span in spans if isinstance(span, Mapping)}
    offered = [one for one in suggestions_for(asked) if (one["start"], one["end"], one["label"]) not in taken]
    return {
        "text": asked.text,
        "direction": base_direction(asked.text),
        "labels": [
            {
                "code": one["name"],
                "name": one["words"],
                "colour": number % 8 + 1,
                "hotkey": HOTKEYS[number : number + 1],
            }
            for number, one in enumerate(labels)
        ],
        "spans_json": json.dumps(spans),
        "suggestions": offered,
        "words": [word.text for word in words],
        "rows": [*rows, *({} for _ in range(EMPTY_ROWS))],
    }


def _as_row(words: Sequence[Stretch], span: Mapping[str, Any]) -> dict[str, Any]:
    start, end = span.get("start"), span.get("end")
    if not (isinstance(start, int) and isinstance(end, int)):
        return {}
    first, last = _row_of(words, start, end)
    return {"from_word": first, "to_word": last, "label": span.get("label", ""), "exact": f"{start}-{end}"}


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
        raise UnusableSettings("gazetteer uses the unknown label %(name)s.", name=wrong[0])
    return {"labels": labels, "overlap": given.get("overlap", True), "gazetteer": dict(gazetteer)}


def from_form(form: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, Any]]:
    """The hidden field that the page's element fills with JSON, or the rows of a page without JavaScript.

    What is no JSON is refused as it is.
    """
    if "row_from" in form:
        columns = (form.get(name, ()) for name in ("row_exact", "row_from", "row_to", "row_label"))
        return "", {"rows": list(zip(*columns, strict=False)), "accept": list(form.get("accept") or [])}
    sent = (form.get("spans") or ["[]"])[-1]
    try:
        return "", {"spans": json.loads(sent or "[]")}
    except (ValueError, RecursionError):
        return "", {"spans": sent}


def key_of(written: Written) -> str:
    """The same spans with the same labels say the same, wherever they were suggested by."""
    return json.dumps([[span["start"], span["end"], span["label"]] for span in written.payload["spans"]])


def export(asked: Asked, written: Written) -> dict[str, Any]:
    """The sentence, its spans with the words they cover, and whether each began as a suggestion."""
    spans = [{**span, "words": asked.text[span["start"] : span["end"]]} for span in written.payload["spans"]]
    return {"text": asked.text, "spans": spans}


def request(asked: Asked) -> str:
    """The labels with what they mean, how to answer, and the sentence."""
    return (
        f"Mark in this sentence: {described(asked.settings)}. Each on a line of its own, as LABEL: words. "
        f"If there is nothing, {NOTHING}\n{asked.text}"
    )


def completion(asked: Asked, written: Written) -> str:
    """A line for each span in the order of the sentence."""
    spans = sorted(written.payload["spans"], key=lambda span: (span["start"], -span["end"]))
    return "\n".join(f"{span['label']}: {asked.text[span['start'] : span['end']]}" for span in spans) or NOTHING


def read(asked: Asked, said: str) -> tuple[str, dict[str, Any]]:
    """The spans of lines "LABEL: words": each where its words come next, and only where it could be marked."""
    found: list[dict[str, Any]] = []
    after: dict[str, int] = {}
    for line in said.splitlines():
        label, _, phrase = (part.strip() for part in line.partition(":"))
        start = asked.text.find(phrase, after.get(phrase, 0)) if phrase else -1
        if start < 0:
            continue
        after[phrase] = start + len(phrase)
        span = {"start": start, "end": start + len(phrase), "label": label}
        overlap = bool(asked.settings.get("overlap", True))
        try:
            read_spans([*found, span], asked.text, names_of(asked.settings), may_overlap=overlap)
        except MalformedSpans:
            continue
        found.append(span)
    return "", {"spans": found}


KIND = Kind(
    slug="label",
    name=gettext_noop("Labelling"),
    verb=gettext_noop("Label"),
    about=gettext_noop("People mark words or passages: names, places, parts of speech."),
    check=check,
    from_form=from_form,
    check_settings=check_settings,
    arrange=arrange,
    has_head=True,
    shows_text=True,
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
    lesson=Lesson(system="You read closely.", request=request, completion=completion, read=read),
    is_text=False,
    stop={"stop": "total", "answers": 1},
)
