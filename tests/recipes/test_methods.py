"""Every method on a tiny model: it learns, it can be killed, and it makes the same bytes every time."""

import hashlib
import importlib
import json

import pytest
import torch
from peft import PeftModel
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.recipes.conftest import write_run
from training.evaluation.scores import bits_per_byte
from training.recipes import loop, stages
from training.recipes.base_model import sha256_of_file
from training.recipes.configuration import METHODS, Configuration
from training.recipes.continue_pretraining import ContinuePretraining
from training.recipes.dpo import Dpo
from training.recipes.dylora import Dylora, use_rank
from training.recipes.full import Full
from training.recipes.generate import Writer
from training.recipes.journal import Journal
from training.recipes.kto import Kto
from training.recipes.lora import Lora
from training.recipes.probe import Reader
from training.recipes.qdylora import Qdylora
from training.recipes.qlora import Qlora
from training.recipes.ranks import advise, cut, measured_ranks
from training.recipes.reward import Reward
from training.recipes.self_evolution import SelfEvolution

CLASSES = {
    "lora": Lora,
    "qlora": Qlora,
    "dylora": Dylora,
    "qdylora": Qdylora,
    "full": Full,
    "continue_pretraining": ContinuePretraining,
    "kto": Kto,
    "dpo": Dpo,
    "reward": Reward,
    "self_evolution": SelfEvolution,
}
SEVERAL_STAGES = {"continue_pretraining", "kto", "dpo", "reward", "self_evolution"}
NESTED = ("dylora", "qdylora")
SETTINGS = {"epochs": 3, "validate_every": 4}


def events(config):
    return [json.loads(line) for line in (config.parent / "log.jsonl").read_text().splitlines()]


def report_of(config):
    return json.loads((config.parent / "report.json").read_text())


@pytest.fixture(scope="module")
def whole(tiny_base, tmp_path_factory):
    """Makes a method's uninterrupted run once; its config.toml."""
    made = {}

    def run(name):
        if name not in made:
            config = write_run(tmp_path_factory.mktemp(name) / "run", tiny_base, method=name, **SETTINGS)
            assert importlib.import_module(f"training.recipes.{name}").main(config) == 0
            made[name] = config
        return made[name]

    return run


def test_every_method_is_tried_here():
    assert set(CLASSES) == set(METHODS)
    assert all(kind.name == name for name, kind in CLASSES.items())


@pytest.mark.parametrize("name", CLASSES)
def test_it_learns_and_names_itself(name, whole, tiny_base):
    report = report_of(whole(name))
    assert report["method"] == report["recipe"]["method"] == name
    assert report["evaluation"]["bpb_difference_ci95"][1] < 0
    assert f"A {METHODS[name]} " in (whole(name).parent / "README.md").read_text()
    assert report["base"]["sha256"] == sha256_of_file(tiny_base / "model.safetensors")


@pytest.mark.parametrize("name", CLASSES)
def test_what_is_on_disk_is_what_the_report_names(name, whole):
    digest = hashlib.sha256()
    (weights,) = (whole(name).parent / "adapter").glob("*.safetensors")
    with safe_open(weights, framework="np") as file:
        for tensor_name in sorted(file.keys()):
            tensor = file.get_tensor(tensor_name)
            digest.update(tensor_name.encode() + b"\0" + str(tensor.shape).encode() + tensor.tobytes())
    assert digest.hexdigest() == report_of(whole(name))["adapter_sha256"]
    assert weights.stat().st_mode & 0o044 == 0o044


