"""What a project warns its authors about."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_kinds_of_task")]
    operations = [migrations.AddField("project", "checks", models.JSONField(blank=True, default=dict))]
