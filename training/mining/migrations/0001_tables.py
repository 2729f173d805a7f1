"""Probes and readings."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ('mining', '0001_probes_and_readings'),
    ]

    dependencies = [
        ('answers', '0001_tables'),
        ('people', '0001_tables'),
        ('projects', '0001_tables'),
        ('runs', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Probe',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('of', models.CharField(choices=[('tasks', 'Open tasks: what nobody has answered'), ('answers', 'Validated answers, also those it learnt from'), ('held_out', 'Validated answers that neither of them learnt from')], max_length=8)),
                ('state', models.CharField(choices=[('queued', 'waiting for the training worker'), ('running', 'reading'), ('finished', 'finished'), ('cancelled', 'cancelled'), ('failed', 'failed')], default='queued', max_length=10)),
                ('failure', models.CharField(blank=True, max_length=1000)),
                ('lease_owner', models.CharField(blank=True, max_length=100)),
                ('lease_expires_at', models.DateTimeField(blank=True, null=True)),
                ('asked_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('adapter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='probes', to='runs.adapter')),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='probes', to='people.community')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='probes', to='projects.project')),
                ('rival', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='runs.adapter')),
            ],
            options={
                'ordering': ['-asked_at', '-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'running', 'finished', 'cancelled', 'failed'])), name='probe_state_is_known'), models.CheckConstraint(condition=models.Q(('of__in', ['tasks', 'answers', 'held_out'])), name='probe_reads_a_known_set')],
            },
        ),
        migrations.CreateModel(
            name='Reading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField(blank=True, help_text='Of the answer, when it was read.', null=True)),
                ('is_read', models.BooleanField(default=False)),
                ('loss', models.FloatField(blank=True, null=True)),
                ('entropy', models.FloatField(blank=True, null=True)),
                ('text', models.TextField(blank=True)),
                ('rival_loss', models.FloatField(blank=True, null=True)),
                ('rival_entropy', models.FloatField(blank=True, null=True)),
                ('rival_text', models.TextField(blank=True)),
                ('disagreement', models.FloatField(blank=True, null=True)),
                ('answer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='readings', to='answers.answer')),
                ('probe', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='readings', to='mining.probe')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='readings', to='projects.task')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('probe', 'task', 'answer'), name='one_reading_of_each_in_a_probe', nulls_distinct=False)],
            },
        ),
    ]
