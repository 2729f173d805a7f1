"""What an adapter has to pass before it is used, looked up at that very moment; and the way back to the one before."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from annotation.projects.models import Project
from care.deciding import give_up, require_decision
from care.models import Matter
from ledger.checkpoints import checkpoint_after_commit
from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Conflicting, Invalid
from people.services import has_role, require_role
from training.releases.services import FilesErased, leaks_of, verify_release
from training.runs.artefacts import adapter_folder, is_whole
from training.runs.beside import lost_its_base, not_usable_behind
from training.runs.bias import pairs_for, sha256_of_pairs
from training.runs.gate import Bounds, Check, Facts, Gain, GateClosed, Lean, checks_of
from training.runs.measured import by_heart_of, gain_of, gain_over_few_shot, parts_of
from training.runs.models import Adapter, AdapterEvent, AdapterReading, GateBounds
from training.runs.shard_checks import checks_of_shards
from training.runs.states import ADAPTER, after

# A bound that nothing can pass, or that says nothing, is a slip of the pen.
MOST = {
    **{"least_sentences": 100_000, "least_gain": 500, "most_score_loss": 10_000},
    **{"most_forgetting": 10_000, "most_bias": 10_000, "most_memorised": 3200},
}


class NothingBefore(Conflicting):
    """There is no adapter that could go into service in this one's place."""


def bounds_of(community: Community) -> Bounds:
    """What the community asks for: what it set, else the defaults."""
    row = GateBounds.objects.filter(community=community).first()
    return Bounds(**{entry.name: getattr(row, entry.name) for entry in fields(Bounds)}) if row else Bounds()


def in_service(project: Project) -> Adapter | None:
    """The project's adapter that answers now: of those in use, the one that was approved last."""
    found: Adapter | None = Adapter.objects.in_service(project).select_related("run__release", "community").first()
    return found


def before(adapter: Adapter) -> Adapter | None:
    """The adapter to go back to, where this one is in service: it was in service before, and still may be used."""
    project = adapter.run.release.project
    rows = list(Adapter.objects.in_service(project).select_related("run__release", "community")[:2])
    return rows[1] if len(rows) == 2 and rows[0].pk == adapter.pk else None


def gate_of(adapter: Adapter, *, steward: Person | None) -> list[Check]:
    """Every check of the gate as it is now; `steward` is who would approve it."""
    release = adapter.run.release
    served = in_service(release.project)
    if served == adapter:
        served = None
    leaks, has_files = _leaks(adapter)
    evaluation = adapter.report.get("evaluation", {})
    pairs = pairs_for(adapter)
    facts = Facts(
        over_base=gain_of(adapter.report),
        over_few_shot=gain_over_few_shot(adapter.report),
        has_service=served is not None,
        over_service=_over(adapter, served) if served else None,
        score=_score(evaluation),
        forgetting=max((float(text["difference"]) for text in evaluation.get("forgetting", [])), default=None),
        by_heart=by_heart_of(adapter.report),
        parts=parts_of(adapter.report),
        not_usable=max(adapter.withdrawn_items, not_usable_behind(adapter.run)),
        leaks=len(leaks),
        first_leak=(leaks[0]["id"], leaks[0]["like"]) if leaks else ("", ""),
        is_file_whole=is_whole(adapter_folder(adapter), adapter.sha256),
        is_release_whole=has_files and not verify_release(release),
        is_recommended=bool(recommenders(adapter, other_than=steward)),
        pairs=len(pairs),
        leans=_leans(adapter, pairs),
    )
    return [*checks_of(facts, bounds_of(adapter.community)), *checks_of_shards(adapter.report)]


def require_gate(adapter: Adapter, *, steward: Person) -> None:
    """Raise GateClosed unless the adapter passes every check now. Nobody can override it; bounds can be changed."""
    checks = gate_of(adapter, steward=steward)
    if not all(check.has_passed for check in checks):
        raise GateClosed(checks)


def recommenders(adapter: Adapter, *, other_than: Person | None) -> list[Person]:
    """Researchers of the community who recommend the adapter, and still are researchers."""
    rows = adapter.events.filter(kind=AdapterEvent.RECOMMENDED).select_related("actor")
    people = {row.actor for row in rows if row.actor and row.actor != other_than}
    return [person for person in people if has_role(person, adapter.community, Role.RESEARCHER)]


def _over(adapter: Adapter, served: Adapter) -> Gain | None:
    """The comparison with the adapter in service, if it was this one."""
    kept = adapter.comparison
    if kept.get("with") != served.sha256:
        return None
    return Gain(kept["before"], kept["after"], kept["high"], kept["sentences"])


def _leans(adapter: Adapter, pairs: list[str]) -> list[Lean] | None:
    """What was found on the pairs that there are now; None where it was not measured on exactly these."""
    made = AdapterReading.objects.filter(adapter=adapter, kind=AdapterReading.Kind.BIAS)
    reading = made.filter(pairs_sha256=sha256_of_pairs(pairs)).first()
    if reading is None:
        return None
    return [
        Lean(one["first"], one["second"], one["pairs"], *(one["change"][name] for name in ("value", "low", "high")))
        for one in reading.found
    ]


def _score(evaluation: dict[str, Any]) -> tuple[str, float, float] | None:
    scores = evaluation.get("scores") or []
    return (scores[0]["name"], float(scores[0]["base"]), float(scores[0]["adapter"])) if scores else None


