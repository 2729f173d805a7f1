"""What was noticed in an answer, and the keys by which texts like it are found."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

from annotation.text.duplicates import bands, fingerprint


def find_bands(apps, schema_editor):
    """Answers from before get theirs."""
    rows = apps.get_model("answers", "Answer").objects.exclude(text="").only("pk", "text")
    for row in rows.iterator(chunk_size=1000):
        row.bands = bands(fingerprint(row.text))
        row.save(update_fields=["bands"])


class Migration(migrations.Migration):
    dependencies = [("answers", "0003_quotations")]
    operations = [
        migrations.AddField(
            "answer",
            "warnings",
            models.JSONField(
                blank=True,
                default=list,
                help_text="What was noticed in it, each with whether its author saw it and went on.",
            ),
        ),
        migrations.AddField(
            "answer",
            "bands",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                blank=True,
                default=list,
                help_text="Keys by which texts like it are found.",
                size=None,
            ),
        ),
        migrations.RunPython(find_bands, migrations.RunPython.noop),
        migrations.AddIndex(
            "answer", django.contrib.postgres.indexes.GinIndex(fields=["bands"], name="answer_by_its_bands")
        ),
    ]
