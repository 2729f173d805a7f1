"""What is learnt from beside the lessons: the other direction, other languages, replay, and rows of machines."""

import json
import math
from dataclasses import replace

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.recipes.conftest import lesson, write_run
from training.recipes import augment, continue_pretraining, loop, lora, mixing, stages
from training.recipes.configuration import Configuration
from training.recipes.stages import RecipeError
from training.recipes.synthetic import Synthetic, choose, copies, read_synthetic, refused
from training.recipes.text import Example, Row, encode, read_rows


@pytest.fixture(scope="module")
def config(tiny_base, tmp_path_factory):
    """Settings of a run that has 24 training rows."""
    return Configuration.read(write_run(tmp_path_factory.mktemp("mixing") / "run", tiny_base), "lora")


@pytest.fixture(scope="module")
def tokenizer(tiny_base):
    return AutoTokenizer.from_pretrained(tiny_base)


def with_(config, **changed):
    return replace(config, mixing=replace(config.mixing, **changed))


def lessons(config, tokenizer):
    return mixing.lessons_of(config, tokenizer, loop.load_examples(config, tokenizer, "train"))


def test_by_default_only_the_lessons_are_learnt(config, tokenizer):
    found, counts = lessons(config, tokenizer)
    assert counts == {"own": 24}
    assert found == loop.load_examples(config, tokenizer, "train")


def test_replay_is_the_share_that_was_asked_for_and_is_what_the_lessons_ask_about(config, tokenizer):
    found, counts = lessons(with_(config, replay=0.25), tokenizer)
    assert counts == {"own": 24, "replay": 8}
    replayed = [one for one in found if one.id.startswith("replay:")]
    assert {tokenizer.decode(one.tokens[1:-1]) for one in replayed} < {
        row.source for row in read_rows(config.data.train)
    }
    assert all(one.prompt == 1 and one.tokens[0] == one.tokens[-1] == tokenizer.eos_token_id for one in replayed)


def test_which_sentence_is_replayed_hangs_on_no_order(config, tokenizer):
    """Two rows may ask about the same sentence: the one with the least id gives it its place."""
    rows = [Row(f"r{n}", "s", f"Say:\nuno {n % 3}", f"ñu̱ {n}", f"uno {n % 3}") for n in range(9)]
    found = mixing.replay_of(rows, tokenizer, 18, with_(config, replay=0.1))
    assert found == mixing.replay_of(rows[::-1], tokenizer, 18, with_(config, replay=0.1))
    assert {one.id for one in found} < {"replay:r0", "replay:r1", "replay:r2"}


def test_the_other_direction_asks_for_the_source(config, tokenizer):
    found, counts = lessons(with_(config, both_directions=True), tokenizer)
    assert counts == {"own": 24, "backward": 24}
    back = next(one for one in found if one.id == "train-3:back")
    assert tokenizer.decode(back.tokens[back.prompt : -1]) == "uno 3"
    assert "Translate from Test to Spanish:\nñu̱" in tokenizer.decode(back.tokens[: back.prompt])


def related(sizes):
    return {name: [Example(f"{name}-{n}", (1, 2), 1, 1) for n in range(size)] for name, size in sizes.items()}


@pytest.mark.parametrize("temperature", [1.0, 3.3, 5.0])
def test_languages_come_in_shares_that_follow_the_temperature(config, temperature):
    sizes = {"own": 400, "near": 3000, "far": 90_000}
    others = {name: sizes[name] for name in ("near", "far")}
    found = mixing.mixed(related(others), sizes["own"], with_(config, temperature=temperature))
    counts = {"own": 400, **{name: len(some) for name, some in found.items()}}
    powers = {name: size ** (1 / temperature) for name, size in sizes.items()}
    for name in sizes:
        wanted = powers[name] / sum(powers.values())
        assert counts[name] / sum(counts.values()) == pytest.approx(wanted, abs=0.02)
    assert (counts["far"] == 90_000) is (temperature == 1.0)