def _leaks(adapter: Adapter) -> tuple[list[dict[str, Any]], bool]:
    """The release's leaks, and whether its files are there to be looked through."""
    try:
        return leaks_of(adapter.run.release), True
    except FilesErased:
        return [], False


@transaction.atomic
def set_bounds(*, community: Community, bounds: Bounds, set_by: Person, now: datetime) -> GateBounds:
    """A steward sets what the gate asks for; where the community votes, it decides on exactly these numbers first.

    Raises Invalid, NotAllowed, DecisionNeeded.
    """
    require_role(set_by, community, Role.STEWARD)
    for name, value in asdict(bounds).items():
        least = 2 if name == "least_sentences" else 0
        if not least <= value <= MOST[name]:
            raise Invalid("Choose a number from %(least)s to %(most)s.", field=name, least=least, most=MOST[name])
    require_decision(
        community=community, matter=Matter.ADAPTER, subject=subject_of_bounds(bounds), actor=set_by, now=now
    )
    row, _ = GateBounds.objects.update_or_create(community=community, defaults={**asdict(bounds), "changed_by": set_by})
    append_entry(
        action="gate.set",
        subject=f"community:{community.pk}",
        community=community.slug,
        actor=str(set_by.pk),
        now=now,
        details=asdict(bounds),
    )
    return row


def subject_of_bounds(bounds: Bounds) -> str:
    """How exactly these bounds are named in a decision: their numbers, in the order of `Bounds`."""
    return "gate:" + "-".join(str(value) for value in asdict(bounds).values())


def bounds_in_words(subject: str) -> str:
    """The bounds of `subject_of_bounds`, as people vote on them; the subject itself where it names none."""
    try:
        names = [entry.name for entry in fields(Bounds)]
        numbers = [int(number) for number in subject.removeprefix("gate:").split("-")]
        # A subject from before a bound was added names fewer; of what it does not name, the default holds.
        bounds = Bounds(**dict(zip(names, numbers, strict=len(numbers) > len(names))))
    except ValueError:
        return subject
    return gettext(
        "The gate: at least %(sentences)s sentences measured, at least %(gain)s %% of the bits saved, at most %(loss)s "
        "points of the score lost, at most %(forgetting)s bits per byte forgotten, at most %(bias)s nats per byte of "
        "bias, at most %(memorised)s bits known by heart"
    ) % {
        "sentences": bounds.least_sentences,
        "gain": f"{bounds.least_gain / 10:.1f}",
        "loss": f"{bounds.most_score_loss / 100:.2f}",
        "forgetting": f"{bounds.most_forgetting / 1000:.3f}",
        "bias": f"{bounds.most_bias / 1000:.3f}",
        "memorised": f"{bounds.most_memorised / 100:.2f}",
    }


@transaction.atomic
def recommend_adapter(*, adapter: Adapter, recommended_by: Person, now: datetime) -> AdapterEvent:
    """A researcher stands for an adapter: the first of the two who let it be used. Raises NotAllowed, Conflicting."""
    current: Adapter = Adapter.objects.select_for_update().get(pk=adapter.pk)
    require_role(recommended_by, current.community, Role.RESEARCHER)
    if current.contains_withdrawn or current.is_whole_model:
        raise Conflicting("This adapter can never be used, so nobody recommends it.")
    mine = current.events.filter(kind=AdapterEvent.RECOMMENDED, actor=recommended_by)
    if mine.exists():
        raise Conflicting("You recommend this adapter already.")
    event: AdapterEvent = AdapterEvent.objects.create(
        adapter=current, kind=AdapterEvent.RECOMMENDED, actor=recommended_by, at=now
    )
    append_entry(
        action="adapter.recommended",
        subject=f"adapter:{current.pk}",
        community=current.community.slug,
        actor=str(recommended_by.pk),
        now=now,
    )
    return event


@transaction.atomic
def roll_back(*, adapter: Adapter, rolled_back_by: Person, now: datetime) -> Adapter:
    """Take the adapter in service out of use and go back to the one before it; returns that one.

    It goes through no gate again, which would take the time that an emergency has not; but no words in it may be
    withdrawn, and its file must be what was approved. Raises NothingBefore, NotAllowed.
    """
    current: Adapter = Adapter.objects.select_for_update().get(pk=adapter.pk)
    require_role(rolled_back_by, current.community, Role.STEWARD)
    earlier = before(current)
    if earlier is None:
        raise NothingBefore("There is no adapter before this one to go back to.")
    is_lost = lost_its_base(earlier.run) or not is_whole(adapter_folder(earlier), earlier.sha256)
    if is_lost or not_usable_behind(earlier.run):
        raise NothingBefore("The adapter before this one may not be used any more.")
    subject = f"adapter:{current.pk}"
    give_up(
        community=current.community,
        matter=Matter.ADAPTER,
        subject=subject,
        given_up_by=rolled_back_by,
        now=now,
    )
    current.state = after(ADAPTER, current.state, "roll back")
    current.save(update_fields=["state"])
    AdapterEvent.objects.create(adapter=current, kind=current.state, actor=rolled_back_by, at=now)
    AdapterEvent.objects.create(adapter=earlier, kind=AdapterEvent.BACK, actor=rolled_back_by, at=now)
    append_entry(
        action="adapter.rolled_back",
        subject=subject,
        community=current.community.slug,
        actor=str(rolled_back_by.pk),
        now=now,
        details={"to": earlier.sha256},
    )
    checkpoint_after_commit(community=current.community.slug, now=now)
    return earlier
