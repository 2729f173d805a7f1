"""More tokens for a language: the merges are those of byte-pair encoding, and what was there stays as it was."""

import json
from collections import Counter

import pytest
import torch
from tokenizers import Tokenizer, models, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.recipes.conftest import write_run
from training.evaluation.fertility import fertility, fertility_report
from training.recipes import extend_vocabulary as vocabulary
from training.recipes import lora
from training.recipes.base_model import sha256_of_file
from training.recipes.configuration import Configuration
from training.recipes.stages import RecipeError

WORDS = {"on": 50, "onk": 20, "tsa": 9, "tsatsa": 5, "hats": 4, "hatsa": 7}


def test_merges_are_those_of_the_library_s_trainer():
    """From single letters on; no two pairs are as frequent, where the library may take the other one first."""
    counts = Counter({tuple(word): times for word, times in WORDS.items()})
    ours = vocabulary.merges_of(counts, 6)
    trainer = trainers.BpeTrainer(vocab_size=100, min_frequency=2, show_progress=False)
    theirs = Tokenizer(models.BPE())
    theirs.train_from_iterator([word for word, times in WORDS.items() for _ in range(times)], trainer)
    merged = [first + second for first, second in json.loads(theirs.to_str())["model"]["merges"]]
    assert [first + second for first, second in ours] == merged[:6]
    assert ours[:2] == [("o", "n"), ("t", "s")]


def test_a_pair_that_comes_once_teaches_nothing():
    assert vocabulary.merges_of(Counter({tuple("abc"): 1}), 5) == []
    assert vocabulary.merges_of(Counter({tuple("aaaa"): 2}), 5) == [("a", "a"), ("aa", "aa")]


@pytest.fixture
def larger(tiny_base, tmp_path):
    config = Configuration.read(write_run(tmp_path / "run", tiny_base), "lora")
    return config, vocabulary.run(config, tmp_path / "larger", 40), tmp_path / "larger"


def test_words_cost_fewer_tokens_and_every_text_comes_back(larger, tiny_base):
    _, facts, folder = larger
    before, after = facts["before"]["tokens_per_word"], facts["after"]["tokens_per_word"]
    assert after < 0.8 * before
    new, old = AutoTokenizer.from_pretrained(folder), AutoTokenizer.from_pretrained(tiny_base)
    for text in ("ñu̱ ababab", "something quite different, 1 2 3", "ʼṉ̃ä́ 𞤀𞤁"):
        assert new.decode(new(text, add_special_tokens=False)["input_ids"]) == text
    # Where no new token fits, nothing changes.
    assert new("xyz")["input_ids"] == old("xyz")["input_ids"]
    assert new.chat_template == old.chat_template
    assert facts["tokens"] == len(new) - len(old)
    lines = [json.loads(line) for line in (folder / "tokens.jsonl").read_text().splitlines()]
    assert len(lines) == facts["tokens"]
    mark = next(line for line in lines if line["token"] == "\u0331")
    assert mark["of"] == ["CC", "B1"]


def test_a_new_token_is_the_mean_of_its_parts_and_the_old_ones_stay(larger, tiny_base):
    config, facts, folder = larger
    old, new = (AutoModelForCausalLM.from_pretrained(path) for path in (tiny_base, folder))
    before, after = old.get_input_embeddings().weight, new.get_input_embeddings().weight
    assert torch.equal(after[: len(before)], before)
    base, fast = AutoTokenizer.from_pretrained(tiny_base), AutoTokenizer.from_pretrained(folder)
    number = len(base)
    parts = base(fast.decode([number]), add_special_tokens=False)["input_ids"]
    assert torch.allclose(after[number], before[parts].mean(0), atol=1e-6)
    about = json.loads((folder / "model.json").read_text())
    assert about["sha256"] == sha256_of_file(folder / "model.safetensors")
    assert (about["extends"], about["vocabulary"]["tokens"]) == (config.base.sha256, facts["tokens"])


def test_a_run_on_it_is_a_run_like_any_other(larger, tmp_path):
    _, _, folder = larger
    config = write_run(tmp_path / "again", folder, method="lora", epochs=6)
    assert lora.main(config) == 0
    evaluation = json.loads((config.parent / "report.json").read_text())["evaluation"]
    assert evaluation["adapter_bpb"] < evaluation["base_bpb"]


def test_the_command_refuses_what_is_there_and_what_teaches_nothing(tiny_base, tmp_path, capsys, monkeypatch):
    config = write_run(tmp_path / "run", tiny_base)
    monkeypatch.setattr("sys.argv", ["x", str(config), str(tmp_path / "run")])
    assert vocabulary.main() == 1
    monkeypatch.setattr("sys.argv", ["x", str(config), str(tmp_path / "new"), "--tokens", "0"])
    assert vocabulary.main() == 1
    assert "too little text" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    monkeypatch.setattr("sys.argv", ["x", str(config), str(tmp_path / "new"), "--tokens", "10"])
    assert vocabulary.main() == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["tokens"] in range(1, 11)


def test_a_tokenizer_that_does_not_cut_into_words_is_refused(tiny_base):
    tokenizer = AutoTokenizer.from_pretrained(tiny_base)
    pieces = Tokenizer(models.BPE(vocab={"a": 0}, merges=[]))
    tokenizer._tokenizer = pieces
    with pytest.raises(RecipeError, match="cuts texts into words"):
        vocabulary.words_of(["a"], tokenizer)


def test_rows_beyond_the_tokenizer_come_first(tiny_base):
    """As Qwen's models have them."""
    model = AutoModelForCausalLM.from_pretrained(tiny_base)
    model.resize_token_embeddings(300)
    vocabulary.enlarge(model, {258: [65, 66], 259: [258 - 1, 67]})
    rows = model.get_input_embeddings().weight
    assert len(rows) == 300
    assert torch.allclose(rows[258], rows[[65, 66]].mean(0))


def test_fertility_is_counted_by_hand():
    def letters(text):
        return list(text.replace(" ", ""))

    found = fertility(["abc de", "abcdef"], letters)
    assert found["tokens_per_word"] == pytest.approx(11 / 3)
    assert found["words_in_more_than_four"] == pytest.approx(1 / 3)
    assert found["bytes_per_token"] == pytest.approx(12 / 11)
    assert fertility([], letters) == {}
    assert fertility_report(["abcdefghij"], letters)["times_english"] > 1.5
