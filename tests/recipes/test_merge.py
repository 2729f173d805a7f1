"""An adapter merged into its base says what it says beside it, and so does the GGUF that is written from both."""

import json
import shutil

import pytest
import torch
from gguf import GGUFReader
from peft import PeftModel
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.recipes.conftest import with_merges, write_run
from training.recipes import merge, qdylora, to_gguf
from training.recipes.configuration import Configuration
from training.recipes.four_bits import load_in_4_bits
from training.recipes.ranks import cut
from training.recipes.stages import RecipeError


@pytest.fixture(scope="module")
def run(tiny_base, tmp_path_factory):
    """A finished run beside four bits, whose adapter can be cut to any rank; its base has tokens of several bytes."""
    base = with_merges(tiny_base, tmp_path_factory.mktemp("merge") / "base")
    config = write_run(base.parent / "run", base, method="qdylora", epochs=2)
    assert qdylora.main(config) == 0
    return Configuration.read(config, "qdylora")


@pytest.fixture(scope="module")
def model(run, tmp_path_factory):
    """What it is merged into."""
    folder = tmp_path_factory.mktemp("merged") / "model"
    merge.merge(run, folder, onto="nf4")
    return folder


def logits(model, tokens=tuple(range(3, 40))):
    with torch.no_grad():
        return model(input_ids=torch.tensor([list(tokens)])).logits


def live(run, adapter):
    return PeftModel.from_pretrained(load_in_4_bits(run.base.path), adapter).eval()


def test_merged_onto_the_unpacked_four_bits_it_says_what_the_live_adapter_says(run, model):
    said = logits(AutoModelForCausalLM.from_pretrained(model).eval())
    assert float((said - logits(live(run, run.folder / "adapter"))).abs().max()) <= 1e-4
    facts = json.loads((model / "model.json").read_text())
    report = json.loads((run.folder / "report.json").read_text())
    assert facts["made_of"]["adapter_sha256"] == report["adapter_sha256"]
    assert facts["made_of"]["base"] == report["base"]
    measured = facts["merged"]["measured"]
    assert measured["nf4"]["logits"] <= 1e-4 < measured["base"]["logits"]
    assert measured["nf4"]["bpb"] == pytest.approx(facts["live_bpb"], abs=1e-5)
    card = (model / "README.md").read_text()
    assert "| unpacked four bits (kept) |" in card
    assert all(duty in card for duty in merge.OBLIGATIONS)


def test_without_being_told_it_keeps_the_better_of_both(run, tmp_path, monkeypatch):
    found = {}
    for better in ("nf4", "base"):
        usual = merge.bpb_of
        places = iter(["nf4", "base", "live"])
        monkeypatch.setattr(merge, "bpb_of", lambda *_, at=places, best=better: 1.0 + (next(at) != best))
        facts = merge.merge(run, tmp_path / better)
        monkeypatch.setattr(merge, "bpb_of", usual)
        found[better] = facts["merged"]["onto"]
        assert facts["merged"]["chosen"] == "fewer bits per byte"
    assert found == {"nf4": "nf4", "base": "base"}
    first, second = (load_file(tmp_path / name / "model.safetensors") for name in found)
    assert any(not torch.equal(first[name], second[name]) for name in first)


def test_a_rank_of_it_is_merged_as_it_is_cut(run, tmp_path, monkeypatch, capsys):
    arguments = [str(run.folder / "config.toml"), str(tmp_path / "two"), "--rank", "2", "--onto", "nf4"]
    monkeypatch.setattr("sys.argv", ["merge", *arguments])
    assert merge.main() == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["made_of"]["rank"] == 2
    cut(run.folder / "adapter", 2, tmp_path / "cut")
    said = logits(AutoModelForCausalLM.from_pretrained(tmp_path / "two").eval())
    assert float((said - logits(live(run, tmp_path / "cut"))).abs().max()) <= 1e-4
    assert merge.main() == 1
    assert "is there already" in capsys.readouterr().err


