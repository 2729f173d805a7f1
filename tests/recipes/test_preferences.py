"""Learning from votes: our losses are TRL's, votes weigh by skill, and held-out votes are foretold."""

import json
import random
from dataclasses import replace

import pytest
import torch
import trl
from datasets import Dataset
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer
from trl.trainer.dpo_trainer import DataCollatorForPreference
from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference
from trl.trainer.reward_trainer import DataCollatorForPreference as RewardCollator

from tests.recipes.conftest import lesson, write_run
from training.recipes import dpo, kto, loop, reward, self_evolution, speed
from training.recipes.configuration import Configuration
from training.recipes.journal import Journal, Stopped
from training.recipes.judged import belief, read_judged, read_preferred
from training.recipes.lora import Lora
from training.recipes.stages import RecipeError, losses_of
from training.recipes.text import Example, read_rows


@pytest.fixture(scope="module")
def setting(tiny_base, tmp_path_factory):
    """Settings, tokenizer, and eight examples of unlike lengths."""
    folder = tmp_path_factory.mktemp("votes")
    config = Configuration.read(write_run(folder, tiny_base), "kto")
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    return config, tokenizer, loop.load_examples(config, tokenizer, "train")[:8]


@pytest.fixture
def adapted(setting):
    """An adapter that changes something."""
    config, _, _ = setting
    torch.manual_seed(5)
    model = Lora().prepare(config, Journal(config.folder))
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def changed(example):
    """The same request with another completion, longer by two tokens."""
    tokens = (*example.tokens[:-1], 40, 41, example.tokens[-1])
    return replace(example, id=f"{example.id}-bad", tokens=tokens)


def theirs(trainer_class, config_class, setting, adapted, folder, **arguments):
    """TRL's trainer, in float32 and without checkpointing, with our matrices in its adapter."""
    config, tokenizer, _ = setting
    kept = {k: v for k, v in speed.arguments_of(config.recipe, str(folder)).items() if k != "max_steps"}
    trainer = trainer_class(
        model=AutoModelForCausalLM.from_pretrained(config.base.path),
        args=config_class(**kept, bf16=False, gradient_checkpointing=False, beta=0.3, **arguments),
        train_dataset=Dataset.from_list(
            [{"prompt": "a", "chosen": "b", "rejected": "c"}] * 4
            if trainer_class is trl.DPOTrainer
            else [{"prompt": "a", "completion": "b", "label": n % 2 == 0} for n in range(4)]
        ),
        processing_class=tokenizer,
        peft_config=speed.lora_of(config.recipe),
    )
    ours = dict(adapted.named_parameters())
    with torch.no_grad():
        for name, parameter in trainer.model.named_parameters():
            parameter.copy_(ours[name])
    return trainer


def parts(example):
    return list(example.tokens[: example.prompt]), list(example.tokens[example.prompt :])


def gradients(model):
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return found


def test_dpo_s_loss_and_gradient_are_trl_s(setting, adapted, tmp_path):
    config, tokenizer, examples = setting
    config = replace(config, preference=replace(config.preference, beta=0.3, anchor=0.0))
    pairs = [dpo.Pair(one.id, one, changed(one)) for one in examples]
    with adapted.disable_adapter():
        known = dpo.with_references(adapted, pairs, Journal(tmp_path))
    ours, mine = dpo.Pairs(pairs, config).learn(adapted, known), gradients(adapted)

    trainer = theirs(trl.DPOTrainer, trl.DPOConfig, setting, adapted, tmp_path)
    rows = []
    for pair in pairs:
        prompt, chosen = parts(pair.better)
        rows.append({"prompt_ids": prompt, "chosen_ids": chosen, "rejected_ids": parts(pair.worse)[1]})
    loss = trainer.compute_loss(trainer.model, DataCollatorForPreference(tokenizer.pad_token_id)(rows))
    loss.backward()
    assert ours == pytest.approx(float(loss.detach()), abs=1e-4)
    assert_same(mine, gradients(trainer.model))
    # Not where both say the same: the reference is another model.
    assert abs(ours - 0.6931) > 0.01


