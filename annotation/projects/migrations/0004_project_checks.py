"""What a project warns its authors about."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0003_judging")]
    operations = [migrations.AddField("project", "checks", models.JSONField(blank=True, default=dict))]
