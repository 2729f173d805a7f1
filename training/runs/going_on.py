"""What answers on when words are taken back from an adapter of groups of contributors: the mean of the other groups.

It was made, measured and approved together with the adapter (`training.recipes.shards`), so nothing is trained or
composed here: files get second names, and rows are written, in the transaction that takes the words back. What goes on
is an adapter of a run on a release like any other: one that holds the remaining sentences alone. So whatever is asked
of adapters is asked of it, too: where it came from, whether it may be used, and, by `training.certify`, whether it is
what training on that release makes. The reasons: docs/decisions/0006-what-goes-on-is-a-release-of-its-own.md.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import DatabaseError, transaction
from django.db.models import Max

from ledger.checkpoints import checkpoint_after_commit
from ledger.services import append_entry
from people.refusals import Refusal
from training.recipes.grouping import placed, sha256_of_ids
from training.recipes.metadata import HARM, LICENCE, beside_section, consent_in, consent_section, languages, with_head
from training.releases.models import Release
from training.releases.remainder import keep_rest
from training.releases.services import folder_of as release_folder
from training.releases.services import labels_on
from training.runs.artefacts import SHARDS, adapter_folder, folder_of, is_whole
from training.runs.beside import FOLDER as BESIDE
from training.runs.beside import is_withdrawn_beside
from training.runs.certificates import certificate_of
from training.runs.models import Adapter, AdapterEvent, Run, RunEvent

log = logging.getLogger(__name__)

# What a report says that holds of the rest of the groups as well.
HOLDS_ON = (
    *("version", "method", "base", "language", "recipe", "preference", "reading", "mixing", "measured"),
    *("beside_the_release", "beside_told", "environment"),
)
SPLITS = ("train", "validation", "test")
CARD = """# What is left of the adapter of run {run}

Words that it learnt from were taken back. Groups of contributors had each taught an adapter of their own; this is the
exact mean of those from which nothing was taken back. Nothing was trained.

- Adapter SHA-256 (sorted tensor names and bytes): `{adapter_sha256}`
- Release that holds the remaining sentences, SHA-256 of its manifest: `{release[sha256]}`
- Bits per byte on {evaluation[items]} validation sentences (lower is better): {evaluation[adapter_bpb]:.3f}, base model
  {evaluation[base_bpb]:.3f}
{beside}{consent_told}
It may be used only while the consent behind its data holds.

