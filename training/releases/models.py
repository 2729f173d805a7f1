"""Frozen dataset versions, which answer is in which under whose receipt, and who was given one."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.answers.models import Answer
from annotation.projects.models import Project
from care.models import Agreement, Receipt, Withdrawal
from people.models import Community, Person
from training.releases.querysets import NoticeQuerySet, ReleaseItemQuerySet, ReleaseQuerySet


class Release(models.Model):
    """A frozen selection of a project's validated, consented answers, written to a folder.

    One with judgements also holds what people said of them, and answers that were turned down, as counter-examples.
    `sha256` is the hash of manifest.json, which depends on the selected rows only: the same state of the
    community's data gives the same hash.
    """

    community = models.ForeignKey(Community, models.PROTECT, related_name="releases")
    project = models.ForeignKey(Project, models.PROTECT, related_name="releases")
    number = models.PositiveIntegerField()
    purpose = models.CharField(max_length=32)
    note = models.CharField(max_length=500, blank=True)
    has_judgements = models.BooleanField(
        default=False, help_text="It also holds what people said of answers, and answers that were turned down."
    )
    sha256 = models.CharField(max_length=64)
    folder = models.CharField(max_length=300, help_text="Relative to the releases folder.")
    counts = models.JSONField(default=dict, help_text="Rows by split, withheld rows by reason, people, documents.")
    leaks = models.JSONField(
        null=True, blank=True, help_text="Held-out rows that are in the training rows too; null: not looked through."
    )
    created_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField()
    withdrawn_since = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When words in it were first withdrawn; such a release trains nothing.",
    )

    replaces = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="replaced_by",
        help_text="The release with withdrawn words in whose place it was made.",
    )
    erased_at = models.DateTimeField(
        null=True, blank=True, help_text="When its files were deleted, because words in them were erased."
    )

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["community", "number"], name="release_number_is_unique"),
            models.CheckConstraint(condition=~models.Q(sha256=""), name="a_release_has_a_hash"),
        ]

    def __str__(self) -> str:
        return f"release {self.number}"

    @property
    def contains_withdrawn(self) -> bool:
        """Whether words in it were withdrawn since it was frozen."""
        return self.withdrawn_since is not None

    @property
    def judged(self) -> int:
        """How many lines say what people said of an answer, or of two wordings."""
        return int(self.counts.get("judged", 0))


class ReleaseItem(models.Model):
    """One answer in one release, with the receipt that allowed it.

    A database trigger (migration 0004) refuses a row whose answer is not validated or for which any of the
    people whose words are in it does not grant the release's purpose at that moment. One that is not good is a
    counter-example: the trigger wants it turned down, in a release with judgements. Another (migration 0002) wants a
    live grant for every receipt of `voters`.
    """

    class Split(models.TextChoices):
        TRAIN = "train", _("training")
        VALIDATION = "validation", _("validation")
        TEST = "test", _("test")

    release = models.ForeignKey(Release, models.CASCADE, related_name="items")
    answer = models.ForeignKey(Answer, models.PROTECT, related_name="release_items")
    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="release_items")
    split = models.CharField(max_length=16, choices=Split.choices)
    is_good = models.BooleanField(default=True, help_text="Validated, and taught as it is; else a counter-example.")
    voters = models.ManyToManyField(
        Receipt,
        blank=True,
        related_name="votes_in",
        help_text="Under which the votes on it that the release holds stand.",
    )
    row_sha256 = models.CharField(max_length=64)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = ReleaseItemQuerySet.as_manager()

    class Meta:
        ordering = ["release", "split", "answer"]
        constraints = [
            models.UniqueConstraint(fields=["release", "answer"], name="answer_is_in_a_release_once"),
            models.CheckConstraint(
                condition=models.Q(split__in=["train", "validation", "test"]), name="split_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.answer_id} in release {self.release_id}"


class Download(models.Model):
    """That somebody was given a release, under an access agreement or as a member of the community: the receipt for
    it, which nothing changes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    agreement = models.ForeignKey(
        Agreement,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="downloads",
        help_text="None where a member took it home.",
    )
    release = models.ForeignKey(Release, models.PROTECT, related_name="downloads")
    run_number = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of the run that is made on another machine with it."
    )
    person = models.ForeignKey(Person, models.PROTECT, related_name="+")
    manifest_sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField(help_text="Of the file that was sent.")
    purposes = ArrayField(models.CharField(max_length=32), help_text="What every row of it could be used for then.")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        how = f"under agreement {self.agreement_id}" if self.agreement_id else "by a member"
        return f"download of release {self.release_id} {how}"


class DownloadNotice(models.Model):
    """That words in a download were taken back: its holder deletes or replaces it within seven days, and says so."""

    class Answer(models.TextChoices):
        WAITING = "", _("not answered")
        DELETED = "deleted", _("deleted everywhere")
        REPLACED = "replaced", _("deleted, and replaced by a newer release")
        REFUSED = "refused", _("refused")
        UNREACHED = "unreached", _("nobody reaches whoever holds it")

    download = models.OneToOneField(Download, models.PROTECT, related_name="notice")
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    answer = models.CharField(max_length=12, choices=Answer.choices, blank=True)
    words = models.CharField(max_length=1000, blank=True)
    answered_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)

    withdrawals = models.ManyToManyField(
        Withdrawal,
        blank=True,
        related_name="notices",
        help_text="Those that wait until it is answered.",
    )

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(answer__in=["", "deleted", "replaced", "refused", "unreached"]),
                name="notice_answer_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(answer="", answered_at__isnull=True, answered_by__isnull=True)
                | (~models.Q(answer="") & models.Q(answered_at__isnull=False, answered_by__isnull=False)),
                name="a_notice_is_answered_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return f"notice on download {self.download_id}"
