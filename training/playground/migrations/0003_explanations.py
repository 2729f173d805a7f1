"""Which words of a sentence a text hangs on."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("playground", "0002_side_by_side_and_chance")]
    operations = [
        migrations.CreateModel(
            name="Explanation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "waiting"),
                            ("running", "reading"),
                            ("finished", "finished"),
                            ("failed", "failed"),
                        ],
                        default="queued",
                        max_length=16,
                    ),
                ),
                (
                    "done",
                    models.PositiveIntegerField(
                        default=0, help_text="Texts without some of the words that were read."
                    ),
                ),
                ("of", models.PositiveIntegerField(default=0)),
                ("words", models.JSONField(default=list, help_text="The sentence, cut before each word.")),
                (
                    "weights",
                    models.JSONField(default=list, help_text="Of each word, in nats a token of the adapter's text."),
                ),
                (
                    "r2",
                    models.FloatField(
                        blank=True, help_text="Share of the changes that the weights account for.", null=True
                    ),
                ),
                (
                    "agreement",
                    models.FloatField(
                        blank=True, help_text="Spearman's, of two halves of what was read.", null=True
                    ),
                ),
                ("failure", models.CharField(blank=True, max_length=1000)),
                ("asked_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "generation",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="explanation",
                        to="playground.generation",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["queued", "running", "finished", "failed"])),
                        name="explanation_state_is_known",
                    )
                ]
            },
        ),
    ]
