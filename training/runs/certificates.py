"""What a new adapter is a replacement of, and that none of the withdrawn words is in what it learnt from.

A certificate is part of the adapter's report in the database. It holds numbers and hashes only, so it stays when
adapters are deleted and words erased. `docs/withdrawal-proof.md` says what it proves, and how anybody checks it.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from training.releases.models import Release, ReleaseItem
from training.releases.services import folder_of
from training.runs.models import Adapter


def certificate_of(*, release: Release, report: dict[str, Any], now: datetime) -> dict[str, Any] | None:
    """The certificate of an adapter that was just made on a release; None where it replaces nothing.

    `withdrawn` counts the sentences that were taken back from earlier releases of the project for the same purpose;
    `given_again` those of them that are in this one, because their authors allowed it anew. A sentence of which only a
    vote was taken back is neither. There is none when the
    release's manifest is not there whole, or when the report does not say that it is this one it learnt from.
    """
    if release.replaces is None or report.get("release", {}).get("sha256") != release.sha256:
        return None
    held = _ids_in_manifest(release)
    if held is None:
        return None
    earlier = Release.objects.filter(
        project=release.project_id, purpose=release.purpose, number__lt=release.number, withdrawn_since__isnull=False
    )
    lost = ReleaseItem.objects.filter(release__in=earlier, withdrawn_at__isnull=False)
    words = lost.exclude(pk__in=lost.lost_votes_alone(release.purpose).values("pk"))
    withdrawn = {str(answer) for answer in words.values_list("answer", flat=True)}
    replaced = list(Adapter.objects.filter(run__release__in=earlier).select_related("run").order_by("pk"))
    return {
        **_of_groups(report, replaced),
        "replaces_release": release.replaces.number,
        "replaces_release_sha256": release.replaces.sha256,
        "replaces_adapters": [{"id": one.pk, "run": one.run.number, "sha256": one.sha256} for one in replaced],
        "release": release.number,
        "release_sha256": release.sha256,
        "adapter_sha256": report["adapter_sha256"],
        "withdrawn": len(withdrawn - held),
        "given_again": len(withdrawn & held),
        "at": now.isoformat(),
    }


def _of_groups(report: dict[str, Any], replaced: list[Adapter]) -> dict[str, Any]:
    """Where groups of contributors learnt apart: which were trained anew, which share of all tokens that was, and what
    went on meanwhile without the words, since when."""
    shards = report.get("shards")
    if not shards:
        return {}
    went_on = Adapter.objects.filter(goes_on_for__in=replaced).select_related("run").order_by("pk")
    return {
        "groups": [{name: one[name] for name in ("shard", "taken", "sha256")} for one in shards["groups"]],
        "trained_share": shards["trained_share"],
        "went_on": [
            {"id": one.pk, "run": one.run.number, "sha256": one.sha256, "at": one.created_at.isoformat()}
            for one in went_on
            if one.sha256 != report["adapter_sha256"]
        ],
    }


def _ids_in_manifest(release: Release) -> set[str] | None:
    """The ids of the release's sentences, as its manifest names them; None when that is not the one it was frozen with.

    The file is asked and not the database, because the recipe compared its data with the file.
    """
    try:
        content = (folder_of(release) / "manifest.json").read_bytes()
    except OSError:
        return None
    if hashlib.sha256(content).hexdigest() != release.sha256:
        return None
    return {str(item["id"]) for item in json.loads(content)["items"]}


def said_openly(certificate: dict[str, Any] | None) -> dict[str, Any]:
    """What the record says openly of a certificate."""
    if certificate is None:
        return {}
    return {"replaces": certificate["replaces_release_sha256"], "withdrawn": certificate["withdrawn"]}