def test_related_lessons_are_read_by_language_and_a_bad_line_is_named(config, tokenizer, tmp_path):
    path = tmp_path / "related.jsonl"
    rows = [
        {"id": f"r{n}", "language": "es" if n % 3 else "nah", "lesson": lesson(f"dos {n}", "uno")} for n in range(9)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    near = replace(with_(config, temperature=1.0), data=replace(config.data, related=str(path)))
    assert lessons(near, tokenizer)[1] == {"own": 24, "related_held_out": 0, "es": 6, "nah": 3}
    path.write_text(json.dumps(rows[0]) + "\n" + json.dumps({"id": "x", "lesson": rows[1]["lesson"]}) + "\n")
    with pytest.raises(RecipeError, match="Line 2 of related"):
        lessons(near, tokenizer)


def test_what_is_held_out_is_neither_read_nor_learnt_from_elsewhere(config, tokenizer, tmp_path):
    """What the other tests hold out is too short to be told apart, so it is a longer sentence here."""
    long, held_out = "ñu̱ abab abab ba abab ñu̱ ba abab bab ab", tmp_path / "held_out.jsonl"
    held_out.write_text(json.dumps({"id": "held", "source": "uno", "lesson": lesson("uno", long)}) + "\n")
    texts, related_path = tmp_path / "texts.jsonl", tmp_path / "related.jsonl"
    texts.write_text(
        "".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(["ñu̱", long.upper(), f"x {long}"]))
    )
    related_path.write_text(
        "".join(
            json.dumps({"id": n, "language": "nah", "lesson": lesson("uno", text)}) + "\n"
            for n, text in enumerate(["ce", f"{long} test"])
        )
    )
    more = {"text": str(texts), "related": str(related_path)}
    data = replace(config.data, validation=str(held_out), test=str(held_out), **more)
    fed = replace(with_(config, temperature=1.0), data=data)
    read, left_out = continue_pretraining.texts_of(fed, tokenizer)
    assert left_out == 2
    assert {one.id for one in read if not one.id.startswith("text:train")} == {"text:0"}
    assert lessons(fed, tokenizer)[1] == {"own": 24, "related_held_out": 1, "nah": 1}
    texts.write_text(json.dumps({"id": 1, "text": "uno"}) + "\n" + json.dumps({"id": 2}) + "\n")
    with pytest.raises(RecipeError, match="Line 2 of texts"):
        continue_pretraining.texts_of(fed, tokenizer)


def made(name, *parents, text="ñu̱ x"):
    return {"id": name, "how": "paraphrase", "parents": parents, "made_by": "abc", "lesson": lesson("uno 1", text)}


def test_machines_rows_die_with_any_of_their_parents_and_stay_within_their_share(config, tokenizer, tmp_path):
    path = tmp_path / "synthetic.jsonl"
    rows = [made("a", "train-1"), made("b", "train-2", "train-3"), made("c", "train-1", "gone"), made("d", "test-1")]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    fed = replace(config, data=replace(config.data, synthetic=str(path)))
    found, counts = lessons(fed, tokenizer)
    assert counts == {"own": 24, "synthetic": 2, "synthetic_without_parents": 2}
    assert [one.id for one in found[24:]] == ["a", "b"]
    # Taking a training row away takes its children; 24 rows and a share of 4 % leave room for one.
    without = mixing.lessons_of(fed, tokenizer, [one for one in found[:24] if one.id != "train-2"])
    assert [one.id for one in without[0][23:]] == ["a"]
    little = lessons(replace(with_(fed, synthetic_share=0.04), data=fed.data), tokenizer)
    assert little[1]["synthetic"] == 1
    all_rows = read_synthetic(path)
    assert choose(all_rows, {"train-1", "gone", "train-2", "train-3"}, 0.5).without_parents == 1


