"""A run of several seeds keeps the adapter of one, says what the others came to, and goes on where it was killed."""

import json

import pytest
import torch

from tests.recipes.conftest import write_run
from training.recipes import dylora, loop, lora, seeds
from training.recipes.dylora import Dylora
from training.recipes.lora import Lora
from training.recipes.stages import RecipeError
from training.runs.progress import LogReader, loss_curve

SETTINGS = {"epochs": 1, "validate_every": 3, "checkpoint_every": 1}
STEPS = 3


def events(config):
    return [json.loads(line) for line in (config.parent / "log.jsonl").read_text().splitlines()]


def report_of(config):
    return json.loads((config.parent / "report.json").read_text())


def several(folder, base, *, method="lora", number=3, **more):
    """A run folder whose run is trained so many times."""
    config = write_run(folder, base, method=method, **{**SETTINGS, **more})
    config.write_text(config.read_text().replace("[evaluation]", f"[evaluation]\nseeds = {number}"))
    return config


@pytest.fixture(scope="module")
def alone(tiny_base, tmp_path_factory):
    """The runs of one seed, by method and seed."""
    made = {}

    def run(recipe, seed=7):
        name = recipe.__name__
        if (name, seed) not in made:
            folder = tmp_path_factory.mktemp("alone") / "run"
            config = write_run(folder, tiny_base, method=name.rpartition(".")[2], seed=seed, **SETTINGS)
            assert recipe.main(config) == 0
            made[name, seed] = report_of(config)
        return made[name, seed]

    return run


@pytest.fixture(scope="module")
def thrice(tiny_base, tmp_path_factory):
    """A run of three seeds."""
    config = several(tmp_path_factory.mktemp("thrice") / "run", tiny_base)
    assert lora.main(config) == 0
    return config


def test_the_adapter_that_is_kept_is_that_of_a_run_of_one_seed(thrice, alone):
    assert report_of(thrice)["adapter_sha256"] == alone(lora)["adapter_sha256"]
    assert "seeds" not in alone(lora)["evaluation"]


def test_the_others_are_what_runs_of_their_seeds_alone_would_make(thrice, alone):
    measured = report_of(thrice)["evaluation"]["seeds"]["measured"]
    assert [one["seed"] for one in measured] == [7, 8, 9]
    assert len({one["adapter_sha256"] for one in measured}) == 3
    assert measured[1]["adapter_sha256"] == alone(lora, 8)["adapter_sha256"]
    own = report_of(thrice)["evaluation"]
    assert (measured[0]["bpb"], measured[0]["score"]) == (own["adapter_bpb"], own["scores"][0]["adapter"])


def test_report_and_card_say_how_far_it_depends_on_the_seed(thrice):
    found = report_of(thrice)["evaluation"]["seeds"]
    values = [one["bpb"] for one in found["measured"]]
    assert found["bpb"]["mean"] == pytest.approx(sum(values) / 3)
    assert found["bpb"]["low"] < found["bpb"]["mean"] < found["bpb"]["high"]
    assert found["score"]["name"] == "chrF++"
    assert "- Over 3 seeds of training: " in (thrice.parent / "README.md").read_text()


def test_of_the_others_nothing_is_left_but_figures(thrice):
    left = sorted(path.name for path in (thrice.parent / "checkpoints").iterdir())
    assert [name for name in left if "seed" in name] == ["seed-8.json", "seed-9.json"]
    assert not [path for path in thrice.parent.rglob("*.safetensors") if path.parent.name != "adapter"]


def test_time_and_energy_count_all_of_them_and_the_curve_is_the_run_s_own(thrice):
    log = events(thrice)
    steps = [event for event in log if event["event"] == "step"]
    assert [event.get("other_seed") for event in steps] == [8] * STEPS + [9] * STEPS + [None] * STEPS
    report = report_of(thrice)
    assert report["seconds"] >= log[-2]["seconds"] >= steps[-1]["seconds"]
    # The most it can have been is full power all the time, whatever else the machine does.
    assert report["energy"]["wh_high"] == pytest.approx(60 * report["seconds"] / 3600, rel=0.05)
    curve = loss_curve(thrice.parent / "log.jsonl")
    assert [step for step, _ in curve["training"]] == [1, 2, 3]
    assert curve["training"][0][1] == steps[-STEPS]["loss"]


def test_the_page_hears_which_seed_is_trained(thrice, tmp_path):
    lines = (thrice.parent / "log.jsonl").read_text().splitlines()
    during = next(place for place, line in enumerate(lines) if '"other_seed": 9' in line and '"step"' in line)
    (tmp_path / "log.jsonl").write_text("\n".join(lines[: during + 1]) + "\n")
    assert LogReader(tmp_path / "log.jsonl").progress()["other_seed"] == 9
    assert "other_seed" not in LogReader(thrice.parent / "log.jsonl").progress()


@pytest.mark.parametrize("method", [Lora, Dylora])
def test_killed_while_another_seed_is_trained_it_goes_on_there_and_makes_the_same_bytes(
    method, alone, tiny_base, tmp_path
):
    config = several(tmp_path / "run", tiny_base, method=method.name)

    class Killed(method):
        def before_step(self, model, config, step):
            super().before_step(model, config, step)
            if config.recipe.seed == 9 and step == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.main(config, Killed())
    torch.manual_seed(99)
    assert loop.main(config, method()) == 0
    after = events(config)[[event["event"] for event in events(config)].index("resumed") :]
    assert after[0]["other_seed"] == 9
    assert after[0]["step"] == 2
    assert not [event for event in after if event.get("other_seed") == 8], "it was measured before"
    recipe = {Lora: lora, Dylora: dylora}[method]
    found = report_of(config)
    assert found["adapter_sha256"] == alone(recipe)["adapter_sha256"]
    assert found["evaluation"]["seeds"]["measured"][2]["adapter_sha256"] == alone(recipe, 9)["adapter_sha256"]


def test_a_seed_that_ends_badly_is_told_and_the_run_goes_on(alone, tiny_base, tmp_path, monkeypatch):
    config = several(tmp_path / "run", tiny_base, number=2)

    def fails(*_):
        raise RecipeError("The loss is not a number any more; try a lower learning rate.")

    monkeypatch.setattr(seeds, "train", fails)
    assert lora.main(config) == 0
    found = report_of(config)["evaluation"]["seeds"]
    assert found["measured"][1] == {
        "seed": 8,
        "failure": "The loss is not a number any more; try a lower learning rate.",
    }
    assert "bpb" not in found
    assert report_of(config)["adapter_sha256"] == alone(lora)["adapter_sha256"]
