"""How right an aggregate is, where the right answers are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from sacrebleu.metrics.chrf import CHRF
from scipy.stats import pearsonr, spearmanr

from annotation.aggregation.rows import BadRow, Kind, read_objects


def score(kind: Kind, output: list[dict[str, Any]], gold: Path) -> dict[str, Any]:
    """Accuracy, span F1, correlations or chrF of output rows against gold rows. Raises BadRow, OSError."""
    key = "spans" if kind is Kind.SPANS else "score" if output and "score" in output[0] else "label"
    right: dict[Any, Any] = {}
    for number, row in read_objects(gold):
        value = row.get(key, row.get("label", row.get("text")))
        if "task" not in row or value is None:
            raise BadRow(f"Line {number} of the gold file has no task, or no {key}.")
        right[row["task"]] = value
    both = [(row[key], right[row["task"]]) for row in output if row["task"] in right]
    if not both:
        raise BadRow("The gold file has none of the tasks.")
    return compare(kind, both, is_score=key == "score")


def compare(kind: Kind, both: list[tuple[Any, Any]], *, is_score: bool = False) -> dict[str, Any]:
    """The figures for (found, right) pairs. Raises BadRow where scores are no numbers."""
    if kind is Kind.SPANS:
        return span_f1(both)
    if is_score:
        return _correlations(both)
    if kind is Kind.TEXTS:
        scores = [CHRF().sentence_score(str(found), [str(wanted)]).score for found, wanted in both]
        return {"gold_tasks": len(both), "chrf": float(np.mean(scores))}
    # JSON's 1 and "1" are the same label to whoever wrote the file.
    hits = [str(found) == str(wanted) for found, wanted in both]
    return {"gold_tasks": len(both), "accuracy": float(np.mean(hits))}


def span_f1(both: list[tuple[Any, Any]]) -> dict[str, Any]:
    """Exact precision, recall and F1 over all texts, bounds and label."""
    found = [{tuple(span) for span in one} for one, _ in both]
    wanted = [{tuple(span) for span in two} for _, two in both]
    hits = sum(len(one & two) for one, two in zip(found, wanted, strict=True))
    said, there = sum(map(len, found)), sum(map(len, wanted))
    precision, recall = hits / max(said, 1), hits / max(there, 1)
    f1 = 2 * hits / (said + there) if said + there else 1.0
    return {"gold_tasks": len(both), "precision": precision, "recall": recall, "span_f1": f1}


def _correlations(both: list[tuple[Any, Any]]) -> dict[str, Any]:
    try:
        found, wanted = (np.array([float(pair[side]) for pair in both]) for side in (0, 1))
    except (TypeError, ValueError) as error:
        raise BadRow("The gold file's scores must be numbers.") from error
    about: dict[str, Any] = {"gold_tasks": len(both)}
    if len(both) > 2 and np.ptp(found) > 0 and np.ptp(wanted) > 0:
        about |= {"pearson": float(pearsonr(found, wanted)[0]), "spearman": float(spearmanr(found, wanted)[0])}
    return about | {"mean_absolute_error": float(np.abs(found - wanted).mean())}
