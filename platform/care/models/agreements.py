"""Access for people outside a community: what was agreed, what was promised for it, and the tokens that open it."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from care import duo
from care.models.consent import Purpose
from care.models.decisions import Decision
from care.querysets import AgreementQuerySet, CommitmentQuerySet
from people.models import Community, Person

COUNTRY = RegexValidator(r"^[A-Z]{2}$", _("Write countries as two capital letters (ISO 3166), such as MX."))


class Agreement(models.Model):
    """What one applicant may do with some releases of a community, until when, and on what terms.

    Its terms change while it is a draft or was returned, and never afterwards. `ends_at` may only come nearer: a
    decision of the community holds no longer than its rules say, and neither does what it allows.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("being written")
        SUBMITTED = "submitted", _("waits for the community")
        RETURNED = "returned", _("sent back with questions")
        REJECTED = "rejected", _("refused")
        APPROVED = "approved", _("waits for signatures")
        ACTIVE = "active", _("in force")
        SUSPENDED = "suspended", _("suspended")
        EXPIRED = "expired", _("over")
        REVOKED = "revoked", _("taken back")
        CLOSED = "closed", _("ended by its applicant")

    class Tier(models.TextChoices):
        COMMUNITY = "community", _("an organisation of speakers")
        RESEARCH = "research", _("a university or public research")
        NONPROFIT = "nonprofit", _("a non-profit organisation")
        PUBLIC = "public", _("a public body or a school")
        COMPANY = "company", _("a company")

    class Forbidden(models.TextChoices):
        REDISTRIBUTE = "redistribute", _("giving the data to anybody who is not named here")
        IDENTIFY = "identify", _("finding out who wrote something")
        SELL = "sell", _("selling the data, or what was made from it")
        WATCH = "watch", _("watching or policing people")
        MILITARY = "military", _("military use")
        IMPERSONATE = "impersonate", _("writing as if it were a real speaker")
        BELIEFS = "beliefs", _("texts that convert, advertise or campaign")

    class Publication(models.TextChoices):
        NOTHING = "nothing", _("Nothing is published")
        COPY = "copy", _("The community gets a copy of everything that is published")
        READ_FIRST = "read_first", _("The community reads everything thirty days before it is published")
        AGREE_FIRST = "agree_first", _("The community agrees before anything is published")

    community = models.ForeignKey(Community, models.PROTECT, related_name="agreements")
    applicant = models.ForeignKey(Person, models.PROTECT, related_name="agreements")
    users = models.ManyToManyField(Person, related_name="agreements_named_in", help_text="The applicant included.")
    renews = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="renewals")
    organisation = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, blank=True, validators=[COUNTRY])
    tier = models.CharField(max_length=12, choices=Tier.choices, blank=True)
    aim = models.TextField(max_length=3000, blank=True, help_text="What the words are wanted for.")
    purposes = ArrayField(models.CharField(max_length=32, choices=Purpose.choices), default=list, blank=True)
    releases = ArrayField(
        models.PositiveIntegerField(), default=list, blank=True, help_text="By their number in the community."
    )
    covers_later = models.BooleanField(
        default=False, help_text="Also later releases of the same projects for the same purpose."
    )
    computing = models.CharField(max_length=500, blank=True, help_text="On whose computers, and how they are guarded.")
    computing_countries = ArrayField(
        models.CharField(max_length=2, validators=[COUNTRY]), default=list, blank=True, help_text="ISO 3166."
    )
    forbidden = ArrayField(models.CharField(max_length=16, choices=Forbidden.choices), default=list, blank=True)
    forbidden_words = models.CharField(max_length=1000, blank=True)
    duo = ArrayField(
        models.CharField(max_length=8),
        default=list,
        blank=True,
        help_text="Shorthands of the Data Use Ontology (`care.duo`), beside the words.",
    )
    publication = models.CharField(max_length=16, choices=Publication.choices, blank=True)
    publication_words = models.CharField(max_length=1000, blank=True)
    comes_back = models.CharField(
        max_length=1000, blank=True, help_text="What is made from the words and given back, and in which form."
    )
    starts_on = models.DateField()
    ends_at = models.DateTimeField(help_text="24 months after the start at the latest.")
    terms_sha256 = models.CharField(max_length=64, blank=True, help_text="Of the terms as they were submitted.")
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    decision = models.ForeignKey(Decision, models.PROTECT, null=True, blank=True, related_name="agreements")
    begun_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True, blank=True)
    answer_due_at = models.DateTimeField(
        null=True, blank=True, help_text="Until when a request is to be returned, refused or put to the vote."
    )
    late_since = models.DateTimeField(null=True, blank=True, help_text="When nobody had answered it in time.")
    applicant_signed_at = models.DateTimeField(null=True, blank=True)
    steward = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    steward_signed_at = models.DateTimeField(null=True, blank=True)
    activated_at = models.DateTimeField(null=True, blank=True)

    objects = AgreementQuerySet.as_manager()

    class Meta:
        ordering = ["-begun_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    ends_at__lte=models.Func(
                        models.F("starts_on"),
                        template="((%(expressions)s + interval '24 months') AT TIME ZONE 'UTC')",
                        output_field=models.DateTimeField(),
                    )
                ),
                name="agreement_ends_within_two_years",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    ends_at__gt=models.Func(
                        models.F("starts_on"),
                        template="(%(expressions)s::timestamp AT TIME ZONE 'UTC')",
                        output_field=models.DateTimeField(),
                    )
                ),
                name="agreement_ends_after_it_starts",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=[
                        *("draft", "submitted", "returned", "rejected", "approved", "active"),
                        *("suspended", "expired", "revoked", "closed"),
                    ]
                ),
                name="agreement_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(forbidden__contains=["redistribute", "identify"]),
                name="agreement_forbids_passing_on",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["active", "suspended"])
                | models.Q(
                    applicant_signed_at__isnull=False,
                    steward_signed_at__isnull=False,
                    steward__isnull=False,
                    decision__isnull=False,
                ),
                name="what_is_in_force_is_signed_by_both",
            ),
            models.CheckConstraint(
                condition=models.Q(steward__isnull=True) | ~models.Q(steward=models.F("applicant")),
                name="nobody_signs_for_both_sides",
            ),
        ]

    def __str__(self) -> str:
        return f"agreement {self.pk} with {self.organisation or self.applicant}"

    @property
    def subject(self) -> str:
        """How decisions and the ledger name it."""
        return f"agreement:{self.pk}"

    @property
    def may_be_changed(self) -> bool:
        """Whether its terms are still being written."""
        return self.state in {self.State.DRAFT, self.State.RETURNED}

    @property
    def purposes_in_words(self) -> list[Any]:
        """What it allows, as people are asked for it."""
        return [Purpose(purpose).label for purpose in self.purposes]

    @property
    def codes(self) -> list[duo.Code]:
        """Its codes of the Data Use Ontology."""
        return duo.codes_of(self.duo)

    @property
    def forbidden_in_words(self) -> list[Any]:
        """What it forbids."""
        return [self.Forbidden(use).label for use in self.forbidden]


