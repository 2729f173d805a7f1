"""Accounts, language communities, and who does what in them."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from people.querysets import CommunityQuerySet, MembershipQuerySet

LANGUAGE_TAG = RegexValidator(
    r"^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(-x(-[A-Za-z0-9]{1,8})+)?$",
    _("Write a BCP 47 language tag such as ote, quz-PE or sr-Latn."),
)
ISO_639_3 = RegexValidator(r"^[a-z]{3}$", _("Write the three small letters of ISO 639-3."))
GLOTTOCODE = RegexValidator(r"^[a-z0-9]{4}[0-9]{4}$", _("Write a Glottolog code such as mezq1235."))
SCRIPT = RegexValidator(r"^[A-Z][a-z]{3}$", _("Write the ISO 15924 code of the script, such as Latn."))


class Person(AbstractUser):
    """An account. A username and a password are enough; no e-mail address is asked for."""

    display_name = models.CharField(max_length=80, blank=True)
    is_demo = models.BooleanField(default=False, help_text="Made by the demo; not a person.")

    objects = UserManager()

    looking_into: int | None = None
    """The community whose pages somebody of the staff reads in this request, having broken its glass; never stored."""

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What others read: the chosen display name, else the username."""
        return self.display_name or self.username

    @property
    def spoken_varieties(self) -> models.QuerySet[Variety]:
        """The varieties that the person named, of every community."""
        return Variety.objects.filter(speakers__person=self)

    @property
    def written_orthographies(self) -> models.QuerySet[Orthography]:
        """The orthographies that the person named, of every community."""
        return Orthography.objects.filter(writers__person=self)


class Community(models.Model):
    """A language community: the people who speak a language and govern what is done with its words."""

    class Direction(models.TextChoices):
        LTR = "ltr", _("left to right")
        RTL = "rtl", _("right to left")

    slug = models.SlugField(max_length=64, unique=True)
    name = models.CharField(max_length=120)
    language_name = models.CharField(max_length=120)
    language_tag = models.CharField(max_length=64, validators=[LANGUAGE_TAG])
    iso_639_3 = models.CharField(_("ISO 639-3 code"), max_length=3, validators=[ISO_639_3])
    glottocode = models.CharField(_("Glottolog code"), max_length=8, validators=[GLOTTOCODE])
    script = models.CharField(max_length=4, default="Latn", validators=[SCRIPT])
    direction = models.CharField(max_length=3, choices=Direction.choices, default=Direction.LTR)
    about = models.TextField(blank=True, max_length=4000)
    is_open = models.BooleanField(
        default=False, help_text="Anyone with an account may join as a speaker, without an invitation."
    )
    is_demo = models.BooleanField(default=False)
    own_words = models.JSONField(
        default=dict, blank=True, help_text="The community's own words for roles and buttons, by the English ones."
    )
    review_rule = models.JSONField(
        default=dict, blank=True, help_text="How peers settle answers, where a project says nothing of its own."
    )
    experts_see_names = models.BooleanField(
        default=False, help_text="Experts read who wrote and who checked what they decide on."
    )
    created_at = models.DateTimeField()

    objects = CommunityQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "communities"

    def __str__(self) -> str:
        return self.name


class Variety(models.Model):
    """A variety (dialect) of the community's language, with its own codes where it has them."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="varieties")
    code = models.SlugField(max_length=32)
    name = models.CharField(max_length=120)
    iso_639_3 = models.CharField(max_length=3, blank=True, validators=[ISO_639_3])
    glottocode = models.CharField(max_length=8, blank=True, validators=[GLOTTOCODE])

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "varieties"
        constraints = [
            models.UniqueConstraint(fields=["community", "code"], name="variety_code_is_unique_in_community")
        ]

    def __str__(self) -> str:
        return self.name


class Orthography(models.Model):
    """A way of writing the language: the letters a phone keyboard lacks become the character row."""

    community = models.ForeignKey(Community, models.CASCADE, related_name="orthographies")
    name = models.CharField(max_length=120)
    script = models.CharField(max_length=4, default="Latn", validators=[SCRIPT])
    characters = models.CharField(
        max_length=400, blank=True, help_text="Letters and marks for the character row, separated by spaces."
    )

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "orthographies"
        constraints = [
            models.UniqueConstraint(fields=["community", "name"], name="orthography_name_is_unique_in_community")
        ]

    def __str__(self) -> str:
        return self.name


class LanguageProfile(models.Model):
    """Which varieties and orthographies a person uses in a community. Nothing said means all of them."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="language_profiles")
    community = models.ForeignKey(Community, models.CASCADE, related_name="language_profiles")
    varieties = models.ManyToManyField(Variety, blank=True, related_name="speakers")
    orthographies = models.ManyToManyField(Orthography, blank=True, related_name="writers")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "community"], name="one_language_profile_per_community")
        ]

    def __str__(self) -> str:
        return f"what {self.person} speaks in {self.community}"


class CommunityFont(models.Model):
    """A web font for the community's script, cut down to what it needs; phones that have one load none."""

    community = models.OneToOneField(Community, models.CASCADE, related_name="font")
    name = models.CharField(max_length=120)
    licence = models.CharField(max_length=200)
    content = models.BinaryField(help_text="WOFF2.")
    sha256 = models.CharField(max_length=64)
    set_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a member may do. One person may hold several roles in several communities."""

    SPEAKER = "speaker", _("Speaker")
    EXPERT = "expert", _("Expert")
    RESEARCHER = "researcher", _("Researcher")
    STEWARD = "steward", _("Steward")
    ELDER = "elder", _("Elder")


class Membership(models.Model):
    """One role of one person in one community; ended memberships stay as history."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="memberships")
    community = models.ForeignKey(Community, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    since = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        ordering = ["community", "person", "role"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "community", "role"],
                condition=models.Q(ended_at__isnull=True),
                name="one_live_membership_per_role",
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]), name="membership_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} as {self.get_role_display()} of {self.community}"


class Invitation(models.Model):
    """A link that lets whoever holds it join with a role, until it is used up or has expired.

    Only a hash of the secret part is stored, so a copy of the database opens no door.
    """

    community = models.ForeignKey(Community, models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=16, choices=Role.choices)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    uses_left = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"invitation to {self.community} as {self.role}"
