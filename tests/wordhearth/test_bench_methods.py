"""The bench of all methods on Otomí; the methods themselves are tried in tests/recipes."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from training.recipes.configuration import FROM_VOTES, METHODS, Configuration
from training.recipes.judged import read_judged
from wordhearth.benches import methods


def report(bpb):
    score = {"name": "chrF++", "base": 7.0, "adapter": 9.0, "difference_ci95": [1.0, 3.0]}
    return {
        "tokens": 3000,
        "steps": 24,
        "tokens_per_processor_second": 100.0,
        "energy": {"wh": 1.25},
        "evaluation": {
            "base_bpb": 5.0,
            "adapter_bpb": bpb,
            "bpb_difference_ci95": [bpb - 5.1, bpb - 4.9],
            "scores": [score],
            "forgetting": [{"language": "es", "difference": -0.5}],
            "few_shot": {"bpb": 4.5},
        },
    }


@pytest.fixture
def recipes(monkeypatch, tmp_path):
    """Each recipe writes a report of what it was asked for; the configurations that were started, by folder."""
    started = {}

    def start(module, path):
        config = Configuration.read(Path(path), "")
        folder = Path(path).parent
        started[folder.name] = config
        assert module == f"training.recipes.{config.recipe.method}"
        if config.data.judged_train:
            assert {one.is_good for one in read_judged(config.data.judged_train)} == {True, False}
        # What a rank costs, so that rows cannot be mixed up.
        bpb = 4 - config.recipe.rank / 100
        found = report(bpb)
        if config.recipe.method == "dylora":
            found["ranks"] = {"measured": [{"rank": rank, "bpb": 4.4} for rank in (1, 2, 4, 8, 16)]}
        (folder / "report.json").write_text(json.dumps(found))
        lines = [{"event": "validation", "bpb": 9}, {"event": "validation", "bpb": bpb}, {"event": "finished"}]
        (folder / "log.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))

    (tmp_path / "model.safetensors").write_bytes(b"")
    monkeypatch.setattr(methods, "prepared_base", lambda: tmp_path)
    monkeypatch.setattr(methods, "start", start)
    monkeypatch.setattr(methods, "json_of", lambda module, *_: {"by": module})
    return started


def test_every_method_reads_the_same_sentences_and_has_its_row(recipes):
    facts = methods.run()
    assert set(recipes) == {*METHODS, *(f"lora-{rank}" for rank in methods.RANKS)}
    assert len({(config.data.train, config.data.test) for config in recipes.values()}) == 1
    assert {name for name, config in recipes.items() if config.data.judged_train} == set(FROM_VOTES)
    assert set(facts["methods"]) == set(METHODS)
    page = io.StringIO()
    Console(file=page, width=200).print(methods.table(facts))
    assert all(name in page.getvalue() for name in (*METHODS.values(), "es -0.500", "+1.0 to +3.0", "prune"))


def test_each_rank_of_dylora_stands_beside_the_lora_of_that_rank(recipes):
    rows = methods.run()["by_rank"]
    assert [(row["rank"], round(row["lora_bpb"], 2)) for row in rows] == [
        (1, 3.99),
        (2, 3.98),
        (4, 3.96),
        (8, 3.92),
        (16, 3.84),
    ]
    assert all(row["ratio"] == pytest.approx(row["dylora_bpb"] / row["lora_bpb"]) for row in rows)


def test_a_sentence_is_approved_with_its_own_words_and_turned_down_with_another_s(tmp_path):
    lessons = tmp_path / "train.jsonl"
    said = [{"id": str(n), "lesson": {"system": "", "request": f"say {n}", "completion": f"{n}"}} for n in range(5)]
    lessons.write_text("".join(f"{json.dumps(row)}\n" for row in said))
    judged = read_judged(methods._write_votes(lessons))
    assert len(judged) == 10
    for one in judged:
        is_own = one.row.request.endswith(f" {one.row.completion}")
        assert is_own == one.is_good
