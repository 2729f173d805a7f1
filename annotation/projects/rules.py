"""A project's rule: when a task has answers enough, and when verdicts have settled an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from annotation.aggregation.explanation import explain
from annotation.aggregation.settings import RuleError
from annotation.aggregation.stopping import N_TOTAL, StopRule
from annotation.aggregation.verdicts import Rule
from annotation.kinds.contract import gettext_noop

# Sentences of `ProjectRule.explained`, each a message of a translation catalogue.
GUARDED = (
    gettext_noop(
        "Votes of people who have not shown care yet are completed by people who have, as soon as five people here "
        "have; after a day of waiting anybody may complete them."
    ),
    gettext_noop(
        "Some answers are known to experts. Whoever is often wrong about these, their votes do not count any more, "
        "until a steward says otherwise."
    ),
)
UNGUARDED = (gettext_noop("All votes count alike, whoever gives them."),)
_STOP_NAMES = {"stop": "stop", "answers": "n", "at_most": "most"}


@dataclass(frozen=True)
class ProjectRule:
    """What `Project.rule` says on top of what its kind says."""

    votes: Rule
    answers: StopRule
    guard: bool = True
    """Whether votes are guarded as docs/rating.md says."""

    @classmethod
    def from_mapping(cls, given: Mapping[str, Any]) -> ProjectRule:
        """Read {"stop", "answers", "at_most", "concordant", "most", "unsure_limit", "guard"}. Raises RuleError."""
        given = dict(given)
        guard = given.pop("guard", True)
        if not isinstance(guard, bool):
            raise RuleError("%(setting)s must be true or false.", setting="guard")
        stop = {_STOP_NAMES[name]: value for name, value in given.items() if name in _STOP_NAMES}
        if stop.get("stop", N_TOTAL) == N_TOTAL:
            # A kind's own limit has no meaning once its project asks for a number of answers, whatever they are.
            stop.pop("most", None)
        votes = {name: value for name, value in given.items() if name not in _STOP_NAMES}
        return cls(votes=Rule.from_mapping(votes), answers=StopRule.from_mapping(stop), guard=guard)

    def explained(self, *, is_reviewed: bool) -> list[str]:
        """The rule in plain words."""
        words = explain(self.votes, answered=self.answers)
        guarded = GUARDED if self.guard else UNGUARDED
        return [*words, *guarded] if is_reviewed else words[-1:]


__all__ = ["ProjectRule", "RuleError"]
