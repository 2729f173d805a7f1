"""The memory that is computed for a base model is what torch keeps of it."""

import json

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.recipes.conftest import write_run
from training.evaluation.likelihood import completion_loss
from training.recipes.configuration import Configuration
from training.recipes.journal import Journal
from training.recipes.lora import Lora
from training.recipes.qlora import Qlora
from training.recipes.text import Example, pack
from training.runs.needs import NF4_BITS, NotComputed, need_of, read_shape, shape_of

RANK = 4


@pytest.fixture(scope="module")
def shape(tiny_base):
    return read_shape(tiny_base)


def test_numbers_are_those_of_the_model_and_of_its_adapter(shape, tiny_base, tmp_path):
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    assert shape.numbers == sum(value.numel() for value in model.parameters())
    config = Configuration.read(write_run(tmp_path / "run", tiny_base, rank=RANK), "lora")
    adapted = Lora().prepare(config, Journal(tmp_path))
    trained = sum(value.numel() for value in adapted.parameters() if value.requires_grad)
    assert shape.adapter_numbers(RANK) == trained


@pytest.mark.parametrize("method", [Lora, Qlora])
def test_what_a_token_leaves_behind_is_what_autograd_keeps(shape, tiny_base, tmp_path, method):
    config = Configuration.read(write_run(tmp_path / "run", tiny_base, rank=RANK), method.name)
    model = method().prepare(config, Journal(tmp_path)).train()
    known = {value.untyped_storage().data_ptr() for value in (*model.parameters(), *model.buffers())}

    def kept(sentences):
        found = {}

        def keep(tensor):
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in known:
                found[storage.data_ptr()] = storage.nbytes()
            return tensor

        examples = [Example(str(n), tuple(range(5, 65)), 58, 60) for n in range(sentences)]
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            loss = completion_loss(model, pack(examples))
        assert loss.requires_grad
        return sum(found.values()) / 4

    # The difference leaves out what does not grow with the tokens.
    computed = shape.activations(960, RANK) - shape.activations(480, RANK)
    assert computed == pytest.approx(kept(16) - kept(8), rel=0.05)


def test_four_bits_and_whole_models_are_counted_as_they_are(shape):
    about = {"rank": 16, "tokens": 768, "number_bytes": 4}
    full = need_of(shape, in_4_bits=False, is_whole=True, **about)
    lora = need_of(shape, in_4_bits=False, is_whole=False, **about)
    qlora = need_of(shape, in_4_bits=True, is_whole=False, **about)
    assert full.weights == lora.weights == 4 * shape.numbers
    assert lora.weights - qlora.weights == pytest.approx(shape.linear_numbers * (4 - NF4_BITS / 8), abs=2)
    assert full.trained == 12 * shape.numbers
    assert lora.trained == qlora.trained == 16 * shape.adapter_numbers(16)
    assert (lora.file, qlora.file) == (0, 4 * shape.linear_numbers)
    assert lora.whole == sum((lora.weights, lora.trained, lora.activations, lora.scores, lora.libraries))


def test_the_numbers_of_smollm2_are_known():
    config = {
        **{"model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30},
        **{"num_attention_heads": 9, "num_key_value_heads": 3, "vocab_size": 49152, "tie_word_embeddings": True},
    }
    shape = shape_of(config)
    assert shape.linear_numbers == 106_168_320
    assert shape.numbers == 134_515_008
    assert shape.adapter_numbers(1) == 305_280


def test_of_other_families_nothing_is_guessed(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bloom"}))
    with pytest.raises(NotComputed, match="bloom"):
        read_shape(tmp_path)
