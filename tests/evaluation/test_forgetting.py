"""The forgetting meter: nothing where nothing was learnt, and what a hand reckons otherwise."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.recipes.conftest import make_base
from training.evaluation.forgetting import forgotten, texts_beside
from training.recipes.comparison import read_plainly


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny base model."""
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def adapted(base: Path) -> tuple[Any, Any]:
    """The tiny model with an adapter as it is before its first step, and the tokenizer."""
    torch.manual_seed(2)
    model = AutoModelForCausalLM.from_pretrained(base)
    adapter = LoraConfig(r=2, lora_alpha=4, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(model, adapter).eval(), AutoTokenizer.from_pretrained(base)


def before_and_after(model: Any, tokenizer: Any) -> dict[str, Any]:
    """The figures of the English text."""
    (text,) = texts_beside("ote", "")
    after, tokens = read_plainly(model, tokenizer, text)
    with model.disable_adapter():
        before, _ = read_plainly(model, tokenizer, text)
    return forgotten(text, before, after, tokens)


def test_an_adapter_that_learnt_nothing_forgot_nothing(adapted: tuple[Any, Any]) -> None:
    figures = before_and_after(*adapted)
    assert figures["difference"] == pytest.approx(0, abs=1e-6)
    assert figures["nats_per_token"] == pytest.approx(0, abs=1e-6)


def test_the_figure_is_the_cross_entropy_by_hand_with_labels_shifted(adapted: tuple[Any, Any]) -> None:
    model, tokenizer = adapted
    torch.manual_seed(4)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    figures = before_and_after(model, tokenizer)
    (text,) = texts_beside("ote", "")

    def bits(shift: int) -> float:
        nats, size = 0.0, 0
        for sentence in text.sentences:
            ids = torch.tensor([[tokenizer.eos_token_id, *tokenizer(sentence, add_special_tokens=False)["input_ids"]]])
            with torch.no_grad():
                scores = model(input_ids=ids, use_cache=False).logits[0]
            last = len(scores) - shift
            nats += float(F.cross_entropy(scores[:last], ids[0, shift:], reduction="sum"))
            size += len(sentence.encode())
        return nats / math.log(2) / size

    assert figures["adapter_bpb"] == pytest.approx(bits(1), rel=1e-5)
    # A label that stands under its own token, as in a meter that shifts nothing, gives another number.
    assert figures["adapter_bpb"] != pytest.approx(bits(0), rel=1e-3)
    assert figures["difference"] == pytest.approx(figures["adapter_bpb"] - figures["base_bpb"])
    assert figures["difference"] > 0.001


def test_the_language_that_is_learnt_is_no_other_language() -> None:
    assert [text.language for text in texts_beside("ote", "es")] == ["en", "es"]
    assert [text.language for text in texts_beside("ote-MX", "es-MX")] == ["en", "es"]
    assert [text.language for text in texts_beside("en", "fr")] == ["fr"]
    assert [text.language for text in texts_beside("ote", "xx")] == ["en"]
    assert all(1500 < sum(map(len, text.sentences)) < 2500 for text in texts_beside("x", "es"))
