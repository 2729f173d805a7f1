"""What a task kind is: how its answers are checked, compared, shown and exported. PURE: no Django, no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from annotation.worded import Worded


class UnusableAnswer(Worded):
    """What was sent cannot be an answer; the message is for the person, `field` names the part of the form."""

    def __init__(self, message: str, *, field: str = "text", **values: object) -> None:
        super().__init__(message, **values)
        self.field = field


class UnusableSettings(Worded):
    """A project's settings do not fit its kind; the message names the setting."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a task shows: the item's text and its extra parts, under the project's settings."""

    text: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    script: str = "Latn"
    language_name: str = ""
    source_language_name: str = ""
    suggestions: Sequence[Mapping[str, Any]] = ()
    """Payloads that machines propose, each with `made_by`."""


@dataclass(frozen=True)
class Written:
    """A checked answer: its words in Unicode NFC, or its choices, or both."""

    text: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """How a model is asked for an answer of a kind, and how it writes one; in words that a community can read."""

    system: str
    """What the model is told it is, in every lesson of the kind."""
    request: Callable[[Asked], str]
    completion: Callable[[Asked, Written], str] = lambda asked, written: written.text
    read: Callable[[Asked, str], tuple[str, dict[str, Any]]] = lambda asked, said: (said.strip(), {})
    """What the model said as text and payload, unchecked; what cannot be meant is left out."""


@dataclass(frozen=True, kw_only=True)
class SettingField:
    """How a steward sets one of a kind's settings in a form; the form's code turns what is typed into its value."""

    name: str
    label: str
    typed_as: str
    """labels: a line each, "name: words" · pairs: a line each, "words = label" · line · flag · several · number."""
    choices: tuple[tuple[str, str], ...] = ()
    initial: Any = None
    help: str = ""


def gettext_noop(words: str) -> str:
    """Mark words for the catalogues; templates translate them where they are shown."""
    return words


def no_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a kind that has none."""
    only(given, ())
    return {}


def only(given: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise UnusableSettings when a setting is given that the kind does not know."""
    if unknown := sorted(set(given) - set(known)):
        raise UnusableSettings(
            "There is no setting %(name)s. Known: %(known)s.", name=unknown[0], known=", ".join(known) or "–"
        )


def text_field(form: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, Any]]:
    """From a sent form with one text field named `text`: the text, and nothing else."""
    return (form.get("text") or [""])[-1], {}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of task. Its folder holds this in `kind.py`, `form.html`, `review.html` and a README."""

    slug: str
    name: str
    verb: str
    """What the button says: Translate, Compare, …"""
    about: str
    """One sentence for stewards who choose among kinds."""
    columns: tuple[str, ...] = ()
    """Columns that an item needs beside its text, such as candidate."""
    check: Callable[[str, Mapping[str, Any], Asked], Written]
    """Text and payload as they were sent, and what was asked, to a checked answer. Raises UnusableAnswer."""
    from_form: Callable[[Mapping[str, Sequence[str]]], tuple[str, dict[str, Any]]] = text_field
    """The fields of a sent form (each a list of values) to text and payload, unchecked."""
    check_settings: Callable[[Mapping[str, Any]], dict[str, Any]] = no_settings
    """A project's settings, completed with defaults. Raises UnusableSettings."""
    setting_fields: tuple[SettingField, ...] = ()
    """The same settings, as a steward's form asks for them."""
    check_item: Callable[[str, Mapping[str, Any]], None] = lambda text, extra: None
    """Raise UnusableAnswer when an item's text and extra parts are not what this kind can ask about."""
    key_of: Callable[[Written], str]
    """Answers with equal keys say the same."""
    export: Callable[[Asked, Written], dict[str, Any]]
    """The columns of one answer in a release and a download, beside its id and provenance."""
    lesson: Lesson | None = None
    """How models learn the kind and answer it; None where its answers are choices among other people's words, or are
    kept for measuring models."""
    arrange: Callable[[Asked, Mapping[str, Any], int], dict[str, Any]] = lambda asked, given, seed: {}
    """What `form.html` needs: from what is asked, the payload given so far, and a number that differs from task to
    task and person to person."""
    has_head: bool = False
    """Whether `head.html` names scripts and style sheets of its own, loaded on its pages alone."""
    shows_text: bool = False
    """Whether the form itself shows the item's text, which then stands nowhere else on the page."""
    is_text: bool = True
    """Whether an answer is words, which are then checked for script and may be corrected."""
    is_free: bool = False
    """Whether answers are words of one's own although they are kept in parts, so that different ones may be right."""
    restates: bool = False
    """Whether an answer says what its item says, so that numbers, length and wording can be compared with it."""
    is_reviewed: bool = True
    """Whether peers read each answer; else answers settle by agreeing with one another."""
    stop: Mapping[str, Any] = field(default_factory=lambda: {"stop": "total", "answers": 1})
    """When a task has enough answers, unless its project says otherwise."""
    guidance: str = ""
    """A line beside the form."""

    @property
    def has_one_right(self) -> bool:
        """Whether of different answers to one task one at most is right."""
        return not (self.is_text or self.is_free)

    @property
    def form_template(self) -> str:
        """The fields of an answer."""
        return f"{self.slug}/form.html"

    @property
    def head_template(self) -> str:
        """Scripts and style sheets of its own; empty when it has none."""
        return f"{self.slug}/head.html" if self.has_head else ""

    @property
    def review_template(self) -> str:
        """How an answer is shown to those who check it."""
        return f"{self.slug}/review.html"
