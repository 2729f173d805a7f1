"""How a community decides: its rules, what is proposed, who votes how, and what holds since when and until when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from care.querysets import DecisionQuerySet, ProposalQuerySet
from people.models import Community, Person


class Matter(models.TextChoices):
    """What is decided on: the type of a proposal."""

    POLICY = "policy", _("the consent text")
    PROJECT = "project", _("opening a project")
    RUN = "run", _("one training run")
    STANDING = "standing", _("training runs within limits")
    RELEASE = "release", _("freezing data for training")
    ADAPTER = "adapter", _("using an adapter")
    AGREEMENT = "agreement", _("access for somebody outside")
    SCHEDULE = "schedule", _("scheduled training")
    LABEL = "label", _("lifting a label or a hold")
    RULES = "rules", _("how the community decides")
    RATIFY = "ratify", _("keeping a suspension")
    LIFT = "lift", _("lifting a suspension")
    REVOKE = "revoke", _("taking a decision back")


class AdoptedRules(models.Model):
    """The rule set of a community for one matter, or for all that have none; earlier versions stay."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="rule_sets")
    matter = models.CharField(max_length=16, choices=Matter.choices, blank=True)
    version = models.PositiveIntegerField()
    rule = models.JSONField()
    adopted_at = models.DateTimeField()

    class Meta:
        ordering = ["community", "matter", "-version"]
        verbose_name_plural = "adopted rules"
        constraints = [
            models.UniqueConstraint(fields=["community", "matter", "version"], name="rules_version_is_unique"),
        ]

    def __str__(self) -> str:
        return f"rules {self.version} of {self.community} for {self.matter or 'everything'}"


class Proposal(models.Model):
    """Something to decide. Who may vote is fixed when the vote opens."""

    class State(models.TextChoices):
        OPEN = "open", _("open")
        PASSED = "passed", _("passed")
        REJECTED = "rejected", _("rejected")
        NO_QUORUM = "no_quorum", _("too few voted")
        WITHDRAWN = "withdrawn", _("taken back")

    community = models.ForeignKey(Community, models.PROTECT, related_name="proposals")
    matter = models.CharField(max_length=16, choices=Matter.choices)
    subject = models.CharField(max_length=300, help_text="What it is about, as kind:id.")
    text = models.TextField(max_length=5000)
    harm = models.TextField(max_length=5000, blank=True)
    benefit = models.TextField(max_length=5000, blank=True)
    purposes = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    conditions = models.JSONField(default=dict, blank=True)
    proposer = models.ForeignKey(Person, models.PROTECT, related_name="+")
    configured_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    rule = models.JSONField(help_text="The rule set under which it was opened.")
    electors = models.JSONField(help_text="Who may vote: [{person, roles}].")
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField()
    closes_at = models.DateTimeField()

    objects = ProposalQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["community", "matter", "subject"],
                condition=models.Q(state="open"),
                name="one_open_proposal_per_subject",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["open", "passed", "rejected", "no_quorum", "withdrawn"]),
                name="proposal_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(closes_at__gte=models.F("opened_at")), name="vote_closes_after_it_opens"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.matter} on {self.subject}"

    @property
    def elector_ids(self) -> list[int]:
        """Who could vote when it opened."""
        return [seat["person"] for seat in self.electors]


