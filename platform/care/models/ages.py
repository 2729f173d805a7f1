"""How old somebody is, as far as it must be known: in bands, with the month of coming of age, never a birth date."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from people.models import Community, Person

MONTH = RegexValidator(r"^\d{4}-(0[1-9]|1[0-2])$", _("Write a month as 2031-04."))


class AgeRule(models.Model):
    """That a community asks its members for their age, and from when on somebody decides for themselves."""

    community = models.OneToOneField(Community, models.CASCADE, related_name="age_rule")
    years = models.PositiveSmallIntegerField(validators=[MinValueValidator(10), MaxValueValidator(25)])
    time_zone = models.CharField(max_length=64, default="UTC", help_text="Where a month begins; a name of IANA's.")
    set_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(years__gte=10, years__lte=25), name="of_age_between_10_and_25")
        ]

    def __str__(self) -> str:
        return f"of age at {self.years} in {self.community}"


class AgeBand(models.Model):
    """What somebody said of their age in one community."""

    class Band(models.TextChoices):
        CHILD = "child", _("I am a child, under 13")
        YOUNG = "young", _("I am 13 or older, and not of age")
        ADULT = "adult", _("I am of age")

    person = models.ForeignKey(Person, models.CASCADE, related_name="age_bands")
    community = models.ForeignKey(Community, models.CASCADE, related_name="age_bands")
    band = models.CharField(max_length=8, choices=Band.choices)
    of_age_in = models.CharField(max_length=7, blank=True, validators=[MONTH], help_text="Year and month; of minors.")
    stated_at = models.DateTimeField()
    asked_again_at = models.DateTimeField(null=True, blank=True, help_text="When they had come of age.")
    silent_since = models.DateTimeField(null=True, blank=True, help_text="When they had not answered for 90 days.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "community"], name="one_age_band_per_community"),
            models.CheckConstraint(
                condition=models.Q(band="adult", of_age_in="")
                | models.Q(band__in=["child", "young"], of_age_in__gt=""),
                name="minors_alone_have_a_month_of_coming_of_age",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.band} in {self.community}"

    @property
    def is_minor(self) -> bool:
        """Whether somebody else must agree, too."""
        return self.band != self.Band.ADULT
