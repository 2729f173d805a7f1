"""`script/bench aggregation [--data PATH]`: how right, how fast and how large aggregation is, beside crowd-kit.

Without data: speed and memory on made-up votes. With a folder of JSON lines also how right each method is: files whose
rows hold `gold` and `labels` ([worker, label] pairs), `by` (spans by worker) or `translations` ([worker, text]).
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from annotation.aggregation import choosing, classes, ratings, spans, texts
from annotation.aggregation.rows import Kind
from annotation.aggregation.scoring import compare
from annotation.aggregation.votes import Votes

NEEDS_SITE = False
TAKES_DATA = True

SIZES = (100_000, 1_000_000, 10_000_000)
COMPARED_SIZE = 1_000_000
COMPARED_ROUNDS = 10
MOST_MEMORY_MB = 4096
# crowd-kit's other methods raise with the pinned scikit-learn (Wawa, ZeroBasedSkill) or hold two labels only (KOS).
THEIRS = {
    "MajorityVote": {},
    "DawidSkene": {"n_iter": 100},
    "OneCoinDawidSkene": {"n_iter": 100},
    "MACE": {},
    "GLAD": {"n_iter": 30},
}
Facts = dict[str, Any]
Row = dict[str, Any]


def run(*, data: Sequence[Path] = ()) -> Facts:
    """Measure size and speed; and rightness on the data, if there is any."""
    facts: Facts = {"ours": [_apart(_ours, size) for size in SIZES]}
    ours, theirs = (_apart(measure, COMPARED_SIZE, COMPARED_ROUNDS) for measure in (_ours, _theirs))
    facts |= {"compared": {"ours": ours, "crowd_kit": theirs}}
    smaller, larger = facts["ours"][-2:]
    facts |= {
        "speed_ratio": round(theirs["seconds"] / ours["seconds"], 1),
        "memory_ratio": round(ours["mb"] / theirs["mb"], 3),
        "growth": round(larger["seconds_a_round"] / smaller["seconds_a_round"], 2),
        "peak_mb": larger["peak_mb"],
    }
    if data:
        facts |= _rightness(data)
    return facts


def table(facts: Facts) -> Group:
    """The tables for people; the same as in docs/aggregation.md."""
    size = Table("votes", "seconds", "rounds", "s a round", "memory MB", "of the process", box=box.MARKDOWN)
    for row in facts["ours"]:
        size.add_row(*(f"{row[key]:,}" for key in ("votes", "seconds", "rounds", "seconds_a_round", "mb", "peak_mb")))
    parts: list[Any] = [Text("\nDawid–Skene to convergence"), size]
    parts.append(
        Text(
            f"\n{COMPARED_SIZE:,} votes, {COMPARED_ROUNDS} rounds: {facts['speed_ratio']} times as fast as crowd-kit, "
            f"with {facts['memory_ratio']:.0%} of its memory. Ten times the votes take {facts['growth']} times as long "
            "a round."
        )
    )
    for title, rows in facts.get("rightness", {}).items():
        names = list(next(iter(rows.values())))
        found = Table("method", *names, box=box.MARKDOWN)
        for method, values in rows.items():
            found.add_row(method, *("" if (value := values.get(name)) is None else f"{value:.2f}" for name in names))
        parts += [Text(f"\n{title}"), found]
    return Group(*parts)


def _apart(measure: Callable[..., Facts], *arguments: Any) -> Facts:
    """Measure in a process of its own, so that one's memory is not the other's."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(measure, *arguments).result()


def _made_up(number: int) -> tuple[list[str], list[str], list[str]]:
    """Columns of votes: five a task, two hundred a worker, four labels, people right two times in three."""
    chance = np.random.default_rng(7)
    tasks, workers = number // 5, max(number // 200, 5)
    truth = chance.integers(4, size=tasks)
    skill = chance.beta(4, 2, size=workers)
    task = np.repeat(np.arange(tasks), 5)
    worker = chance.integers(workers, size=number)
    right = chance.random(number) < skill[worker]
    label = np.where(right, truth[task], chance.integers(4, size=number))
    names = [[f"{letter}{n}" for n in range(count)] for letter, count in (("t", tasks), ("w", workers), ("l", 4))]
    return tuple(
        [known[n] for n in column.tolist()] for known, column in zip(names, (task, worker, label), strict=True)
    )  # type: ignore[return-value]


