"""A base model is prepared once, whole, and can be checked later."""

import json
import shutil
import time

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.recipes import base_model
from training.recipes.base_model import SMOLLM2, BaseModelError, prepare, sha256_of_file, verify
from training.recipes.text import prompt_of


@pytest.fixture
def quick(tiny_base, tmp_path, monkeypatch):
    """Preparing copies the tiny model; the folder for models, and how often it was prepared."""
    calls = []

    def convert(gguf, folder, name):
        shutil.copytree(tiny_base, folder, dirs_exist_ok=True)
        calls.append(name)
        return {"name": name, "sha256": sha256_of_file(folder / "model.safetensors")}

    monkeypatch.setattr(base_model, "packaged_gguf", lambda: None)
    monkeypatch.setattr(base_model, "_convert", convert)
    return tmp_path / "models", calls


def test_the_second_time_it_is_there_already(quick):
    models, calls = quick
    assert prepare(models) == prepare(models)
    assert calls == [SMOLLM2]
    assert [path.name for path in models.iterdir()] == [SMOLLM2]


def test_another_worker_may_be_faster(quick, monkeypatch):
    models, _ = quick
    slow = base_model._convert

    def overtaken(gguf, folder, name):
        if not (models / name).exists():
            shutil.copytree(folder, models / name)
            (models / name / "model.json").write_text(json.dumps({"name": "theirs"}))
        return slow(gguf, folder, name)

    monkeypatch.setattr(base_model, "_convert", overtaken)
    assert prepare(models) == {"name": "theirs"}
    assert [path.name for path in models.iterdir()] == [SMOLLM2]


def test_a_failure_leaves_nothing_behind(quick, monkeypatch):
    models, _ = quick

    def fail(gguf, folder, name):
        (folder / "half").write_text("")
        raise OSError("disk full")

    monkeypatch.setattr(base_model, "_convert", fail)
    with pytest.raises(OSError, match="disk full"):
        prepare(models)
    assert list(models.iterdir()) == []


def test_changed_weights_are_noticed(quick):
    models, _ = quick
    prepare(models)
    assert verify(models / SMOLLM2)["name"] == SMOLLM2
    with (models / SMOLLM2 / "model.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(BaseModelError, match="have changed"):
        verify(models / SMOLLM2)


def test_a_name_that_no_package_carries_is_refused(tmp_path):
    with pytest.raises(BaseModelError, match="No package carries"):
        prepare(tmp_path, "other-model")


@pytest.mark.slow
def test_the_real_one_answers(tmp_path):
    facts = prepare(tmp_path)
    folder = tmp_path / SMOLLM2

    assert facts["licence"] == "Apache-2.0"
    assert facts["parameters"] == 134_515_008
    began = time.monotonic()
    assert prepare(tmp_path) == facts
    assert time.monotonic() - began < 1
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompt = prompt_of(tokenizer, system="You are careful.", request="uno")
    assert prompt.endswith("<|im_start|>assistant\n")
    assert "SmolLM" not in prompt
    model = AutoModelForCausalLM.from_pretrained(folder)
    ids = tokenizer("The capital of France is", return_tensors="pt")["input_ids"]
    made = model.generate(ids, max_new_tokens=3, do_sample=False)
    assert "Paris" in tokenizer.decode(made[0])
