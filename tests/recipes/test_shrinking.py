"""Adapters after training: intruder dimensions found and scaled exactly, and adapters made smaller."""

import json
import re
import shutil

import pytest
import torch
from peft import PeftModel
from peft.tuners.lora.intruders import reduce_intruder_dimension
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.recipes.conftest import write_run
from training.evaluation.intruders import basis_of, find_intruders, largest, mitigated, summary
from training.recipes import four_bits, intruders, loop, lora, merge, prune, stages
from training.recipes.configuration import Configuration
from training.recipes.journal import Journal
from training.recipes.text import pack


@pytest.fixture(scope="module")
def run(tiny_base, tmp_path_factory):
    """A finished run whose adapter has intruders: few ranks that were learnt fast."""
    config = write_run(
        tmp_path_factory.mktemp("intruders") / "run",
        tiny_base,
        method="lora",
        rank=8,
        alpha=64,
        learning_rate=0.05,
        epochs=6,
    )
    assert lora.main(config) == 0
    return Configuration.read(config, "lora")


def logits(model, tokens):
    with torch.no_grad():
        return model(input_ids=torch.tensor([tokens])).logits


def test_the_intruders_are_those_that_peft_finds(run):
    model = intruders.load(run, run.folder / "adapter")
    found = intruders.audit(model)
    lines = []
    reduce_intruder_dimension(model, logging_sink=lines.append)
    theirs = {}
    for line in lines:
        if match := re.match(r"(\S+): (?:Intruders: (\d+)|No intruders)", line):
            theirs[match[1]] = int(match[2] or 0)
    assert {name: one.count for name, one in found.items()} == theirs
    assert sum(theirs.values()) > 5
    facts = summary(list(found.values()))
    assert (facts["intruders"], facts["weights"], facts["looked_at"]) == (sum(theirs.values()), 14, 140)
    assert 0 < facts["energy_share"] < 1


@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_a_factor_scales_exactly_and_what_is_written_is_what_was_measured(run, factor, tmp_path):
    folder = run.folder / "adapter"
    model = intruders.load(run, folder)
    found = intruders.audit(model)
    for name, layer in intruders.layers_of(model):
        weight, one = intruders.weight_of(layer), found[name]
        delta = layer.get_delta_weight("default").detach()
        wanted = weight + delta + (factor - 1) * (one.left * one.values) @ one.right.T
        a, b = mitigated(
            layer.lora_A["default"].weight, layer.lora_B["default"].weight, layer.scaling["default"], one, factor
        )
        assert float((weight + b @ a - wanted).norm() / wanted.norm()) < 1e-6
    tokens = list(range(3, 40))
    plain = logits(model, tokens)
    with intruders.scaled(model, found, factor):
        live = logits(model, tokens)
    assert torch.equal(logits(model, tokens), plain)
    assert (float((live - plain).abs().max()) < 1e-4) is (factor == 1.0)
    intruders.write(folder, found, factor, tmp_path / "written")
    base = AutoModelForCausalLM.from_pretrained(run.base.path)
    stock = PeftModel.from_pretrained(base, tmp_path / "written").eval()
    assert torch.allclose(logits(stock, tokens), live, atol=1e-4)


def test_it_works_on_four_bits_and_the_cache_changes_nothing(run, tmp_path):
    base = four_bits.load_in_4_bits(run.base.path)
    model = PeftModel.from_pretrained(base, run.folder / "adapter").eval()
    first = intruders.audit(model, tmp_path / "cache" / "base.safetensors")
    kept = load_file(tmp_path / "cache" / "base.safetensors")
    again = intruders.audit(model, tmp_path / "cache" / "base.safetensors")
    assert {name: one.count for name, one in first.items()} == {name: one.count for name, one in again.items()}
    assert sum(one.count for one in first.values()) > 5
    assert kept.keys() == first.keys()


def test_a_direction_that_is_planted_is_found_and_one_that_was_there_is_none():
    torch.manual_seed(4)
    weight = torch.randn(96, 64)
    basis = basis_of(weight)
    planted = basis[:, 60] - basis[:, 3] + basis[:, 20] - basis[:, 40] + torch.randn(96) * 0.3
    planted /= planted.norm()
    right = torch.randn(64)
    right /= right.norm()
    assert find_intruders(weight, 100 * torch.outer(planted, right), basis).count == 1
    u, _, v = largest(weight, 10)
    stronger = find_intruders(weight, 100 * torch.outer(u[:, 2], v[:, 2]), basis)
    assert (stronger.count, stronger.energy) == (0, 0.0)


