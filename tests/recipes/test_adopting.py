"""Bringing in a base model: what is on the list and plain comes in, of other families too; nothing else does."""

from __future__ import annotations

import importlib
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from tests.recipes.conftest import write_run
from tests.recipes.families import MADE, SIZES
from training.recipes.adopt_base import INDEX, WEIGHTS, adopt, main
from training.recipes.base_list import BadList, listed
from training.recipes.base_model import BaseModelError, sha256_of_file, verify
from training.runs.needs import FAMILIES, shape_of

REVISION = "0123456789abcdef" * 2 + "01234567"


def test_no_recipe_asks_the_network_unless_it_is_told_to() -> None:
    told = "import training.recipes, huggingface_hub.constants as hub; print(hub.HF_HUB_OFFLINE)"
    alone = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    for environment, offline in ((alone, "True\n"), ({**alone, "HF_HUB_OFFLINE": "0"}, "False\n")):
        done = subprocess.run([sys.executable, "-c", told], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout == offline


@pytest.fixture
def download(tiny_base: Path, tmp_path: Path) -> Callable[..., Path]:
    """A folder as the hub's command leaves it, in parts where `parts` says so."""

    def make(family: str = "qwen3", *, parts: bool = False) -> Path:
        folder = tmp_path / "downloaded" / family
        torch.manual_seed(1)
        MADE[family]().save_pretrained(folder, max_shard_size="60KB" if parts else "1GB")
        AutoTokenizer.from_pretrained(tiny_base).save_pretrained(folder)
        (folder / "README.md").write_text("a card", encoding="utf-8")
        (folder / "modeling.py").write_text("raise SystemExit", encoding="utf-8")
        (folder / "pytorch_model.bin").write_bytes(pickle.dumps({"a": 1}))
        return folder

    return make


@pytest.fixture
def bases(tmp_path: Path) -> Path:
    """A list of the tiny models."""
    about = {"source": "some-one/some-model", "revision": REVISION, "licence": "CC0-1.0"}
    found = {family: {**about, "config": {"model_type": family, **SIZES}} for family in MADE}
    (tmp_path / "bases.toml").write_text(tomli_w.dumps(found), encoding="utf-8")
    return tmp_path / "bases.toml"


def test_the_list_of_the_house_is_right_and_what_training_takes_can_be_computed() -> None:
    published = {"qwen3-0-6b": 0.6e9, "qwen3-1-7b": 1.7e9, "eurollm-1-7b-instruct": 1.657e9, "qwen3-4b": 4.0e9}
    published["qwen3-8b"] = 8.2e9
    found = listed()
    assert found.keys() == published.keys()
    for name, about in found.items():
        assert about["config"]["model_type"] in FAMILIES
        assert shape_of(about["config"]).numbers == pytest.approx(published[name], rel=0.015)


@pytest.mark.parametrize("parts", [False, True])
def test_what_is_on_the_list_comes_in_and_nothing_beside_it(
    parts: bool, download: Callable[..., Path], bases: Path, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    folder, models = download(parts=parts), tmp_path / "models"
    assert (folder / INDEX).is_file() == parts
    arguments = ["x", str(folder), "qwen3", "--models", str(models), "--list", str(bases)]
    monkeypatch.setattr("sys.argv", arguments)
    assert main() == 0
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert facts["revision"] == REVISION
    assert facts == json.loads((models / "qwen3" / "model.json").read_text()) == verify(models / "qwen3")
    assert {path.name for path in (models / "qwen3").iterdir()} <= {
        *("model.json", WEIGHTS, "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"),
        *("special_tokens_map.json", "chat_template.jinja"),
    }
    torch.manual_seed(1)
    theirs, ours = MADE["qwen3"]().state_dict(), load_file(models / "qwen3" / WEIGHTS)
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert sorted(models.iterdir()) == [models / "qwen3"]
    assert main() == 1
    assert "there already" in capsys.readouterr().err


def spoil_config(**changed: Any) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changed))

    return spoil


def spoil_tokenizer(folder: Path) -> None:
    path = folder / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": {"AutoTokenizer": ["a.b", None]}}))


def without_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    path = folder / "tokenizer_config.json"
    about = json.loads(path.read_text())
    about.pop("chat_template", None)
    path.write_text(json.dumps(about))


