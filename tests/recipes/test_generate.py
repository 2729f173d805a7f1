"""The warm process answers request after request, and a piece of text never ends inside a character."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.recipes import generate
from training.recipes.base_model import sha256_of_file
from training.recipes.four_bits import load_in_4_bits
from training.recipes.generation import generate_batch, stream_tokens
from training.recipes.serving import Shelf, Side

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def adapters(tiny_base, tmp_path_factory):
    """Three adapters that say different things."""
    root = tmp_path_factory.mktemp("adapters")
    for seed in range(3):
        torch.manual_seed(seed)
        lora = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", init_lora_weights=False)
        model = get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_base), lora)
        model.save_pretrained(root / str(seed))
    return [str(root / str(seed)) for seed in range(3)]


def asking(name, adapter, **more):
    beside = [{"which": "adapter", "adapter": adapter}] if adapter else []
    return {
        "id": name,
        "sides": [{"which": "base"}, *beside],
        "system": "You are a careful translator.",
        "request": "Translate from Spanish to Test:\nuno",
        "max_new_tokens": 12,
        **more,
    }


def run_process(base, lines, *options):
    process = subprocess.Popen(
        [sys.executable, "-m", "training.recipes.generate", "--base", str(base), *options],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    output, _ = process.communicate(("\n".join(lines) + "\n").encode(), timeout=60)
    return process.returncode, [json.loads(line) for line in output.decode().splitlines()]


@pytest.mark.slow
def test_it_answers_request_after_request_and_outlives_a_bad_one(tiny_base, adapters):
    lines = [json.dumps(asking("1", adapters[0])), "not json", json.dumps(asking("2", None))]
    code, seen = run_process(tiny_base, lines, "--sha256", sha256_of_file(tiny_base / "model.safetensors"))

    assert code == 0
    assert seen[0] == {"event": "ready"}
    ends = [(event["id"], event["event"]) for event in seen if event.get("event") in {"finished", "error"}]
    assert ends == [("1", "finished"), (None, "error"), ("2", "finished")]
    done = [event for event in seen if event.get("event") == "done"]
    assert [(event["id"], event["which"]) for event in done] == [("1", "base"), ("1", "adapter"), ("2", "base")]
    assert all(1 <= event["tokens"] <= 12 for event in done)


def test_a_recipe_that_tests_start_is_a_child_that_can_be_killed(tiny_base):
    """Forked (`tests.forking`) or not."""
    command = [sys.executable, "-m", "training.recipes.generate", "--base", str(tiny_base)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes) as process:
        assert json.loads(process.stdout.readline()) == {"event": "ready"}
        assert psutil.Process(process.pid).ppid() == os.getpid()
        assert os.getsid(process.pid) == process.pid
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert not psutil.pid_exists(process.pid)


def test_changed_weights_are_refused(tiny_base, capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["generate", "--base", str(tiny_base), "--sha256", "0" * 64])
    monkeypatch.setattr(sys, "stdin", iter([json.dumps(asking("1", None))]))
    assert generate.main() == 1
    seen = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [event["event"] for event in seen] == ["error"]


def texts_of(capsys):
    texts = {}
    for line in capsys.readouterr().out.splitlines():
        event = json.loads(line)
        if "text" in event:
            texts[event["id"], event["which"]] = texts.get((event["id"], event["which"]), "") + event["text"]
    return texts


def test_each_adapter_speaks_for_itself_also_after_it_was_unloaded(tiny_base, adapters, capsys):
    writer = generate.Writer(str(tiny_base), most=2)
    for name, adapter in zip("abcd", [*adapters, adapters[0]], strict=True):
        writer.answer(asking(name, adapter))

    texts = texts_of(capsys)
    spoken = [texts[name, "adapter"] for name in "abc"]
    assert len(set(spoken)) == 3
    assert texts["d", "adapter"] == spoken[0]
    assert len({texts[name, "base"] for name in "abcd"}) == 1
    assert texts["a", "base"] not in spoken
    assert [side.adapter for side in writer.shelf.kept] == [adapters[2], adapters[0]]


@pytest.mark.parametrize("temperature", [0.0, 3.0])
def test_sides_of_one_answer_are_what_they_are_alone(tiny_base, adapters, capsys, temperature):
    """Two adapters, a rank of one and the base in one batch, likeliest or drawn: each as if it were asked alone."""
    sides = [
        {"which": "one", "adapter": adapters[0]},
        {"which": "base"},
        {"which": "other", "adapter": adapters[1]},
        {"which": "cut", "adapter": adapters[0], "rank": 2},
    ]
    writer = generate.Writer(str(tiny_base), most=2)
    how = {"temperature": temperature, "seed": 4}
    writer.answer(asking("a", None, **how) | {"sides": sides})
    together = {which: text for (_, which), text in texts_of(capsys).items()}
    for side in sides:
        writer.answer(asking("b", None, **how) | {"sides": [side]})
        assert texts_of(capsys) == {("b", side["which"]): together[side["which"]]}
    assert len(set(together.values())) == 4 or temperature
    assert len(writer.shelf.kept) == 2


def test_an_adapter_that_learnt_beside_four_bits_is_served_beside_what_they_say(tiny_base, adapters, capsys):
    shelf = Shelf(str(tiny_base), most=2)
    tokens = torch.tensor([list(range(3, 30))])
    with torch.no_grad():
        ((model, _, names),) = shelf.take([Side(adapters[0], onto="nf4")])
        served = model(input_ids=tokens, adapter_names=names).logits
        packed = load_in_4_bits(str(tiny_base))
        live = PeftModel.from_pretrained(packed, adapters[0]).eval()(input_ids=tokens).logits
        (first, second) = shelf.take([Side(adapters[0]), Side(adapters[0], onto="nf4")])
        plain = first[0](input_ids=tokens, adapter_names=first[2]).logits
    assert (first[1], second[1]) == ([0], [1])
    assert float((served - live).abs().max()) <= 1e-4 < float((served - plain).abs().max())
    with pytest.raises(ValueError, match="not nf8"):
        Side.from_mapping({"onto": "nf8"})


def test_the_last_adapter_of_a_base_makes_room_like_any_other(tiny_base, adapters):
    shelf = Shelf(str(tiny_base), most=2)
    for side in (Side(adapters[0], onto="nf4"), Side(adapters[1]), Side(adapters[2])):
        shelf.take([side])
    assert [side.onto for side in shelf.kept] == ["base", "base"]
    ((model, _, names),) = shelf.take([Side(onto="nf4")])
    assert (isinstance(model, PeftModel), names) == (False, [""])
    shelf.take([Side(adapters[0], onto="nf4")])
    assert len(shelf.kept) == 2


@pytest.mark.parametrize(
    ("chosen", "is_loaded"),
    [
        ({"r": 2, "lora_alpha": 7}, False),
        ({"r": 9, "lora_alpha": 3}, False),
        ({"r": 4, "target_modules": ["q_proj", "down_proj"]}, False),
        ({"r": 4, "use_rslora": True}, True),
    ],
)
def test_an_adapter_takes_the_place_of_another_and_nothing_of_that_one_stays(
    tiny_base, adapters, tmp_path, chosen, is_loaded
):
    """The first makes room for one that is unlike it, the second stays as it was, and the first comes back."""
    torch.manual_seed(8)
    lora = LoraConfig(task_type="CAUSAL_LM", init_lora_weights=False, **{"target_modules": "all-linear"} | chosen)
    get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_base), lora).save_pretrained(tmp_path / "new")
    shelf, tokens, names = Shelf(str(tiny_base), most=2), torch.tensor([list(range(3, 30))]), []
    for folder in (adapters[0], adapters[1], str(tmp_path / "new"), adapters[1], adapters[0]):
        ((model, _, (name,)),) = shelf.take([Side(folder)])
        with torch.no_grad():
            served = model(input_ids=tokens, adapter_names=[name]).logits
            alone = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_base), folder).eval()
            assert torch.allclose(served, alone(input_ids=tokens).logits, atol=1e-5)
        names.append(name)
    assert (names[2] != names[0], names[3]) == (is_loaded, names[1])


def test_many_questions_at_once_are_answered_as_one_by_one(tiny_base, adapters, capsys):
    writer = generate.Writer(str(tiny_base))
    asked = [{"system": "A", "request": request} for request in ("uno", "a longer request than that", "2")]
    many = {"id": "many", "side": {"adapter": adapters[1]}, "asked": asked, "max_new_tokens": 9}
    writer.answer(many)
    together = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert together[-1] == {"id": "many", "event": "finished"}
    for place, one in enumerate(asked):
        writer.answer(asking("one", adapters[1], max_new_tokens=9) | one)
        assert texts_of(capsys)["one", "adapter"].strip() == together[place]["text"]
    with pytest.raises(ValueError, match="for an adapter"):
        writer.answer({**many, "side": {}})


def test_a_seed_repeats_what_was_sampled(tiny_base, capsys):
    writer = generate.Writer(str(tiny_base))
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        writer.answer(asking(name, None, temperature=2.0, seed=seed))

    texts = texts_of(capsys)
    assert texts["a", "base"] == texts["b", "base"] != texts["c", "base"]


class Dictation:
    """A model that says the tokens it was given."""

    def __init__(self, tokens):
        self.tokens = list(tokens)

    def __call__(self, **inputs):
        logits = torch.zeros(1, 1, 258)
        logits[0, 0, self.tokens.pop(0)] = 1.0
        return SimpleNamespace(past_key_values=None, logits=logits)


@pytest.mark.parametrize("text", ["ñu̱ ré'e", "ꞌ€ 日本", "👩🏽‍🌾 end"])
def test_pieces_hold_whole_characters_and_add_up(tiny_base, text):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert len(tokens) == len(text.encode())

    model = Dictation([*tokens, tokenizer.eos_token_id])
    made = list(stream_tokens(model, tokenizer, "a", max_new_tokens=99, temperature=0.0, seed=0))

    assert [count for count, _ in made] == list(range(1, len(tokens) + 1))
    assert "".join(piece for _, piece in made) == text
    assert not any("\ufffd" in piece for _, piece in made)
    assert len([piece for _, piece in made if piece]) == len(text)


def test_a_character_that_is_never_finished_is_shown_as_such(tiny_base):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    tokens = tokenizer("a€", add_special_tokens=False)["input_ids"][:-1]
    made = list(stream_tokens(Dictation(tokens), tokenizer, "a", max_new_tokens=3, temperature=0.0, seed=0))
    assert "".join(piece for _, piece in made).startswith("a\ufffd")


def test_a_batch_says_what_each_prompt_says_alone(tiny_base):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    model = AutoModelForCausalLM.from_pretrained(tiny_base).eval()
    prompts = ["a", "a much longer prompt than the first", "abc"]

    together = generate_batch(model, tokenizer, prompts, max_new_tokens=6)

    for prompt, text in zip(prompts, together, strict=True):
        made = stream_tokens(model, tokenizer, prompt, max_new_tokens=6, temperature=0.0, seed=0)
        assert "".join(piece for _, piece in made).strip() == text
