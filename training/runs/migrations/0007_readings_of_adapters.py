import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """What was found of an adapter becomes one row for each kind: beside its bias, its intruder dimensions."""

    dependencies = [("runs", "0006_additions")]

    operations = [
        migrations.RenameModel(old_name="BiasReading", new_name="AdapterReading"),
        migrations.RemoveConstraint(model_name="adapterreading", name="bias_reading_state_is_known"),
        migrations.AlterField(
            model_name="adapterreading",
            name="adapter",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="readings", to="runs.adapter"
            ),
        ),
        migrations.AddField(
            model_name="adapterreading",
            name="kind",
            field=models.CharField(
                choices=[("bias", "bias between groups of people"), ("intruders", "intruder dimensions")],
                default="bias",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="adapterreading",
            name="found",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text=(
                    "For each two groups, as `training.evaluation.bias` says; or as `training.recipes.intruders` does."
                ),
            ),
        ),
        migrations.AddConstraint(
            model_name="adapterreading",
            constraint=models.UniqueConstraint(fields=("adapter", "kind"), name="adapter_is_read_once_of_a_kind"),
        ),
        migrations.AddConstraint(
            model_name="adapterreading",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["queued", "running", "finished", "failed"])),
                name="adapter_reading_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="adapterreading",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["bias", "intruders"])), name="adapter_reading_kind_is_known"
            ),
        ),
    ]
