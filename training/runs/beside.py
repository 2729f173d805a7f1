"""What a run learns from beside its release: which additions it may have, where they lie in its folder, and whose words
are behind it by way of them."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from pathlib import Path

from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from people.refusals import Conflicting, Invalid
from training.releases.models import Release
from training.releases.services import not_usable_any_more
from training.runs.artefacts import folder_of
from training.runs.models import Addition, Run
from training.runs.starting import require_usable

# Of a run's folder; `training.recipes.certify` looks for the same names.
FOLDER = "beside"
# The methods that read plain text before they learn.
READS_TEXT = ("continue_pretraining",)
# What is said of runs that a withdrawal stopped; translated where it is shown.
WITHDRAWN = gettext_noop("Words in its release were withdrawn.")
WITHDRAWN_BESIDE = gettext_noop("What it learns from beside its release was made of words that were withdrawn.")


class AdditionIsGone(Conflicting):
    """An addition was deleted, or is not made yet, so no run can learn from it."""


def require_additions(release: Release, method: str, additions: Collection[Addition]) -> None:
    """Raise Invalid or AdditionIsGone where a run by this method on the release cannot learn from the additions."""
    usable = Addition.objects.for_project(release.project)
    for addition in additions:
        current: Addition | None = usable.filter(pk=addition.pk).first()
        if current is None:
            raise Invalid("Rows of machines are for releases of the project that they were made of.", field="synthetic")
        if not current.is_there:
            raise AdditionIsGone("“%(title)s” was deleted, or is not made yet.", title=current.name)
        if current.kind == Addition.Kind.TEXT and method not in READS_TEXT:
            raise Invalid(
                "Plain text is read by continued pre-training alone. Choose that method, or no text.", field="text"
            )
        if addition.made_by is not None:
            _require_words_of(addition, release)
    if len({addition.kind for addition in additions}) < len(additions):
        raise Invalid("A run learns from one of each kind at most.", field="additions")


def _require_words_of(addition: Addition, release: Release) -> None:
    """Raise Invalid or ReleaseIsTainted where the words that it was made of may not be used as those of the release."""
    assert addition.made_by is not None  # noqa: S101 - as its caller saw
    # Rows count only where their sentences are in the run's own release; tokens have no such bound.
    given_for = addition.made_by.release.purpose
    if addition.kind == Addition.Kind.VOCABULARY and given_for != release.purpose:
        raise Invalid("The words behind this base model were given for another purpose.", field="base_model")
    require_usable_behind(addition.made_by)


def require_still_there(run: Run) -> None:
    """Raise AdditionIsGone where something was deleted that the run learns from."""
    if run.additions.exclude(pk__in=Addition.objects.there()).exists():
        raise AdditionIsGone("What it learns from beside its release was deleted. Start a new run.")


def why_withdrawn(run: Run) -> str:
    """What to say of a run that learns from withdrawn words: those of its release, or what was made of such words.
    Empty where it does not."""
    if Release.objects.filter(pk=run.release_id, withdrawn_since__isnull=False).exists():
        return WITHDRAWN
    return WITHDRAWN_BESIDE if is_withdrawn_beside(run) else ""


def is_withdrawn_beside(run: Run) -> bool:
    """Whether anything that the run learns from beside its release was made of words that were withdrawn."""
    return any(why_withdrawn(maker) for maker in Run.objects.filter(made__runs=run).distinct())


def releases_behind(run: Run) -> list[Release]:
    """The run's own release, and those whose words are in what it learns from beside it, however far, by age."""
    found, newer = {run.pk}, {run.pk}
    while newer:
        newer = set(Run.objects.filter(made__runs__in=newer).values_list("pk", flat=True)) - found
        found |= newer
    return list(Release.objects.filter(runs__in=found).distinct().order_by("pk"))


def lock_behind(run: Run) -> None:
    """Lock these releases, always in one order and as a withdrawal does, so that neither misses the other."""
    keys = [release.pk for release in releases_behind(run)]
    list(Release.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk"))


def not_usable_behind(run: Run) -> int:
    """How many sentences behind the run may not be used for their release's purpose now."""
    return sum(not_usable_any_more(release) for release in releases_behind(run))


def require_usable_behind(run: Run) -> None:
    """Raise ReleaseIsTainted where a label, a hold or other terms came between for any of them."""
    for release in releases_behind(run):
        require_usable(release)


def lost_its_base(run: Run) -> bool:
    """Whether the base with more tokens that the run learnt on was deleted."""
    return run.additions.filter(kind=Addition.Kind.VOCABULARY, deleted_at__isnull=False).exists()


def runs_on(releases: Collection[Release] | QuerySet[Release]) -> set[int]:
    """The runs that learn from these releases, or from what was made of such runs, however far."""
    newer = set(Run.objects.filter(release__in=[release.pk for release in releases]).values_list("pk", flat=True))
    found = set(newer)
    while newer:
        newer = set(Run.objects.filter(additions__made_by__in=newer).values_list("pk", flat=True)) - found
        found |= newer
    return found


def files_beside(run: Run) -> dict[str, Path]:
    """Where in its folder the run has what it learns from beside its release, by kind, as config.toml names it."""
    kinds = run.additions.exclude(kind=Addition.Kind.VOCABULARY).order_by("kind").values_list("kind", flat=True)
    return {kind: folder_of(run) / FOLDER / f"{kind}.jsonl" for kind in kinds}


def lay_beside(run: Run) -> None:
    """Copy these files into the run's folder, so that it is whole. Raises OSError."""
    places = files_beside(run)
    for addition in run.additions.filter(kind__in=places):
        places[addition.kind].parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(addition.file, places[addition.kind])


def told_beside(run: Run) -> str:
    """What they are, from where and on which terms, a line each, for report and card."""
    additions = run.additions.select_related("made_by__release").order_by("kind")
    return "\n".join(" ".join(addition.told.split()) for addition in additions)
