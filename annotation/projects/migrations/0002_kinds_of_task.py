"""Projects of every kind, tasks that want several answers, packets for offline work."""

from django.db import migrations, models

import annotation.projects.models

# Answers were in the community's own language until now.
TARGETS = """
UPDATE projects_project SET target_language_name = c.language_name, target_language_tag = c.language_tag,
    target_script = c.script, target_direction = c.direction
FROM people_community c WHERE c.id = projects_project.community_id;
"""


class Migration(migrations.Migration):
    dependencies = [("projects", "0001_initial"), ("corpora", "0002_item_extra"), ("people", "0001_initial")]
    operations = [
        migrations.RemoveConstraint("project", "project_kind_is_known"),
        migrations.RemoveConstraint("assignment", "one_live_lease_per_task"),
        migrations.AlterField(
            "project",
            "kind",
            models.CharField(
                default="translate", max_length=16, validators=[annotation.projects.models.known_kind]
            ),
        ),
        migrations.AddField("project", "settings", models.JSONField(blank=True, default=dict)),
        migrations.AddField("project", "rule", models.JSONField(blank=True, default=dict)),
        migrations.AddField(
            "project", "target_language_name", models.CharField(default="", max_length=120), preserve_default=False
        ),
        migrations.AddField(
            "project", "target_language_tag", models.CharField(default="", max_length=64), preserve_default=False
        ),
        migrations.AddField(
            "project", "target_script", models.CharField(default="", max_length=4), preserve_default=False
        ),
        migrations.AddField(
            "project",
            "target_direction",
            models.CharField(
                choices=[("ltr", "left to right"), ("rtl", "right to left")], default="ltr", max_length=3
            ),
            preserve_default=False,
        ),
        migrations.RunSQL(TARGETS, migrations.RunSQL.noop),
        migrations.AddField(
            "task",
            "wanted",
            models.PositiveSmallIntegerField(default=1, help_text="Independent answers wanted at present."),
        ),
        migrations.AddField(
            "task",
            "answered",
            models.PositiveSmallIntegerField(default=0, help_text="Independent answers that count at present."),
        ),
        migrations.AddField(
            "assignment",
            "packet",
            models.UUIDField(
                blank=True, help_text="Assignments fetched together, to be done offline.", null=True
            ),
        ),
        migrations.AddConstraint(
            "assignment",
            models.UniqueConstraint(
                condition=models.Q(("state", "leased")),
                fields=("task", "person"),
                name="one_live_lease_per_task_and_person",
            ),
        ),
    ]
