"""Every kind of task checks its answers and its settings, says what equals what, and exports."""

from dataclasses import replace
from pathlib import Path

import pytest

from annotation.kinds import KINDS
from annotation.kinds.contract import Asked, UnusableAnswer, UnusableSettings, Written
from tests.kinds.opening import SETTINGS

FOLDER = Path(__file__).resolve().parents[2] / "annotation" / "kinds"
EXTRA = {"compare": {"option_a": "uno", "option_b": "dos"}, "rate": {"candidate": "uno"}}
# For each kind: a good answer as (text, payload), and what its export says of it.
GOOD = {
    "translate": (("ñu  ä", {}), {"source": "una frase", "target": "ñu ä"}),
    "simplify": (("una cosa", {}), {"source": "una frase", "target": "una cosa"}),
    "write": (("ñu ä", {}), {"prompt": "una frase", "picture": "", "text": "ñu ä"}),
    "respond": (("ñu ä", {}), {"instruction": "una frase", "response": "ñu ä"}),
    "classify": (("", {"labels": ["sad"]}), {"text": "una frase", "labels": ["sad"]}),
    "compare": (
        ("", {"choice": "b"}),
        {"prompt": "una frase", "option_a": "uno", "option_b": "dos", "choice": "b"},
    ),
    "rate": (
        ("", {"adequacy": 4, "fluency": 5}),
        {"source": "una frase", "candidate": "uno", "ratings": {"adequacy": 4, "fluency": 5}, "scale": [1, 5]},
    ),
    "contrast": (
        ("", {"about": {"others": "ñu  otro", "ones": "ñu uno"}}),
        {"prompt": "una frase", "pair": [{"group": "ones", "text": "ñu uno"}, {"group": "others", "text": "ñu otro"}]},
    ),
    "label": (
        ("", {"spans": [{"start": 4, "end": 9, "label": "LOC"}]}),
        {
            "text": "una frase",
            "spans": [{"start": 4, "end": 9, "label": "LOC", "suggested_by": "", "words": "frase"}],
        },
    ),
}
BAD = [
    ("translate", "", {}),
    ("translate", "ñu", {"more": 1}),
    ("translate", "Слова", {}),
    ("simplify", "Una frase.", {}),
    ("classify", "", {}),
    ("classify", "", {"labels": []}),
    ("classify", "", {"labels": ["glad", "sad"]}),
    ("classify", "", {"labels": ["angry"]}),
    ("classify", "", {"labels": "glad"}),
    ("compare", "", {"choice": "c"}),
    ("compare", "words", {"choice": "a"}),
    ("contrast", "", {}),
    ("contrast", "words", {"about": {"ones": "ñu uno", "others": "ñu otro"}}),
    ("contrast", "", {"about": ["ñu uno", "ñu otro"]}),
    ("contrast", "", {"about": {"ones": "ñu uno"}}),
    ("contrast", "", {"about": {"ones": "ñu uno", "third": "ñu otro"}}),
    ("contrast", "", {"about": {"ones": "ñu uno", "others": ""}}),
    ("contrast", "", {"about": {"ones": "ñu uno", "others": 2}}),
    ("contrast", "", {"about": {"ones": "ñu uno", "others": "Ñu uno."}}),
    ("contrast", "", {"about": {"ones": "ñu uno", "others": "Слова"}}),
    ("contrast", "", {"about": {"ones": "ñu " * 101, "others": "ñu otro"}}),
    ("contrast", "", {"about": {"ones": "el agua está fría hoy", "others": "mañana vienen muchos perros"}}),
    ("rate", "", {"adequacy": 4}),
    ("rate", "", {"adequacy": 4, "fluency": 6}),
    ("rate", "", {"adequacy": 4, "fluency": True}),
    ("rate", "", {"adequacy": 4, "fluency": 5, "speed": 5}),
    ("label", "", {"spans": "none"}),
    ("label", "", {"spans": [{"start": 4, "end": 19, "label": "LOC"}]}),
    ("label", "", {"spans": [{"start": 4, "end": 9, "label": "ORG"}]}),
    ("label", "words", {"spans": []}),
]