class Vote(models.Model):
    """What one elector says, until the vote closes; each change is a `ProposalEvent`."""

    class Choice(models.TextChoices):
        FOR = "for", _("for it")
        AGAINST = "against", _("against it")
        ABSTAIN = "abstain", _("neither")

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="votes")
    elector = models.ForeignKey(Person, models.PROTECT, related_name="+")
    cast_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    choice = models.CharField(max_length=8, choices=Choice.choices)
    reason = models.TextField(max_length=1000, blank=True)
    cast_at = models.DateTimeField()

    class Meta:
        ordering = ["proposal", "cast_at"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "elector"], name="one_vote_per_elector"),
            models.CheckConstraint(
                condition=models.Q(choice__in=["for", "against", "abstain"]), name="vote_choice_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.choice} on {self.proposal_id}"


class ProposalEvent(models.Model):
    """What happened to a proposal and to what follows from it; a trigger refuses changes and deletions."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=32)
    actor = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    details = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.kind} of proposal {self.proposal_id}"


class ProposalRemark(models.Model):
    """What a member says about a proposal to the others."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="remarks")
    author = models.ForeignKey(Person, models.PROTECT, related_name="+")
    text = models.TextField(max_length=2000)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"remark on proposal {self.proposal_id}"


class ConflictDeclaration(models.Model):
    """That an elector has an interest of their own. One's own word is upheld at once; another's by a third person."""

    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="conflicts")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    declared_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    nature = models.TextField(max_length=1000)
    declared_at = models.DateTimeField()
    is_upheld = models.BooleanField(null=True)
    judged_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    judged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["declared_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "person"], name="one_conflict_per_elector"),
            models.CheckConstraint(
                condition=models.Q(is_upheld__isnull=True) | models.Q(judged_at__isnull=False),
                name="conflict_is_judged_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"conflict of {self.person_id} in proposal {self.proposal_id}"


class Delegation(models.Model):
    """Somebody votes for an elector for a while, on some matters or on all; it cannot be given on."""

    community = models.ForeignKey(Community, models.PROTECT, related_name="delegations")
    giver = models.ForeignKey(Person, models.PROTECT, related_name="delegations_given")
    receiver = models.ForeignKey(Person, models.PROTECT, related_name="delegations_received")
    matters = ArrayField(models.CharField(max_length=16, choices=Matter.choices), default=list, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-since", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until__gt=models.F("since"))
                & models.Q(until__lte=models.F("since") + timedelta(days=366)),
                name="delegation_lasts_a_year_at_most",
            ),
            models.CheckConstraint(
                condition=~models.Q(giver=models.F("receiver")), name="delegation_is_to_somebody_else"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.receiver_id} votes for {self.giver_id}"


class Decision(models.Model):
    """What a vote, or one steward under the rules, came to; what it allows always ends."""

    class State(models.TextChoices):
        REFUSED = "refused", _("refused")
        COOLING_OFF = "cooling_off", _("open to appeal")
        REOPENED = "reopened", _("appealed")
        IN_FORCE = "in_force", _("in force")
        SUSPENDED = "suspended", _("suspended")
        REVOKED = "revoked", _("taken back")
        EXPIRED = "expired", _("run out")
        SUPERSEDED = "superseded", _("replaced")

    community = models.ForeignKey(Community, models.PROTECT, related_name="decisions")
    proposal = models.ForeignKey(Proposal, models.PROTECT, related_name="decisions")
    matter = models.CharField(max_length=16, choices=Matter.choices)
    subject = models.CharField(max_length=300)
    outcome = models.CharField(max_length=16, choices=[(s, s) for s in ("passed", "rejected", "no_quorum")])
    tally = models.JSONField()
    reason = models.JSONField(help_text="A sentence and its values.")
    approvers = models.JSONField(default=list, help_text="Who was for it, by id.")
    conditions = models.JSONField(default=dict, blank=True)
    decided_at = models.DateTimeField()
    effective_from = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ["-decided_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gte=models.F("effective_from"))
                & models.Q(expires_at__lte=models.F("effective_from") + timedelta(days=732)),
                name="decision_ends_within_two_years",
            ),
            models.UniqueConstraint(
                fields=["community", "matter", "subject"],
                condition=models.Q(state__in=["in_force", "suspended"]),
                name="one_decision_in_force_per_subject",
            ),
            models.CheckConstraint(
                condition=models.Q(outcome="passed") | models.Q(state="refused"), name="only_what_passed_can_hold"
            ),
        ]

    def __str__(self) -> str:
        return f"decision {self.pk} on {self.subject}: {self.state}"

    @property
    def turnout(self) -> int:
        """Per cent of those who could vote."""
        tally: dict[str, Any] = self.tally
        return round(100 * tally["cast"] / tally["electors"]) if tally["electors"] else 0


class Suspension(models.Model):
    """A stop that one steward may make at once; it ends after 14 days unless the community keeps it."""

    class State(models.TextChoices):
        RUNNING = "running", _("until it is ratified")
        RATIFIED = "ratified", _("ratified")
        ENDED = "ended", _("over")

    decision = models.ForeignKey(Decision, models.PROTECT, related_name="suspensions")
    suspended_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    reason = models.TextField(max_length=1000)
    began_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.RUNNING)

    class Meta:
        ordering = ["-began_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["decision"], condition=~models.Q(state="ended"), name="one_live_suspension_per_decision"
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__lte=models.F("began_at") + timedelta(days=14)),
                name="suspension_lasts_fourteen_days",
            ),
        ]

    def __str__(self) -> str:
        return f"suspension of decision {self.decision_id}"


class Appeal(models.Model):
    """A steward asks, before a decision holds, that it be voted on again; once for each proposal."""

    proposal = models.OneToOneField(Proposal, models.PROTECT, related_name="appeal")
    appealed_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    reason = models.TextField(max_length=1000)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"appeal on proposal {self.proposal_id}"
