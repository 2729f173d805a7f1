import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("care", "0003_objections_to_renderings")]
    operations = [
        migrations.AddField(
            "agreement",
            "duo",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=8),
                blank=True,
                default=list,
                help_text="Shorthands of the Data Use Ontology (`care.duo`), beside the words.",
                size=None,
            ),
        ),
    ]