class Commitment(models.Model):
    """Something that an applicant promises the community for its words, and whether it came."""

    class Kind(models.TextChoices):
        MONEY = "money", _("money")
        COMPUTE = "compute", _("computers or computing time")
        TRAINING = "training", _("teaching people of the community")
        COAUTHORSHIP = "coauthorship", _("authorship with the community")
        TOOLS = "tools", _("tools and software")
        REINVEST = "reinvest", _("a share of what is earned")
        DATA = "data", _("data given back")
        OTHER = "other", _("something else")

    class State(models.TextChoices):
        PROMISED = "promised", _("promised")
        DUE = "due", _("due")
        DELIVERED = "delivered", _("delivered, not yet confirmed")
        CONFIRMED = "confirmed", _("received")
        OVERDUE = "overdue", _("overdue")

    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="commitments")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    words = models.CharField(max_length=500, help_text="What exactly, and how much.")
    due_on = models.DateField()
    state = models.CharField(max_length=12, choices=State.choices, default=State.PROMISED)
    evidence = models.CharField(max_length=1000, blank=True, help_text="How one can see that it came.")
    promised_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)
    remark = models.CharField(max_length=500, blank=True, help_text="What a steward wrote who did not receive it.")
    confirmed_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_at = models.DateTimeField(null=True, blank=True)

    objects = CommitmentQuerySet.as_manager()

    class Meta:
        ordering = ["due_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["promised", "due", "delivered", "confirmed", "overdue"]),
                name="commitment_state_is_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["delivered", "confirmed"]) | ~models.Q(evidence=""),
                name="what_is_delivered_has_evidence",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="confirmed") | models.Q(confirmed_by__isnull=False),
                name="a_steward_confirms_a_benefit",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} for agreement {self.agreement_id}"


class AgreementEvent(models.Model):
    """What happened to an agreement, and with which words. Rows are only added; erasing a person blanks the words."""

    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=24)
    actor = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.kind} of agreement {self.agreement_id}"


class AgreementToken(models.Model):
    """Opens the releases of one agreement for one of its people; only a hash of the secret is stored.

    It has no end of its own: whether it opens anything is asked of the agreement each time.
    """

    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="tokens")
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    secret_sha256 = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="When a newer one took its place.")

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["agreement", "person"],
                condition=models.Q(ended_at__isnull=True),
                name="one_live_token_per_person",
            )
        ]

    def __str__(self) -> str:
        return f"token of {self.person_id} for agreement {self.agreement_id}"


class AgreementNotice(models.Model):
    """That an agreement ends in 60, 14 or 1 days, for both sides to read."""

    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="notices")
    days = models.PositiveSmallIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["days"]
        constraints = [models.UniqueConstraint(fields=["agreement", "days"], name="one_notice_of_a_sort_per_agreement")]

    def __str__(self) -> str:
        return f"{self.days} days before the end of agreement {self.agreement_id}"
