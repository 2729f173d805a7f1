"""Several adapters as one: exactly their mean, and nothing of one that is left out."""

import json

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

from training.recipes.base_model import sha256_of_file
from training.recipes.compose import CannotCompose, compose, main, scaling_of

RANKS = (2, 3, 4, 8)


def make_adapter(base, folder, *, rank, seed, **more):
    """An adapter with random matrices, large enough to change much."""
    torch.manual_seed(seed)
    given = {"lora_alpha": 2 * rank, "target_modules": "all-linear", "task_type": "CAUSAL_LM", **more}
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(r=rank, **given))
    for name, parameter in model.named_parameters():
        if ".lora_B." in name:
            torch.nn.init.normal_(parameter, std=0.05)
    model.save_pretrained(folder)
    path = folder / "adapter_config.json"
    about = json.loads(path.read_text())
    path.write_text(json.dumps({**about, "target_modules": sorted(about["target_modules"])}))
    return folder


@pytest.fixture(scope="module")
def shards(tiny_base, tmp_path_factory):
    """Four adapters of different ranks, one of them with rsLoRA's scaling."""
    folder = tmp_path_factory.mktemp("shards")
    return [make_adapter(tiny_base, folder / str(rank), rank=rank, seed=rank, use_rslora=rank == 3) for rank in RANKS]


@torch.no_grad()
def logits(model):
    return model.eval()(torch.arange(2, 66)[None]).logits


@torch.no_grad()
def logits_of_mean(base, folders):
    """The base whose weights got the mean of what each adapter adds, worked out by peft itself, in double precision."""
    plain = AutoModelForCausalLM.from_pretrained(base).double()
    added = {name: torch.zeros_like(value) for name, value in plain.state_dict().items()}
    for folder in folders:
        loaded = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base).double(), folder).double()
        for name, layer in loaded.get_base_model().named_modules():
            if hasattr(layer, "get_delta_weight"):
                added[f"{name}.weight"] += layer.get_delta_weight("default") / len(folders)
    plain.load_state_dict({name: value + added[name] for name, value in plain.state_dict().items()})
    return logits(plain)


def loaded(base, folder):
    return PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder)


def test_it_is_the_mean_to_a_millionth(tiny_base, shards, tmp_path):
    compose(shards, tmp_path / "whole")
    mean = logits_of_mean(tiny_base, shards)
    assert (logits(loaded(tiny_base, tmp_path / "whole")) - mean).abs().max() <= 1e-6
    # There is something to be exact about: the adapters change the logits, and each its own way.
    assert (logits(AutoModelForCausalLM.from_pretrained(tiny_base)) - mean).abs().max() > 1e-2
    assert (logits(loaded(tiny_base, shards[0])) - mean).abs().max() > 1e-2
    assert json.loads((tmp_path / "whole" / "adapter_config.json").read_text())["r"] == sum(RANKS)


def test_without_one_of_them_it_is_the_mean_of_the_rest(tiny_base, shards, tmp_path):
    rest = [shards[0], *shards[2:]]
    compose(rest, tmp_path / "rest")
    mean = logits_of_mean(tiny_base, rest)
    assert (logits(loaded(tiny_base, tmp_path / "rest")) - mean).abs().max() <= 1e-6


def test_the_order_does_not_matter_and_the_hash_is_that_of_the_file(shards, tmp_path):
    first = compose(shards, tmp_path / "first")
    assert compose(shards[::-1], tmp_path / "second") == first
    files = [tmp_path / name / "adapter_model.safetensors" for name in ("first", "second")]
    assert sha256_of_file(files[0]) == sha256_of_file(files[1])


def test_scalings():
    assert scaling_of({"r": 4, "lora_alpha": 8}) == 2
    assert scaling_of({"r": 4, "lora_alpha": 8, "use_rslora": True}) == 4


def test_what_cannot_be_composed_is_said(tiny_base, shards, tmp_path, capsys, monkeypatch):
    odd = make_adapter(tiny_base, tmp_path / "odd", rank=2, seed=1, target_modules=["q_proj"])
    biased = make_adapter(tiny_base, tmp_path / "biased", rank=2, seed=1, bias="lora_only")
    with pytest.raises(CannotCompose, match="differ in target_modules"):
        compose([shards[0], odd], tmp_path / "none")
    with pytest.raises(CannotCompose, match="no plain LoRA: bias"):
        compose([shards[0], biased], tmp_path / "none")
    with pytest.raises(CannotCompose, match="nothing to compose"):
        compose([], tmp_path / "none")
    monkeypatch.setattr("sys.argv", ["compose", str(tmp_path / "none"), str(tmp_path / "nowhere")])
    assert main() == 1
    assert "nowhere" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
