"""What people tried."""

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ('playground', '0001_initial'),
    ]

    dependencies = [
        ('people', '0001_tables'),
        ('runs', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Generation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('source', models.TextField(max_length=1000)),
                ('state', models.CharField(choices=[('queued', 'waiting'), ('running', 'writing'), ('finished', 'finished'), ('failed', 'failed')], default='queued', max_length=16)),
                ('base_text', models.TextField(blank=True)),
                ('adapter_text', models.TextField(blank=True)),
                ('failure', models.CharField(blank=True, max_length=1000)),
                ('created_at', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('adapter', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='generations', to='runs.adapter')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='generations', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'running', 'finished', 'failed'])), name='generation_state_is_known')],
            },
        ),
    ]
