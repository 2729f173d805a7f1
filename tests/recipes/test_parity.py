"""Our step is peft's and TRL's: on the same tokens the losses agree, though theirs are padded and ours are packed."""

from dataclasses import replace

import pytest
import torch
import trl
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.recipes.conftest import write_run
from training.evaluation.likelihood import completion_loss
from training.recipes import loop, part_speed, speed, stages
from training.recipes.configuration import Configuration
from training.recipes.journal import Journal
from training.recipes.lora import Lora
from training.recipes.text import pack

STEPS = 6


@pytest.fixture(scope="module")
def setting(tiny_base, tmp_path_factory):
    """Eight sentences of unlike lengths, and the settings of all who learn from them."""
    folder = tmp_path_factory.mktemp("parity")
    config = Configuration.read(write_run(folder, tiny_base, batch_size=8, learning_rate=0.003, warmup=0.0), "lora")
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    return config, tokenizer, loop.load_examples(config, tokenizer, "train")[:8]


@pytest.fixture
def adapted(setting):
    """The same adapter each time."""
    config, _, _ = setting
    torch.manual_seed(5)
    return Lora().prepare(config, Journal(config.folder))


def completion_tokens(examples):
    return sum(len(example.tokens) - example.prompt for example in examples)


def test_a_packed_batch_has_the_loss_and_gradient_that_peft_gives_the_padded_one(setting, adapted):
    _, tokenizer, examples = setting
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.1)
    ours = completion_loss(adapted, pack(examples)) / completion_tokens(examples)
    ours.backward()
    gradients = {name: p.grad.clone() for name, p in adapted.named_parameters() if p.grad is not None}
    adapted.zero_grad()
    theirs = adapted(**speed.pad(examples, tokenizer.pad_token_id)).loss
    theirs.backward()
    assert float(ours.detach()) == pytest.approx(float(theirs.detach()), abs=1e-5)
    assert len(gradients) == 2 * 14
    for name, parameter in adapted.named_parameters():
        if parameter.grad is not None:
            assert torch.allclose(gradients[name], parameter.grad, atol=1e-5)


def test_the_loss_curve_is_trl_s_in_float32_without_checkpointing(setting, adapted, tmp_path):
    config, tokenizer, examples = setting
    watch = speed.Watch()
    arguments = speed.arguments_of(config.recipe, str(tmp_path)) | {
        "num_train_epochs": STEPS,
        "bf16": False,
        "gradient_checkpointing": False,
        "lr_scheduler_type": "constant",
        "logging_nan_inf_filter": False,
    }
    # One batch holds all rows, so the order that the trainer draws does not matter.
    torch.manual_seed(5)
    trainer = trl.SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(config.base.path),
        args=trl.SFTConfig(**arguments),
        train_dataset=speed.trl_rows(examples),
        processing_class=tokenizer,
        peft_config=speed.lora_of(config.recipe),
        callbacks=[watch],
    )
    with torch.no_grad():
        for (name, mine), (other, theirs) in zip(
            adapted.named_parameters(), trainer.model.named_parameters(), strict=True
        ):
            assert name == other
            theirs.copy_(mine)
    first = float(completion_loss(trainer.model.eval(), pack(examples)).detach()) / completion_tokens(examples)
    trainer.train()
    trainable = [parameter for parameter in adapted.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=config.recipe.learning_rate, weight_decay=0.0)
    ours = [stages.one_step(adapted, examples, optimiser, trainable, config.recipe.clip)[0] for _ in range(STEPS)]
    assert watch.losses[0] == pytest.approx(first, abs=1e-4)
    assert ours[0] == pytest.approx(watch.losses[0], abs=1e-4)
    assert ours == pytest.approx(watch.losses, abs=1e-3)
    assert ours[-1] < ours[0] - 0.01


@pytest.mark.parametrize(("name", "batches"), [("plain_hf", 3), ("trl_default", 2)])
def test_the_programs_beside_ours_read_the_tokens_that_they_are_timed_by(setting, name, batches):
    config, tokenizer, _ = setting
    once = replace(config, recipe=replace(config.recipe, epochs=1))
    facts = speed.MEASURES[name](once)
    assert facts["tokens"] == sum(
        len(one.tokens) for one in loop.load_examples(config, tokenizer, "train")[: 8 * batches]
    )
    assert len(facts["losses"]) == batches
    assert facts["tokens_per_processor_second"] > 0


def test_the_machine_s_rate_and_the_bytes_of_4_bits_are_of_the_layers_that_get_adapters(setting):
    config, _, _ = setting
    linear = 2 * (64 * (64 + 32 + 32 + 64) + 3 * 64 * 128)
    found = speed.products(config)
    assert (found["linear_numbers"], found["head_numbers"]) == (linear, 258 * 64)
    assert found["gflops"] > 0
    memory = speed.memory(config)
    assert memory["float32_linear_bytes"] == 4 * linear
    # Half a byte a number, one for 64 scales; tables that a tiny layer feels.
    assert 0.5 + 1 / 64 <= memory["nf4_linear_bytes"] / linear < 1


@pytest.mark.parametrize("name", list(part_speed.PARTS))
def test_what_single_ideas_save_is_measured_on_the_same_work(setting, name):
    config, _, _ = setting
    facts = part_speed.PARTS[name](config)
    assert facts["ratio"] > 0
    if name == "intruders":
        assert (facts["matrices"], facts["intruders"]) == (14, facts["intruders_of_peft"])
    if name == "head":
        assert 0.3 < facts["masked_share"] < 0.95


def test_all_scores_give_the_loss_of_those_on_completions(setting, tiny_base):
    _, _, examples = setting
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    assert part_speed.learn_from_all_scores(model, examples) == pytest.approx(
        stages.learn_completions(model, examples), abs=1e-5
    )