def test_kto_s_loss_and_gradient_are_trl_s(setting, adapted, tmp_path):
    config, tokenizer, examples = setting
    config = replace(config, preference=replace(config.preference, beta=0.3))
    votes = [
        kto.Vote(changed(one) if n % 3 == 0 else one, examples[0], is_good=n % 3 > 0, weight=1.0)
        for n, one in enumerate(examples)
    ]
    votes = [
        replace(
            vote,
            stranger=Example(
                f"{vote.id}-other",
                vote.answer.tokens[: vote.answer.prompt] + tuple(parts(votes[(n + 1) % 8].answer)[1]),
                vote.answer.prompt,
                1,
            ),
        )
        for n, vote in enumerate(votes)
    ]
    stage = kto.Votes(votes, config)
    with adapted.disable_adapter():
        known = stage.begin(adapted, config, Journal(tmp_path))
    ours, mine = stage.learn(adapted, known), gradients(adapted)

    trainer = theirs(trl.KTOTrainer, trl.KTOConfig, setting, adapted, tmp_path)
    rows = []
    for vote in votes:
        prompt, completion = parts(vote.answer)
        other = parts(vote.stranger)[1]
        row = {"prompt_ids": prompt, "completion_ids": completion, "KL_completion_ids": other}
        rows.append(row | {"label": vote.is_good})
    loss = trainer.compute_loss(trainer.model, DataCollatorForUnpairedPreference(tokenizer.pad_token_id)(rows))
    loss.backward()
    assert ours == pytest.approx(float(loss.detach()), abs=1e-4)
    assert_same(mine, gradients(trainer.model))


def assert_same(mine, others):
    assert len(mine) == len(others) == 2 * 14
    assert max(float(gradient.abs().max()) for gradient in mine.values()) > 1e-3
    for name, gradient in mine.items():
        assert torch.allclose(gradient, others[name], atol=1e-4), name


def test_a_vote_weighs_and_the_anchor_adds_what_the_formula_says(setting, adapted, tmp_path):
    config, _, examples = setting
    pair = dpo.Pair(examples[0].id, examples[0], changed(examples[0]))
    (known,) = dpo.with_references(adapted, [pair], Journal(tmp_path))
    plain, anchored = (
        dpo.Pairs([], replace(config, preference=replace(config.preference, anchor=anchor))) for anchor in (0.0, 0.5)
    )
    (nats,) = losses_of(adapted, [pair.better])
    per_token = nats / (len(pair.better.tokens) - pair.better.prompt)
    assert plain.learn(adapted, [known]) == pytest.approx(0.693147, abs=1e-5)
    assert anchored.learn(adapted, [known]) == pytest.approx(0.693147 + 0.5 * per_token, rel=1e-4)
    assert plain.learn(adapted, [replace(known, weight=0.25)]) == pytest.approx(0.693147 / 4, abs=1e-5)
    adapted.zero_grad()
    vote = kto.Vote(examples[0], examples[0], is_good=True, weight=1.0, reference=nats, stranger_reference=nats)
    assert kto.Votes([], config).learn(adapted, [vote]) == pytest.approx(0.5, abs=1e-4)
    assert kto.Votes([], config).learn(adapted, [replace(vote, weight=0.5)]) == pytest.approx(0.25, abs=1e-4)


def test_voices_add_up_by_skill():
    assert belief([]) == 0.5
    assert belief([(True, 0.8)]) == pytest.approx(0.8)
    assert belief([(True, 0.8), (False, 0.8)]) == pytest.approx(0.5)
    # Two who are right three times in four say as much as one who is right nine times in ten.
    assert belief([(True, 0.75), (True, 0.75)]) == pytest.approx(0.9)
    # Nobody's vote is turned round, and nobody is beyond doubt.
    assert belief([(True, 0.1)]) == 0.5
    assert belief([(False, 1.0)]) == pytest.approx(0.01)


def line(name, completion, votes, group="g", decided=None):
    said = [{"by": f"p{n}", "good": good, "skill": skill} for n, (good, skill) in enumerate(votes)]
    return {"id": name, "group": group, "lesson": lesson("uno", completion), "votes": said, "decided": decided}


def written(path, *lines):
    path.write_text("".join(json.dumps(one) + "\n" for one in lines))
    return path