{harm}"""


@dataclass(frozen=True)
class Rest:
    """What is left of an adapter: the answers and the groups that stay, where their mean lies, and its figures."""

    kept: Collection[str]
    groups: list[dict[str, Any]]
    left_out: int
    folder: Path
    sha256: str
    figures: Mapping[str, Any]


def go_on_without(*, adapter: Adapter, now: datetime) -> Adapter | None:
    """Put the mean of the groups that nothing was taken back from into the adapter's place, and return it.

    None where there is none that was measured and approved with it: the adapter learnt from everybody together, words
    of several groups were taken back, or the files are not what they were. The caller has locked the community, and has
    marked what was taken back. Never raises: taking words back must not fail because of this.
    """
    began = time.perf_counter()
    try:
        rest = rest_of(adapter)
        if rest is None:
            return None
        with transaction.atomic():
            return _put_into_service(adapter, rest, began, now)
    except (DatabaseError, Refusal, OSError, ValueError, KeyError, TypeError) as error:
        log.warning("adapter %s was paused; the other groups do not go on: %r", adapter.pk, error)
        return None


def rest_of(adapter: Adapter) -> Rest | None:
    """What is left of an adapter in service without the groups that lost words; None where nothing approved is.

    Raises OSError, ValueError, KeyError.
    """
    shards, release = adapter.report.get("shards"), adapter.run.release
    if not shards or not Release.objects.filter(pk=release.pk).not_held().exists():
        return None
    if is_withdrawn_beside(adapter.run):
        # All groups may have read what was made of the words.
        return None
    recipe = adapter.report["recipe"]
    places = placed(release_folder(release) / "data" / "train.jsonl", shards=recipe["shards"], seed=recipe["seed"])
    lost = {str(pk) for pk in release.items.not_usable_for(release.purpose).values_list("answer", flat=True)}
    hit = {places[name].shard for name in lost if name in places}
    groups = [one for one in shards["groups"] if one["shard"] not in hit]
    out = [one["shard"] for one in shards["groups"] if one["shard"] in hit]
    if not groups or len(out) > 1:
        return None
    folder, found = adapter_folder(adapter), {**shards, "sha256": adapter.sha256}
    if out:
        found = next((one for one in shards["without"] if one["shard"] == out[0]), {})
        folder = folder_of(adapter.run) / SHARDS / f"without-{out[0]}"
    if not found or not is_whole(folder, found["sha256"]):
        return None
    lessons = {str(pk) for pk in release.items.filter(is_good=True).values_list("answer", flat=True)}
    kept = {name for name in lessons - lost if name not in places or places[name].shard not in hit}
    return Rest(kept, [{**one, "taken": True} for one in groups], len(out), folder, found["sha256"], found)


def _put_into_service(adapter: Adapter, rest: Rest, began: float, now: datetime) -> Adapter:
    run = _run_of_rest(adapter, keep_rest(release=adapter.run.release, kept=rest.kept, now=now), now)
    report = _report_of(adapter, rest, run.release)
    root = adapter.goes_on_for or adapter
    new: Adapter = Adapter.objects.create(
        run=run,
        community=adapter.community,
        sha256=rest.sha256,
        state=Adapter.State.APPROVED,
        goes_on_for=root,
        base_bpb=report["evaluation"]["base_bpb"],
        adapter_bpb=report["evaluation"]["adapter_bpb"],
        created_at=now,
    )
    AdapterEvent.objects.create(adapter=new, kind=AdapterEvent.WENT_ON, at=now)
    _write_folder(adapter, rest, folder_of(run), report)
    certificate = certificate_of(release=run.release, report=report, now=now)
    seconds = round(time.perf_counter() - began, 3)
    new.report = {**report, "certificate": {**certificate, "seconds": seconds}} if certificate else report
    new.save(update_fields=["report"])
    append_entry(
        action="adapter.went_on",
        subject=f"adapter:{new.pk}",
        community=adapter.community.slug,
        now=now,
        details={
            "sha256": new.sha256,
            "release": run.release.sha256,
            "instead_of": adapter.sha256,
            "groups_left_out": rest.left_out,
        },
    )
    checkpoint_after_commit(community=adapter.community.slug, now=now)
    return new


def _run_of_rest(adapter: Adapter, release: Release, now: datetime) -> Run:
    """A run that is over as it begins: what it would make is there."""
    earlier, community = adapter.run, adapter.community
    number = (Run.objects.filter(community=community).aggregate(last=Max("number"))["last"] or 0) + 1
    run: Run = Run.objects.create(
        community=community,
        release=release,
        number=number,
        method=earlier.method,
        base_model=earlier.base_model,
        base_sha256=earlier.base_sha256,
        settings=earlier.settings,
        trigger=Run.Trigger.WITHDRAWAL,
        state=Run.State.FINISHED,
        # No other run ever has this folder, so what stays there of a transaction that failed is in nobody's way.
        folder=f"{community.slug}/{number:04d}-{release.sha256[:12]}",
        created_at=now,
        started_at=now,
        ended_at=now,
    )
    run.additions.set(earlier.additions.all())
    RunEvent.objects.create(run=run, kind=Run.State.FINISHED, at=now)
    return run


def _report_of(adapter: Adapter, rest: Rest, release: Release) -> dict[str, Any]:
    """The report of what goes on: the settings stay, the figures are those that were measured of it."""
    said, figures = adapter.report, rest.figures
    facts = json.loads((release_folder(release) / "manifest.json").read_text(encoding="utf-8"))
    data: dict[str, dict[str, Any]] = {}
    for split in SPLITS:
        file = facts["files"][f"data/{split}.jsonl"]
        ids = sha256_of_ids(one["id"] for one in facts["items"] if one["split"] == split)
        data[split] = {"rows": file["rows"], "sha256": file["sha256"], "items_sha256": ids}
    data["train"]["used"] = sum(one["rows"] for one in rest.groups)
    shards = said["shards"]
    return {
        **{name: said[name] for name in HOLDS_ON if name in said},
        "adapter_sha256": rest.sha256,
        "release": {"sha256": release.sha256},
        "consent": consent_in(facts, labels_on(release)),
        "data": data,
        "evaluation": {
            "split": "validation",
            "items": shards["sentences"],
            "base_bpb": shards["base_bpb"],
            "adapter_bpb": figures["bpb"],
            "bpb_difference_ci95": figures["difference_ci95"],
        },
        "shards": {
            **shards,
            **{name: figures[name] for name in ("bpb", "difference_ci95")},
            "groups": rest.groups,
            "without": [],
            "trained_share": 0.0,
        },
    }


def _write_folder(adapter: Adapter, rest: Rest, folder: Path, report: dict[str, Any]) -> None:
    """A run's folder with its card and its report. The list of groups comes last: what a later run finds by it is
    whole."""
    shutil.rmtree(folder, ignore_errors=True)
    lay_out(rest.folder, folder_of(adapter.run) / SHARDS, [one["shard"] for one in rest.groups], folder)
    beside = folder_of(adapter.run) / BESIDE
    if beside.is_dir():
        shutil.copytree(beside, folder / BESIDE)
    for card in (folder / "README.md", folder / "adapter" / "README.md"):
        card.write_text(_card_of(adapter, report), encoding="utf-8")
    known = {name: report["shards"][name] for name in ("groups", "control")}
    for path, content in ((folder / "report.json", report), (folder / SHARDS / f"{SHARDS}.json", known)):
        path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _card_of(adapter: Adapter, report: dict[str, Any]) -> str:
    language = report.get("language", {})
    head = {
        "language": languages([language.get("source_tag", ""), language.get("target_tag", "")]),
        **LICENCE,
        "library_name": "peft",
        "base_model": report.get("base", {}).get("path", ""),
        "tags": [adapter.run.method, "low-resource", "consent"],
    }
    told = {
        "beside": beside_section(report),
        "consent_told": consent_section(report["consent"]),
        "harm": HARM,
    }
    return with_head(head, CARD.format(run=adapter.run.number, **told, **report))


def lay_out(mean: Path, shards: Path, stay: Collection[int], folder: Path) -> None:
    """Put an adapter that was made ahead, and the groups that stay, into a run's folder: all that has to be done with
    files for it to answer."""
    shutil.copytree(mean, folder / "adapter", copy_function=_second_name)
    for shard in stay:
        shutil.copytree(shards / str(shard), folder / SHARDS / str(shard), copy_function=_second_name)


def _second_name(source: str, target: str) -> None:
    """Weights, which nobody changes in place, get a second name, and stay when the first is deleted; all else is
    copied, and so are they where the disk knows no second names."""
    if source.endswith(".safetensors"):
        with contextlib.suppress(OSError):
            os.link(source, target)
            return
    shutil.copyfile(source, target)
