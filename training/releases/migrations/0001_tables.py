"""Releases, what is in them, and who took them."""

import django.contrib.postgres.fields
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ('releases', '0001_initial'),
        ('releases', '0002_consent_guard'),
        ('releases', '0003_overtaken_consents'),
        ('releases', '0004_downloads_under_agreements'),
        ('releases', '0005_withdrawn_and_erased'),
        ('releases', '0006_leaks'),
        ('releases', '0007_judgements'),
    ]

    dependencies = [
        ('answers', '0001_tables'),
        ('care', '0001_tables'),
        ('people', '0001_tables'),
        ('projects', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Release',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('purpose', models.CharField(max_length=32)),
                ('note', models.CharField(blank=True, max_length=500)),
                ('has_judgements', models.BooleanField(default=False, help_text='It also holds what people said of answers, and answers that were turned down.')),
                ('sha256', models.CharField(max_length=64)),
                ('folder', models.CharField(help_text='Relative to the releases folder.', max_length=300)),
                ('counts', models.JSONField(default=dict, help_text='Rows by split, withheld rows by reason, people, documents.')),
                ('leaks', models.JSONField(blank=True, help_text='Held-out rows that are in the training rows too; null: not looked through.', null=True)),
                ('created_at', models.DateTimeField()),
                ('withdrawn_since', models.DateTimeField(blank=True, help_text='When words in it were first withdrawn; such a release trains nothing.', null=True)),
                ('erased_at', models.DateTimeField(blank=True, help_text='When its files were deleted, because words in them were erased.', null=True)),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='releases', to='people.community')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='releases', to='projects.project')),
                ('replaces', models.ForeignKey(blank=True, help_text='The release with withdrawn words in whose place it was made.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced_by', to='releases.release')),
            ],
            options={
                'ordering': ['-created_at'],
                'constraints': [models.UniqueConstraint(fields=('community', 'number'), name='release_number_is_unique'), models.CheckConstraint(condition=models.Q(('sha256', ''), _negated=True), name='a_release_has_a_hash')],
            },
        ),
        migrations.CreateModel(
            name='Download',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('manifest_sha256', models.CharField(max_length=64)),
                ('bytes', models.PositiveBigIntegerField(help_text='Of the file that was sent.')),
                ('purposes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=32), help_text='What every row of it could be used for then.', size=None)),
                ('at', models.DateTimeField()),
                ('agreement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='downloads', to='care.agreement')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='downloads', to='releases.release')),
            ],
            options={
                'ordering': ['-at'],
            },
        ),
        migrations.CreateModel(
            name='ReleaseItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('split', models.CharField(choices=[('train', 'training'), ('validation', 'validation'), ('test', 'test')], max_length=16)),
                ('is_good', models.BooleanField(default=True, help_text='Validated, and taught as it is; else a counter-example.')),
                ('row_sha256', models.CharField(max_length=64)),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True)),
                ('answer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='release_items', to='answers.answer')),
                ('receipt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='release_items', to='care.receipt')),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='releases.release')),
                ('voters', models.ManyToManyField(blank=True, help_text='Under which the votes on it that the release holds stand.', related_name='votes_in', to='care.receipt')),
            ],
            options={
                'ordering': ['release', 'split', 'answer'],
                'constraints': [models.UniqueConstraint(fields=('release', 'answer'), name='answer_is_in_a_release_once'), models.CheckConstraint(condition=models.Q(('split__in', ['train', 'validation', 'test'])), name='split_is_known')],
            },
        ),
        migrations.CreateModel(
            name='DownloadNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('queued_at', models.DateTimeField()),
                ('due_at', models.DateTimeField()),
                ('answer', models.CharField(blank=True, choices=[('', 'not answered'), ('deleted', 'deleted everywhere'), ('replaced', 'deleted, and replaced by a newer release'), ('refused', 'refused')], max_length=12)),
                ('words', models.CharField(blank=True, max_length=1000)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('answered_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('download', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='notice', to='releases.download')),
            ],
            options={
                'ordering': ['due_at', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('answer__in', ['', 'deleted', 'replaced', 'refused'])), name='notice_answer_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('answer', ''), ('answered_at__isnull', True), ('answered_by__isnull', True)), models.Q(models.Q(('answer', ''), _negated=True), ('answered_at__isnull', False), ('answered_by__isnull', False)), _connector='OR'), name='a_notice_is_answered_by_somebody')],
            },
        ),
    ]
