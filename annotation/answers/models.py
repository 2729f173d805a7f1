"""What speakers wrote, every version of it, and what their peers said of it."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from annotation.answers.querysets import AnswerQuerySet, ReviewQuerySet, SuggestionQuerySet
from annotation.corpora.models import Item
from annotation.projects.models import Assignment, Task
from care.models import Receipt
from people.models import Person


class Suggestion(models.Model):
    """An answer to a task that a machine proposes, as its kind would store it."""

    task = models.ForeignKey(Task, models.CASCADE, related_name="suggestions")
    text = models.TextField(max_length=4000, blank=True)
    payload = models.JSONField(default=dict, blank=True)
    made_by = models.CharField(max_length=80, help_text="The model: an adapter of the community or another.")
    made_at = models.DateTimeField()
    adapter = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="The number of the community's own adapter, which a hold may hide."
    )

    objects = SuggestionQuerySet.as_manager()

    class Meta:
        ordering = ["-made_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["task", "made_by"], name="one_suggestion_of_each_maker")]

    def __str__(self) -> str:
        return f"{self.made_by} on task {self.task_id}"


class Answer(models.Model):
    """One person's answer to one task, in Unicode NFC, bound to the consent receipt it was given under."""

    class State(models.TextChoices):
        SUBMITTED = "submitted", _("waiting for review")
        VALIDATED = "validated", _("validated")
        REJECTED = "rejected", _("not accepted")
        DISPUTED = "disputed", _("with the experts")
        RETURNED = "returned", _("sent back to its author")
        WITHDRAWN = "withdrawn", _("withdrawn")
        QUARANTINED = "quarantined", _("kept apart until its author agrees again")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    task = models.ForeignKey(Task, models.PROTECT, related_name="answers")
    assignment = models.OneToOneField(Assignment, models.PROTECT, related_name="answer", null=True, blank=True)
    author = models.ForeignKey(Person, models.PROTECT, related_name="answers")
    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="answers")
    client_id = models.UUIDField(help_text="Made by the browser, so that sending twice stores once.")
    body_sha256 = models.CharField(max_length=64, help_text="Of what was first sent with the client id.")
    text = models.TextField(max_length=4000, blank=True)
    payload = models.JSONField(default=dict, blank=True, help_text="What an answer is beside words: spans, choices.")
    is_one_of_many = models.BooleanField(default=False, help_text="Its task wants several answers, all of them good.")
    warnings = models.JSONField(
        default=list, blank=True, help_text="What was noticed in it, each with whether its author saw it and went on."
    )
    bands = ArrayField(
        models.BigIntegerField(), default=list, blank=True, help_text="Keys by which texts like it are found."
    )
    suggestion = models.ForeignKey(
        Suggestion,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="begun",
        help_text="What a machine proposed and its author began with; its words may have changed since.",
    )
    version = models.PositiveIntegerField(default=1)
    fixes = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="fixed_by",
        help_text="The answer that this one corrects, when it came from a review.",
    )
    built_on = models.ManyToManyField(
        Receipt,
        blank=True,
        related_name="built_into",
        help_text="Receipts of the others whose words this answer corrects: they must allow its use too.",
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.SUBMITTED)
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = AnswerQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["author", "client_id"], name="client_id_is_unique_per_author"),
            models.UniqueConstraint(
                fields=["task"],
                condition=models.Q(state="validated", is_one_of_many=False),
                name="one_validated_answer_per_task",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=[
                        "submitted",
                        "validated",
                        "rejected",
                        "disputed",
                        "returned",
                        "withdrawn",
                        "quarantined",
                    ]
                ),
                name="answer_state_is_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(text="", payload={}) | models.Q(state="withdrawn"), name="answer_says_something"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "created_at"], name="answer_by_state"),
            GinIndex(fields=["bands"], name="answer_by_its_bands"),
        ]

    def __str__(self) -> str:
        return self.said[:80]

    @property
    def said(self) -> str:
        """Its words; for answers that are choices or spans, their values in short."""
        return self.text or " · ".join(_values(self.payload))


def _values(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [f"{name}: {word}" for name, inner in value.items() for word in _values(inner)]
    return [word for inner in value for word in _values(inner)] if isinstance(value, list) else [str(value)]


class Quotation(models.Model):
    """An answer whose words an item asks about: one of two to compare, or one to rate."""

    item = models.ForeignKey(Item, models.PROTECT, related_name="quotations")
    answer = models.ForeignKey(Answer, models.PROTECT, related_name="quotations")
    place = models.CharField(max_length=16, help_text="The item's part that holds its words: option_a, candidate, …")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "place"], name="one_answer_in_each_place")]

    def __str__(self) -> str:
        return f"{self.answer_id} in item {self.item_id}"


