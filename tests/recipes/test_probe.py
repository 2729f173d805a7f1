"""What adapters find hard, as a process says it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.recipes.conftest import lesson
from training.evaluation.scores import bits_per_byte
from training.recipes.probe import disagreement, main
from training.recipes.text import Row, encode, pack

ROOT = Path(__file__).resolve().parents[2]
SAID = {"short": "ñu̱", "long": "ñu̱ abab abab abab"}


@pytest.fixture(scope="module")
def adapters(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two adapters that say different things."""
    root = tmp_path_factory.mktemp("adapters")
    for seed in range(2):
        torch.manual_seed(seed)
        lora = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear", init_lora_weights=False)
        get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_base), lora).save_pretrained(root / str(seed))
    return [str(root / str(seed)) for seed in range(2)]


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two answers, a task that nobody answered, and an answer that is too long to be read."""
    asked = [{"id": name, **lesson("uno", said)} for name, said in SAID.items()]
    asked += [{"id": "open", **lesson("dos", "")}, {"id": "endless", **lesson("tres", "a" * 2000)}]
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in asked))
    return path


def by_id(lines: str) -> dict[str, dict]:
    return {line["id"]: line for line in map(json.loads, lines.splitlines())}


def probe(*arguments: str) -> dict[str, dict]:
    """As a worker starts it."""
    done = subprocess.run(
        [sys.executable, "-m", "training.recipes.probe", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=120,
        check=True,
    )
    return by_id(done.stdout.decode())


@pytest.mark.slow
def test_one_adapter_reads_answers_and_writes_where_there_is_none(
    tiny_base: Path, adapters: list[str], rows: Path
) -> None:
    found = probe(str(rows), "--base", str(tiny_base), "--adapter", adapters[0])

    assert list(found) == ["short", "long", "open", "endless"]
    assert found["endless"] == {"id": "endless", "skipped": True}
    for name, said in SAID.items():
        assert found[name]["adapter"]["text"] == ""
        assert found[name]["adapter"]["loss"] == pytest.approx(loss_of(tiny_base, adapters[0], said), rel=1e-4)
    assert found["open"]["adapter"]["loss"] is None
    assert 0 < found["open"]["adapter"]["entropy"] < 8.02
    assert {row["disagreement"] for row in found.values() if "adapter" in row} == {None}


def loss_of(base: Path, adapter: str, said: str) -> float:
    """Reckoned here, one sentence alone."""
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base)
    if adapter:
        model.load_adapter(adapter)
    asked = lesson("uno", said)
    example = encode(tokenizer, Row("1", asked["system"], asked["request"], said), max_length=999)
    batch = pack([example])
    logits = model(input_ids=batch["input_ids"]).logits[0, :-1]
    labels = batch["labels"][0, 1:]
    return bits_per_byte(
        [float(torch.nn.functional.cross_entropy(logits, labels, ignore_index=-100, reduction="sum"))],
        [len(said.encode())],
    )


def test_two_adapters_read_the_same_and_disagree(
    tiny_base: Path,
    adapters: list[str],
    rows: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read(adapter: str, rival: str) -> dict[str, dict]:
        asked = [str(rows), "--base", str(tiny_base), "--adapter", adapter, "--rival", rival, "--write"]
        monkeypatch.setattr(sys, "argv", ["probe", *asked])
        assert main() == 0
        return by_id(capsys.readouterr().out)

    both, swapped = read(*adapters), read(*adapters[::-1])

    for name in (*SAID, "open"):
        one, same = both[name]["rival"], swapped[name]["adapter"]
        assert one["text"] == same["text"]
        assert one["entropy"] == pytest.approx(same["entropy"], rel=1e-5)
        assert one["loss"] == (pytest.approx(same["loss"], rel=1e-5) if name in SAID else None)
        assert both[name]["disagreement"] == pytest.approx(swapped[name]["disagreement"])
        assert both[name]["adapter"] != both[name]["rival"]


def test_the_base_model_reads_along_without_any_adapter(
    tiny_base: Path,
    adapters: list[str],
    rows: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = [str(rows), "--base", str(tiny_base), "--adapter", adapters[0], "--beside-base", "--write"]
    monkeypatch.setattr(sys, "argv", ["probe", *asked])
    assert main() == 0
    found = by_id(capsys.readouterr().out)

    for name, said in SAID.items():
        assert found[name]["rival"]["loss"] == pytest.approx(loss_of(tiny_base, "", said), rel=1e-4)
        assert found[name]["adapter"]["loss"] == pytest.approx(loss_of(tiny_base, adapters[0], said), rel=1e-4)
    assert 0 < found["open"]["disagreement"] <= 1


def test_disagreement_lies_between_nothing_and_everything() -> None:
    assert disagreement("", "") is None
    assert disagreement("ñu̱ ab", "ñu̱ ab") == 0
    assert disagreement("ñu̱ ab", "") == pytest.approx(1)
    assert 0 < disagreement("ñu̱ ab", "ñu̱ ac") < disagreement("ñu̱ ab", "xy") <= 1
