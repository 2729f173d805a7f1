"""Ending a stage that has stopped getting better, with the best that it came to (Prechelt 1998).

After each measurement of the validation split the best one is remembered, with what was learnt until then; when
`recipe.patience` of them in a row were no better, the stage is over. A checkpoint keeps all of it, so a run that is
killed anywhere ends at the same step with the same bytes. The test split has no part in it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from training.recipes.devices import any_of_us
from training.recipes.fsdp import learnt_by, put_back
from training.recipes.journal import Journal

if TYPE_CHECKING:
    from training.recipes.stages import Training


def is_over(best: dict[str, Any]) -> bool:
    """Whether the stage ended early before this attempt of the run."""
    return bool(best.get("is_over"))


def had_enough(state: Training, bpb: float) -> bool:
    """Take a measurement into account; whether the stage is over by it. Of several processes the first decides."""
    if any_of_us(bpb < state.best.get("bpb", math.inf)):
        learnt = {name: value.detach().cpu().clone() for name, value in learnt_by(state.method, state.model).items()}
        state.best = {"bpb": bpb, "step": state.step, "since": 0, "learnt": learnt}
        return False
    state.best["since"] = state.best.get("since", 0) + 1
    state.best["is_over"] = state.best["since"] >= state.config.recipe.patience
    return is_over(state.best)


def go_back_to_best(state: Training, journal: Journal) -> None:
    """Put back what was learnt at the best measurement, and note it for log and report; twice is as good as once."""
    if "learnt" not in state.best:
        return
    put_back(state.method, state.model, state.best["learnt"])
    kept = {"last_step": state.step, "kept_step": state.best["step"], "kept_bpb": round(state.best["bpb"], 5)}
    state.made = [*state.made[:-1], {**state.made[-1], **kept}]
    journal.write("kept", **kept)
