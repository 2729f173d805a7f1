"""A request for access is to be answered within thirty days; those that wait already get their day."""

from datetime import timedelta

from django.db import migrations, models


def give_a_day(apps, schema_editor):
    """Thirty days from when they were sent, but for what is being decided on."""
    proposals, decisions = apps.get_model("care", "Proposal"), apps.get_model("care", "Decision")
    decided = set(proposals.objects.filter(matter="agreement", state="open").values_list("subject", flat=True))
    cooling = decisions.objects.filter(matter="agreement", state="cooling_off")
    decided |= set(cooling.values_list("subject", flat=True))
    for request in apps.get_model("care", "Agreement").objects.filter(state="submitted"):
        if f"agreement:{request.pk}" not in decided:
            request.answer_due_at = request.submitted_at + timedelta(days=30)
            request.save(update_fields=["answer_due_at"])


class Migration(migrations.Migration):
    dependencies = [("care", "0006_policies_name_their_decision")]
    operations = [
        migrations.AddField(
            "agreement",
            "answer_due_at",
            models.DateTimeField(
                blank=True, help_text="Until when a request is to be returned, refused or put to the vote.", null=True
            ),
        ),
        migrations.AddField(
            "agreement",
            "late_since",
            models.DateTimeField(blank=True, help_text="When nobody had answered it in time.", null=True),
        ),
        migrations.AlterField(
            "stewardnotice",
            "kind",
            models.CharField(
                choices=[
                    ("severe", "A severe report came in; what it is about is held back."),
                    ("late", "A report has not been read in time."),
                    ("unanswered", "A request for access has not been answered in time."),
                    ("glass", "Somebody of the platform’s staff is reading what is your community’s."),
                    ("majority", "Somebody is of age now and is asked again."),
                ],
                max_length=12,
            ),
        ),
        migrations.RunPython(give_a_day, migrations.RunPython.noop),
    ]
