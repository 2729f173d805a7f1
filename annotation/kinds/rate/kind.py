"""Rate a wording on the scale that the project sets: adequacy, fluency, simplicity, appropriateness."""

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

AXES = {
    gettext_noop("adequacy"): gettext_noop("It says what the original says"),
    gettext_noop("fluency"): gettext_noop("It reads well"),
    gettext_noop("simplicity"): gettext_noop("It is easy to understand"),
    gettext_noop("appropriateness"): gettext_noop("It is fitting to say"),
}


def check(text: str, payload: Mapping[str, Any], asked: Asked) -> Written:
    """{axis: step} for every axis of the project, within its scale."""
    axes, least, most = asked.settings["axes"], asked.settings["from"], asked.settings["to"]
    if text or set(payload) - set(axes):
        raise UnusableAnswer("An answer of this kind is a rating.", field="ratings")
    for axis in axes:
        step = payload.get(axis)
        if isinstance(step, bool) or not isinstance(step, int) or not least <= step <= most:
            raise UnusableAnswer(
                "Choose a number from %(least)s to %(most)s on every line.", field=axis, least=least, most=most
            )
    return Written(payload={axis: payload[axis] for axis in axes})


def check_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """axes: which of the four; from, to: the ends of the scale, at most eleven steps apart."""
    only(given, ("axes", "from", "to"))
    axes = given.get("axes") or ["adequacy", "fluency"]
    least, most = given.get("from", 1), given.get("to", 5)
    if not isinstance(axes, list) or not set(axes) <= set(AXES) or len(set(axes)) != len(axes):
        raise UnusableSettings("axes is a list of %(known)s.", known=", ".join(AXES))
    whole = all(isinstance(end, int) and not isinstance(end, bool) for end in (least, most))
    if not whole or not 0 <= least < most <= least + 11:
        raise UnusableSettings("from and to are whole numbers, from below to, at most eleven steps apart.")
    return {"axes": [axis for axis in AXES if axis in axes], "from": least, "to": most}


def check_item(text: str, extra: Mapping[str, Any]) -> None:
    """An item needs a wording to rate."""
    if not extra.get("candidate"):
        raise UnusableAnswer("A wording to rate is needed: candidate.")


def from_form(form: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, Any]]:
    """The chosen step of each axis; what is no number stays as it is, to be refused."""
    chosen = {axis: form[axis][-1] for axis in AXES if form.get(axis)}
    return "", {axis: int(step) if step.isascii() and step.isdigit() else step for axis, step in chosen.items()}


def export(asked: Asked, written: Written) -> dict[str, Any]:
    """The original, the wording, the ratings and their scale."""
    return {
        "source": asked.text,
        "candidate": asked.extra.get("candidate", ""),
        "ratings": dict(written.payload),
        "scale": [asked.settings["from"], asked.settings["to"]],
    }


def arrange(asked: Asked, given: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The axes with their words, and the steps of the scale."""
    steps = range(asked.settings["from"], asked.settings["to"] + 1)
    return {
        "candidate": asked.extra.get("candidate", ""),
        "axes": [(axis, AXES[axis]) for axis in asked.settings["axes"]],
        "steps": [str(step) for step in steps],
    }


KIND = Kind(
    slug="rate",
    name=gettext_noop("Rating"),
    verb=gettext_noop("Rate"),
    about=gettext_noop("People rate a wording: does it say the same, does it read well?"),
    check=check,
    from_form=from_form,
    check_settings=check_settings,
    check_item=check_item,
    arrange=arrange,
    setting_fields=(
        SettingField(
            name="axes",
            label=gettext_noop("What is rated"),
            typed_as="several",
            choices=tuple(AXES.items()),
            initial=["adequacy", "fluency"],
        ),
        SettingField(name="from", label=gettext_noop("The scale begins at"), typed_as="number", initial=1),
        SettingField(name="to", label=gettext_noop("The scale ends at"), typed_as="number", initial=5),
    ),
    columns=("candidate",),
    key_of=lambda written: json.dumps(dict(written.payload), sort_keys=True),
    export=export,
    is_text=False,
    is_reviewed=False,
    stop={"stop": "total", "answers": 3},
)