def test_judgements_are_read_as_people_gave_them(tmp_path):
    compared = {
        "id": "c1",
        "lesson": {"system": "s", "request": "r"},
        "options": ["first", "second"],
        "votes": [{"by": "p", "first": False, "skill": 0.9}],
    }
    path = written(
        tmp_path / "judged.jsonl",
        line("good", "aa", [(True, 0.9), (True, 0.6)]),
        line("bad", "bb", [(False, 0.8)]),
        line("even", "cc", [(True, 0.8), (False, 0.8)]),
        line("ruled", "dd", [(True, 0.9)], decided=False),
        line("other", "ee", [(True, 0.9)], group="h"),
        compared,
    )
    judged = {one.row.id: (one.is_good, round(one.weight, 3)) for one in read_judged(path)}
    assert judged == {"good": (True, 0.862), "bad": (False, 0.6), "ruled": (False, 1.0), "other": (True, 0.8)}
    pairs = {one.id: (one.better.completion, one.worse.completion) for one in read_preferred(path)}
    assert pairs == {"c1": ("second", "first"), "good>bad": ("aa", "bb"), "good>ruled": ("aa", "dd")}


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        json.dumps({"id": "x"}),
        json.dumps(line("x", "a", [(True, 1.5)])),
        json.dumps({"id": "x", "lesson": {"system": "", "request": ""}, "options": [1, 2], "votes": []}),
    ],
)
def test_a_line_that_is_no_judgement_is_named(broken, tmp_path):
    path = tmp_path / "judged.jsonl"
    path.write_text(json.dumps(line("good", "aa", [(True, 0.9)])) + "\n" + broken + "\n")
    with pytest.raises(ValueError, match=r"Line 2 of judged\.jsonl"):
        read_judged(path)
    with pytest.raises(ValueError, match=r"Line 2 of judged\.jsonl"):
        read_preferred(path)


@pytest.mark.parametrize("recipe", [kto, dpo, reward])
def test_a_release_without_judgements_is_refused(recipe, tiny_base, tmp_path):
    name = recipe.__name__.rpartition(".")[2]
    config = write_run(tmp_path / "run", tiny_base, method=name)
    config.write_text("".join(row for row in config.read_text().splitlines(True) if not row.startswith("judged_")))
    assert recipe.main(config) == 1
    assert "holds nothing of it" in (config.parent / "log.jsonl").read_text()


def test_good_and_bad_answers_weigh_the_same_altogether(setting):
    config, tokenizer, _ = setting
    votes = kto.votes_of(read_judged(config.data.judged_train), tokenizer, config)
    only_bad = kto.votes_of(
        [one for one in read_judged(config.data.judged_train) if not one.is_good], tokenizer, config
    )
    sums = [sum(vote.weight for vote in votes if vote.is_good is good) for good in (True, False)]
    assert sums[0] == pytest.approx(sums[1])
    assert {round(vote.weight, 3) for vote in only_bad} == {0.6}
    assert all(
        vote.stranger.tokens[: vote.stranger.prompt] == vote.answer.tokens[: vote.answer.prompt] for vote in votes
    )


def noisy(path, truth, skills, *, weighted, seed=3):
    """Votes of people whose skills are known, on answers that end in "good" or "evil"; each answer gets three."""
    draw = random.Random(seed)  # noqa: S311
    lines = []
    for number, good in enumerate(truth):
        votes = []
        for who in draw.sample(range(len(skills)), 3):
            says = good if draw.random() < skills[who] else not good
            votes.append((says, skills[who] if weighted else 0.75))
        lines.append(
            line(f"a{number}", ("good " if good else "evil ") + chr(97 + number % 26), votes, group=f"t{number}")
        )
    return written(path, *lines)


def wrong(path, truth):
    """The share of weight that is on the wrong side."""
    judged = read_judged(path)
    bad = sum(one.weight for one in judged if one.is_good is not truth[int(one.row.id[1:])])
    return bad / sum(one.weight for one in judged)


def test_with_spammers_about_weighing_by_skill_gives_cleaner_lessons(tmp_path):
    truth = [number % 2 == 0 for number in range(400)]
    skills = [0.9] * 7 + [0.5] * 3
    by_skill = wrong(noisy(tmp_path / "a.jsonl", truth, skills, weighted=True), truth)
    alike = wrong(noisy(tmp_path / "b.jsonl", truth, skills, weighted=False), truth)
    assert by_skill < 0.6 * alike


@pytest.mark.parametrize("recipe", [kto, dpo, reward])
def test_votes_that_were_not_seen_are_foretold_with_one_in_ten_flipped(recipe, tiny_base, tmp_path):
    name = recipe.__name__.rpartition(".")[2]
    config = write_run(
        tmp_path / "run",
        tiny_base,
        method=name,
        epochs=1,
        learning_rate=0.001,
        preference={"preference_epochs": 3, "preference_learning_rate": 0.01, "beta": 0.2},
    )
    for split, count, first in (("judged_train", 80, 0), ("judged_test", 40, 200)):
        draw, lines = random.Random(split), []  # noqa: S311
        for number in range(first, first + count):
            flipped = draw.random() < 0.1 and split == "judged_train"
            for good in (True, False):
                said = [(good is not flipped, 0.8)]
                text = ("ama " if good else "oko ") + "".join(draw.choices("abcdef", k=4))
                lines.append(line(f"a{number}-{good}", text, said, group=f"t{number}"))
        written(config.parent / f"{split}.jsonl", *lines)
    assert recipe.main(config) == 0
    report = json.loads((config.parent / "report.json").read_text())
    assert report["votes"]["in_order"] >= 0.65
    assert [stage["name"] for stage in report["stages"]] == [
        "completions",
        {kto: "votes", dpo: "pairs", reward: "rewards"}[recipe],
    ]