def with_another_tensor(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    save_file({**tensors, "model.more": torch.zeros(1)}, folder / WEIGHTS)


def with_another_shape(folder: Path) -> None:
    tensors = load_file(folder / WEIGHTS)
    save_file({**tensors, "model.norm.weight": torch.zeros(63)}, folder / WEIGHTS)


def only_pickled(folder: Path) -> None:
    (folder / WEIGHTS).unlink()


def parts_elsewhere(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder.parent / WEIGHTS)
    (folder / INDEX).write_text(json.dumps({"weight_map": {"a": f"../{WEIGHTS}"}}))


def of_another_revision(folder: Path) -> None:
    note = folder / ".cache" / "huggingface" / "download" / "config.json.metadata"
    note.parent.mkdir(parents=True)
    note.write_text(f"{'f' * 40}\nabc\n1.0\n")


def torn(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:5000])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (spoil_config(auto_map={"AutoModelForCausalLM": "modeling.Model"}), "auto_map"),
        (spoil_config(_attn_implementation_internal="somebody/kernel"), "_attn_implementation_internal"),
        (spoil_config(text={"quantization_config": {}}), "quantization_config"),
        (spoil_config(attn_implementation="somebody/kernel"), "attn_implementation"),
        (spoil_config(hidden_size=32), "hidden_size"),
        (spoil_config(model_type="llama"), "model_type"),
        (spoil_tokenizer, "auto_map"),
        (without_template, "chat template"),
        (with_another_tensor, "model.more"),
        (with_another_shape, "model.norm.weight"),
        (only_pickled, "no weights as safetensors"),
        (parts_elsewhere, "no part of safetensors"),
        (of_another_revision, "f" * 40),
        (torn, "cannot be read"),
        (lambda folder: (folder / "config.json").write_text("{"), "no JSON"),
        (lambda folder: (folder / "config.json").unlink(), "config.json is missing"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "okenizer"),
    ],
)
def test_whatever_is_odd_stays_outside(
    spoil: Callable[[Path], None], said: str, download: Callable[..., Path], bases: Path, tmp_path: Path
) -> None:
    folder = download()
    spoil(folder)
    with pytest.raises(BaseModelError, match=said):
        adopt(folder, "qwen3", tmp_path / "models", path=bases)
    assert not (tmp_path / "models").is_dir() or not list((tmp_path / "models").iterdir())


def test_a_name_or_revision_that_is_not_on_the_list_is_refused(
    download: Callable[..., Path], bases: Path, tmp_path: Path
) -> None:
    folder = download()
    for name in ("../qwen3", "", "qwen4", "/etc"):
        with pytest.raises(BaseModelError, match="not on the list"):
            adopt(folder, name, tmp_path / "models", path=bases)
    moved = folder.rename(folder.parent / ("e" * 40))
    with pytest.raises(BaseModelError, match="e" * 40):
        adopt(moved, "qwen3", tmp_path / "models", path=bases)
    right = moved.rename(folder.parent / REVISION)
    assert adopt(right, "qwen3", tmp_path / "models", path=bases)["licence"] == "CC0-1.0"


@pytest.mark.parametrize(
    ("key", "value"),
    [("source", "no-owner"), ("source", "a/../b"), ("source", "https://a/b"), ("revision", "main"), ("licence", " ")],
)
def test_a_list_that_pins_nothing_is_refused(key: str, value: str, bases: Path) -> None:
    about = {"source": "a/b", "revision": REVISION, "licence": "x", "config": {}}
    bases.write_text(tomli_w.dumps({"one": {**about, key: value}}))
    with pytest.raises(BadList, match="needs source"):
        listed(bases)


@pytest.mark.parametrize("family", ["mistral", "qwen2", "qwen3"])
@pytest.mark.parametrize("method", ["lora", "qlora"])
def test_every_family_learns(
    family: str, method: str, download: Callable[..., Path], bases: Path, tmp_path: Path
) -> None:
    adopt(download(family), family, tmp_path / "models", path=bases)
    config = write_run(tmp_path / "run", tmp_path / "models" / family, method=method, epochs=4)
    assert importlib.import_module(f"training.recipes.{method}").main(config) == 0
    report = json.loads((config.parent / "report.json").read_text())
    assert report["evaluation"]["adapter_bpb"] < report["evaluation"]["base_bpb"]
    assert report["base"]["sha256"] == sha256_of_file(tmp_path / "models" / family / WEIGHTS)
