"""What somebody says does harm, what became of it, and what the stewards are to read at once."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from care.models.restrictions import Restriction
from care.querysets import HarmReportQuerySet, StewardNoticeQuerySet
from people.models import Community, Person


class HarmReport(models.Model):
    """That something here does harm, said by a member, by somebody else with an account, or by nobody who is known.

    Of somebody without an account nothing is kept but the words. Whoever holds the code that is shown once after
    reporting reads what became of it; only the code's hash is stored. `care.states.HARM_REPORT` has the steps.
    """

    class Category(models.TextChoices):
        SACRED = "sacred", _("Something sacred or secret is shown")
        CHILD = "child", _("It is about a child, or by one")
        THREAT = "threat", _("It threatens somebody")
        MISUSE = "misuse", _("It gives wrong advice on health or law, or is used for that")
        PERSONAL = "personal", _("It tells something private about somebody")
        OFFENSIVE = "offensive", _("It is offensive")
        WRONG = "wrong", _("It says wrong things about us")
        DIED = "died", _("Whoever wrote it has died")
        OTHER = "other", _("Something else")

    class State(models.TextChoices):
        RECEIVED = "received", _("received")
        TRIAGED = "triaged", _("read by a steward")
        HOLD_APPLIED = "hold_applied", _("read, and held back")
        NO_HOLD = "no_hold", _("read, not held back")
        INVESTIGATING = "investigating", _("being looked into")
        DECIDED = "decided", _("decided")
        REMEDIED = "remedied", _("put right")
        CLOSED = "closed", _("closed")

    class Outcome(models.TextChoices):
        UPHELD = "upheld", _("The report is right")
        IN_PART = "in_part", _("The report is right in part")
        NOT_UPHELD = "not_upheld", _("We see it differently")
        # Of words whose author has died.
        KEEP = "keep", _("The words stay in use")
        RESTRICT = "restrict", _("The words stay hidden for now")
        REMOVE = "remove", _("The words stay hidden for good")

    community = models.ForeignKey(Community, models.CASCADE, related_name="harm_reports")
    kind = models.CharField(max_length=12, choices=Restriction.Kind.choices)
    key = models.CharField(max_length=40)
    category = models.CharField(max_length=12, choices=Category.choices)
    words = models.TextField(max_length=4000, blank=True)
    quotation = models.TextField(max_length=4000, blank=True, help_text="What a model wrote, as the reporter saw it.")
    reporter = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="harm_reports")
    code_sha256 = models.CharField(max_length=64, unique=True)
    is_severe = models.BooleanField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.RECEIVED)
    hold = models.ForeignKey(Restriction, models.PROTECT, null=True, blank=True, related_name="reports")
    received_at = models.DateTimeField()
    triage_due_at = models.DateTimeField()
    triaged_at = models.DateTimeField(null=True, blank=True)
    late_since = models.DateTimeField(null=True, blank=True, help_text="When nobody had read it in time.")
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    answer = models.TextField(max_length=2000, blank=True, help_text="What the stewards say to whoever reported it.")
    remedy = models.TextField(max_length=2000, blank=True, help_text="What was done about it.")
    changed_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField()

    objects = HarmReportQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(
                    category__in=[
                        *("sacred", "child", "threat", "misuse", "personal", "offensive", "wrong", "died", "other")
                    ]
                ),
                name="harm_category_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=[
                        *("received", "triaged", "hold_applied", "no_hold"),
                        *("investigating", "decided", "remedied", "closed"),
                    ]
                ),
                name="harm_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(is_severe=False) | models.Q(hold__isnull=False), name="a_severe_report_holds"
            ),
            models.CheckConstraint(
                condition=models.Q(triage_due_at__gt=models.F("received_at")), name="triage_is_due_after_receipt"
            ),
        ]
        indexes = [models.Index(fields=["state", "triage_due_at"], name="harm_report_by_deadline")]

    def __str__(self) -> str:
        return f"report {self.pk}"

    @property
    def is_about_death(self) -> bool:
        """Whether the decision is what becomes of the words of somebody who has died."""
        return self.category == self.Category.DIED


class StewardNotice(models.Model):
    """What the stewards of a community are to read at once, on their desk, until one of them has read it."""

    class Kind(models.TextChoices):
        SEVERE = "severe", _("A severe report came in; what it is about is held back.")
        LATE = "late", _("A report has not been read in time.")
        UNANSWERED = "unanswered", _("A request for access has not been answered in time.")
        GLASS = "glass", _("Somebody of the platform’s staff is reading what is your community’s.")
        MAJORITY = "majority", _("Somebody is of age now and is asked again.")

    community = models.ForeignKey(Community, models.CASCADE, related_name="steward_notices")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    subject = models.CharField(max_length=60, help_text="What it is about, as kind:id.")
    at = models.DateTimeField()
    read_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    read_at = models.DateTimeField(null=True, blank=True)

    objects = StewardNoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["community", "kind", "subject"], name="one_notice_of_a_kind_on_a_subject"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on {self.subject}"

    @property
    def number(self) -> int:
        """The id of what it is about."""
        return int(self.subject.partition(":")[2])