def test_a_pair_s_reward_loss_is_trl_s(setting, tmp_path):
    """TRL's trainer has a head of its own on the base; with its weights, both say the same of a batch."""
    config, tokenizer, examples = setting
    torch.manual_seed(3)
    # The end mark pads here, too; TRL would then look at the token before it. No row ends with the first mark.
    theirs = AutoModelForSequenceClassification.from_pretrained(config.base.path, num_labels=1, pad_token_id=0)
    torch.nn.init.normal_(theirs.score.weight, std=0.5)
    kept = {k: v for k, v in speed.arguments_of(config.recipe, str(tmp_path)).items() if k != "max_steps"}
    trainer = trl.RewardTrainer(
        model=theirs,
        args=trl.RewardConfig(**kept, bf16=False, gradient_checkpointing=False),
        train_dataset=Dataset.from_list([{"chosen": "a b", "rejected": "a c"}] * 4),
        processing_class=tokenizer,
    )
    theirs.config.pad_token_id = 0
    pairs = [dpo.Pair(one.id, one, changed(one)) for one in examples]
    rows = [{"chosen_ids": list(pair.better.tokens), "rejected_ids": list(pair.worse.tokens)} for pair in pairs]
    loss = trainer.compute_loss(trainer.model, RewardCollator(0)(rows))

    model, journal = Lora().prepare(config, Journal(tmp_path)), Journal(tmp_path)
    better, worse = (reward.thoughts(model, [getattr(p, side) for p in pairs], journal) for side in ("better", "worse"))
    apart = ((better - worse) @ theirs.score.weight.detach().T)[:, 0]
    ours = reward.reward_loss(apart, torch.ones(len(pairs))) / len(pairs)
    assert float(ours) == pytest.approx(float(loss.detach()), abs=1e-4)
    assert abs(float(ours) - 0.6931) > 0.01


def test_a_finished_reward_model_scores_a_file(tiny_base, tmp_path, capsys):
    config = write_run(
        tmp_path / "run",
        tiny_base,
        method="reward",
        preference={"preference_epochs": 20, "preference_learning_rate": 0.05},
    )
    assert reward.main(config) == 0
    rows = config.parent / "rows.jsonl"
    texts = {"good": "ñu̱ abab", "bad": "zz qq"}
    rows.write_text("".join(json.dumps({"id": k, "lesson": lesson("uno 1", text)}) + "\n" for k, text in texts.items()))
    capsys.readouterr()
    assert reward.main(config, rows) == 0
    found = {row["id"]: row["reward"] for row in map(json.loads, capsys.readouterr().out.splitlines())}
    assert found["good"] > found["bad"] + 0.5
    assert reward.main(config, tmp_path / "none.jsonl") == 1


def test_a_round_keeps_what_is_worse_by_the_margin_and_nothing_else(tiny_base, tmp_path):
    config = write_run(
        tmp_path / "run",
        tiny_base,
        method="self_evolution",
        preference={"margin": 0.0, "rounds": 1, "tries": 2},
    )
    assert self_evolution.main(config) == 0
    report = json.loads((config.parent / "report.json").read_text())
    first, second = report["stages"]
    assert (first["name"], second["name"]) == ("completions", "round 1")
    assert second["lessons"] + second["without_margin"] == 24
    assert second["lessons"] > 0
    assert 0 <= second["chrf_of_tries"] < 100
    settings = Configuration.read(config, "self_evolution")
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    (example, *_), (row, *_) = loop.load_examples(settings, tokenizer, "train"), read_rows(settings.data.train)
    strict = replace(settings, preference=replace(settings.preference, margin=40.0))
    tried = self_evolution.Round(1, [row], {row.id: example}, tokenizer, strict)
    assert tried._pair(row, 60.5, "nearly it", strict) == []
    assert tried._pair(row, 1.0, "", strict) == []
    (pair,) = tried._pair(row, 59.5, "far off", strict)
    assert (pair.better, tokenizer.decode(pair.worse.tokens[pair.worse.prompt : -1])) == (example, "far off")


def test_reading_answers_stops_when_asked(setting, adapted, tmp_path):
    _, _, examples = setting
    journal = Journal(tmp_path)
    journal._ask_to_stop(15, None)
    with pytest.raises(Stopped):
        kto.reference_of(adapted, examples, journal)
    with pytest.raises(RecipeError):
        kto.said_in("", read_judged)
