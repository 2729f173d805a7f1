"""Bits per byte of models whose answer is known beforehand."""

import math

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from training.evaluation.likelihood import IGNORED, completion_losses, sentence_losses, sentence_readings
from training.evaluation.scores import bits_per_byte

VOCABULARY = 64


@pytest.fixture
def model():
    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        tie_word_embeddings=False,
    )
    return LlamaForCausalLM(config).eval()


def batch_of(*lengths, prompt=2):
    size = max(lengths)
    ids = torch.arange(len(lengths) * size).reshape(len(lengths), size) % VOCABULARY
    mask = torch.tensor([[1] * length + [0] * (size - length) for length in lengths])
    labels = ids.masked_fill(mask == 0, IGNORED)
    labels[:, :prompt] = IGNORED
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def test_a_uniform_model_needs_the_same_bits_for_every_token(model):
    torch.nn.init.zeros_(model.lm_head.weight)
    nats = sentence_losses(model, batch_of(9, 5))
    # 7 and 3 completion tokens of six bits, for texts of 14 and 6 bytes.
    assert bits_per_byte(nats, [14, 6]) == pytest.approx(10 * math.log2(VOCABULARY) / 20)


def test_each_sentence_s_loss_is_what_the_library_gives_for_it_alone(model):
    batch = batch_of(9, 5)
    sums = sentence_losses(model, batch)
    for row, length in enumerate((9, 5)):
        alone = {name: value[row : row + 1, :length] for name, value in batch.items()}
        assert sums[row] == pytest.approx(float(model(**alone).loss.detach()) * (length - 2), rel=1e-4)


def test_the_prompt_bears_no_loss(model):
    batch = batch_of(9)
    before = completion_losses(model, batch)
    batch["labels"][0, :2] = batch["input_ids"][0, :2]
    assert len(completion_losses(model, batch)) == len(before) + 1


def test_what_follows_changes_no_loss_before_it(model):
    first, second = batch_of(9), batch_of(9)
    second["input_ids"][0, -1] = 1
    assert torch.allclose(completion_losses(model, first)[:-1], completion_losses(model, second)[:-1])


def test_a_uniform_model_is_as_unsure_as_can_be(model):
    torch.nn.init.zeros_(model.lm_head.weight)
    batch = batch_of(9, 5)
    readings = sentence_readings(model, batch)
    assert [entropy for _, entropy in readings] == pytest.approx([math.log2(VOCABULARY)] * 2)
    assert [nats for nats, _ in readings] == pytest.approx(sentence_losses(model, batch))


def test_entropy_is_of_each_row_alone_and_falls_as_the_model_gets_sure(model):
    batch = batch_of(9, 5)
    before = sentence_readings(model, batch)
    for row, length in enumerate((9, 5)):
        alone = {name: value[row : row + 1, :length] for name, value in batch.items()}
        assert sentence_readings(model, alone)[0] == pytest.approx(before[row], rel=1e-4)
    with torch.no_grad():
        model.lm_head.weight.mul_(50)
    after = sentence_readings(model, batch)
    assert all(sure[1] < unsure[1] / 2 for sure, unsure in zip(after, before, strict=True))


def test_a_row_without_an_answer_has_no_reading(model):
    batch = batch_of(5, 4)
    batch["labels"][1] = IGNORED
    assert sentence_readings(model, batch)[1] == (0.0, 0.0)
