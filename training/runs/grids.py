"""Grids: many runs on one release that differ in method, rank, tokens and seed, started and compared together.

Each cell of a grid is a method, a rank and a budget of tokens, trained once for each seed. Its runs are runs like any
others: they wait behind those that somebody started by themselves, one that fails stops no other, and each goes on
after a crash. What they make is for comparing; an adapter out of a grid is used only after the gate, like every other.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from django.db import transaction
from django.db.models import Max

from ledger.services import append_entry
from people.models import Community, Person, Role
from people.refusals import Invalid
from people.services import require_role
from training.releases.models import Release
from training.runs.approval import require_run_decision
from training.runs.beside import require_additions
from training.runs.models import Addition, Grid, Run
from training.runs.services import RunIsOver, ask_to_stop
from training.runs.starting import checked_settings, next_number, require_room, require_trainable, store_run
from training.runs.vocabularies import base_for

METHODS = ("lora", "qlora", "dylora", "qdylora")
LEAST_SEEDS, MOST_SEEDS = 3, 20
MOST_RANKS = MOST_BUDGETS = 8
# As the recipe's own settings have it: the adapter's strength is twice its rank.
ALPHA_FOR_RANK = 2
Budget = dict[str, float]
Settings = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Plan:
    """What a grid is made of; `given` are the settings that all its runs have in common."""

    methods: Sequence[str]
    ranks: Sequence[int]
    budgets: Sequence[Budget]
    seeds: Sequence[int]
    given: Settings

    def settings(self) -> list[Settings]:
        """Those of every run, checked. A seed goes through all cells before the next does, so that the whole picture is
        there early. Raises Invalid."""
        found = []
        for seed, method, budget, rank in product(self.seeds, self.methods, self.budgets, self.ranks):
            own = {"method": method, "rank": rank, "alpha": ALPHA_FOR_RANK * rank, "seed": seed, **budget}
            found.append(checked_settings({**self.given, "recipe": {**self.given.get("recipe", {}), **own}}))
        return found


def plan_of(
    *, methods: Sequence[str], ranks: Sequence[int], budgets: Sequence[str], seeds: int, given: Settings
) -> Plan:
    """A plan as people write it: budgets as “25%” or as a number of tokens, and how many seeds. Raises Invalid."""
    chosen = [name for name in METHODS if name in methods]
    if not chosen or set(methods) - set(METHODS):
        raise Invalid("Choose a method: %(known)s.", field="methods", known=", ".join(METHODS))
    if not ranks or len(ranks) > MOST_RANKS:
        raise Invalid("Give one to %(most)s ranks.", field="ranks", most=MOST_RANKS)
    if not budgets or len(budgets) > MOST_BUDGETS:
        raise Invalid("Give one to %(most)s amounts to learn from.", field="budgets", most=MOST_BUDGETS)
    if not LEAST_SEEDS <= seeds <= MOST_SEEDS:
        raise Invalid(
            "Each is trained from %(least)s to %(most)s times.", field="seeds", least=LEAST_SEEDS, most=MOST_SEEDS
        )
    first = int(checked_settings(given)["recipe"]["seed"])
    return Plan(
        methods=chosen,
        ranks=sorted(set(ranks)),
        budgets=sorted(_without_twins([budget_of(one) for one in budgets]), key=_size_of),
        seeds=list(range(first, first + seeds)),
        given=given,
    )


def budget_of(written: str) -> Budget:
    """“25%”, “20000”: as a setting of the recipe. Raises Invalid."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)\s*(%?)", written.strip())
    if found and found[2] and 0 < float(found[1]) <= 100:
        return {"token_share": round(float(found[1]) / 100, 6), "token_budget": 0}
    if found and not found[2] and "." not in found[1] and int(found[1]) > 0:
        return {"token_share": 1.0, "token_budget": int(found[1])}
    raise Invalid(
        "Write shares of the tokens such as 25%% or numbers of tokens such as 20000, not “%(written)s”.",
        field="budgets",
        written=written[:40],
    )


