"""An objection to a rendering is a row of its own: who objected, when, to which wording, and what was answered."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def keep_objections(apps, schema_editor):
    """Those from before get theirs; who objected and when is in the record. Where it no longer says, it is checked anew."""
    renderings, people = apps.get_model("care", "Rendering"), apps.get_model("people", "Person")
    entries, objections = apps.get_model("ledger", "Entry"), apps.get_model("care", "RenderingObjection")
    for rendering in renderings.objects.exclude(objection=""):
        checks = entries.objects.filter(action="rendering.checked", subject=f"rendering:{rendering.pk}")
        last = checks.order_by("sequence").last()
        person = people.objects.filter(pk=last.actor).first() if last and last.actor.isdecimal() else None
        if person is not None:
            objections.objects.create(
                rendering=rendering,
                sha256=rendering.sha256,
                words=rendering.objection,
                objected_by=person,
                objected_at=last.at,
            )


class Migration(migrations.Migration):
    dependencies = [
        ("care", "0002_what_happened_stays"),
        ("ledger", "0004_nothing_is_changed"),
        ("people", "0001_tables"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="RenderingObjection",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(help_text="Of the rendering as the speaker read it.", max_length=64)),
                ("words", models.CharField(max_length=500)),
                ("objected_at", models.DateTimeField()),
                (
                    "answer",
                    models.CharField(
                        blank=True, help_text="What its writer said; the new wording may do.", max_length=500
                    ),
                ),
                (
                    "answered_at",
                    models.DateTimeField(blank=True, help_text="When it was written anew.", null=True),
                ),
                (
                    "answered_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "objected_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "rendering",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="objections", to="care.rendering"
                    ),
                ),
            ],
            options={"ordering": ["objected_at", "pk"]},
        ),
        migrations.AlterField("rendering", "language", models.CharField(help_text="BCP 47 tag.", max_length=128)),
        migrations.RunPython(keep_objections, migrations.RunPython.noop),
        migrations.AddConstraint(
            "renderingobjection",
            models.UniqueConstraint(
                condition=models.Q(answered_at__isnull=True),
                fields=("rendering",),
                name="one_open_objection_to_a_rendering",
            ),
        ),
        migrations.AddConstraint(
            "renderingobjection",
            models.CheckConstraint(
                condition=models.Q(answered_at__isnull=True, answered_by__isnull=True)
                | models.Q(answered_at__isnull=False, answered_by__isnull=False),
                name="an_answered_objection_says_by_whom",
            ),
        ),
        migrations.RemoveField("rendering", "objection"),
    ]
