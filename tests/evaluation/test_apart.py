"""Packed examples that attend each to itself: what comes out, and its gradient, is that of each example alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.recipes.families import MADE
from training.evaluation import apart
from training.evaluation.likelihood import completion_losses, packed_hidden
from training.recipes.text import Example, pack

SIZES = (5, 30, 2, 17, 1)
EXAMPLES = [Example(str(n), tuple((7 * n + 3 * t) % 250 for t in range(size)), 1, size) for n, size in enumerate(SIZES)]


@pytest.mark.parametrize("family", MADE)
def test_each_example_is_read_as_if_it_were_alone(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    model = MADE[family]().train()
    called: list[int] = []
    function = apart.sdpa_attention_forward

    def counted(*args: Any, **more: Any) -> Any:
        called.append(1)
        return function(*args, **more)

    monkeypatch.setattr(apart, "sdpa_attention_forward", counted)

    def gradient(batches: list[list[Example]]) -> tuple[torch.Tensor, torch.Tensor]:
        model.zero_grad()
        losses = torch.cat([completion_losses(model, pack(batch)) for batch in batches])
        losses.sum().backward()
        return losses.detach(), model.model.layers[0].self_attn.k_proj.weight.grad.clone()

    together, slope = gradient([EXAMPLES[:4]])
    assert len(called) == 4 * len(model.model.layers)
    alone, slope_alone = gradient([[example] for example in EXAMPLES[:4]])
    assert torch.allclose(together, alone, atol=1e-5)
    assert torch.allclose(slope, slope_alone, atol=1e-5)
    hidden = packed_hidden(model, pack(EXAMPLES))[0].split(SIZES)
    for example, found in zip(EXAMPLES, hidden, strict=True):
        assert torch.allclose(found, packed_hidden(model, pack([example]))[0], atol=1e-5)


def test_the_model_is_as_before_afterwards_and_others_keep_their_mask() -> None:
    torch.manual_seed(1)
    places = pack(EXAMPLES)["position_ids"]
    assert apart.lengths_of(places) == list(SIZES)
    model = MADE["mistral"](sliding_window=8).eval()
    for implementation, length in (("sdpa", 8), ("eager", None)):
        model.config.sliding_window = length
        model.set_attn_implementation(implementation)
        with apart.examples_apart(model, places):
            assert model.config._attn_implementation == implementation
    model.set_attn_implementation("sdpa")
    with apart.examples_apart(model, places):
        assert model.config._attn_implementation == apart.NAME
    assert model.config._attn_implementation == "sdpa"


@torch.no_grad()
def test_a_window_that_is_shorter_than_an_example_still_holds() -> None:
    torch.manual_seed(1)
    model = MADE["mistral"](sliding_window=4).eval()
    packed = packed_hidden(model, pack(EXAMPLES[:2]))[0, SIZES[0] :]
    assert torch.allclose(packed, packed_hidden(model, pack([EXAMPLES[1]]))[0], atol=1e-5)
    model.config.sliding_window = None
    assert not torch.allclose(packed, packed_hidden(model, pack([EXAMPLES[1]]))[0], atol=1e-3)
