import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0004_grids_and_limits'),
    ]

    operations = [
        migrations.AddField(
            model_name='adapter',
            name='goes_on_for',
            field=models.ForeignKey(blank=True, help_text='The adapter of groups in whose place it went on when words were taken back, without their group. It was measured and approved with that one, and is in use only while that decision holds.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='gone_on', to='runs.adapter'),
        ),
        migrations.AlterField(
            model_name='adapter',
            name='adapter_chrf',
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='adapter',
            name='base_chrf',
            field=models.FloatField(blank=True, help_text='chrF++ of the base model, 0 to 100; higher is better. Null: not measured.', null=True),
        ),
        migrations.AlterField(
            model_name='run',
            name='trigger',
            field=models.CharField(choices=[('person', 'started by a person'), ('schedule', 'started by the schedule'), ('withdrawal', 'goes on after words were taken back')], default='person', max_length=16),
        ),
    ]