@pytest.mark.parametrize("shape", [(200, 120), (120, 200)])
def test_the_ten_largest_are_those_of_the_whole_decomposition_where_they_lie_close_together_too(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(4))
    u, s, v = largest(matrix, 10)
    exact, values, _ = torch.linalg.svd(matrix, full_matrices=False)
    # By less than a twentieth from one to the next.
    assert (values[:9] / values[1:10]).max() < 1.05
    assert torch.allclose(s, values[:10], rtol=1e-5)
    assert torch.allclose((exact[:, :10].T @ u).abs(), torch.eye(10), atol=1e-3)
    assert torch.allclose(matrix @ v, u * s, atol=1e-4)


def test_the_trade_off_has_a_curve_and_advises_only_what_pays(run):
    facts = intruders.trade_off(run)
    assert [row["factor"] for row in facts["curve"]] == [1.0, 0.75, 0.5, 0.25]
    assert len({round(row["bpb"], 6) for row in facts["curve"]}) == 4
    good = [
        {"factor": 1.0, "bpb": 3.0, "forgotten": 0.5},
        {"factor": 0.75, "bpb": 3.01, "forgotten": 0.4},
        {"factor": 0.5, "bpb": 3.05, "forgotten": 0.3},
        {"factor": 0.25, "bpb": 3.5, "forgotten": 0.1},
    ]
    assert intruders.advise(4.0, good) == {"advised": 0.5, "verdict": "scale by 0.5"}
    dear = [{**row, "bpb": row["bpb"] + (row["factor"] < 1)} for row in good]
    assert intruders.advise(4.0, dear)["verdict"] == "no benefit"
    nothing_lost = [{**row, "forgotten": -0.1} for row in good]
    assert intruders.advise(4.0, nothing_lost)["verdict"] == "no benefit"


def test_half_the_rank_is_half_the_bytes_and_the_nearest_matrix(run, tmp_path, capsys, monkeypatch):
    config = run.folder / "config.toml"
    monkeypatch.setattr("sys.argv", ["prune", str(config), "4", str(tmp_path / "half")])
    assert prune.main() == 0
    facts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert facts["bytes_after"] == facts["bytes_before"] / 2
    assert facts["bpb_before"] == pytest.approx(prune.bpb_of(run, run.folder / "adapter"))
    base = AutoModelForCausalLM.from_pretrained(run.base.path)
    whole = PeftModel.from_pretrained(base, run.folder / "adapter").eval()
    cut = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(run.base.path), tmp_path / "half").eval()
    layers = dict(intruders.layers_of(cut))
    for name, layer in intruders.layers_of(whole):
        delta, small = layer.get_delta_weight("default").double(), layers[name].get_delta_weight("default").double()
        u, s, vt = torch.linalg.svd(delta)
        nearest = (u[:, :4] * s[:4]) @ vt[:4]
        assert float((small - nearest).norm()) < 1e-4 * float(nearest.norm())


@pytest.mark.parametrize("rank", [0, 8, 9])
def test_a_rank_that_is_not_smaller_is_refused(run, rank, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["prune", str(run.folder / "config.toml"), str(rank), str(tmp_path / "x")])
    assert prune.main() == 1
    assert "rank 8" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_a_smaller_rank_is_merged_as_it_is_pruned_with_its_price(run, tmp_path):
    facts = merge.merge(run, tmp_path / "merged", rank=2)
    price = prune.shrink(run, 2, tmp_path / "quarter")
    assert facts["pruned"] == price
    assert price["bpb_after"] == pytest.approx(facts["live_bpb"])
    assert price["bpb_ratio"] != 1
    assert price["bytes_after"] == price["bytes_before"] / 4
    base = AutoModelForCausalLM.from_pretrained(run.base.path)
    cut = PeftModel.from_pretrained(base, tmp_path / "quarter").eval()
    said = logits(AutoModelForCausalLM.from_pretrained(tmp_path / "merged").eval(), list(range(3, 40)))
    assert torch.allclose(said, logits(cut, list(range(3, 40))), atol=1e-4)


def test_what_is_more_than_a_lora_is_not_made_smaller(run, tmp_path):
    folder = tmp_path / "more"
    shutil.copytree(run.folder / "adapter", folder)
    weights = load_file(folder / "adapter_model.safetensors")
    save_file({**weights, "score": torch.ones(2)}, folder / "adapter_model.safetensors")
    with pytest.raises(ValueError, match="score is no matrix"):
        prune.prune(folder, 4, tmp_path / "x")
    about = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(about | {"use_dora": True}))
    with pytest.raises(ValueError, match="no plain LoRA: use_dora"):
        prune.prune(folder, 4, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_what_is_scaled_can_still_be_read_in_packs(run):
    tokenizer = AutoTokenizer.from_pretrained(run.base.path)
    examples = loop.load_examples(run, tokenizer, "test")
    model = intruders.load(run, run.folder / "adapter")
    with intruders.scaled(model, intruders.audit(model), 0.5):
        assert len(stages.losses_of(model, examples)) == len(examples)
    assert pack(examples)["input_ids"].shape[0] == 1
    assert Journal(run.folder).stop_asked is False
