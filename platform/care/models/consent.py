"""Consent policies, purposes and receipts."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from care.querysets import GrantQuerySet, PolicyQuerySet, ReceiptQuerySet, RenderingQuerySet
from people.models import Community, Person


class Purpose(models.TextChoices):
    """What a person may allow or refuse, each on its own. Nothing but what is needed is ever pre-chosen."""

    DISPLAY_MEMBERS = "display_members", _("Show my words to members of this community")
    DISPLAY_PUBLIC = "display_public", _("Show my words to anyone")
    CREDIT_NAME = "credit_name", _("Name me as the author")
    PEER_REVIEW = "peer_review", _("Let other members check and correct my words")
    RESEARCH = "research", _("Use my words in studies of the language")
    EVALUATE_MODELS = "evaluate_models", _("Measure with my words how good language models are")
    TRAIN_NONCOMMERCIAL = "train_noncommercial", _("Train language models, not for profit")
    TRAIN_COMMERCIAL = "train_commercial", _("Train language models for commercial use")
    RELEASE_DATASET = "release_dataset", _("Publish my words in a dataset")
    RELEASE_ADAPTER = "release_adapter", _("Publish models trained on my words")
    PROCESS_OUTSIDE_COUNTRY = "process_outside_country", _("Process my words on computers in other countries")


# Without these two the work itself cannot be done: words that no member may see cannot be checked.
NEEDED = (Purpose.DISPLAY_MEMBERS, Purpose.PEER_REVIEW)


class Policy(models.Model):
    """One version of a community's consent text. A published version never changes; a new one replaces it."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        REPLACED = "replaced", _("replaced")

    community = models.ForeignKey(Community, models.CASCADE, related_name="policies")
    version = models.PositiveIntegerField()
    text = models.TextField(max_length=20_000)
    purposes = ArrayField(models.CharField(max_length=32, choices=Purpose.choices))
    text_sha256 = models.CharField(max_length=64)
    terms = models.JSONField(default=dict, help_text="`care.terms.Terms`, as a mapping.")
    is_material = models.BooleanField(
        default=True, help_text="Whoever agreed to an earlier text is asked again before their next contribution."
    )
    renderings = ArrayField(
        models.CharField(max_length=64), default=list, blank=True, help_text="Checked renderings, by their SHA-256."
    )
    waiver = models.CharField(
        max_length=500, blank=True, help_text="Why it was published though nobody had checked it in the language."
    )
    content_sha256 = models.CharField(
        max_length=64, blank=True, help_text="Of version, purposes, terms, text and renderings."
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.DRAFT)
    decision = models.ForeignKey(
        "care.Decision",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="policies",
        help_text="By which it is in force; while that does not stand, no word is used.",
    )
    created_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    published_at = models.DateTimeField(null=True)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        ordering = ["community", "-version"]
        verbose_name_plural = "policies"
        constraints = [
            models.UniqueConstraint(fields=["community", "version"], name="policy_version_is_unique"),
            models.UniqueConstraint(
                fields=["community"], condition=models.Q(state="published"), name="one_published_policy"
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["draft", "published", "replaced"]), name="policy_state_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"policy {self.version} of {self.community}"


class PolicyDraft(models.Model):
    """The next consent text of a community while it is written, rendered and checked; publishing it ends it."""

    community = models.OneToOneField(Community, models.CASCADE, related_name="policy_draft")
    text = models.TextField(max_length=20_000)
    text_sha256 = models.CharField(max_length=64)
    purposes = ArrayField(models.CharField(max_length=32, choices=Purpose.choices))
    terms = models.JSONField(default=dict)
    is_material = models.BooleanField(default=True)
    kept_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    kept_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"draft of a policy of {self.community}"


class Rendering(models.Model):
    """One consent text in one language, and who else has checked that it says the same.

    It belongs to a text by its SHA-256, so that it stays with it from draft to version, whatever else changes.
    """

    community = models.ForeignKey(Community, models.CASCADE, related_name="renderings")
    text_sha256 = models.CharField(max_length=64, help_text="Of the text that it renders.")
    language = models.CharField(max_length=128, help_text="BCP 47 tag.")
    text = models.TextField(max_length=20_000)
    sha256 = models.CharField(max_length=64, help_text="Of its own text and language.")
    written_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    written_at = models.DateTimeField()
    checked_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    checked_at = models.DateTimeField(null=True, blank=True)

    objects = RenderingQuerySet.as_manager()

    class Meta:
        ordering = ["language"]
        constraints = [
            models.UniqueConstraint(
                fields=["community", "text_sha256", "language"], name="one_rendering_of_a_text_in_a_language"
            ),
            models.CheckConstraint(
                condition=models.Q(checked_by__isnull=True) | ~models.Q(checked_by=models.F("written_by")),
                name="a_second_speaker_checks_a_rendering",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.language} rendering of {self.text_sha256[:8]}"

    @property
    def is_objected(self) -> bool:
        """Whether a speaker found something wrong with it as it is now."""
        return any(objection.answered_at is None for objection in self.objections.all())


class RenderingObjection(models.Model):
    """What a second speaker found wrong with a rendering; the answer is a wording that is checked anew."""

    rendering = models.ForeignKey(Rendering, models.CASCADE, related_name="objections")
    sha256 = models.CharField(max_length=64, help_text="Of the rendering as the speaker read it.")
    words = models.CharField(max_length=500)
    objected_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    objected_at = models.DateTimeField()
    answer = models.CharField(max_length=500, blank=True, help_text="What its writer said; the new wording may do.")
    answered_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True, help_text="When it was written anew.")

    class Meta:
        ordering = ["objected_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["rendering"],
                condition=models.Q(answered_at__isnull=True),
                name="one_open_objection_to_a_rendering",
            ),
            models.CheckConstraint(
                condition=models.Q(answered_at__isnull=True, answered_by__isnull=True)
                | models.Q(answered_at__isnull=False, answered_by__isnull=False),
                name="an_answered_objection_says_by_whom",
            ),
        ]

    def __str__(self) -> str:
        return f"objection to {self.rendering}"


