"""What scans find and batches change."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ('revision', '0001_what_scans_find_and_batches_change'),
    ]

    dependencies = [
        ('answers', '0001_tables'),
        ('people', '0001_tables'),
        ('projects', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('surface', models.TextField(max_length=4000)),
                ('label', models.CharField(blank=True, help_text='What was chosen for all; empty: no label, or words.', max_length=80)),
                ('reason', models.CharField(max_length=1000)),
                ('made_at', models.DateTimeField()),
                ('undone_at', models.DateTimeField(blank=True, null=True)),
                ('expert', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batches', to='projects.project')),
                ('undone_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'batches',
                'ordering': ['-made_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='a_batch_has_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('undone_at__isnull', True), ('undone_by__isnull', True)), models.Q(('undone_at__isnull', False), ('undone_by__isnull', False)), _connector='OR'), name='a_batch_is_undone_by_somebody')],
            },
        ),
        migrations.CreateModel(
            name='BatchChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_undone', models.BooleanField(default=False)),
                ('answer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='batch_changes', to='answers.answer')),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='revision.batch')),
                ('correction', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='from_batch_changes', to='answers.answer')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('batch', 'answer'), name='an_answer_is_in_a_batch_once')],
            },
        ),
        migrations.CreateModel(
            name='Inconsistency',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cause', models.CharField(choices=[('label', 'different labels'), ('unlabelled', 'labelled here, not there'), ('boundary', 'different edges'), ('dictionary', 'not as the list of known words says'), ('same_text', 'the same text, different answers'), ('near_text', 'nearly the same text, different answers')], max_length=16)),
                ('key', models.CharField(help_text='SHA-256 of the cause and the folded surface.', max_length=64)),
                ('surface', models.TextField(max_length=4000)),
                ('expected', models.CharField(blank=True, help_text='The label that most places carry, if any.', max_length=80)),
                ('counts', models.JSONField(default=dict, help_text='How often which label.')),
                ('entropy', models.FloatField(help_text='Of what is said, in bits.')),
                ('estimate', models.FloatField(help_text='Estimated number of wrong labels.')),
                ('places', models.JSONField(default=list, help_text='[{answer, start, end, doubt}], the most doubtful first.')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='inconsistencies', to='projects.project')),
            ],
            options={
                'verbose_name_plural': 'inconsistencies',
                'ordering': ['-estimate', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('project', 'key'), name='one_row_for_each_surface_and_cause')],
            },
        ),
        migrations.CreateModel(
            name='Scan',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('asked_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('answers', models.PositiveIntegerField(default=0)),
                ('subsets', models.JSONField(default=list, help_text='Subsets that predict the rest worse than chance, with figures.')),
                ('asked_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='scan', to='projects.project')),
            ],
        ),
        migrations.CreateModel(
            name='Suspicion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('fault', models.CharField(choices=[('missed', 'missed'), ('spurious', 'should be none'), ('wrong_type', 'another label'), ('too_long', 'too long'), ('too_short', 'too short'), ('type_and_boundary', 'another label and other edges')], max_length=20)),
                ('start', models.PositiveIntegerField()),
                ('end', models.PositiveIntegerField()),
                ('given', models.JSONField(help_text='[start, end, label], in code points; empty where there is none.', null=True)),
                ('expected', models.JSONField(help_text='Likewise what the model would have said.', null=True)),
                ('label', models.CharField(help_text='The given label; of a missed one the expected.', max_length=80)),
                ('confidence', models.FloatField()),
                ('answer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='suspicions', to='answers.answer')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='suspicions', to='projects.project')),
            ],
            options={
                'ordering': ['-confidence', 'pk'],
                'indexes': [models.Index(fields=['project', '-confidence'], name='suspicion_by_confidence')],
            },
        ),
    ]
