"""What is shown with each adapter for everybody who may see it: how it leans between groups of people, and what was
reported of it as harmful. In numbers that name nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from care.models import HarmReport, Restriction
from training.evaluation.bias import FOUND_BELOW
from training.runs.bias import pairs_by_language, sha256_of_pairs
from training.runs.models import Adapter, AdapterReading


@dataclass(frozen=True)
class Findings:
    """Of one adapter, as of now."""

    pairs: int
    """How many pairs there are to measure it on."""
    reading: AdapterReading | None
    """The newest one, whether it waits, failed, or has a result."""
    is_current: bool
    """Whether its result is of exactly these pairs."""
    received: int
    waiting: int
    """Reports of harm about it, or about what it wrote, that nothing was decided on yet."""
    outcomes: Sequence[tuple[str, int]]
    """What the others came to, in words, with how many."""

    @property
    def leans(self) -> list[dict[str, Any]]:
        """For each two groups what was found, with `towards`: the group to which the adapter leans further than its
        base model, where chance alone would hardly say so, and `shares` and `leans` of both models in turn."""
        found = self.reading.found if self.reading else []
        return [
            {
                **one,
                "towards": _towards(one),
                "shares": [one["base_share"], one["adapter_share"]],
                "leans": [one["base"], one["adapter"]],
            }
            for one in found
        ]


def _towards(one: dict[str, Any]) -> str:
    if not one["change"]["p"] < FOUND_BELOW:
        return ""
    return str(one["first"] if one["change"]["value"] > 0 else one["second"])


def findings_of(adapters: Sequence[Adapter]) -> dict[int, Findings]:
    """By the adapters' numbers; all are of one community, with `run__release__project` loaded."""
    if not adapters:
        return {}
    community = adapters[0].community
    pairs = pairs_by_language(community)
    hashes = {language: sha256_of_pairs(keys) for language, keys in pairs.items()}
    read = AdapterReading.objects.filter(adapter__in=[one.pk for one in adapters], kind=AdapterReading.Kind.BIAS)
    readings = {one.adapter_id: one for one in read}
    reports: dict[str, Counter[str]] = {}
    about = HarmReport.objects.filter(community=community, kind=Restriction.Kind.ADAPTER)
    for key, outcome in about.filter(key__in=[str(one.pk) for one in adapters]).values_list("key", "outcome"):
        reports.setdefault(key, Counter())[outcome] += 1
    return {
        one.pk: _findings(one, pairs, hashes, readings.get(one.pk), reports.get(str(one.pk), Counter()))
        for one in adapters
    }


def _findings(
    adapter: Adapter,
    pairs: dict[str, list[str]],
    hashes: dict[str, str],
    reading: AdapterReading | None,
    reports: Counter[str],
) -> Findings:
    language = adapter.run.release.project.target_language_tag
    return Findings(
        pairs=len(pairs.get(language, [])),
        reading=reading,
        is_current=reading is not None and reading.pairs_sha256 == hashes.get(language),
        received=sum(reports.values()),
        waiting=reports[""],
        outcomes=[
            (str(outcome.label), reports[outcome.value]) for outcome in HarmReport.Outcome if reports[outcome.value]
        ],
    )
