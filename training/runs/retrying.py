"""What becomes of a run whose process died or had too little memory: it is tried again, and not for ever."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_noop

from training.runs.models import Run
from training.runs.services import MOST_CRASHES, discard_checkpoints, end_run, give_back_run

# Of 768 tokens three halvings are left; a process for which that is still too much needs another machine.
LEAST_AT_ONCE = 96
TOO_LITTLE = gettext_noop("The memory of this machine is not enough for this run.")


def after_crash(*, run: Run, why: str, now: datetime) -> bool:
    """Queue a run again whose process was killed; it goes on from its checkpoint. False, and it has failed, when that
    happened too often. Raises LeaseLost."""
    if run.crashes >= MOST_CRASHES:
        end_run(run=run, state=Run.State.FAILED, now=now, failure=why)
        return False
    give_back_run(run=run, now=now, kind="tried again", note=why, crashes=run.crashes + 1)
    return True


def after_too_little_memory(*, run: Run, now: datetime) -> bool:
    """Queue a run again that ran out of memory, with half as many tokens at once: the same batch in twice the parts.

    It begins anew, so that its result is what anybody gets from the settings that it shows. False, and it has failed,
    when there is nothing more to halve. Raises LeaseLost.
    """
    before = int(run.settings["recipe"]["tokens_at_once"])
    after = before // 2
    if after < LEAST_AT_ONCE:
        end_run(run=run, state=Run.State.FAILED, now=now, failure=TOO_LITTLE)
        return False
    settings = {**run.settings, "recipe": {**run.settings["recipe"], "tokens_at_once": after}}
    note = f"{before} → {after}"
    give_back_run(run=run, now=now, kind="begun anew with less at once", note=note, settings=settings, progress={})
    discard_checkpoints(run)
    return True
