"""What was sent with a review's client id, as a hash, so that the same id with something else is refused."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("answers", "0002_row_security_of_answers")]
    operations = [
        migrations.AddField(
            model_name="review",
            name="body_sha256",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Of what was sent with the client id; empty when it was given before this was kept, or was erased.",
                max_length=64,
            ),
        )
    ]
