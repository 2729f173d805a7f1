"""Votes of workers on tasks, encoded once for every method: a sparse table that products run over."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

Floats = NDArray[Any]
Ints = NDArray[Any]


class Index(dict[Hashable, int]):
    """Numbers for names, in the order in which they are first asked for."""

    def __missing__(self, name: Hashable) -> int:
        number = self[name] = len(self)
        return number

    @property
    def names(self) -> list[Any]:
        """The names in the order of their numbers."""
        return list(self)


@dataclass(frozen=True, kw_only=True)
class Votes:
    """Who said what about which task.

    `table` has a row for each task and a column for each pair of worker and label (worker · labels + label). An entry
    is the weight of that vote: 1, or less where a worker voted on a task more than once, so that their votes on it
    come to one together. Missing votes are simply not there.
    """

    tasks: Sequence[Any]
    workers: Sequence[Any]
    labels: Sequence[Any]
    table: csr_array

    @classmethod
    def of(cls, rows: Iterable[tuple[Hashable, Hashable, Hashable]], *, labels: Iterable[Hashable] = ()) -> Votes:
        """Encode (task, worker, label) rows, which may come one by one from a file.

        `labels` may name labels beforehand, also such as nobody chose. Labels are kept in sorted order, so that the
        result does not depend on the order of the rows.
        """
        task_index, worker_index, label_index = Index(), Index(), Index(dict.fromkeys(labels, 0))
        codes = array("i"), array("i"), array("i")
        add_task, add_worker, add_label = (code.append for code in codes)
        for number, label in enumerate(label_index):
            label_index[label] = number
        for task, worker, label in rows:
            add_task(task_index[task])
            add_worker(worker_index[worker])
            add_label(label_index[label])
        return cls._of_codes(codes, (task_index, worker_index, label_index))

    @classmethod
    def of_columns(cls, tasks: Sequence[Hashable], workers: Sequence[Hashable], labels: Sequence[Hashable]) -> Votes:
        """The same from three columns of equal length; twice as fast."""
        indexes = Index(), Index(), Index()
        columns = (tasks, workers, labels)
        codes = tuple(
            np.fromiter(map(index.__getitem__, column), dtype=np.int32, count=len(tasks))
            for index, column in zip(indexes, columns, strict=True)
        )
        return cls._of_codes(codes, indexes)

    @classmethod
    def _of_codes(cls, codes: Sequence[Any], indexes: tuple[Index, Index, Index]) -> Votes:
        task_codes, worker_codes, label_codes = (np.frombuffer(code, dtype=np.int32) for code in codes)
        task_index, worker_index, label_index = indexes
        names = label_index.names
        order = sorted(range(len(names)), key=lambda number: (str(type(names[number])), names[number]))
        place = np.empty(len(names), dtype=np.int32)
        place[order] = np.arange(len(names), dtype=np.int32)
        return cls.encoded(
            task_codes,
            worker_codes,
            place[label_codes] if len(names) else label_codes,
            tasks=task_index.names,
            workers=worker_index.names,
            labels=[names[number] for number in order],
        )

    @classmethod
    def encoded(
        cls,
        task: NDArray[Any],
        worker: NDArray[Any],
        label: NDArray[Any],
        *,
        tasks: Sequence[Any],
        workers: Sequence[Any],
        labels: Sequence[Any],
    ) -> Votes:
        """From three arrays of numbers, one entry a vote, and what they number."""
        width = len(workers) * len(labels)
        kind = np.int32 if width < np.iinfo(np.int32).max else np.int64
        column = worker.astype(kind) * len(labels) + label.astype(kind)
        weights = np.ones(len(task))
        table = coo_array((weights, (task, column)), shape=(len(tasks), width)).tocsr()
        table.sort_indices()
        _share_repeats(table, len(labels))
        return cls(tasks=tasks, workers=workers, labels=labels, table=table)

    @cached_property
    def task_of(self) -> Ints:
        """The task of each entry."""
        return np.repeat(np.arange(len(self.tasks)), np.diff(self.table.indptr))

    @cached_property
    def worker_of(self) -> Ints:
        """The worker of each entry."""
        return np.asarray(self.table.indices // max(len(self.labels), 1), dtype=np.int64)

    @cached_property
    def label_of(self) -> Ints:
        """The label of each entry."""
        return np.asarray(self.table.indices % max(len(self.labels), 1), dtype=np.int64)

    @cached_property
    def given(self) -> Floats:
        """Votes by worker and label, shape (workers, labels)."""
        sums = np.bincount(self.table.indices, weights=self.table.data, minlength=self.table.shape[1]).astype(
            np.float64
        )
        return sums.reshape(len(self.workers), len(self.labels))

    @cached_property
    def counts(self) -> Floats:
        """Votes by task and label, shape (tasks, labels)."""
        width = len(self.labels)
        sums = np.bincount(
            self.task_of * width + self.label_of, weights=self.table.data, minlength=len(self.tasks) * width
        ).astype(np.float64)
        return sums.reshape(len(self.tasks), width)

    @cached_property
    def redundancy(self) -> float:
        """Workers per task, on average."""
        return float(self.table.data.sum() / max(len(self.tasks), 1))


def _share_repeats(table: csr_array, labels: int) -> None:
    """Let the votes that a worker gave on one task come to one together."""
    if not len(table.data) or not labels:
        return
    worker = table.indices // labels
    same = worker[1:] == worker[:-1]
    starts = table.indptr[1:-1]
    same[starts[(starts > 0) & (starts < len(worker))] - 1] = False
    if not same.any() and table.data.max() <= 1:
        return
    group = np.concatenate([[0], np.cumsum(~same)])
    table.data /= np.bincount(group, weights=table.data)[group]


def aligned(known: Floats, names: Sequence[Any], wanted: Sequence[Any], missing: Floats | float) -> Floats:
    """Rows of an earlier result in the order of the present names; `missing` for names that it did not know."""
    place: Mapping[Any, int] = {name: number for number, name in enumerate(names)}
    found = np.array([place.get(name, -1) for name in wanted], dtype=np.int64)
    rows = np.empty((len(wanted), *known.shape[1:]))
    rows[...] = missing
    rows[found >= 0] = known[found[found >= 0]]
    return rows