@pytest.mark.parametrize("name", CLASSES)
def test_killed_in_each_stage_and_given_the_rows_in_another_order_it_makes_the_same_bytes(
    name, whole, tiny_base, tmp_path
):
    config = write_run(tmp_path / "run", tiny_base, method=name, **SETTINGS)
    train = config.parent / "train.jsonl"
    train.write_text("\n".join(train.read_text().splitlines()[::-1]) + "\n")
    begins, expected = report_of(whole(name))["stages"][-1]["from_step"], []

    class Killed(CLASSES[name]):
        def before_step(self, model, config, step):
            super().before_step(model, config, step)
            if step == self.last:
                raise KeyboardInterrupt

    # Checkpoints are made every second step, and where a stage begins.
    for last, goes_on_from in ((5, {4}), (begins + 2, {begins, begins + 1, begins + 2}))[: 1 + (begins + 2 > 5)]:
        Killed.last = last
        with pytest.raises(KeyboardInterrupt):
            loop.main(config, Killed())
        assert not (config.parent / "report.json").exists()
        expected.append(goes_on_from)
        torch.manual_seed(99)
    assert loop.main(config, CLASSES[name]()) == 0
    resumed = [event["step"] for event in events(config) if event["event"] == "resumed"]
    assert len(resumed) == len(expected)
    assert all(step in steps for step, steps in zip(resumed, expected, strict=True))
    assert report_of(config)["adapter_sha256"] == report_of(whole(name))["adapter_sha256"]
    assert report_of(config)["stages"] == report_of(whole(name))["stages"]


def test_these_have_several_stages(whole):
    several = {name for name in CLASSES if report_of(whole(name))["stages"][-1]["from_step"] > 0}
    assert several == SEVERAL_STAGES


def test_bases_are_measured_alike(whole):
    in_32_bits = {round(report_of(whole(name))["evaluation"]["base_bpb"], 6) for name in ("lora", "dylora", "full")}
    in_4_bits = {round(report_of(whole(name))["evaluation"]["base_bpb"], 6) for name in ("qlora", "qdylora")}
    assert len(in_32_bits) == len(in_4_bits) == 1
    assert in_32_bits != in_4_bits


def test_a_config_of_another_method_is_refused(tiny_base, tmp_path):
    config = write_run(tmp_path / "run", tiny_base, method="qlora")
    assert loop.main(config, Lora()) == 1
    assert "is for training.recipes.qlora" in events(config)[-1]["message"]
    config.write_text(config.read_text().replace('method = "qlora"\n', ""))
    assert Configuration.read(config, "lora").recipe.method == "lora"


def test_full_fine_tuning_moves_every_weight_and_keeps_a_model_that_loads(whole, tiny_base):
    config = whole("full")
    before = dict(AutoModelForCausalLM.from_pretrained(tiny_base).named_parameters())
    after = dict(AutoModelForCausalLM.from_pretrained(config.parent / "adapter").named_parameters())
    assert not [name for name, value in after.items() if torch.equal(value, before[name])]
    parameters = report_of(config)["parameters"]
    assert parameters["trainable"] == parameters["total"] == sum(value.numel() for value in after.values())


def test_whatever_loads_adapters_refuses_a_whole_model_with_a_sentence(whole, tiny_base):
    folder = str(whole("full").parent / "adapter")
    with pytest.raises(ValueError, match="whole model"):
        Reader(str(tiny_base), {"adapter": folder})
    with pytest.raises(ValueError, match="whole model"):
        Writer(str(tiny_base)).answer({"id": "1", "side": {"adapter": folder}, "asked": []})


@pytest.fixture
def nested(tiny_base, tmp_path):
    """A DyLoRA of rank 4 in which every number counts."""
    config = Configuration.read(write_run(tmp_path / "run", tiny_base), "dylora")
    torch.manual_seed(4)
    model = Dylora().prepare(config, Journal(tmp_path))
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    return model, config


@pytest.mark.parametrize("rank", [1, 2, 3, 4])
def test_any_rank_is_a_plain_adapter_of_stock_peft(nested, tiny_base, tmp_path, rank):
    model, config = nested
    ids = torch.arange(40).reshape(2, 20)
    (tmp_path / "adapter").mkdir()
    Dylora().save(model, tmp_path / "adapter", config)
    use_rank(model, rank, config.recipe.alpha)
    cut(tmp_path / "adapter", rank, tmp_path / "cut")
    plain = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_base), tmp_path / "cut")
    with torch.no_grad():
        live, loaded = model.eval()(input_ids=ids).logits, plain.eval()(input_ids=ids).logits
        base = AutoModelForCausalLM.from_pretrained(tiny_base)(input_ids=ids).logits
    assert torch.allclose(live, loaded, atol=1e-5, rtol=0)
    assert not torch.allclose(live, base, atol=1e-2)
    assert plain.peft_config["default"].r == rank