def _size_of(budget: Budget) -> tuple[bool, float]:
    return budget["token_budget"] == 0, budget["token_budget"] or budget["token_share"]


def _without_twins(budgets: Sequence[Budget]) -> list[Budget]:
    return list({tuple(sorted(budget.items())): budget for budget in budgets}.values())


def base_of_grid(*, release: Release, plan: Plan, base_model: str, additions: Collection[Addition]) -> str:
    """The name of the base model that all runs would learn on, where all of its methods can learn from the additions.
    Raises Invalid, AdditionIsGone, ReleaseIsTainted."""
    for method in plan.methods:
        require_additions(release, method, additions)
    return base_for(base_model, additions)


@transaction.atomic
def start_grid(
    *,
    release: Release,
    plan: Plan,
    started_by: Person,
    now: datetime,
    base_model: str = "",
    additions: Collection[Addition] = (),
) -> Grid:
    """Queue every run of a plan; the caller rings the bells (`training.runs.jobs.ring_grid`) after commit. All of them
    learn on the same base model, and from the same `additions` beside the release, as `queue_run` has it.

    Each of them counts as a run where a standing approval or this place has limits; a decision on training on this
    release covers all of them. Raises ReleaseIsTainted, AdditionIsGone, Invalid, NotAllowed, LimitReached.
    """
    community = Community.objects.select_for_update().get(pk=release.community_id)
    require_role(started_by, community, Role.RESEARCHER)
    require_trainable(release)
    chosen = plan.settings()
    base = base_of_grid(release=release, plan=plan, base_model=base_model, additions=additions)
    require_room(community, now=now, runs=len(chosen))
    require_run_decision(release=release, started_by=started_by, now=now, runs=len(chosen))
    grid = Grid.objects.create(
        community=community,
        release=release,
        number=(Grid.objects.filter(community=community).aggregate(last=Max("number"))["last"] or 0) + 1,
        methods=list(plan.methods),
        ranks=list(plan.ranks),
        budgets=list(plan.budgets),
        seeds=list(plan.seeds),
        started_by=started_by,
        created_at=now,
    )
    first = next_number(community)
    about = {"release": release, "by": started_by, "now": now, "base_model": base, "grid": grid}
    for number, settings in enumerate(chosen, start=first):
        run = store_run(number=number, chosen=settings, priority=Run.Priority.LOW, **about)  # type: ignore[arg-type]
        run.additions.set(additions)
    append_entry(
        action="grid.started",
        subject=f"grid:{grid.pk}",
        community=community.slug,
        actor=str(started_by.pk),
        now=now,
        details={"release": release.sha256, "methods": list(plan.methods), "runs": len(chosen)},
    )
    return grid


@transaction.atomic
def cancel_grid(*, grid: Grid, cancelled_by: Person, now: datetime) -> int:
    """Stop all runs of a grid that wait or run; how many. What is finished stays. Raises RunIsOver, NotAllowed."""
    require_role(cancelled_by, grid.community, Role.RESEARCHER, Role.STEWARD)
    going_on = list(Run.objects.select_for_update().filter(grid=grid, state__in=["queued", "running"]).order_by("pk"))
    if not going_on:
        raise RunIsOver("No run of this grid waits or runs.")
    for run in going_on:
        ask_to_stop(run, cancelled_by, now)
    append_entry(
        action="grid.cancelled",
        subject=f"grid:{grid.pk}",
        community=grid.community.slug,
        actor=str(cancelled_by.pk),
        now=now,
        details={"runs": len(going_on)},
    )
    return len(going_on)


def runs_by_cell(grid: Grid) -> dict[tuple[str, int, float, int], list[Run]]:
    """The grid's runs, by method, rank, share and number of tokens, in the order of the plan."""
    found: dict[tuple[str, int, float, int], list[Run]] = defaultdict(list)
    for run in grid.runs.select_related("adapter").order_by("pk"):
        recipe = run.settings["recipe"]
        found[run.method, recipe["rank"], recipe["token_share"], recipe["token_budget"]].append(run)
    return dict(found)
