"""Answers that are more than words, several good ones to a task, answers kept apart, verdicts on three axes."""

from django.db import migrations, models

ANSWERED = """
UPDATE projects_task SET answered = 1 WHERE state <> 'open';
"""


class Migration(migrations.Migration):
    dependencies = [("answers", "0001_initial"), ("projects", "0002_kinds_of_task")]
    operations = [
        migrations.RemoveConstraint("answer", "one_validated_answer_per_task"),
        migrations.RemoveConstraint("answer", "answer_state_is_known"),
        migrations.RemoveConstraint("answer", "answer_has_text"),
        migrations.RenameField("answer", "first_text_sha256", "body_sha256"),
        migrations.AlterField(
            "answer",
            "body_sha256",
            models.CharField(help_text="Of what was first sent with the client id.", max_length=64),
        ),
        migrations.AlterField("answer", "text", models.TextField(blank=True, max_length=4000)),
        migrations.AlterField(
            "answer",
            "state",
            models.CharField(
                choices=[
                    ("submitted", "waiting for review"),
                    ("validated", "validated"),
                    ("rejected", "not accepted"),
                    ("disputed", "with the experts"),
                    ("withdrawn", "withdrawn"),
                    ("quarantined", "kept apart until its author agrees again"),
                ],
                default="submitted",
                max_length=16,
            ),
        ),
        migrations.AddField(
            "answer",
            "payload",
            models.JSONField(blank=True, default=dict, help_text="What an answer is beside words: spans, choices."),
        ),
        migrations.AddField(
            "answer",
            "is_one_of_many",
            models.BooleanField(default=False, help_text="Its task wants several answers, all of them good."),
        ),
        migrations.AddField(
            "answerevent", "payload", models.JSONField(blank=True, default=dict, help_text="Likewise the payload.")
        ),
        migrations.AddField(
            "review",
            "right_language",
            models.BooleanField(help_text="Language and variety are right; empty: not said.", null=True),
        ),
        migrations.AddField(
            "review", "acceptable", models.BooleanField(help_text="It says the same and is well said.", null=True)
        ),
        migrations.AddField(
            "review",
            "appropriate",
            models.BooleanField(help_text="It may be said: nothing offensive, nothing personal.", null=True),
        ),
        migrations.AddField(
            "review",
            "is_gold",
            models.BooleanField(default=False, help_text="On an answer that was settled before: it changes nothing."),
        ),
        migrations.RunSQL(ANSWERED, migrations.RunSQL.noop),
        migrations.AddConstraint(
            "answer",
            models.UniqueConstraint(
                condition=models.Q(("is_one_of_many", False), ("state", "validated")),
                fields=("task",),
                name="one_validated_answer_per_task",
            ),
        ),
        migrations.AddConstraint(
            "answer",
            models.CheckConstraint(
                condition=models.Q(
                    (
                        "state__in",
                        ["submitted", "validated", "rejected", "disputed", "withdrawn", "quarantined"],
                    )
                ),
                name="answer_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            "answer",
            models.CheckConstraint(
                condition=models.Q(
                    models.Q(("payload", {}), ("text", ""), _negated=True), ("state", "withdrawn"), _connector="OR"
                ),
                name="answer_says_something",
            ),
        ),
    ]
