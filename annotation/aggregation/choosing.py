"""Which method for which votes, and why: what `--method auto` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from annotation.aggregation import classes, spans
from annotation.aggregation.aggregate import Aggregate
from annotation.aggregation.spans import SpanAggregate, SpanTask
from annotation.aggregation.votes import Votes

# Below these nothing can be learnt of how a worker errs.
LEAST_REDUNDANCY = 1.5
LEAST_VOTES = 3.0
# From here on a worker's own confusion rests on more than a guess.
ENOUGH_VOTES = 2.0


def aggregate(votes: Votes, *, start: Aggregate | None = None) -> Aggregate:
    """The labels by the method that suits the votes; `why` says why."""
    workers, labels = max(len(votes.workers), 1), max(len(votes.labels), 1)
    each = float(votes.table.data.sum()) / workers
    if not len(votes.tasks) or labels < 2:
        return _said(classes.majority(votes), "There is nothing to decide: at most one label was given.")
    if votes.redundancy < LEAST_REDUNDANCY:
        why = f"Only {votes.redundancy:.1f} votes a task: too few to see who errs, so the majority decides."
        return _said(classes.majority(votes), why)
    if each < LEAST_VOTES:
        why = f"Only {each:.1f} votes a worker: too few to see who errs, so the majority decides."
        return _said(classes.majority(votes), why)
    if each / labels < ENOUGH_VOTES:
        why = (
            f"{each:.1f} votes a worker on {labels} labels: too few for a confusion of their own, so each worker's "
            "leans on the crowd's."
        )
        return _said(classes.shared_dawid_skene(votes, start=start), why)
    why = (
        f"{votes.redundancy:.1f} votes a task and {each:.0f} a worker: enough to learn how each worker errs; the mean "
        "of three models that err apart is the most reliable."
    )
    return _said(classes.pooled(votes, start=start), why)


def aggregate_spans(tasks: Sequence[SpanTask], *, start: SpanAggregate | None = None) -> SpanAggregate:
    """The spans by the method that suits them; `why` says why."""
    workers = {worker for task in tasks for worker in task.by}
    looked = sum(len(task.by) for task in tasks)
    if spans.overlap(tasks):
        why = "Spans overlap, which a sequence of words cannot hold, so people vote on each span."
        return replace(spans.candidates(tasks), why=why)
    if looked < LEAST_REDUNDANCY * len(tasks) or looked < LEAST_VOTES * len(workers):
        why = "Too few people for each text, or texts for each person, to see who errs: words go by majority."
        return replace(spans.token_majority(tasks), why=why)
    why = (
        f"{looked / max(len(tasks), 1):.1f} people a text: enough to learn how each marks, and that what they mark is "
        "one piece."
    )
    return replace(spans.sequential(tasks, start=start), why=why)


def _said(result: Aggregate, why: str) -> Aggregate:
    return replace(result, why=why)