class _Memory(threading.Thread):
    """Watches how much memory the process takes while something runs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._process, self._is_over = psutil.Process(), threading.Event()
        self.before = self.most = self._process.memory_info().rss

    def run(self) -> None:
        """Look twenty times a second."""
        while not self._is_over.wait(0.05):
            self.most = max(self.most, self._process.memory_info().rss)

    def __enter__(self) -> _Memory:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self.join()


def _timed(number: int, work: Callable[..., int]) -> Facts:
    columns = _made_up(number)
    with _Memory() as memory:
        began = time.perf_counter()
        rounds = work(*columns)
        seconds = time.perf_counter() - began
    return {
        "votes": number,
        "seconds": round(seconds, 2),
        "rounds": rounds,
        "seconds_a_round": round(seconds / rounds, 3),
        "mb": max(memory.most - memory.before, 1) >> 20,
        "peak_mb": memory.most >> 20,
    }


def _ours(number: int, rounds: int = classes.ROUNDS) -> Facts:
    def work(*columns: list[str]) -> int:
        return classes.dawid_skene(Votes.of_columns(*columns), rounds=rounds).rounds

    return _timed(number, work)


def _theirs(number: int, rounds: int) -> Facts:
    warnings.simplefilter("ignore")
    crowdkit, pandas = importlib.import_module("crowdkit.aggregation"), importlib.import_module("pandas")

    def work(*columns: list[str]) -> int:
        frame = pandas.DataFrame(dict(zip(("task", "worker", "label"), columns, strict=True)))
        return len(crowdkit.DawidSkene(n_iter=rounds, tol=-1.0).fit(frame).loss_history_)

    return _timed(number, work)


def _rightness(data: Sequence[Path]) -> Facts:
    """Each set's figure by each method, sets of one sort together."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, rows in _sets(data):
        if "by" in rows[0]:
            if "text" in rows[0]:
                _add(found, "Spans: exact F1, %", name, _span_scores(rows))
            continue
        if "translations" in rows[0]:
            _add(found, "Texts: chrF", name, _text_scores(rows))
        elif len({row["gold"] for row in rows}) > 10:
            _add(found, "Ratings: Pearson's correlation", name, _rating_scores(rows))
        elif "labels" in rows[0]:
            _add(found, "Classes: accuracy, %", name, _class_scores(rows))
    facts: Facts = {"rightness": found}
    if accuracy := found.get("Classes: accuracy, %"):
        for values in accuracy.values():
            values["mean"] = float(np.mean(list(values.values())))
        theirs = {method: values for method, values in accuracy.items() if method.startswith("crowd-kit")}
        best = max(theirs, key=lambda method: theirs[method]["mean"])
        behind = [max(other[name] for other in theirs.values()) - accuracy["auto"][name] for name in accuracy["auto"]]
        facts |= {
            "auto_accuracy": accuracy["auto"]["mean"],
            "best_crowd_kit": best,
            "best_crowd_kit_accuracy": theirs[best]["mean"],
            "furthest_behind": max(behind),
        }
    if f1 := found.get("Spans: exact F1, %"):
        facts["span_f1_gain"] = {name: f1["auto"][name] - f1["token_majority"][name] for name in f1["auto"]}
    return facts


def _sets(data: Sequence[Path]) -> Iterator[tuple[str, list[Row]]]:
    """The sets in these files, and in these folders and theirs, that hold right answers."""
    for path in sorted(file for some in data for file in ([some] if some.is_file() else some.rglob("*.jsonl"))):
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        rows = [row for row in rows if row.get("gold") is not None and row.keys() & {"labels", "by", "translations"}]
        if rows:
            yield path.parent.name if path.stem == "dev" else path.stem.removesuffix(".dev"), rows


def _add(found: dict[str, Any], sort: str, name: str, scores: dict[str, float]) -> None:
    for method, value in scores.items():
        found.setdefault(sort, {}).setdefault(method, {})[name] = value


def _class_scores(rows: list[Row]) -> dict[str, float]:
    gold = {number: row["gold"] for number, row in enumerate(rows)}
    votes = [(number, worker, label) for number, row in enumerate(rows) for worker, label in row["labels"]]
    encoded = Votes.of(votes)
    scores = {}
    for name, method in {"auto": choosing.aggregate, **classes.METHODS}.items():
        result = method(encoded)
        chosen = {task: result.label(place) for place, task in enumerate(result.tasks)}
        scores[name] = 100 * float(np.mean([chosen[task] == right for task, right in gold.items()]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        crowdkit, pandas = importlib.import_module("crowdkit.aggregation"), importlib.import_module("pandas")
        frame = pandas.DataFrame(votes, columns=["task", "worker", "label"])
        for name, settings in THEIRS.items():
            chosen = getattr(crowdkit, name)(**settings).fit_predict(frame).to_dict()
            scores[f"crowd-kit {name}"] = 100 * float(np.mean([chosen[task] == gold[task] for task in gold]))
    return scores


def _span_scores(rows: list[Row]) -> dict[str, float]:
    tasks = [
        spans.SpanTask(number, row["text"], {who: [tuple(span) for span in own] for who, own in row["by"].items()})
        for number, row in enumerate(rows)
    ]
    return {
        name: 100
        * compare(Kind.SPANS, list(zip(method(tasks).spans, (row["gold"] for row in rows), strict=True)))["span_f1"]
        for name, method in {"auto": choosing.aggregate_spans, **spans.METHODS}.items()
    }


def _text_scores(rows: list[Row]) -> dict[str, float]:
    written = [(number, who, text) for number, row in enumerate(rows) for who, text in row["translations"]]
    scores = {
        name: compare(Kind.TEXTS, list(zip(method(written).text, (row["gold"] for row in rows), strict=True)))["chrf"]
        for name, method in texts.METHODS.items()
    }
    first = [(row["translations"][0][1], row["gold"]) for row in rows]
    return {**scores, "the first one": compare(Kind.TEXTS, first)["chrf"]}


def _rating_scores(rows: list[Row]) -> dict[str, float]:
    given = ratings.Ratings.of(
        (number, who, float(value)) for number, row in enumerate(rows) for who, value in row["labels"]
    )
    gold = [float(row["gold"]) for row in rows]
    return {
        name: float(np.corrcoef(method(given).score, [gold[task] for task in given.tasks])[0, 1])
        for name, method in ratings.METHODS.items()
    }
