"""Entries, what is sealed beside them, and checkpoints."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ('ledger', '0001_initial'),
        ('ledger', '0002_append_only'),
        ('ledger', '0003_one_chain_per_community'),
    ]

    dependencies = []

    operations = [
        migrations.CreateModel(
            name='Checkpoint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('community', models.SlugField(blank=True, max_length=64)),
                ('size', models.BigIntegerField(help_text='How many entries it covers.')),
                ('peaks', models.JSONField(help_text="Leaves and hashes of the tree's whole subtrees, so that the next one is quick.")),
                ('note', models.TextField()),
                ('made_at', models.DateTimeField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('community', 'size'), name='one_checkpoint_per_size')],
            },
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('community', models.SlugField(blank=True, help_text="Whose chain it is; empty: the installation's.", max_length=64)),
                ('sequence', models.BigIntegerField()),
                ('actor', models.CharField(blank=True, help_text='Id of the account; empty for the system.', max_length=64)),
                ('action', models.CharField(max_length=64)),
                ('subject', models.CharField(blank=True, max_length=128)),
                ('details', models.JSONField(default=dict)),
                ('at', models.DateTimeField()),
                ('commitment', models.CharField(blank=True, help_text='To what is sealed; empty: nothing is.', max_length=64)),
                ('previous_sha256', models.CharField(max_length=64)),
                ('sha256', models.CharField(max_length=64, unique=True)),
            ],
            options={
                'verbose_name_plural': 'entries',
                'ordering': ['sequence'],
                'constraints': [models.UniqueConstraint(fields=('community', 'sequence'), name='one_entry_per_place_in_a_chain'), models.UniqueConstraint(fields=('community', 'previous_sha256'), name='one_entry_follows_another')],
            },
        ),
        migrations.CreateModel(
            name='Secret',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('about', models.CharField(blank=True, db_index=True, help_text='Id of the account it is about.', max_length=64)),
                ('salt', models.BinaryField(max_length=32)),
                ('payload', models.JSONField()),
                ('entry', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='secret', to='ledger.entry')),
            ],
        ),
    ]
