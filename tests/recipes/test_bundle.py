"""A run that is taken elsewhere: everything is in the bundle, and only what was asked for is taken back."""

import contextlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import save_file

from tests.recipes.conftest import write_run
from training.recipes import bundle, lora
from training.recipes.base_model import sha256_of_file
from training.recipes.configuration import Configuration
from training.recipes.matrices import sha256_of_matrices
from training.recipes.report import sha256_of_tensors


@pytest.fixture(scope="module")
def done(tiny_base, tmp_path_factory):
    """A bundle whose run was made, in another place than where it was packed."""
    folder = tmp_path_factory.mktemp("bundle")
    config = Configuration.read(write_run(folder / "run", tiny_base, method="lora", epochs=1), "lora")
    bundle.pack_run(config, folder / "packed")
    away = folder / "away"
    shutil.copytree(folder / "packed", away)
    shutil.copytree(tiny_base, away / "models" / tiny_base.name)
    with contextlib.chdir(away):
        assert lora.main(Path("config.toml")) == 0
    return away


def test_what_is_packed_says_the_run_three_times(tiny_base, tmp_path):
    config = Configuration.read(write_run(tmp_path / "run", tiny_base, method="qlora", max_steps=7), "qlora")
    files = bundle.pack_run(config, tmp_path / "packed")
    assert {"config.toml", "run.sbatch", "README.md", "llama_factory.yaml", "axolotl.yaml"} <= set(files)
    packed = tmp_path / "packed"
    assert str(tmp_path) not in "".join(path.read_text() for path in packed.rglob("*") if path.is_file())
    factory = yaml.safe_load((packed / "llama_factory.yaml").read_text())
    axolotl = yaml.safe_load((packed / "axolotl.yaml").read_text())
    assert (factory["lora_rank"], factory["quantization_bit"], factory["max_steps"]) == (4, 4, 7)
    assert (axolotl["lora_r"], axolotl["adapter"], axolotl["load_in_4bit"]) == (4, "qlora", True)
    (first, *_) = (packed / "data" / "train.chat.jsonl").read_text().splitlines()
    assert [one["role"] for one in json.loads(first)["messages"]] == ["system", "user", "assistant"]
    info = json.loads((packed / "data" / "dataset_info.json").read_text())
    assert all((packed / "data" / row["file_name"]).is_file() for row in info.values())
    assert subprocess.run(["bash", "-n", packed / "run.sbatch"], check=False).returncode == 0
    assert "training.recipes.qlora config.toml" in (packed / "run.sbatch").read_text()


def test_a_method_that_others_do_not_have_is_packed_for_us_alone(tiny_base, tmp_path):
    config = Configuration.read(write_run(tmp_path / "run", tiny_base, method="kto"), "kto")
    files = bundle.pack_run(config, tmp_path / "packed")
    assert "data/train.judged.jsonl" in files
    assert not [name for name in files if name.endswith(".yaml")]


def test_what_comes_back_is_taken_when_it_is_what_was_asked_for(done, capsys, monkeypatch):
    report = bundle.check(done)
    monkeypatch.setattr("sys.argv", ["bundle", "check", str(done)])
    assert bundle.main() == 0
    assert capsys.readouterr().out.strip() == report["adapter_sha256"]


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("config.toml", "rank = 4", "rank = 5", "another recipe.rank: 4"),
        ("data/train.jsonl", "uno 1", "dos 1", "another train file"),
        ("report.json", '"adapter_sha256": "', '"adapter_sha256": "0', "not the one that the report names"),
        ("config.toml", 'sha256 = "', 'sha256 = "0', "another base model"),
    ],
)
def test_what_differs_is_named(done, tmp_path, file, old, new, words, capsys, monkeypatch):
    shutil.copytree(done, tmp_path / "changed")
    path = tmp_path / "changed" / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new, 1))
    monkeypatch.setattr("sys.argv", ["bundle", "check", str(path.parents[file.count("/")])])
    assert bundle.main() == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("kind", [torch.float32, torch.float16, torch.bfloat16])
def test_a_file_has_the_hash_of_its_numbers_whatever_they_are_kept_in(kind, tmp_path):
    kept = {"b": torch.randn(3, 4).to(kind), "a": torch.randn(5).to(kind)}
    save_file(kept, tmp_path / "adapter_model.safetensors")
    assert sha256_of_matrices(tmp_path / "adapter_model.safetensors") == sha256_of_tensors(kept)


def test_a_bundle_names_its_release_and_what_comes_back_must_too(tiny_base, tmp_path):
    path = write_run(tmp_path / "data" / "run", tiny_base, method="lora", epochs=1)
    names = {"train.jsonl": "train.jsonl", "train.judged.jsonl": "judged_train.jsonl"}
    stated = {f"data/{name}": {"sha256": sha256_of_file(path.parent / ours)} for name, ours in names.items()}
    (tmp_path / "data" / "manifest.json").write_text(json.dumps({"files": stated}))
    sha256 = sha256_of_file(tmp_path / "data" / "manifest.json")
    path.write_text(path.read_text() + f'\n[release]\nsha256 = "{sha256}"\nlabels = "A label"\n')
    files = bundle.pack_run(Configuration.read(path, "lora"), tmp_path / "packed")
    assert "manifest.json" in files
    (tmp_path / "packed" / "models").mkdir()
    shutil.copytree(tiny_base, tmp_path / "packed" / "models" / tiny_base.name)
    with contextlib.chdir(tmp_path / "packed"):
        assert lora.main(Path("config.toml")) == 0
    report = bundle.check(tmp_path / "packed")
    assert report["release"] == {"sha256": sha256}
    (tmp_path / "packed" / "report.json").write_text(json.dumps(report | {"release": {"sha256": ""}}))
    with pytest.raises(bundle.NotThisRun, match=r"another release\.sha256"):
        bundle.check(tmp_path / "packed")
