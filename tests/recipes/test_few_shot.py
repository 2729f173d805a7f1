"""Few-shot prompting: what is shown are training rows alone, and what is measured is what the model then says."""

import json

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.recipes.conftest import write_run
from training.evaluation.scores import bits_per_byte
from training.recipes import few_shot, lora
from training.recipes.configuration import Configuration
from training.recipes.stages import RecipeError, losses_of
from training.recipes.text import encode, prompt_of, read_rows


@pytest.fixture
def config(tiny_base, tmp_path):
    return Configuration.read(write_run(tmp_path / "run", tiny_base, max_length=512), "lora")


@pytest.fixture
def tokenizer(tiny_base):
    return AutoTokenizer.from_pretrained(tiny_base)


def test_the_examples_are_training_rows_and_taking_another_row_away_keeps_them(config, tokenizer):
    rows = read_rows(config.data.train)
    shots = few_shot.shots_of(tokenizer, rows, 4, config)
    assert len(shots) == 4
    assert {row.id for row in shots} < {row.id for row in rows}
    others = [row for row in rows if row in shots or int(row.id.split("-")[1]) % 2]
    assert few_shot.shots_of(tokenizer, others[::-1], 4, config) == shots


def test_the_prompt_shows_request_and_answer_of_each_before_the_question(config, tokenizer):
    one, other, asked = read_rows(config.data.train)[:3]
    prompt = prompt_of(tokenizer, system=asked.system, request=asked.request, shots=[one, other])
    places = [prompt.index(text) for text in (one.request, one.completion, other.request, asked.request)]
    assert places == sorted(places)
    assert asked.completion not in prompt.partition(asked.request)[2]


def test_the_figures_are_those_of_the_model_after_the_examples(config, tokenizer, tiny_base):
    model = AutoModelForCausalLM.from_pretrained(tiny_base).eval()
    rows = read_rows(config.data.test)
    shots = few_shot.shots_of(tokenizer, read_rows(config.data.train), 2, config)
    ticks = []
    nats, figures = few_shot.measure_shots(model, tokenizer, rows, 3, shots, config, ticks.append)
    examples = [encode(tokenizer, row, max_length=2048, shots=shots) for row in rows]
    assert nats == pytest.approx(losses_of(model, examples), rel=1e-4)
    assert figures["bpb"] == bits_per_byte(nats, [len(row.completion.encode()) for row in rows])
    assert figures["prompt_tokens"] > sum(len(row.request) for row in shots)
    assert sum(ticks) == len(rows) + 3
    with pytest.raises(RecipeError, match="longer than the model can read"):
        few_shot.measure_shots(model, tokenizer, rows, 3, shots * 40, config)


def test_the_recipe_prints_a_table_of_growing_prompts(config, capsys):
    assert few_shot.main(config.folder / "config.toml") == 0
    found = json.loads((config.folder / "few_shot.json").read_text())
    assert [row["shots"] for row in found] == [0, 1, 4, 8]
    assert [row["prompt_tokens"] for row in found] == sorted(row["prompt_tokens"] for row in found)
    assert found[0]["difference_ci95"] == [0.0, 0.0]
    assert capsys.readouterr().out.count("\n") == 5
    assert few_shot.main(config.folder / "nothing.toml") == 1


def test_every_run_is_measured_beside_it(tiny_base, tmp_path):
    config = write_run(tmp_path / "run", tiny_base, method="lora", epochs=6)
    assert lora.main(config) == 0
    evaluation = json.loads((config.parent / "report.json").read_text())["evaluation"]
    shown = evaluation["few_shot"]
    assert shown["shots"] == 4
    low, high = shown["difference_ci95"]
    assert low <= evaluation["adapter_bpb"] - shown["bpb"] <= high
