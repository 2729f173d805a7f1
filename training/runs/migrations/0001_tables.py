"""Runs, adapters, schedules and the gate."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('runs', '0001_initial'), ('runs', '0002_schedule_outcome'), ('runs', '0003_withdrawn_and_erased'), ('runs', '0004_gate'), ('runs', '0005_bias_of_adapters')]

    initial = True

    dependencies = [
        ('people', '0001_tables'),
        ('projects', '0001_tables'),
        ('releases', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('method', models.CharField(default='qlora', max_length=32)),
                ('base_model', models.CharField(max_length=100)),
                ('base_sha256', models.CharField(blank=True, max_length=64)),
                ('settings', models.JSONField(default=dict, help_text="The recipe's settings, by section of its config.toml.")),
                ('trigger', models.CharField(choices=[('person', 'started by a person'), ('schedule', 'started by the schedule')], default='person', max_length=16)),
                ('state', models.CharField(choices=[('queued', 'waiting for the training worker'), ('running', 'running'), ('cancelling', 'stopping'), ('cancelled', 'cancelled'), ('failed', 'failed'), ('finished', 'finished')], default='queued', max_length=16)),
                ('failure', models.CharField(blank=True, max_length=2000)),
                ('folder', models.CharField(help_text='Relative to the runs folder.', max_length=300)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('lease_owner', models.CharField(blank=True, max_length=100)),
                ('lease_expires_at', models.DateTimeField(blank=True, null=True)),
                ('progress', models.JSONField(default=dict, help_text='The newest lines of log.jsonl, by event.')),
                ('created_at', models.DateTimeField()),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='people.community')),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='releases.release')),
                ('started_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at'],
                'constraints': [models.UniqueConstraint(fields=('community', 'number'), name='run_number_is_unique'), models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'running', 'cancelling', 'cancelled', 'failed', 'finished'])), name='run_state_is_known')],
            },
        ),
        migrations.CreateModel(
            name='Schedule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_allowed', models.BooleanField(default=False)),
                ('minimum_new_items', models.PositiveIntegerField(default=100)),
                ('cadence_hours', models.PositiveIntegerField(default=168)),
                ('last_checked_at', models.DateTimeField(blank=True, null=True)),
                ('last_outcome', models.CharField(blank=True, max_length=300)),
                ('outcome', models.JSONField(blank=True, default=dict, help_text='The same for translation: {template, values}.')),
                ('changed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='schedule', to='projects.project')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('minimum_new_items__gte', 1)), name='schedule_needs_at_least_one_new_item'), models.CheckConstraint(condition=models.Q(('cadence_hours__gte', 1)), name='schedule_cadence_is_an_hour_up')],
            },
        ),
        migrations.CreateModel(
            name='GateBounds',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('least_sentences', models.PositiveIntegerField(default=30, help_text='Held-out sentences that were measured.')),
                ('least_gain', models.PositiveIntegerField(default=10, help_text='Thousandths of the bits per byte before.')),
                ('most_score_loss', models.PositiveIntegerField(default=100, help_text="Hundredths of a point of the task's score.")),
                ('most_forgetting', models.PositiveIntegerField(default=35, help_text='Thousandths of a bit per byte.')),
                ('most_bias', models.PositiveIntegerField(default=50, help_text='Thousandths of a nat per byte, to either side.')),
                ('changed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('community', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='gate_bounds', to='people.community')),
            ],
            options={
                'verbose_name_plural': 'gate bounds',
                'constraints': [models.CheckConstraint(condition=models.Q(('least_sentences__gte', 2)), name='gate_measures_two_sentences_up')],
            },
        ),
        migrations.CreateModel(
            name='Adapter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64)),
                ('state', models.CharField(choices=[('candidate', 'candidate'), ('approved', 'approved'), ('refused', 'refused'), ('retired', 'retired')], default='candidate', max_length=16)),
                ('base_bpb', models.FloatField(help_text='Bits per byte of the base model on the held-out split; lower is better.')),
                ('adapter_bpb', models.FloatField()),
                ('base_chrf', models.FloatField(help_text='chrF++ of the base model, 0 to 100; higher is better.')),
                ('adapter_chrf', models.FloatField()),
                ('report', models.JSONField(default=dict)),
                ('created_at', models.DateTimeField()),
                ('withdrawn_since', models.DateTimeField(blank=True, help_text='When words it learnt from were first withdrawn.', null=True)),
                ('comparison', models.JSONField(blank=True, default=dict, help_text='With the adapter in service, on sentences that neither learnt from.')),
                ('deleted_at', models.DateTimeField(blank=True, help_text='When its weights were deleted; what stays says that it was there.', null=True)),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adapters', to='people.community')),
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='adapter', to='runs.run')),
            ],
            options={
                'ordering': ['-created_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['candidate', 'approved', 'refused', 'retired'])), name='adapter_state_is_known')],
            },
        ),
        migrations.CreateModel(
            name='RunEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=32)),
                ('note', models.CharField(blank=True, max_length=2000)),
                ('at', models.DateTimeField()),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='runs.run')),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='AdapterEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=32)),
                ('note', models.CharField(blank=True, max_length=1000)),
                ('at', models.DateTimeField()),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('adapter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='runs.adapter')),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='BiasReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('queued', 'waiting for the training worker'), ('running', 'reading'), ('finished', 'finished'), ('failed', 'failed')], default='queued', max_length=10)),
                ('failure', models.CharField(blank=True, max_length=1000)),
                ('lease_owner', models.CharField(blank=True, max_length=100)),
                ('lease_expires_at', models.DateTimeField(blank=True, null=True)),
                ('asked_at', models.DateTimeField()),
                ('found', models.JSONField(blank=True, default=list, help_text='For each two groups, as `training.evaluation.bias` says.')),
                ('pairs_sha256', models.CharField(blank=True, help_text='Of the ids of the pairs that were read.', max_length=64)),
                ('measured_at', models.DateTimeField(blank=True, null=True)),
                ('adapter', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='bias_reading', to='runs.adapter')),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'running', 'finished', 'failed'])), name='bias_reading_state_is_known')],
            },
        ),
    ]