def test_what_is_no_finished_adapter_is_not_merged(run, tiny_base, tmp_path):
    with pytest.raises(RecipeError, match="whole model"):
        merge.merge(Configuration.read(write_run(tmp_path / "full", tiny_base, method="full"), "full"), tmp_path / "x")
    config = Configuration.read(write_run(tmp_path / "lora", tiny_base, method="lora"), "lora")
    with pytest.raises(RecipeError, match="not finished"):
        merge.merge(config, tmp_path / "x")
    weights = load_file(run.folder / "adapter" / "adapter_model.safetensors")
    (config.folder / "adapter").mkdir()
    first = min(weights)
    save_file({**weights, first: weights[first] + 1}, config.folder / "adapter" / "adapter_model.safetensors")
    (config.folder / "report.json").write_text((run.folder / "report.json").read_text())
    with pytest.raises(RecipeError, match="by its hash"):
        merge.merge(config, tmp_path / "x")
    save_file(weights, config.folder / "adapter" / "adapter_model.safetensors")
    with pytest.raises(RecipeError, match="no four bits"):
        merge.merge(config, tmp_path / "x", onto="nf4")
    shutil.copyfile(run.folder / "adapter" / "adapter_config.json", config.folder / "adapter" / "adapter_config.json")
    with pytest.raises(ValueError, match="smaller rank"):
        merge.merge(config, tmp_path / "x", rank=4)
    assert not (tmp_path / "x").exists()
    assert not list(tmp_path.glob(".merging-*"))


@pytest.mark.parametrize(("kind", "most"), [("f32", 1e-4), ("f16", 0.05), ("q8_0", 0.5)])
def test_a_gguf_says_what_it_was_written_from(run, model, kind, most, tmp_path):
    facts = to_gguf.export(run, model, tmp_path / "model.gguf", kind)
    assert facts["gguf"]["same_tokens"]
    assert facts["gguf"]["logits"] <= most
    assert facts["gguf"]["bpb_ratio"] == pytest.approx(1, abs=0.02)
    about = GGUFReader(tmp_path / "model.gguf").fields
    assert about["tokenizer.ggml.pre"].contents() == "gpt-2"
    assert about["wordhearth.adapter_sha256"].contents() == facts["made_of"]["adapter_sha256"]
    assert about["wordhearth.obligations"].contents() == list(merge.OBLIGATIONS)
    assert about["tokenizer.chat_template"].contents() == AutoTokenizer.from_pretrained(model).chat_template
    assert json.loads((tmp_path / "model.json").read_text()) == facts


def test_a_gguf_that_says_something_else_is_not_kept(run, model, tmp_path, monkeypatch):
    with monkeypatch.context() as unturned:
        unturned.setattr(to_gguf, "turned", lambda weight, heads: weight)
        assert to_gguf.export(run, model, tmp_path / "odd.gguf", "f32")["gguf"]["logits"] > 1e-3
    measured = iter([1.0, 1.03])
    monkeypatch.setattr(to_gguf, "bpb_of", lambda *_: next(measured))
    with pytest.raises(RecipeError, match="times the bits per byte"):
        to_gguf.export(run, model, tmp_path / "model.gguf", "f32")
    assert {path.name for path in tmp_path.iterdir()} == {"odd.gguf", "odd.json"}


def test_only_what_llama_cpp_reads_alike_is_written(model, tmp_path):
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
    digits = {"type": "Digits", "individual_digits": True}
    for first, named in ((byte_level, "gpt-2"), ({"pretokenizers": [digits, byte_level]}, "smollm")):
        assert to_gguf.cutting_of({"pre_tokenizer": first, "model": {"type": "BPE"}}) == named
    for odd in (None, digits, {**byte_level, "use_regex": False}, {"pretokenizers": [byte_level, digits]}):
        with pytest.raises(RecipeError, match="cuts text"):
            to_gguf.cutting_of({"pre_tokenizer": odd, "model": {"type": "BPE"}})
    for name, value in (("model_type", "gpt2"), ("attention_bias", True)):
        about = json.loads((model / "config.json").read_text())
        (tmp_path / "config.json").write_text(json.dumps(about | {name: value}))
        with pytest.raises(RecipeError, match="architecture"):
            to_gguf.write(tmp_path, tmp_path / "x.gguf", "f32", {})
