"""Where texts come from, and the texts."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ('corpora', '0001_initial'),
        ('corpora', '0002_item_extra'),
        ('corpora', '0003_pictures'),
    ]

    dependencies = [
        ('people', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Import',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('origin', models.CharField(help_text='File name, or package and corpus.', max_length=200)),
                ('licence', models.CharField(max_length=200)),
                ('file_sha256', models.CharField(max_length=64)),
                ('rows', models.PositiveIntegerField(default=0)),
                ('added', models.PositiveIntegerField(default=0)),
                ('repeated', models.PositiveIntegerField(default=0)),
                ('problems', models.JSONField(default=list, help_text='[{line, message}], one for each line left out.')),
                ('imported_at', models.DateTimeField()),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='imports', to='people.community')),
                ('imported_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-imported_at'],
            },
        ),
        migrations.CreateModel(
            name='Source',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=300)),
                ('reference', models.CharField(blank=True, help_text="The document's id where it came from.", max_length=200)),
                ('language_tag', models.CharField(help_text='BCP 47 tag of the sentences to be translated.', max_length=64)),
                ('licence', models.CharField(max_length=200)),
                ('origin', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField()),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sources', to='people.community')),
                ('variety', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='sources', to='people.variety')),
            ],
            options={
                'ordering': ['title'],
                'constraints': [models.UniqueConstraint(fields=('community', 'origin', 'title', 'reference', 'variety'), name='source_is_unique_in_community', nulls_distinct=False)],
            },
        ),
        migrations.CreateModel(
            name='Item',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField()),
                ('text', models.TextField(max_length=4000)),
                ('text_sha256', models.CharField(max_length=64)),
                ('reference', models.TextField(blank=True, max_length=4000)),
                ('extra', models.JSONField(blank=True, default=dict, help_text='What some kinds ask about: option_a, candidate, …')),
                ('imported', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='corpora.import')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='corpora.source')),
            ],
            options={
                'ordering': ['source', 'position'],
                'constraints': [models.UniqueConstraint(fields=('source', 'position'), name='item_position_is_unique_in_source'), models.UniqueConstraint(fields=('source', 'text_sha256'), name='item_text_is_unique_in_source')],
            },
        ),
        migrations.CreateModel(
            name='Picture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64)),
                ('content', models.BinaryField()),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField()),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pictures', to='people.community')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('community', 'sha256'), name='picture_is_kept_once')],
            },
        ),
    ]
