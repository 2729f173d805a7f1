"""Documents whose texts models wrote."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("corpora", "0001_tables")]
    operations = [
        migrations.AddField(
            model_name="source",
            name="is_machine_made",
            field=models.BooleanField(
                default=False, help_text="Asks about texts that models wrote: what people say of them enters no release."
            ),
        ),
    ]
