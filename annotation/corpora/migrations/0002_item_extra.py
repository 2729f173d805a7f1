"""What some kinds of task ask about beside a sentence."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("corpora", "0001_initial")]
    operations = [
        migrations.AddField(
            "item",
            "extra",
            models.JSONField(blank=True, default=dict, help_text="What some kinds ask about: option_a, candidate, …"),
        ),
    ]
