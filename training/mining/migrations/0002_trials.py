"""Trials, in which people compare what models wrote; probes beside the base model."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mining", "0001_tables"),
        ("corpora", "0002_texts_of_models"),
        ("people", "0001_tables"),
        ("projects", "0001_tables"),
        ("runs", "0001_tables"),
    ]
    operations = [
        migrations.AddField(
            model_name="probe",
            name="beside_base",
            field=models.BooleanField(default=False, help_text="The rival is the base model, without any adapter."),
        ),
        migrations.AddConstraint(
            model_name="probe",
            constraint=models.CheckConstraint(
                condition=models.Q(("beside_base", False), ("rival__isnull", True), _connector="OR"),
                name="probe_has_one_rival",
            ),
        ),
        migrations.CreateModel(
            name="Trial",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "same",
                    models.PositiveIntegerField(
                        default=0, help_text="Sentences that two models answered alike: nobody is asked."
                    ),
                ),
                ("opened_at", models.DateTimeField()),
                (
                    "community",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="trials", to="people.community"
                    ),
                ),
                (
                    "of",
                    models.ForeignKey(
                        help_text="Whose sentences were answered.",
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="trials",
                        to="projects.project",
                    ),
                ),
                (
                    "opened_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "project",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="trial", to="projects.project"
                    ),
                ),
            ],
            options={"ordering": ["-opened_at", "-pk"]},
        ),
        migrations.CreateModel(
            name="TrialPair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "first",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who wrote option_a.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="runs.adapter",
                    ),
                ),
                (
                    "item",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="trial_pair", to="corpora.item"
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        blank=True,
                        help_text="Who wrote option_b.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="runs.adapter",
                    ),
                ),
                (
                    "trial",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="pairs", to="mining.trial"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("first__isnull", False), ("second__isnull", False), _connector="OR"),
                        name="trial_pair_has_an_adapter",
                    )
                ]
            },
        ),
    ]
