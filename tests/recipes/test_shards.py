"""Groups of contributors apart: nobody's bytes hang on another group, and their mean is what is kept."""

import json
import shutil
import tomllib

import pytest
import tomli_w
import torch
from transformers import AutoTokenizer

from tests.recipes.conftest import write_run
from tests.recipes.test_compose import loaded, logits, logits_of_mean
from training.recipes import certify, loop, lora
from training.recipes.configuration import Configuration, ConfigurationError, Recipe
from training.recipes.grouping import placed, shard_of
from training.recipes.lora import Lora
from training.recipes.shards import tax_of

SHARDS = 3
SETTINGS = {"method": "lora", "epochs": 2, "batch_size": 4, "shards": SHARDS, "seed": 2}


def report_of(config):
    return json.loads((config.parent / "report.json").read_text())


def events(config):
    return [json.loads(line) for line in (config.parent / "log.jsonl").read_text().splitlines()]


def groups_of(config):
    return {one["shard"]: one for one in report_of(config)["shards"]["groups"]}


def rows_of(config):
    return [json.loads(line) for line in (config.parent / "train.jsonl").read_text().splitlines()]


def prepared(folder, base, *, rows=None, earlier=None, **recipe):
    """A run folder, with other training rows and an earlier run where these are given."""
    config = write_run(folder, base, **{**SETTINGS, **recipe})
    if rows is not None:
        (folder / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    if earlier is not None:
        facts = tomllib.loads(config.read_text())
        facts["data"]["earlier_shards"] = str(earlier.parent / "shards" / "shards.json")
        config.write_text(tomli_w.dumps(facts))
    return config


def made(folder, base, **how):
    config = prepared(folder, base, **how)
    assert lora.main(config) == 0
    return config


@pytest.fixture(scope="module")
def whole(tiny_base, tmp_path_factory):
    """A run of three groups, with the control beside."""
    return made(tmp_path_factory.mktemp("whole") / "run", tiny_base)


def without_first_of(config, shard):
    """The rows but the first one of a group."""
    places = placed(config.parent / "train.jsonl", shards=SHARDS, seed=SETTINGS["seed"])
    gone = min(name for name, place in places.items() if place.shard == shard)
    return [row for row in rows_of(config) if row["id"] != gone]


def stages_of(path):
    """What a run would train, and its configuration."""
    config = Configuration.read(path, "lora")
    tokenizer = AutoTokenizer.from_pretrained(config.base.path)
    examples = {split: loop.load_examples(config, tokenizer, split) for split in ("train", "validation", "test")}
    return Lora().as_wanted(config).stages(config, tokenizer, examples), config


def test_people_are_dealt_out_and_not_sentences(whole):
    places = placed(whole.parent / "train.jsonl", shards=SHARDS, seed=SETTINGS["seed"])
    by_person = {}
    for place in places.values():
        by_person.setdefault(place.contributors, set()).add(place.shard)
    assert all(len(shards) == 1 for shards in by_person.values())
    assert {place.shard for place in places.values()} == {1, 2, 3}
    groups = groups_of(whole)
    assert sum(one["contributors"] for one in groups.values()) == len(by_person) == 6
    assert sum(one["rows"] for one in groups.values()) == len(places) == 24
    # With two hands in it, a sentence goes with one of its people, whoever is named first.
    assert shard_of(("a", "b"), shards=5, seed=1) == shard_of(["b", "a"], shards=5, seed=1)
    counts = [sum(shard_of([f"p{n}"], shards=4, seed=9) == shard for n in range(400)) for shard in (1, 2, 3, 4)]
    assert all(70 < count < 130 for count in counts)


def test_what_is_kept_is_the_mean_of_the_groups_to_a_millionth(whole, tiny_base):
    folders = [whole.parent / "shards" / str(shard) for shard in (1, 2, 3)]
    kept = logits(loaded(tiny_base, whole.parent / "adapter"))
    assert (kept - logits_of_mean(tiny_base, folders)).abs().max() <= 1e-6
    rest = logits(loaded(tiny_base, whole.parent / "shards" / "without-2"))
    assert (rest - logits_of_mean(tiny_base, [folders[0], folders[2]])).abs().max() <= 1e-6
    assert (kept - rest).abs().max() > 1e-4
    assert (
        certify.sha256_of_tensors(certify.load_file(whole.parent / "adapter" / certify.WEIGHTS[0]))
        == (report_of(whole)["adapter_sha256"])
    )


def test_the_price_is_measured_against_the_adapter_that_a_plain_run_makes(whole, tiny_base, tmp_path):
    plain = made(tmp_path / "plain", tiny_base, shards=0)
    shards = report_of(whole)["shards"]
    assert shards["control"]["sha256"] == report_of(plain)["adapter_sha256"]
    assert shards["control"]["tax"] == tax_of(shards["base_bpb"], shards["control"]["bpb"], shards["bpb"])
    assert not (whole.parent / ".control").exists()
    assert tax_of(4.0, 2.0, 2.5) == 0.25
    assert tax_of(4.0, 2.0, 1.5) == -0.25
    assert tax_of(4.0, 4.0, 3.0) is None
    # Better than nothing without any one group, on the validation rows.
    assert [one["shard"] for one in shards["without"]] == [1, 2, 3]
    assert all(one["difference_ci95"][1] < 0 for one in shards["without"])


def test_after_a_withdrawal_one_group_is_trained_and_it_is_as_if_all_had_been(whole, tiny_base, tmp_path):
    rows = without_first_of(whole, 3)
    again = made(tmp_path / "again", tiny_base, rows=rows, earlier=whole)
    never_saw = made(tmp_path / "never-saw", tiny_base, rows=rows[::-1], shard_control=False)
    assert report_of(again)["adapter_sha256"] == report_of(never_saw)["adapter_sha256"]
    assert report_of(again)["adapter_sha256"] != report_of(whole)["adapter_sha256"]
    assert {shard: one["taken"] for shard, one in groups_of(again).items()} == {1: True, 2: True, 3: False}
    assert report_of(again)["shards"]["trained_share"] <= 1 / SHARDS + 0.1
    before, tokens = groups_of(whole), groups_of(never_saw)
    # A group is the same to the bit whoever is in the others.
    assert [before[shard]["sha256"] == tokens[shard]["sha256"] for shard in (1, 2, 3)] == [True, True, False]
    assert report_of(again)["tokens"] == tokens[3]["tokens"]
    assert report_of(never_saw)["tokens"] == sum(one["tokens"] for one in tokens.values())
    # Nobody paid for the control again, and the price says what it was measured on.
    assert report_of(again)["shards"]["control"] == report_of(whole)["shards"]["control"]
    assert report_of(never_saw)["shards"]["control"] is None


def test_a_group_that_left_as_a_whole_leaves_what_was_kept_beside(whole, tiny_base, tmp_path):
    places = placed(whole.parent / "train.jsonl", shards=SHARDS, seed=SETTINGS["seed"])
    rows = [row for row in rows_of(whole) if places[row["id"]].shard != 1]
    rest = made(tmp_path / "rest", tiny_base, rows=rows, earlier=whole)
    beside = {one["shard"]: one["sha256"] for one in report_of(whole)["shards"]["without"]}
    assert report_of(rest)["adapter_sha256"] == beside[1]
    assert (report_of(rest)["steps"], report_of(rest)["shards"]["trained_share"]) == (0, 0)


def test_another_seed_is_trained_in_groups_of_its_own(whole, tiny_base, tmp_path):
    config = prepared(tmp_path / "run", tiny_base, seed=SETTINGS["seed"] - 1, shard_control=False)
    config.write_text(config.read_text().replace("[evaluation]", "[evaluation]\nseeds = 2"))
    assert lora.main(config) == 0
    own, other = report_of(config)["evaluation"]["seeds"]["measured"]
    assert (own["seed"], own["adapter_sha256"]) == (SETTINGS["seed"] - 1, report_of(config)["adapter_sha256"])
    assert (other["seed"], other["adapter_sha256"]) == (SETTINGS["seed"], report_of(whole)["adapter_sha256"])
    assert other["bpb"] == pytest.approx(report_of(whole)["evaluation"]["adapter_bpb"])


def test_nothing_is_taken_that_is_not_what_training_would_make(whole, tiny_base, tmp_path):
    def trained(name, earlier=None, **more):
        stages, _ = stages_of(prepared(tmp_path / name, tiny_base, earlier=earlier, shard_control=False, **more))
        return len(stages)

    shutil.copytree(whole.parent, tmp_path / "earlier")
    earlier = tmp_path / "earlier" / "config.toml"
    assert trained("the same", earlier) == 0
    assert trained("other settings", earlier, learning_rate=0.02) == SHARDS
    # As a run that begins anew with less at once finds its folder.
    shutil.copytree(tmp_path / "the same", tmp_path / "anew")
    assert trained("anew") == 0
    assert trained("anew", tokens_at_once=96) == SHARDS
    shutil.copy(earlier.parent / "adapter" / certify.WEIGHTS[0], earlier.parent / "shards" / "2")
    assert trained("other weights", earlier) == 1
    (earlier.parent / "shards" / "shards.json").write_text("[")
    assert trained("no list", earlier) == SHARDS


def test_killed_anywhere_it_makes_the_same_bytes(whole, tiny_base, tmp_path):
    config = prepared(tmp_path / "run", tiny_base)
    __, second, third, control = (stage["from_step"] for stage in report_of(whole)["stages"])
    # In the second group, at the first step of the third, and in the control.
    for last in (second + 1, third, control + 1):

        class Killed(Lora):
            def before_step(self, model, config, step, last=last):
                if step == last:
                    raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            loop.main(config, Killed())
        torch.manual_seed(99)
    assert loop.main(config, Lora()) == 0
    assert report_of(config)["adapter_sha256"] == report_of(whole)["adapter_sha256"]
    assert report_of(config)["shards"]["control"] == report_of(whole)["shards"]["control"]
    assert report_of(config)["stages"] == report_of(whole)["stages"]


def test_killed_after_it_took_earlier_groups_it_goes_on_without_them(whole, tiny_base, tmp_path):
    shutil.copytree(whole.parent, tmp_path / "earlier")
    config = prepared(
        tmp_path / "run", tiny_base, rows=without_first_of(whole, 2), earlier=tmp_path / "earlier" / "config.toml"
    )

    class Killed(Lora):
        def before_step(self, model, config, step):
            if step == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        loop.main(config, Killed())
    # Its configuration still names them.
    shutil.rmtree(tmp_path / "earlier")
    assert loop.main(config, Lora()) == 0
    assert [one["taken"] for one in groups_of(config).values()] == [True, False, True]
    assert next(event for event in events(config) if event["event"] == "resumed")["step"] == 2


def test_the_steps_are_counted_over_all_groups_and_are_shared(whole, tiny_base, tmp_path):
    steps = [event for event in events(whole) if event["event"] == "step"]
    assert [event["step"] for event in steps] == list(range(1, len(steps) + 1))
    assert {event["steps"] for event in steps} == {len(steps)}
    few, config = stages_of(prepared(tmp_path / "few", tiny_base, max_steps=4))
    assert [stage.steps(stage.expected(), config) for stage in few] == [2, 2, 2, 4]


def test_what_cannot_be_done_in_groups_is_said(tiny_base, tmp_path):
    with pytest.raises(ConfigurationError, match="by LoRA, QLoRA only"):
        Recipe.from_mapping({"recipe": {"method": "kto", "shards": 2}})
    for limit in ({"token_share": 0.5}, {"token_budget": 1000}, {"patience": 2}):
        with pytest.raises(ConfigurationError, match="leave out the limits on tokens and patience"):
            Recipe.from_mapping({"recipe": {"method": "lora", "shards": 2, **limit}})
        Recipe.from_mapping({"recipe": {"method": "lora", "shards": 1, **limit}})
    rows = [{**row, "contributors": []} for row in rows_of(prepared(tmp_path / "one", tiny_base))]
    config = prepared(tmp_path / "two", tiny_base, rows=rows)
    assert lora.main(config) == 1
    assert "belongs to no group" in events(config)[-1]["message"]


def test_whoever_certifies_it_sees_whether_it_is_the_mean_of_its_groups(whole, tmp_path):
    shutil.copytree(whole.parent, tmp_path / "run")
    honest, other = certify.Certificate(), certify.Certificate()
    certify.check_shards(honest, tmp_path / "run", report_of(whole))
    shutil.copytree(tmp_path / "run" / "shards" / "1", tmp_path / "run" / "shards" / "2", dirs_exist_ok=True)
    certify.check_shards(other, tmp_path / "run", report_of(whole))
    assert honest.checked == ["It is the mean of the 3 groups' adapters that the report names."]
    assert ("not their mean" in other.failures[0], honest.failures) == (True, [])
