"""How likely an answer is without some words of its request, by a process and by captum."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.evaluation.explaining import PENALTY, WIDTH, fit, masks_of
from training.recipes import generate
from training.recipes.explain import Answered, main
from training.recipes.text import prompt_of

UNITS = ["uno ", "dos ", "tres ", "ñu̱ ", "cinco ", "seis ", "siete ", "ocho"]
ASKED = {"system": "You translate.", "before": "Say:\n", "units": UNITS, "after": "\nThanks.", "completion": "ab ñu̱"}


@pytest.fixture(scope="module")
def adapter(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(0)
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", init_lora_weights=False)
    get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_base), lora).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def tokenizer(tiny_base: Path) -> Any:
    return AutoTokenizer.from_pretrained(tiny_base)


@pytest.fixture(scope="module")
def model(tiny_base: Path, adapter: str) -> Any:
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    model.load_adapter(adapter)
    return model.eval()


@torch.no_grad()
def likelihood(model: Any, tokenizer: Any, sentence: str) -> float:
    """Reckoned here, one text alone: mean log-likelihood of the answer's tokens and its end."""
    request = f"Say:\n{sentence}\nThanks."
    prompt = tokenizer(prompt_of(tokenizer, system="You translate.", request=request), add_special_tokens=False)
    said = [*tokenizer("ab ñu̱", add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    first = prompt["input_ids"]
    logits = model(input_ids=torch.tensor([[*first, *said]])).logits[0, len(first) - 1 : -1]
    return float(-torch.nn.functional.cross_entropy(logits, torch.tensor(said)))


def test_texts_read_at_once_are_as_likely_as_each_alone(model: Any, tokenizer: Any) -> None:
    masks = masks_of(len(UNITS), 12, seed=0)
    done: list[int] = []
    scores = Answered(model, tokenizer, ASKED).score(masks, done.append)
    assert done[-1] == 12
    assert scores[0] == pytest.approx(likelihood(model, tokenizer, "uno dos tres ñu̱ cinco seis siete ocho"), abs=1e-4)
    for mask, score in zip(masks, scores, strict=True):
        said = "".join(unit for unit, there in zip(UNITS, mask, strict=True) if there).strip()
        assert score == pytest.approx(likelihood(model, tokenizer, said), abs=1e-4)


def test_captum_finds_the_same_weights(model: Any, tokenizer: Any) -> None:
    attr = importlib.import_module("captum.attr")
    linear = importlib.import_module("captum._utils.models.linear_model")
    masks = masks_of(len(UNITS), 40, seed=0)
    scores = Answered(model, tokenizer, ASKED).score(masks)
    rows = iter(masks)

    def next_mask(original: Any, **more: Any) -> torch.Tensor:
        return torch.tensor(next(rows)[None], dtype=torch.float32)

    def nearness(original: Any, changed: Any, mask: torch.Tensor, **more: Any) -> float:
        return float(np.exp(-(((1 - np.sqrt(mask.mean().item())) / WIDTH) ** 2) / 2))

    ridge = linear.SkLearnRidge(alpha=PENALTY)
    lime = attr.Lime(model, interpretable_model=ridge, similarity_func=nearness, perturb_func=next_mask)

    def prompt(*words: str) -> str:
        return prompt_of(tokenizer, system="You translate.", request=f"Say:\n{''.join(words).strip()}\nThanks.")

    template = attr.TextTemplateInput(prompt, UNITS)
    said = [*tokenizer("ab ñu̱", add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    found = attr.LLMAttribution(lime, tokenizer).attribute(
        template, target=torch.tensor(said), n_samples=40, forward_in_tokens=False
    )

    # Captum explains the whole answer's likelihood, we the mean of its tokens.
    ours = fit(masks, np.array(scores) * len(said))[0]
    assert found.seq_attr.tolist() == pytest.approx(ours.tolist(), rel=1e-2, abs=1e-3)


def test_rows_are_answered_and_explained_and_the_method_is_measured(
    tiny_base: Path,
    adapter: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "rows.jsonl"
    asked = {name: value for name, value in ASKED.items() if name != "completion"}
    file.write_text(json.dumps({"id": "1", **asked, "units": UNITS[:4]}) + "\n")
    arguments = ["explain", "--base", str(tiny_base), "--adapter", adapter, "--check", str(file)]
    monkeypatch.setattr(sys, "argv", arguments)
    assert main() == 0
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert line["id"] == "1"
    assert line["text"]
    assert len(line["weights"]) == 4
    assert (line["samples"], line["seeds"]) == (16, pytest.approx(1))
    assert {"lost", "lost_by_chance", "seconds"} <= set(line)


def test_the_playgrounds_process_explains_without_writing(
    tiny_base: Path, adapter: str, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = generate.Writer(str(tiny_base))
    writer.answer({"id": "1", "side": {"adapter": adapter}, "explain": ASKED})
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {event["id"] for event in events} == {"1"}
    assert [event["event"] for event in events[-2:]] == ["explained", "finished"]
    assert len(events[-2]["weights"]) == len(UNITS)
    progress = [(event["done"], event["of"]) for event in events if event["event"] == "progress"]
    assert progress[-1] == (200, 200)
    assert not any("text" in event for event in events)
