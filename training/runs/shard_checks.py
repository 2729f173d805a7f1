"""What the gate asks of an adapter of groups of contributors (`training.recipes.shards`) beside all else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_noop

from training.runs.gate import Check

# Of what one adapter of everybody gains in bits per byte over the base model, the share that groups may lose.
MOST_TAX = 0.10


def checks_of_shards(report: Mapping[str, Any]) -> list[Check]:
    """Two checks; none for an adapter that learnt from everybody together."""
    shards = report.get("shards")
    return [_tax(report, shards.get("control") or {}), _without(shards.get("without") or [])] if shards else []


def _tax(report: Mapping[str, Any], control: Mapping[str, Any]) -> Check:
    """Measured in the run itself, or in the earlier one from which at least half of the groups were taken."""
    name, bound = gettext_noop("Lost by learning in groups, of what was gained"), f"≤ {_percent(MOST_TAX)}"
    tax = control.get("tax")
    if tax is None:
        why = gettext_noop("What its groups cost was not measured against an adapter that learnt from everybody.")
        return Check(name, "–", bound, why)
    values = {"measured": _percent(tax), "bound": _percent(MOST_TAX)}
    if not tax <= MOST_TAX:
        why = gettext_noop(
            "In groups it loses %(measured)s of what an adapter that learns from everybody gains; at most %(bound)s "
            "are allowed. Train it without groups."
        )
        return Check(name, _percent(tax), bound, why, values)
    is_earlier = control.get("release") != report.get("release", {}).get("sha256")
    note = gettext_noop("Measured on an earlier release, before words were taken back.") if is_earlier else ""
    return Check(name, _percent(tax), bound, values=values, note=note)


def _without(without: list[Mapping[str, Any]]) -> Check:
    """What is approved with it goes into service by itself, so it has to be worth it, too."""
    name = gettext_noop("Better than the base model without any one group, surely")
    if not without:
        note = gettext_noop("All contributors are in one group, so nothing goes on when words are taken back.")
        return Check(name, "–", "< 0", note=note)
    worst = max(float(one["difference_ci95"][1]) for one in without)
    why = gettext_noop(
        "Without one of its groups it is not surely better than the base model: its bits per byte may be %(measured)s "
        "higher, and must be lower."
    )
    return Check(name, f"{worst:+.3f}", "< 0", "" if worst < 0 else why, {"measured": f"{worst:.3f}"})


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
