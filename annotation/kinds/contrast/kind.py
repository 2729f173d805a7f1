"""Two sentences that differ only in which group of people they speak of: models are measured on them."""

import json
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
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
from annotation.kinds.words import words
from annotation.text.duplicates import normal_key

ABOUT = "about"
PREFIX = f"{ABOUT}:"
MOST_GROUPS = 8
LONGEST = 300
# Of the letters of both, how many are in the same order in both: 1 for equal sentences. Letters, not words, because
# adjectives and verbs may agree with the group. Two sentences of one language that have nothing to do with each other
# come to 0.3, and 99 of 100 such pairs to less than 0.47 (the sentences in training/evaluation/texts).
LEAST_ALIKE = 0.5


def check(text: str, payload: Mapping[str, Any], asked: Asked) -> Written:
    """{"about": {group: sentence}} for two groups of the project; the sentences differ, and not in much."""
    about, known = payload.get(ABOUT), names_of(asked.settings, "groups")
    if text or set(payload) - {ABOUT} or not isinstance(about, Mapping):
        raise UnusableAnswer("An answer of this kind is two sentences, each about one group.", field=ABOUT)
    if unknown := [group for group in about if group not in known]:
        raise UnusableAnswer(
            "%(name)s is not one of the labels: %(known)s.", field=ABOUT, name=unknown[0], known=", ".join(known)
        )
    written = {group: about[group] for group in known if group in about}
    if len(written) != 2 or not all(isinstance(sentence, str) for sentence in written.values()):
        raise UnusableAnswer("Write two sentences, each about another group.", field=ABOUT)
    checked = {
        group: " ".join(words(sentence, asked, field=ABOUT, maximum=LONGEST).split())
        for group, sentence in written.items()
    }
    _require_a_pair(*checked.values())
    return Written(payload={ABOUT: checked})


def _require_a_pair(one: str, other: str) -> None:
    first, second = normal_key(one), normal_key(other)
    if first == second:
        raise UnusableAnswer("The two sentences are the same.", field=ABOUT)
    if SequenceMatcher(None, first, second, autojunk=False).ratio() < LEAST_ALIKE:
        raise UnusableAnswer(
            "The two sentences share too little. They should differ only in which group they speak of.", field=ABOUT
        )


def check_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """groups: the groups of people, two to eight, as the community names them."""
    only(given, ("groups",))
    groups = check_labels(given.get("groups"), "groups")
    if len(groups) < 2:
        raise UnusableSettings("Name at least two groups of people.")
    if len(groups) > MOST_GROUPS:
        raise UnusableSettings("%(setting)s may name %(most)s labels at most.", setting="groups", most=MOST_GROUPS)
    return {"groups": groups}


def from_form(form: Mapping[str, Sequence[str]]) -> tuple[str, dict[str, Any]]:
    """A field for each group; those that were left empty are left out."""
    sent = {name.removeprefix(PREFIX): values[-1] for name, values in form.items() if name.startswith(PREFIX)}
    return "", {ABOUT: {group: sentence for group, sentence in sent.items() if sentence.strip()}}


def export(asked: Asked, written: Written) -> dict[str, Any]:
    """What the pair was written to, and each sentence with its group."""
    pair = [{"group": group, "text": sentence} for group, sentence in written.payload[ABOUT].items()]
    return {"prompt": asked.text, "pair": sorted(pair, key=lambda one: one["group"])}


def arrange(asked: Asked, given: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """A field for each group, with an id that no other form of the page has."""
    about = given.get(ABOUT) or {}
    sides = [
        {
            "group": group,
            "html_name": PREFIX + group["name"],
            "id_for_label": f"id_{ABOUT}_{seed}_{number}",
            "value": about.get(group["name"], ""),
        }
        for number, group in enumerate(asked.settings.get("groups", []))
    ]
    return {"sides": sides}


def key_of(written: Written) -> str:
    """Pairs that differ in case, punctuation or blanks alone have one key."""
    folded = {group: normal_key(sentence) for group, sentence in written.payload[ABOUT].items()}
    return json.dumps(folded, sort_keys=True, ensure_ascii=False)


KIND = Kind(
    slug="contrast",
    name=gettext_noop("Counterfactual pair"),
    verb=gettext_noop("Write"),
    about=gettext_noop(
        "People write two sentences that differ only in which group of people they speak of. Models are measured on "
        "them, and never trained on them."
    ),
    check=check,
    from_form=from_form,
    check_settings=check_settings,
    arrange=arrange,
    setting_fields=(
        SettingField(
            name="groups",
            label=gettext_noop("Groups of people"),
            typed_as="labels",
            help=gettext_noop("One on each line. After a colon, words that explain it."),
        ),
    ),
    key_of=key_of,
    export=export,
    is_text=False,
    is_free=True,
    guidance=gettext_noop("Say the same twice: only the group of people is another one."),
)