def asked(kind: str) -> Asked:
    settings = KINDS[kind].check_settings(SETTINGS.get(kind, {}))
    return Asked(text="una frase", extra=EXTRA.get(kind, {}), settings=settings, language_name="Test")


def test_there_is_an_example_of_every_kind():
    assert set(GOOD) == set(KINDS)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_good_answer_is_checked_compared_and_exported(name):
    (text, payload), exported = GOOD[name]
    kind = KINDS[name]
    written = kind.check(text, payload, asked(name))
    assert kind.export(asked(name), written) == exported
    assert kind.key_of(written) == kind.key_of(kind.check(text, payload, asked(name)))


@pytest.mark.parametrize(("name", "text", "payload"), BAD)
def test_a_bad_answer_is_refused_with_words(name, text, payload):
    with pytest.raises(UnusableAnswer, match=r"\w"):
        KINDS[name].check(text, payload, asked(name))


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("translate", {"speed": 1}, "no setting speed"),
        ("classify", {}, "at least one"),
        ("classify", {"labels": ["a", "a"]}, "twice"),
        ("classify", {"labels": ["a"], "several": "yes"}, "several"),
        ("label", {"labels": ["a"], "gazetteer": {"uno": "b"}}, "unknown label b"),
        ("contrast", {}, "at least one"),
        ("contrast", {"groups": ["ones"]}, "at least two"),
        ("contrast", {"groups": [f"g{n}" for n in range(9)]}, "8 labels at most"),
        ("rate", {"axes": ["speed"]}, "axes"),
        ("rate", {"from": 5, "to": 1}, "from and to"),
    ],
)
def test_settings_that_do_not_fit_are_named(name, given, words):
    with pytest.raises(UnusableSettings, match=words):
        KINDS[name].check_settings(given)


@pytest.mark.parametrize("name", ["compare", "rate"])
def test_an_item_without_what_is_asked_about_is_refused(name):
    with pytest.raises(UnusableAnswer):
        KINDS[name].check_item("una frase", {})
    KINDS[name].check_item("una frase", EXTRA[name])


def test_a_form_becomes_the_answer_that_was_filled_in():
    assert KINDS["translate"].from_form({"text": ["ñu"]}) == ("ñu", {})
    assert KINDS["classify"].from_form({"labels": ["a", "b"]}) == ("", {"labels": ["a", "b"]})
    assert KINDS["compare"].from_form({"choice": ["tie"]}) == ("", {"choice": "tie"})
    assert KINDS["rate"].from_form({"adequacy": ["4"], "fluency": ["x"]}) == ("", {"adequacy": 4, "fluency": "x"})
    typed = {"about:ones": ["ñu uno"], "about:others": [" "], "client_id": ["1"]}
    assert KINDS["contrast"].from_form(typed) == ("", {"about": {"ones": "ñu uno"}})
    assert KINDS["label"].from_form({"spans": ['[{"start": 1}]']}) == ("", {"spans": [{"start": 1}]})


def test_texts_that_differ_in_case_or_punctuation_say_the_same():
    key = KINDS["translate"].key_of
    assert key(Written("Ñu, ä!")) == key(Written("ñu ä"))
    assert key(Written("ñu ä")) != key(Written("ñu a"))


def test_the_order_of_two_wordings_differs_from_task_to_task():
    orders = {
        tuple(side for side, _ in KINDS["compare"].arrange(asked("compare"), {}, seed)["options"]) for seed in (1, 2)
    }
    assert orders == {("a", "b"), ("b", "a")}


def test_that_both_are_bad_can_be_said_where_it_is_offered():
    compare = KINDS["compare"]
    assert compare.check_settings({}) == {"question": "Which one is better?"}
    offered = replace(asked("compare"), settings=compare.check_settings({"both_bad": True}))
    assert compare.check("", {"choice": "bad"}, offered) == Written(payload={"choice": "bad"})
    assert compare.arrange(offered, {}, 1)["offers_both_bad"]
    with pytest.raises(UnusableAnswer):
        compare.check("", {"choice": "bad"}, asked("compare"))


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_kind_has_the_same_furniture(name):
    assert {"kind.py", "form.html", "review.html", "README.md"} <= {path.name for path in (FOLDER / name).iterdir()}
    assert KINDS[name].slug == name
