"""What the record may say openly: every action, with the details that its entries may hold.

Details are numbers, hashes and words out of fixed lists; names and whatever somebody wrote go into the sealed part of
an entry (`private`), which can be erased. A new action needs its line here, or `append_entry` refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Check = Callable[[Any], bool]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ACTOR = re.compile(r"[0-9]{0,20}|[0-9a-f-]{36}")
_SUBJECT = re.compile(r"[a-z_]{1,40}:([0-9]{1,20}|[0-9a-f-]{36})")
LARGEST = 2**53 - 1


class NotAllowlisted(ValueError):
    """An entry would say openly what `ledger.actions` does not allow; what people wrote belongs into `private`."""


def number(value: Any) -> bool:
    """A whole number that every reader of JSON can hold."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST


def flag(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


def sha256(value: Any) -> bool:
    """A hash in hexadecimal digits."""
    return isinstance(value, str) and bool(_SHA256.fullmatch(value))


def one_of(*words: str) -> Check:
    """One of these words."""
    return lambda value: isinstance(value, str) and value in words


def some_of(*words: str) -> Check:
    """A list of these words."""
    return lambda value: isinstance(value, list) and all(word in words for word in value)


@dataclass(frozen=True)
class Action:
    """What the entries of one action may say openly."""

    details: Mapping[str, Check] = field(default_factory=dict)
    hides_person: bool = False
    """Whether it is between a person and their community: actor and subject are sealed, too."""


ROLE = one_of("speaker", "expert", "researcher", "steward", "elder")
PURPOSE_WORDS = (
    *("display_members", "display_public", "credit_name", "peer_review", "research", "train_noncommercial"),
    *("train_commercial", "release_dataset", "release_adapter", "process_outside_country", "evaluate_models"),
)
PURPOSE, PURPOSES = one_of(*PURPOSE_WORDS), some_of(*PURPOSE_WORDS)
MATTER = one_of(
    *("policy", "project", "run", "standing", "release", "adapter", "agreement", "schedule", "label", "rules"),
    *("ratify", "lift", "revoke"),
)
# What happens to a proposal and to the decision that comes of it; the act that was decided on has an entry of its own.
DECIDING = (
    *("opened", "discussed", "voted", "conflict_declared", "conflict_judged", "taken_back", "closed", "appealed"),
    *("decided_alone", "given_up", "in_force", "had_no_effect", "expired", "revoked"),
    *("suspended", "suspension_ratified", "suspension_lifted", "suspension_lapsed"),
)
METHODS = (
    *("qlora", "lora", "qdylora", "dylora", "full", "continue_pretraining"),
    *("kto", "dpo", "reward", "self_evolution"),
)
HARM = one_of("sacred", "child", "threat", "misuse", "personal", "offensive", "wrong", "died", "other")
OUTCOME = one_of("upheld", "in_part", "not_upheld", "keep", "restrict", "remove")
CAUSE = one_of("label", "hold", "suspension", "deceased", "minor")
SIDE = one_of("applicant", "steward")
BENEFIT = one_of("money", "compute", "training", "coauthorship", "tools", "reinvest", "data", "other")
FORM = one_of("adapter", "merged", "f16", "q8_0")
HOW = one_of("back_translation", "paraphrase", "label", "tokens")
DECISION = one_of("accept", "both", "correct", "send_back", "reject")

ACTIONS: Mapping[str, Action] = {
    # people
    "community.founded": Action(),
    "community.variety_saved": Action(),
    "community.orthography_saved": Action(),
    "community.words_set": Action({"number": number}),
    "community.font_set": Action({"bytes": number}),
    "community.font_removed": Action(),
    "membership.granted": Action({"role": ROLE}),
    "membership.ended": Action({"role": ROLE}),
    "membership.invited": Action({"role": ROLE, "uses": number}),
    "experts.names_shown": Action(),
    "experts.names_hidden": Action(),
    # care
    "policy.published": Action({"version": number, "text_sha256": sha256, "overtaken": number}),
    "policy.drafted": Action({"text_sha256": sha256}),
    "rendering.written": Action({"sha256": sha256}),
    "rendering.checked": Action({"sha256": sha256, "agrees": flag}),
    "hub.followed": Action(),
    "hub.unfollowed": Action(),
    "restriction.placed": Action({"cause": CAUSE, "blocks": PURPOSES}),
    "restriction.widened": Action({"cause": CAUSE, "blocks": PURPOSES}),
    "restriction.lifted": Action({"cause": CAUSE, "blocks": PURPOSES}),
    "harm.reported": Action({"report": number, "category": HARM, "held": flag}),
    "harm.triaged": Action({"held": flag}),
    "harm.held": Action(),
    "harm.investigated": Action(),
    "harm.decided": Action({"outcome": OUTCOME}),
    "harm.remedied": Action(),
    "harm.closed": Action(),
    "harm.late": Action({"report": number}),
    "age.rule_set": Action({"years": number}),
    "age.stated": Action(hides_person=True),
    "age.asked_again": Action(hides_person=True),
    "age.silent": Action(hides_person=True),
    "guardian.consented": Action(hides_person=True),
    "glass.broken": Action({"hours": number}),
    "glass.ended": Action(),
    "consent.given": Action({"purposes": PURPOSES}, hides_person=True),
    "consent.withdrawn": Action({"purposes": PURPOSES, "grants": number}, hides_person=True),
    "answer.withdrawn": Action({"answers": number}, hides_person=True),
    "answers.erased": Action({"answers": number}),
    "person.erased": Action(),
    **{f"decision.{kind}": Action({"matter": MATTER}) for kind in DECIDING},
    "delegation.given": Action({"days": number}),
    "delegation.revoked": Action({"days": number}),
    "agreement.begun": Action(),
    "agreement.submitted": Action({"terms_sha256": sha256, "benefits": number}),
    **{f"agreement.{what}": Action() for what in ("returned", "rejected", "suspended", "revoked", "closed", "expired")},
    "agreement.late": Action(),
    "agreement.signed": Action({"side": SIDE, "active": flag, "terms_sha256": sha256}),
    "agreement.token_made": Action(),
    "agreement.token_ended": Action({"by_holder": flag}),
    **{
        f"benefit.{what}": Action({"kind": BENEFIT, "agreement": number})
        for what in ("promised", "dropped", "delivered", "sent_back", "confirmed")
    },
    # annotation
    "corpus.imported": Action({"added": number, "sha256": sha256}),
    "project.opened": Action(),
    "project.open": Action(),
    "project.closed": Action(),
    "project.checks_set": Action(),
    "project.ordered": Action({"tasks": number, "control_percent": number}),
    "project.guidelines_written": Action({"version": number}),
    "review.rule_set": Action({"concordant": number, "most": number, "unsure_limit": number, "guard": flag}),
    "person.frozen": Action({"answers_counted_anew": number}),
    "person.unfrozen": Action({"answers_counted_anew": number}),
    "person.stopped": Action({"answers_counted_anew": number}),
    "person.spared": Action({"answers_counted_anew": number}),
    "labels.changed_together": Action({"answers": number}),
    "labels.change_undone": Action({"answers": number}),
    "answer.adjudicated": Action({"decision": DECISION, "answers": number}),
    "adjudication.reopened": Action(),
    "answer.asked_about": Action(),
    "tasks.opened_again": Action({"tasks": number}),
    # training
    "release.frozen": Action({"number": number, "sha256": sha256, "purpose": PURPOSE, "judgements": flag}),
    "release.downloaded": Action({"agreement": number, "sha256": sha256, "bytes": number}),
    "notice.answered": Action({"agreement": number, "answer": one_of("deleted", "replaced", "refused", "unreached")}),
    "run.queued": Action({"release": sha256, "method": one_of(*METHODS)}),
    "grid.started": Action({"release": sha256, "methods": some_of(*METHODS), "runs": number}),
    "grid.cancelled": Action({"runs": number}),
    "run.cancelling": Action(),
    "run.cancelled": Action(),
    "run.resumed": Action(),
    "run.failed": Action(),
    "run.taken_elsewhere": Action({"release": sha256, "bytes": number}),
    "run.brought_back": Action({"sha256": sha256}),
    "adapter.made": Action(
        {"sha256": sha256, "run": number, "release": sha256, "replaces": sha256, "withdrawn": number}
    ),
    "adapter.went_on": Action({"sha256": sha256, "release": sha256, "instead_of": sha256, "groups_left_out": number}),
    "adapter.recommended": Action(),
    "adapter.approved": Action(),
    "adapter.refused": Action(),
    "adapter.retired": Action(),
    "adapter.rolled_back": Action({"to": sha256}),
    "adapter.export_asked": Action({"form": FORM, "decision": number, "rank": number}),
    "adapter.exported": Action(
        {"form": FORM, "decision": number, "rank": number, "sha256": sha256, "bytes": number},
    ),
    "addition.uploaded": Action({"kind": one_of("text", "related"), "sha256": sha256, "rows": number}),
    "addition.asked": Action({"how": HOW, "run": number}),
    "addition.made": Action({"how": HOW, "run": number, "sha256": sha256, "rows": number}),
    "addition.deleted": Action({"withdrawn": flag}),
    "gate.set": Action(
        dict.fromkeys(
            ("least_sentences", "least_gain", "most_score_loss", "most_forgetting", "most_bias", "most_memorised"),
            number,
        )
    ),
    "schedule.set": Action({"allowed": flag, "items": number, "hours": number, "withdrawn": number}),
    # the ledger itself
    "secrets.erased": Action({"secrets": number}),
    "ledger.chained_anew": Action({"entries": number, "earlier_head": sha256}),
}


def check_open(*, action: str, actor: str, subject: str, details: Mapping[str, Any]) -> Action:
    """The action's rule, when all that is said openly follows it. Raises NotAllowlisted."""
    rule = ACTIONS.get(action)
    if rule is None:
        raise NotAllowlisted(f"ledger/actions.py has no action {action!r}.")
    if not _ACTOR.fullmatch(actor) or not _SUBJECT.fullmatch(subject):
        raise NotAllowlisted(f"Actor and subject of {action!r} must be ids, not {actor!r} and {subject!r}.")
    for name, value in details.items():
        if name not in rule.details or not rule.details[name](value):
            raise NotAllowlisted(f"{action!r} must not say {name!r}: {value!r} openly.")
    return rule