class Receipt(models.Model):
    """What one person agreed to, when, and to which text (names after ISO/IEC TS 27560:2023).

    Each agreed purpose is a `Grant`; a receipt is live while any of its grants is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    person = models.ForeignKey(Person, models.PROTECT, related_name="receipts")
    community = models.ForeignKey(Community, models.PROTECT, related_name="receipts")
    policy = models.ForeignKey(Policy, models.PROTECT, related_name="receipts")
    policy_sha256 = models.CharField(max_length=64)
    rendering_sha256 = models.CharField(max_length=64, blank=True, help_text="Of the rendering the person read.")
    given_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Withdrawn, or replaced by a newer one.")
    sha256 = models.CharField(max_length=64, unique=True)
    guardian_at = models.DateTimeField(
        null=True, blank=True, help_text="When a guardian of a minor agreed, too; their name is sealed in the ledger."
    )
    guardian_witness = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        ordering = ["-given_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "community"],
                condition=models.Q(ended_at__isnull=True),
                name="one_current_receipt_per_person",
            )
        ]

    def __str__(self) -> str:
        return f"receipt {self.id}"


class Grant(models.Model):
    """One purpose that a receipt allows, until it is withdrawn or overtaken by wider terms."""

    receipt = models.ForeignKey(Receipt, models.PROTECT, related_name="grants")
    purpose = models.CharField(max_length=32, choices=Purpose.choices)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    overtaken_at = models.DateTimeField(
        null=True, blank=True, help_text="When the terms became wider than what was agreed to; nobody took it back."
    )
    renewed_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When the person agreed to the wider terms: it holds again, for earlier words too.",
    )

    objects = GrantQuerySet.as_manager()

    class Meta:
        ordering = ["receipt", "purpose"]
        constraints = [
            models.UniqueConstraint(fields=["receipt", "purpose"], name="purpose_granted_once_per_receipt"),
            models.CheckConstraint(
                condition=models.Q(purpose__in=[purpose.value for purpose in Purpose]),
                name="grant_purpose_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} under {self.receipt_id}"

    @property
    def holds(self) -> bool:
        """Whether it allows anything now; the same as `live`."""
        return self.withdrawn_at is None and (self.overtaken_at is None or self.renewed_at is not None)
