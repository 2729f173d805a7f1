"""`python -m annotation.aggregation`: rows in, rows out, mistakes named with their line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from annotation.aggregation.__main__ import main
from tests.aggregation.crowds import crowd

SPANS = [
    {"task": "t", "worker": worker, "text": "Anna met Bo", "spans": spans}
    for worker, spans in (("a", [[0, 4, "PER"]]), ("b", [[0, 4, "PER"], [9, 11, "PER"]]), ("c", [[0, 4, "PER"]]))
]
PAIRS = [
    {"task": "t", "worker": worker, "left": "x", "right": "y", "winner": winner}
    for worker, winner in (("a", "x"), ("b", "x"), ("c", None))
]
TEXTS = [{"task": "t", "worker": worker, "text": text} for worker, text in (("a", "one"), ("b", "one"), ("c", "two"))]
RATINGS = [{"task": task, "worker": worker, "label": rate} for task, worker, rate in (("t", "a", 1), ("t", "b", 3))]


def file_of(folder: Path, rows: list[Any], name: str = "votes.jsonl") -> str:
    path = folder / name
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[Any], str]:
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, [json.loads(line) for line in captured.out.splitlines()], captured.err


def test_labels_come_out_with_confidence_and_accuracy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    votes, truth = crowd([0.9, 0.9, 0.4, 0.4, 0.4], tasks=200)
    path = file_of(tmp_path, [{"task": task, "worker": worker, "label": label} for task, worker, label in votes])
    gold = file_of(tmp_path, [{"task": task, "label": label} for task, label in truth.items()], "gold.jsonl")
    skills = tmp_path / "workers.jsonl"

    code, rows, _ = run(capsys, path, "--gold", gold, "--workers", str(skills), "--json")

    *rows, about = rows
    assert code == 0
    assert [row["task"] for row in rows] == list(truth)
    assert all(0 < row["confidence"] <= 1 for row in rows)
    right = sum(row["label"] == truth[row["task"]] for row in rows) / 200
    assert about["accuracy"] == right > 0.85
    assert about["method"] == "pooled"
    assert about["why"]
    workers = {row["worker"]: row for row in map(json.loads, skills.read_text().splitlines())}
    assert workers["w0"]["low"] > workers["w3"]["high"]


def test_spans_come_out_with_f1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold = file_of(tmp_path, [{"task": "t", "spans": [[0, 4, "PER"], [9, 11, "PER"]]}], "gold.jsonl")
    code, (row, about), _ = run(
        capsys, file_of(tmp_path, SPANS), "--method", "token_majority", "--gold", gold, "--json"
    )

    assert (code, row["spans"]) == (0, [[0, 4, "PER"]])
    assert (about["precision"], about["recall"]) == (1, 0.5)
    assert about["span_f1"] == pytest.approx(2 / 3)


def test_pairs_come_out_as_scores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, rows, _ = run(capsys, file_of(tmp_path, PAIRS), "--method", "bradley_terry")

    assert code == 0
    assert [row["task"] for row in rows if row["score"] > 0] == ["x"]


def test_texts_and_ratings_come_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, file_of(tmp_path, TEXTS))[1][0]["label"] == "one"
    assert run(capsys, file_of(tmp_path, RATINGS), "--method", "mean")[1][0]["score"] == 2


@pytest.mark.parametrize(
    ("rows", "method", "message"),
    [
        (["{"], "auto", "Line 1 is no JSON"),
        (["[]"], "auto", "Line 1 is no JSON object"),
        ([TEXTS[0], {"task": "t"}], "auto", "Line 2 has neither"),
        ([{"worker": "a", "label": 1}], "auto", "Line 1 has no task"),
        ([{"task": [], "worker": "a", "label": 1}], "auto", "Line 1 has no task"),
        ([RATINGS[0], SPANS[0]], "auto", "Line 2 holds spans, the lines before it labels"),
        ([{**SPANS[0], "spans": [[0, 99, "PER"]]}], "auto", "no span"),
        ([{**SPANS[0], "spans": [[4, 0, "PER"]]}], "auto", "no span"),
        ([{**SPANS[0], "spans": [[0, 0, "PER"]]}], "auto", "no span"),
        ([{**SPANS[0], "spans": 7}], "auto", "no span"),
        ([SPANS[0], {**SPANS[1], "text": "another"}], "auto", "was another one"),
        ([{**PAIRS[0], "winner": "z"}], "auto", "the winner must be"),
        (RATINGS, "sequential", "no method for labels; choose one of auto, majority"),
        ([{"task": "t", "worker": "a", "label": "high"}], "gaussian", "Ratings must be numbers"),
    ],
)
def test_a_mistake_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: list[Any], method: str, message: str
) -> None:
    code, output, said = run(capsys, file_of(tmp_path, rows), "--method", method)

    assert (code, output) == (2, [])
    assert message in said
    assert "Traceback" not in said


def test_an_empty_file_gives_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, file_of(tmp_path, []))[:2] == (0, [])


def test_gold_of_other_tasks_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    gold = file_of(tmp_path, [{"task": "other", "label": 1}], "gold.jsonl")

    assert run(capsys, file_of(tmp_path, RATINGS), "--gold", gold)[0] == 2


def test_auto_takes_many_numbers_for_ratings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        {"task": f"t{n}", "worker": worker, "label": n + step}
        for n in range(12)
        for worker, step in (("a", 0), ("b", 2))
    ]

    code, (*scores, about), _ = run(capsys, file_of(tmp_path, rows), "--json")

    assert (code, about["method"]) == (0, "gaussian")
    assert [row["score"] for row in scores] == sorted(row["score"] for row in scores)


def test_a_tie_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, file_of(tmp_path, RATINGS), "--method", "majority")[1][0]["tied"] == [1, 3]


def test_it_runs_without_the_site(tmp_path: Path) -> None:
    """No settings, no database: only the repository's folder on the path."""
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "annotation.aggregation", file_of(tmp_path, TEXTS), "--out", str(tmp_path / "out")],
        cwd=root, env={"PATH": ""}, capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == ""
    assert "likeness" in done.stderr
    assert json.loads((tmp_path / "out").read_text())["label"] == "one"