def test_a_step_reaches_only_the_ranks_up_to_the_drawn_one(nested):
    model, config = nested
    use_rank(model, 2, config.recipe.alpha)
    model(input_ids=torch.arange(20)[None], labels=torch.arange(20)[None]).loss.backward()
    for name, parameter in model.named_parameters():
        if "lora_A" in name:
            assert parameter.grad[:2].abs().sum() > 0
            assert parameter.grad[2:].abs().sum() == 0
        elif "lora_B" in name:
            assert parameter.grad[:, :2].abs().sum() > 0
            assert parameter.grad[:, 2:].abs().sum() == 0


def test_every_rank_is_drawn_about_as_often_and_a_step_always_draws_the_same(nested, monkeypatch):
    _, config = nested
    drawn = []
    monkeypatch.setattr("training.recipes.dylora.use_rank", lambda model, rank, alpha: drawn.append(rank))
    for step in (*range(400), *range(400)):
        Dylora().before_step(None, config, step)
    assert drawn[:400] == drawn[400:]
    assert all(70 < drawn[:400].count(rank) < 130 for rank in (1, 2, 3, 4))


@pytest.mark.parametrize("name", NESTED)
def test_the_report_measures_the_ranks_and_the_advice_saves_bytes(name, whole):
    ranks = report_of(whole(name))["ranks"]
    rows = {row["rank"]: row for row in ranks["measured"]}
    assert list(rows) == [1, 2, 4]
    full = (whole(name).parent / "adapter" / "adapter_model.safetensors").stat().st_size
    assert rows[4]["bytes"] == pytest.approx(full, rel=0.2)
    assert rows[1]["bytes"] * 4 == rows[4]["bytes"]
    assert rows[ranks["advised"]]["bpb"] <= rows[ranks["best"]]["bpb"] + rows[ranks["best"]]["standard_error"]
    assert ranks["bytes_saved"] == rows[4]["bytes"] - rows[ranks["advised"]]["bytes"]
    assert f"rank\n{ranks['advised']} is as good as the best" in (whole(name).parent / "README.md").read_text()
    last = [event for event in events(whole(name)) if event["event"] == "validation"][-1]
    assert last["bpb"] == pytest.approx(rows[4]["bpb"], abs=1e-5)


def test_the_advice_is_the_smallest_rank_within_one_standard_error():
    sizes = [10, 10, 10, 10]
    far, near, best = [30.0, 30, 30, 30], [20.4, 20.4, 20.4, 20.4], [19.0, 21, 19, 21]
    found = advise([(16, best), (4, near), (1, far)], sizes, bytes_at_full=1600, full=16)
    assert (found["best"], found["advised"], found["bytes_saved"]) == (16, 4, 1200)
    # Four sentences of 19 and 21 nats: a standard error of 1 / sqrt(3) nats for 10 bytes.
    assert found["measured"][-1]["standard_error"] == pytest.approx(3**-0.5 / 10 / 0.693147, rel=1e-4)
    assert measured_ranks(16) == [1, 2, 4, 8, 16]
    assert measured_ranks(6) == [1, 2, 4, 6]


def bits_at(rank, config, base, folder):
    """Bits per byte on the validation split of an adapter that was cut to a rank."""
    cut(config.parent / "adapter", rank, folder)
    settings = Configuration.read(config, report_of(config)["method"])
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder).eval()
    examples = loop.load_examples(settings, AutoTokenizer.from_pretrained(base), "validation")
    part = stages.validation_part(examples, settings)
    return bits_per_byte(stages.losses_of(model, part), [example.target_bytes for example in part])


def test_a_rank_that_was_cut_out_is_as_good_as_the_report_says(whole, tiny_base, tmp_path):
    report = report_of(whole("dylora"))
    for row in report["ranks"]["measured"]:
        found = bits_at(row["rank"], whole("dylora"), tiny_base, tmp_path / str(row["rank"]))
        assert found == pytest.approx(row["bpb"], abs=1e-5)
        assert found < report["evaluation"]["base_bpb"] - 0.1


def test_a_rank_that_is_not_there_is_refused(whole, tmp_path):
    with pytest.raises(ValueError, match="ranks 1 to 4"):
        cut(whole("dylora").parent / "adapter", 5, tmp_path / "cut")
    assert not (tmp_path / "cut").exists()
