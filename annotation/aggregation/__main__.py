"""`python -m annotation.aggregation FILE.jsonl`: votes in, labels out, without the site. See docs/aggregation.md."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from annotation.aggregation import choosing, classes, pairs, ratings, spans, texts
from annotation.aggregation.aggregate import Skills
from annotation.aggregation.rows import BadRow, Kind, Rows, read_rows
from annotation.aggregation.scoring import score

METHODS: Mapping[Kind, Iterable[str]] = {
    Kind.LABELS: [*classes.METHODS, *ratings.METHODS],
    Kind.SPANS: [*spans.METHODS],
    Kind.PAIRS: [*pairs.METHODS],
    Kind.TEXTS: [*texts.METHODS],
}
EPILOG = """
rows, one JSON object a line:
  classes   {"task": "t1", "worker": "w1", "label": "A"}
  ratings   the same with numbers as labels: more than ten different ones, or --method mean or gaussian
  spans     {"task": "t1", "worker": "w1", "text": "…", "spans": [[0, 5, "PER"]]}   code points; [] means: looked, none
  pairs     {"task": "t1", "worker": "w1", "left": "a", "right": "b", "winner": "a"}   null is a tie
  texts     {"task": "t1", "worker": "w1", "text": "…"}
out come rows {"task", "label" | "spans" | "score", "confidence"}, of pairs one for each thing compared.
"""


def main(arguments: list[str] | None = None) -> int:
    """Read, aggregate, write; 0, or 2 with a message when the input cannot be used."""
    options = _options(arguments)
    try:
        rows = read_rows(options.file)
        allowed = ["auto", *METHODS[rows.kind]]
        if options.method not in allowed:
            raise BadRow(f"{options.method} is no method for {rows.kind.value}; choose one of {', '.join(allowed)}.")
        output, skills, about = _aggregate(rows, options.method)
        about |= score(rows.kind, output, options.gold) if options.gold else {}
    except (BadRow, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    _write(output, options.out)
    if options.workers:
        _write(_worker_rows(skills), options.workers)
    if options.json:
        sys.stdout.write(json.dumps(about, ensure_ascii=False) + "\n")
    else:
        for name, value in about.items():
            sys.stderr.write(f"{name.replace('_', ' ')}: {value}\n")
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m annotation.aggregation",
        description="Find out what several people's votes on the same tasks amount to.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = sorted({name for some in METHODS.values() for name in some})
    parser.add_argument("file", type=Path, help="the votes, JSON lines; - reads standard input")
    parser.add_argument("--method", default="auto", metavar="NAME", help=f"auto (the default), {', '.join(names)}")
    parser.add_argument("--gold", type=Path, metavar="FILE", help="right answers in the form of the output rows")
    parser.add_argument("--workers", type=Path, metavar="FILE", help="write each worker's skill here")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the rows here instead of to standard output")
    parser.add_argument("--json", action="store_true", help="a summary as the last line, one JSON object")
    return parser.parse_args(arguments)


def _aggregate(rows: Rows, method: str) -> tuple[list[dict[str, Any]], Skills, dict[str, Any]]:
    """The output rows, the workers' skills, and a summary."""
    if rows.kind is Kind.SPANS:
        found = choosing.aggregate_spans(rows.spans) if method == "auto" else spans.METHODS[method](rows.spans)
        output = [
            {
                "task": task,
                "spans": [list(span) for span in marked],
                "confidence": min(sure, default=1.0),
                "span_confidence": sure,
            }
            for task, marked, sure in zip(found.tasks, found.spans, found.confidence, strict=True)
        ]
        return output, found.skills, _about(rows, found.method, found.why, found.skills)
    if rows.kind is Kind.PAIRS:
        name = "noisy_bradley_terry" if method == "auto" else method
        ranking = pairs.METHODS[name](rows.choices)
        output = [
            {"task": item, "score": value, "confidence": sure, "error": error}
            for item, value, sure, error in zip(
                ranking.items, ranking.score.tolist(), ranking.confidence.tolist(), ranking.error.tolist(), strict=True
            )
        ]
        why = "People differ in how closely they look, and it costs nothing to find out." if method == "auto" else ""
        return output, ranking.skills, _about(rows, name, why, ranking.skills) | {"groups": ranking.groups}
    if rows.kind is Kind.TEXTS:
        name = "likeness" if method == "auto" else method
        chosen = texts.METHODS[name](rows.texts)
        output = [
            {"task": task, "label": text, "confidence": sure} | ({"tied": True} if tied else {})
            for task, text, sure, tied in zip(
                chosen.tasks, chosen.text, chosen.confidence.tolist(), chosen.is_tied, strict=True
            )
        ]
        why = "Texts are seldom word for word the same; what most resembles the others is the safest." * (
            method == "auto"
        )
        return output, chosen.skills, _about(rows, name, why, chosen.skills)
    if method in ratings.METHODS:
        return _rate(rows, method, "")
    if method == "auto" and rows.look_like_ratings:
        return _rate(rows, "gaussian", "The labels are many numbers, which have a mean and raters with a bias.")
    result = choosing.aggregate(rows.votes) if method == "auto" else classes.METHODS[method](rows.votes)
    chosen_labels, sure = result.chosen.tolist(), result.confidence.tolist()
    output = [
        {"task": task, "label": result.labels[chosen_labels[number]], "confidence": sure[number]}
        for number, task in enumerate(result.tasks)
    ]
    for number in result.is_tied.nonzero()[0].tolist():
        output[number]["tied"] = [result.labels[place] for place in result.winners[number].nonzero()[0]]
    return output, result.skills, _about(rows, result.method, result.why, result.skills)


def _rate(rows: Rows, method: str, why: str) -> tuple[list[dict[str, Any]], Skills, dict[str, Any]]:
    scores = ratings.METHODS[method](rows.ratings)
    output = [
        {"task": task, "score": value, "confidence": sure, "error": error}
        for task, value, sure, error in zip(
            scores.tasks, scores.score.tolist(), scores.confidence.tolist(), scores.error.tolist(), strict=True
        )
    ]
    return output, scores.skills, _about(rows, method, why, scores.skills)


def _about(rows: Rows, method: str, why: str, skills: Skills) -> dict[str, Any]:
    about: dict[str, Any] = {"kind": rows.kind.value, "method": method}
    if why:
        about["why"] = why
    return about | {"rows": rows.number, "workers": len(skills.workers)}


def _worker_rows(skills: Skills) -> list[dict[str, Any]]:
    columns = (skills.votes.tolist(), skills.skill.tolist(), skills.low.tolist(), skills.high.tolist())
    return [
        {"worker": worker, "votes": votes, "skill": skill, "low": low, "high": high}
        for worker, votes, skill, low, high in zip(skills.workers, *columns, strict=True)
    ]


def _write(rows: list[dict[str, Any]], path: Path | None) -> None:
    if path is None:
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")
        return
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


if __name__ == "__main__":
    sys.exit(main())