def test_removing_rows_kills_all_that_was_made_of_them(tmp_path):
    """A thousand rows of up to three parents each: none stays that has one that is gone."""
    rows = [
        Synthetic(
            Row(f"s{n}", "", "r", "c"), "paraphrase", tuple(f"p{n * k % 97}" for k in (1, 3, 7)[: n % 3 + 1]), "m"
        )
        for n in range(1000)
    ]
    living = {f"p{n}" for n in range(97) if n % 10}
    kept = {row.id for row in choose(rows, living, 0.99).rows}
    assert kept == {one.row.id for one in rows if not {parent for parent in one.parents if parent not in living}}
    assert 0 < len(kept) < 1000


@pytest.mark.parametrize(
    "broken",
    ["{", json.dumps({"id": "x"}), json.dumps(made("x")), json.dumps({**made("x", "p"), "how": "magic"})],
)
def test_a_line_that_is_no_synthetic_row_is_named(broken, config, tokenizer, tmp_path):
    path = tmp_path / "synthetic.jsonl"
    path.write_text(json.dumps(made("a", "train-1")) + "\n" + broken + "\n")
    with pytest.raises(RecipeError, match=r"Line 2 of synthetic\.jsonl"):
        lessons(replace(config, data=replace(config.data, synthetic=str(path))), tokenizer)


SENTENCES = [
    f"la {a} {b} {c} cada día" for a in ("casa", "mesa") for b in ("es", "parece") for c in ("grande", "vieja")
]


def garbage(number):
    return ["", "no " * 40, "x", "qué qué qué qué qué qué", f"{number} zz kk ww pp", SENTENCES[number % 8]][number % 6]


def test_at_least_95_of_100_pieces_of_garbage_are_dropped():
    texts = [garbage(number) for number in range(300)]
    reasons = [
        refused(text, SENTENCES[0], SENTENCES[3] if number % 2 else text, SENTENCES[0])
        for number, text in enumerate(texts)
    ]
    left = [text for text, why in zip(texts, reasons, strict=True) if not why]
    copied = copies(left, SENTENCES)
    assert len(left) - len(copied) <= 0.05 * 300
    assert {why for why in reasons if why} == {"empty", "length", "repeats", "meaning"}
    assert refused("una casa grande de ayer", SENTENCES[0], SENTENCES[0], SENTENCES[0]) == ""


class Toy:
    """Translates by turning words round, which is its own way back; every tenth answer is nonsense."""

    def __init__(self, *, each=1, wrong=0):
        self.each, self.wrong, self.asked = each, wrong, 0

    def __call__(self, rows):
        found = []
        for row in rows:
            self.asked += 1
            said = " ".join(word[::-1] for word in row.source.split())
            tries = [said if not number else f"{said} {number}{number}" for number in range(self.each)]
            found.append(["mm" if self.wrong and self.asked % self.wrong == 0 else one for one in tries])
        return found


def pairs():
    return [
        Row(f"r{n}", "s", f"Translate from Spanish to Test:\n{text}", " ".join(w[::-1] for w in text.split()), text)
        for n, text in enumerate(f"{word} numero {n} del pueblo" for n, word in enumerate(["casa", "mesa", "flor"] * 8))
    ]


def test_back_translation_keeps_what_comes_back_and_marks_it(config):
    """The toy says of every answer what was asked before, word for word: a copy. So the other one has its own words."""

    class Other(Toy):
        def __call__(self, rows):
            is_backward = rows[0].id.endswith(":back")
            said = super().__call__(rows)
            change = ("del pueblo", "de aquella aldea") if is_backward else ("ed alleuqa aedla", "led olbeup")
            return [[one.replace(*change) for one in some] for some in said]

    rows = pairs()
    found, dropped = augment.back_translate(rows, config, Other(wrong=7), "abc")
    assert len(found) + sum(dropped.values()) == len(rows)
    assert len(found) > 10
    for one in found:
        (parent,) = one.parents
        row = next(row for row in rows if row.id == parent)
        assert one.row.completion == row.completion
        assert one.row.request.startswith("Translate from Spanish to Test:\n<BT> ")
    copied, reasons = augment.back_translate(rows, config, Toy(), "abc")
    assert (len(copied), reasons["copied"]) == (0, len(rows))


