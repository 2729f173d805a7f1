"""What a run was expected to take, told before it starts and kept to be compared."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("runs", "0001_tables"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="foretold",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="What it was expected to take, as `training.metering.foresight` says.",
            ),
        ),
    ]