class AnswerEvent(models.Model):
    """What happened to an answer, when and by whom; only ever added to. `kind` is one of these words."""

    KINDS = (
        gettext_noop("submitted"),
        gettext_noop("corrected"),
        gettext_noop("edited"),
        gettext_noop("appealed"),
        gettext_noop("requested"),
        gettext_noop("returned"),
        gettext_noop("validated"),
        gettext_noop("rejected"),
        gettext_noop("disputed"),
        gettext_noop("withdrawn"),
        gettext_noop("quarantined"),
    )

    answer = models.ForeignKey(Answer, models.PROTECT, related_name="events")
    actor = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=32)
    version = models.PositiveIntegerField()
    text = models.TextField(blank=True, help_text="The text as it was after the event, when it changed.")
    payload = models.JSONField(default=dict, blank=True, help_text="Likewise the payload.")
    note = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.kind} of {self.answer_id}"


class Review(models.Model):
    """One peer's verdict on one version of an answer. Never one's own: the database refuses it too."""

    class Verdict(models.TextChoices):
        APPROVE = "approve", _("Good as it is")
        REJECT = "reject", _("Not acceptable")
        FIX = "fix", _("Good with my correction")
        UNSURE = "unsure", _("I am not sure")

    class Reason(models.TextChoices):
        WRONG_LANGUAGE = "wrong_language", _("Another language or variety")
        WRONG_MEANING = "wrong_meaning", _("The meaning is different")
        NOT_NATURAL = "not_natural", _("Nobody would say it like this")
        SPELLING = "spelling", _("Spelling")
        OFFENSIVE = "offensive", _("Offensive")
        PERSONAL_DATA = "personal_data", _("Holds personal data")
        OTHER = "other", _("Another reason")

    answer = models.ForeignKey(Answer, models.PROTECT, related_name="reviews")
    author_id_of_answer = models.BigIntegerField(help_text="Kept here so that a constraint can refuse self-review.")
    reviewer = models.ForeignKey(Person, models.PROTECT, related_name="reviews")
    version = models.PositiveIntegerField(help_text="Version of the answer that was read.")
    verdict = models.CharField(max_length=16, choices=Verdict.choices)
    reason = models.CharField(max_length=16, choices=Reason.choices, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    right_language = models.BooleanField(null=True, help_text="Language and variety are right; empty: not said.")
    acceptable = models.BooleanField(null=True, help_text="It says the same and is well said.")
    appropriate = models.BooleanField(null=True, help_text="It may be said: nothing offensive, nothing personal.")
    is_gold = models.BooleanField(default=False, help_text="On an answer that was settled before: it changes nothing.")
    gold_is_right = models.BooleanField(null=True, help_text="What an expert had said of a gold answer.")
    fix = models.ForeignKey(
        Answer,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="from_reviews",
        help_text="The corrected wording, an answer of its own.",
    )
    client_id = models.UUIDField()
    body_sha256 = models.CharField(
        max_length=64,
        blank=True,
        default="",
        help_text="Of what was sent with the client id; empty when it was given before this was kept, or was erased.",
    )
    created_at = models.DateTimeField()

    objects = ReviewQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        constraints = [
            models.UniqueConstraint(fields=["answer", "reviewer", "version"], name="one_verdict_per_reviewer"),
            models.UniqueConstraint(fields=["reviewer", "client_id"], name="review_client_id_is_unique"),
            models.CheckConstraint(
                condition=~models.Q(reviewer_id=models.F("author_id_of_answer")),
                name="nobody_reviews_their_own",
            ),
            models.CheckConstraint(
                condition=models.Q(verdict__in=["approve", "reject", "fix", "unsure"]),
                name="verdict_is_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(verdict="reject") | ~models.Q(reason=""), name="a_rejection_has_a_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} on {self.answer_id}"


class Gold(models.Model):
    """A settled answer of which an expert says that its outcome is beyond doubt, so that it shows a reviewer's care.

    Answers that an expert has decided are gold without such a row.
    """

    answer = models.OneToOneField(Answer, models.PROTECT, related_name="gold")
    expert = models.ForeignKey(Person, models.PROTECT, related_name="+")
    is_right = models.BooleanField()
    marked_at = models.DateTimeField()

    class Meta:
        ordering = ["-marked_at"]
        verbose_name_plural = "gold"

    def __str__(self) -> str:
        return f"{self.answer} is {'right' if self.is_right else 'wrong'}"


class GoldOffer(models.Model):
    """A gold answer that was given to one person among the others; it stays until they give their verdict."""

    answer = models.ForeignKey(Answer, models.PROTECT, related_name="+")
    person = models.ForeignKey(Person, models.CASCADE, related_name="gold_offers")
    offered_at = models.DateTimeField()

    class Meta:
        ordering = ["offered_at"]
        constraints = [models.UniqueConstraint(fields=["answer", "person"], name="gold_is_offered_to_somebody_once")]

    def __str__(self) -> str:
        return f"gold for {self.person}"
