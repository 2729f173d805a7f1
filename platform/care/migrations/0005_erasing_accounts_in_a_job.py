import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("care", "0004_codes_of_the_data_use_ontology"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="AccountErasure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("asked_at", models.DateTimeField()),
                (
                    "answers",
                    models.PositiveIntegerField(
                        help_text="How many answers there were to erase when it was asked for."
                    ),
                ),
                (
                    "erased",
                    models.PositiveIntegerField(default=0, help_text="How many of these are erased."),
                ),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "person",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="account_erasure",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["asked_at", "pk"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(finished_at__isnull=True)
                        | models.Q(finished_at__gte=models.F("asked_at")),
                        name="an_erasure_ends_after_it_began",
                    )
                ],
            },
        ),
    ]