def test_paraphrases_are_kept_when_they_mean_the_same(config):
    class Wordy(Toy):
        def __call__(self, rows):
            return [[f"{one} hoy mismo temprano por la tarde" for one in some] for some in super().__call__(rows)]

    rows = pairs()
    found, _ = augment.paraphrase(rows, config, Wordy(), lambda asked: [[known(rows, row)] for row in asked], "m")
    assert found
    assert all(one.how == "paraphrase" and one.row.id == f"pp:{one.parents[0]}:0" for one in found)
    wrong, reasons = augment.paraphrase(rows, config, Wordy(), lambda asked: [["otra cosa"] for _ in asked], "m")
    assert (wrong, set(reasons)) == ([], {"meaning"})


def known(rows, asked):
    """What was asked of the row whose other answer this is."""
    return next(row.source for row in rows if row.id == asked.id.split(":")[1])


def test_new_sentences_of_a_class_are_kept_where_the_adapter_is_sure_of_them():
    words = {"animal": ["gato", "perro", "buey", "cabra"], "planta": ["pino", "rosa", "trigo", "cardo"]}
    rows = [
        Row(
            f"{label}-{n}",
            "s",
            f"What fits? animal, planta.\nayer vimos un {word} muy grande",
            label,
            f"ayer vimos un {word} muy grande",
        )
        for label, some in words.items()
        for n, word in enumerate(some)
    ]

    def draw(asked):
        return [["oso pardo junto al río seco", "roble verde en lo alto"] for _ in asked]

    def sureness(asked):
        return [0.81 if ("oso" in row.source) == (row.completion == "animal") else 0.79 for row in asked]

    found, dropped = augment.for_labels(rows, draw, sureness, "m")
    assert {(one.row.completion, "oso" in one.row.source) for one in found} == {("animal", True), ("planta", False)}
    assert all(len(one.parents) == 4 for one in found)
    assert dropped["label"] == 8
    # What is the same as another new sentence is a copy.
    assert dropped["copied"] == 6


def test_how_sure_a_model_is_of_a_class_is_its_share_of_all_of_them(tiny_base, tmp_path):
    config = Configuration.read(write_run(tmp_path / "run", tiny_base, method="lora"), "lora")
    model, tokenizer = AutoModelForCausalLM.from_pretrained(tiny_base), AutoTokenizer.from_pretrained(tiny_base)
    classes = ["a", "bb", "ccc"]
    row = Row("1", "s", "What fits?\nuno", "bb", "uno")
    asked = [replace(row, completion=name) for name in classes]
    found = augment.surely(model, tokenizer, config, classes)([*asked, replace(row, request="x" * 300)])
    nats = stages.losses_of(model, [encode(tokenizer, one, max_length=256) for one in asked])
    likely = [math.exp(-one) for one in nats]
    assert found[:3] == pytest.approx([one / sum(likely) for one in likely], rel=1e-3)
    assert found[3] == 0.0


def test_with_a_real_adapter_a_file_comes_of_it_and_a_run_reads_it(tiny_base, tmp_path, capsys, monkeypatch):
    config = write_run(tmp_path / "run", tiny_base, method="lora", epochs=2)
    monkeypatch.setattr("sys.argv", ["augment", "back_translation", str(config), str(tmp_path / "out.jsonl")])
    assert lora.main(config) == 0
    assert augment.main() == 1
    assert "both directions" in capsys.readouterr().err
    both = config.read_text().replace("replay = 0.0", "replay = 0.0\nboth_directions = true")
    again = tmp_path / "both" / "config.toml"
    again.parent.mkdir()
    again.write_text(both)
    assert lora.main(again) == 0
    report = json.loads((again.parent / "report.json").read_text())
    assert report["stages"][0]["learnt_from"] == {"own": 24, "backward": 24}
    monkeypatch.setattr("sys.argv", ["augment", "back_translation", str(again), str(tmp_path / "out.jsonl")])
    assert augment.main() == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told["kept"] + sum(told["dropped"].values()) == 24
    assert len(read_synthetic(tmp_path / "out.jsonl")) == told["kept"]
