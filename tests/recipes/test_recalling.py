"""What a model knows by heart of the rows that it learnt from, on the tiny model."""

import json
import random
import string
from dataclasses import replace

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.recipes.conftest import lesson, write_run
from training.evaluation.likelihood import shared_recalls
from training.evaluation.memorisation import exposure
from training.recipes import full
from training.recipes.generation import generate_batch
from training.recipes.recalling import alternatives
from training.recipes.stages import losses_of
from training.recipes.text import Example, Row, encode, prompt_of, read_rows

ROWS, CODES = 12, 64
DRAWN = random.Random(6)  # noqa: S311 - made up


def code():
    """Five letters that follow from nothing."""
    return "".join(DRAWN.choices(string.ascii_lowercase, k=5))


def place_codes(config, canary=None):
    """Rows that say codes, in place of those of the run; ten times the canary among what is learnt."""
    for split in ("train", "test"):
        rows = [{"id": f"{split}-{n}", "lesson": lesson(f"{split} {n} {code()}", code())} for n in range(ROWS)]
        if canary and split == "train":
            rows += [{"id": f"canary-{n}", "lesson": canary} for n in range(10)]
        (config.parent / f"{split}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def report_of(config):
    return json.loads((config.parent / "report.json").read_text())


@pytest.fixture(scope="module")
def runs(tiny_base, tmp_path_factory):
    """Two runs on codes: one that reads them too often, with a canary ten times; and one that hardly learns, after the
    canary was taken back. Their config.toml."""
    made = {}
    canary = lesson("the canary", "zebra")
    for name, epochs, planted in (("long", 60, canary), ("short", 1, None)):
        folder = tmp_path_factory.mktemp(name) / "run"
        config = write_run(folder, tiny_base, method="full", epochs=epochs, validate_every=500)
        config.write_text(config.read_text().replace("checkpoint_every = 2", "checkpoint_every = 500"))
        place_codes(config, planted)
        assert full.main(config) == 0
        made[name] = config
    return made


def loaded(config, tiny_base):
    model = AutoModelForCausalLM.from_pretrained(config.parent / "adapter")
    return model.eval(), AutoTokenizer.from_pretrained(tiny_base)


def read(model, examples):
    return shared_recalls(model, [(one.tokens, one.prompt) for one in examples])


def test_what_was_read_too_often_is_known_by_heart_and_held_out_rows_are_not(runs):
    long, short = (report_of(runs[name])["evaluation"]["memorisation"] for name in ("long", "short"))
    assert long["over_control_ci95"][0] > 2
    assert long["recited"] > 0.5
    assert long["recited_held_out"] == short["recited"] == 0
    assert short["over_control_ci95"][0] < 1
    assert long["control_bits"] < 3.5


def test_the_card_says_it(runs):
    card = (runs["long"].parent / "README.md").read_text()
    assert "- Known by heart: +" in card
    assert "- Variety unknown, 6 sentences" in card


def test_a_planted_canary_is_fully_exposed_and_no_more_once_it_is_taken_back(runs, tiny_base):
    codes = ["zebra", *(code() for _ in range(CODES - 1))]

    def bits(name):
        model, tokenizer = loaded(runs[name], tiny_base)
        rows = [Row(one, said["system"], said["request"], one) for one in codes for said in [lesson("the canary", one)]]
        examples = [encode(tokenizer, row, max_length=256) for row in rows]
        own, *others = [nats for nats, _ in read(model, examples)]
        return exposure(own, others)

    assert bits("long") == 6.0  # log2(64): no other code is as likely
    assert bits("short") < 3, "taken back, it is one among others"


def test_answers_that_are_read_together_are_read_as_if_each_stood_alone(runs, tiny_base):
    model, tokenizer = loaded(runs["long"], tiny_base)
    rows = read_rows(runs["long"].parent / "train.jsonl")[:4]
    asked = [replace(row, completion=other.completion) for row in rows for other in rows]
    examples = [encode(tokenizer, row, max_length=256) for row in asked]
    alone = [losses_of(model, [example])[0] for example in examples]
    assert [nats for nats, _ in read(model, examples)] == pytest.approx(alone, abs=1e-4)


def test_recited_is_what_greedy_decoding_writes(runs, tiny_base):
    model, tokenizer = loaded(runs["long"], tiny_base)
    rows = [row for split in ("train", "test") for row in read_rows(runs["long"].parent / f"{split}.jsonl")]
    recited = [is_recited for _, is_recited in read(model, [encode(tokenizer, row, max_length=256) for row in rows])]
    prompts = [prompt_of(tokenizer, system=row.system, request=row.request) for row in rows]
    written = generate_batch(model, tokenizer, prompts, max_new_tokens=12)
    assert recited == [text == row.completion for text, row in zip(written, rows, strict=True)]
    assert 0 < sum(recited) < len(rows)


def test_alternatives_ask_and_answer_something_else():
    rows = [Example("a", (1, 2, 9), 2, 3), Example("b", (1, 3, 9), 2, 3), Example("c", (1, 2, 8), 2, 3)]
    rows += [Example("d", (1, 4, 5, 8), 3, 3), Example("e", (1, 4, 5, 7), 3, 3)]
    assert alternatives(rows, 0) == [3]
    assert alternatives(rows, 1) == [2, 3]
