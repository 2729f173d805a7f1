"""What somebody took back, what has to happen because of it and until when; and what was erased for good."""

from __future__ import annotations

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from care.models.consent import Purpose
from care.querysets import AccountErasureQuerySet, WithdrawalQuerySet, WithdrawalStageQuerySet
from people.models import Community, Person


class Withdrawal(models.Model):
    """One act of taking back: an answer, some purposes, or everything. What follows from it are its stages."""

    class Scope(models.TextChoices):
        ITEM = "item", _("one answer")
        PURPOSE = "purpose", _("some uses")
        EVERYTHING = "everything", _("everything")

    person = models.ForeignKey(Person, models.PROTECT, related_name="withdrawals")
    community = models.ForeignKey(Community, models.PROTECT, related_name="withdrawals")
    scope = models.CharField(max_length=10, choices=Scope.choices)
    answer_key = models.CharField(max_length=36, blank=True, help_text="Id of the answer, where it is about one.")
    purposes = ArrayField(models.CharField(max_length=32, choices=Purpose.choices), default=list, blank=True)
    answers = models.PositiveIntegerField(help_text="How many answers it reached, corrections by others included.")
    asked_at = models.DateTimeField()

    objects = WithdrawalQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scope="item", answer_key__gt="")
                | models.Q(scope__in=["purpose", "everything"], answer_key=""),
                name="a_withdrawal_names_the_answer_it_is_about",
            ),
        ]

    def __str__(self) -> str:
        return f"withdrawal {self.pk}"


class WithdrawalStage(models.Model):
    """One thing that a withdrawal brings about, until when it must be done, and when it was."""

    class Name(models.TextChoices):
        REFUSED = "refused", _("No new use: the words are hidden and go into nothing new")
        MARKED = "marked", _("Releases that hold them are marked: nothing trains on them, nobody downloads them")
        STOPPED = "stopped", _("Training that uses them stops")
        PAUSED = "paused", _("Models that learnt from them answer nobody")
        TOLD = "told", _("The stewards are told")
        TRACED = "traced", _("Everything made from them is found")
        HOLDERS_TOLD = "holders_told", _("Whoever downloaded them is told to delete them")
        ENDED = "ended", _("Models that learnt from them are deleted, or trained anew without them")
        ERASED = "erased", _("The words themselves are erased")

    withdrawal = models.ForeignKey(Withdrawal, models.CASCADE, related_name="stages")
    name = models.CharField(max_length=16, choices=Name.choices)
    place = models.PositiveSmallIntegerField(help_text="Its place in the list.")
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    number = models.PositiveIntegerField(default=0, help_text="How many rows it concerned.")

    objects = WithdrawalStageQuerySet.as_manager()

    class Meta:
        ordering = ["withdrawal", "place"]
        constraints = [
            models.UniqueConstraint(fields=["withdrawal", "name"], name="one_stage_of_a_name_in_a_withdrawal"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of withdrawal {self.withdrawal_id}"

    def is_late(self, now: datetime) -> bool:
        """Whether its time is over and it is not done."""
        return self.done_at is None and self.due_at < now


class Erasure(models.Model):
    """That something was erased, and nothing of what it said; replayed after a restore. A trigger refuses changes.

    Each is also a line of `settings.ERASURES_FILE`, because a restored database has lost the newest ones.
    """

    class Kind(models.TextChoices):
        ANSWER = "answer", _("an answer")
        PERSON = "person", _("everything about somebody")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    key = models.CharField(max_length=36, help_text="Id of the answer, or of the account.")
    community = models.ForeignKey(Community, models.PROTECT, null=True, blank=True, related_name="erasures")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="something_is_erased_once"),
            models.CheckConstraint(condition=models.Q(kind__in=["answer", "person"]), name="erasure_kind_is_known"),
        ]

    def __str__(self) -> str:
        return f"erasure of {self.kind} {self.key}"


class AccountErasure(models.Model):
    """That somebody erases their account: what others see of them is gone at once, and a job erases the words.

    The row is the truth; the job may run twice, and goes on where another one stopped.
    """

    person = models.OneToOneField(Person, models.PROTECT, related_name="account_erasure")
    asked_at = models.DateTimeField()
    answers = models.PositiveIntegerField(help_text="How many answers there were to erase when it was asked for.")
    erased = models.PositiveIntegerField(default=0, help_text="How many of these are erased.")
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = AccountErasureQuerySet.as_manager()

    class Meta:
        ordering = ["asked_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(finished_at__isnull=True) | models.Q(finished_at__gte=models.F("asked_at")),
                name="an_erasure_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"erasure of account {self.person_id}"
