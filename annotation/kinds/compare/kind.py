"""Which of two wordings is better, or neither. The page shows them in an order that differs from person to person."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.kinds.contract import Asked, Kind, SettingField, UnusableAnswer, Written, gettext_noop, only

SIDES = ("a", "b")
TIE, BOTH_BAD = "tie", "bad"


def check(text: str, payload: Mapping[str, Any], asked: Asked) -> Written:
    """{"choice": "a" | "b" | "tie"}, whatever side each stood on; "bad", for both, where the project offers it."""
    choices = (*SIDES, TIE, *((BOTH_BAD,) if asked.settings.get("both_bad") else ()))
    if text or set(payload) != {"choice"} or payload["choice"] not in choices:
        raise UnusableAnswer("Choose one of the two, or say that neither is better.", field="choice")
    return Written(payload={"choice": payload["choice"]})


def check_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """question: what better means here; both_bad: whether people may say that neither will do."""
    only(given, ("question", "both_bad"))
    question = str(given.get("question") or gettext_noop("Which one is better?"))[:200]
    return {"question": question, **({"both_bad": True} if given.get("both_bad") else {})}


def check_item(text: str, extra: Mapping[str, Any]) -> None:
    """An item needs two wordings that differ."""
    first, second = extra.get("option_a", ""), extra.get("option_b", "")
    if not first or not second or first == second:
        raise UnusableAnswer("Two different wordings are needed to compare: option_a and option_b.")


def from_form(form: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, Any]]:
    """The chosen button."""
    return "", {"choice": (form.get("choice") or [""])[-1]}


def export(asked: Asked, written: Written) -> dict[str, Any]:
    """The two wordings and the better one."""
    return {
        "prompt": asked.text,
        "option_a": asked.extra.get("option_a", ""),
        "option_b": asked.extra.get("option_b", ""),
        "choice": written.payload["choice"],
    }


def arrange(asked: Asked, given: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The two wordings, in an order that says nothing about where they come from."""
    options = [(side, asked.extra.get(f"option_{side}", "")) for side in SIDES]
    return {
        "question": asked.settings.get("question", ""),
        "options": options if shown_first(seed) == SIDES[0] else options[::-1],
        "offers_both_bad": asked.settings.get("both_bad", False),
    }


def shown_first(seed: int) -> str:
    """Which side stands first for that number: by it one sees afterwards whether people just took the first."""
    return SIDES[seed % 2]


KIND = Kind(
    slug="compare",
    name=gettext_noop("Comparison"),
    verb=gettext_noop("Compare"),
    about=gettext_noop("People say which of two wordings is better."),
    check=check,
    from_form=from_form,
    check_settings=check_settings,
    check_item=check_item,
    arrange=arrange,
    setting_fields=(
        SettingField(
            name="question",
            label=gettext_noop("What is asked"),
            typed_as="line",
            initial=gettext_noop("Which one is better?"),
        ),
    ),
    columns=("option_a", "option_b"),
    key_of=lambda written: str(written.payload["choice"]),
    export=export,
    is_text=False,
    is_reviewed=False,
    stop={"stop": "total", "answers": 3},
)
