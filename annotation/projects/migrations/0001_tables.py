"""Projects, their tasks, and who has which."""

import annotation.projects.models
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ('projects', '0001_initial'),
        ('projects', '0002_kinds_of_task'),
        ('projects', '0003_judging'),
        ('projects', '0004_project_checks'),
        ('projects', '0005_guideline_versions'),
        ('projects', '0006_urgent_tasks_and_more_answers'),
    ]

    dependencies = [
        ('corpora', '0001_tables'),
        ('people', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Project',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=200)),
                ('kind', models.CharField(default='translate', max_length=16, validators=[annotation.projects.models.known_kind])),
                ('settings', models.JSONField(blank=True, default=dict)),
                ('rule', models.JSONField(blank=True, default=dict)),
                ('checks', models.JSONField(blank=True, default=dict)),
                ('source_language_name', models.CharField(max_length=120)),
                ('source_language_tag', models.CharField(max_length=64)),
                ('target_language_name', models.CharField(max_length=120)),
                ('target_language_tag', models.CharField(max_length=64)),
                ('target_script', models.CharField(max_length=4)),
                ('target_direction', models.CharField(choices=[('ltr', 'left to right'), ('rtl', 'right to left')], max_length=3)),
                ('guidelines', models.TextField(blank=True, max_length=20000)),
                ('lease_minutes', models.PositiveIntegerField(default=10)),
                ('control_share', models.FloatField(blank=True, help_text='Urgent tasks are handed out first, but this share of them by chance; empty: document by document.', null=True)),
                ('state', models.CharField(choices=[('open', 'open'), ('closed', 'closed')], default='open', max_length=16)),
                ('created_at', models.DateTimeField()),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='projects', to='people.community')),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('orthography', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.orthography')),
                ('variety', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.variety')),
            ],
            options={
                'ordering': ['-created_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['open', 'closed'])), name='project_state_is_known'), models.CheckConstraint(condition=models.Q(('lease_minutes__gte', 1), ('lease_minutes__lte', 1440)), name='lease_is_up_to_a_day'), models.CheckConstraint(condition=models.Q(('control_share__isnull', True), models.Q(('control_share__gte', 0), ('control_share__lte', 1)), _connector='OR'), name='control_share_is_a_share')],
            },
        ),
        migrations.CreateModel(
            name='GuidelineReading',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('read_at', models.DateTimeField()),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='projects.project')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'person'), name='one_last_reading_of_guidelines')],
            },
        ),
        migrations.CreateModel(
            name='Guideline',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('text', models.TextField(blank=True, max_length=20000)),
                ('written_at', models.DateTimeField()),
                ('written_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='guideline_versions', to='projects.project')),
            ],
            options={
                'ordering': ['-number'],
                'constraints': [models.UniqueConstraint(fields=('project', 'number'), name='one_guideline_of_each_number')],
            },
        ),
        migrations.CreateModel(
            name='Task',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('open', 'open'), ('answered', 'answered, in review'), ('disputed', 'with the experts'), ('done', 'validated'), ('taken_out', 'taken out')], default='open', max_length=16)),
                ('wanted', models.PositiveSmallIntegerField(default=1, help_text='Independent answers wanted at present.')),
                ('answered', models.PositiveSmallIntegerField(default=0, help_text='Independent answers that count at present.')),
                ('more', models.PositiveSmallIntegerField(default=0, help_text="Answers wanted beyond the project's rule, because somebody asked again.")),
                ('urgency', models.FloatField(blank=True, help_text='The larger, the sooner; set by a reading of a model.', null=True)),
                ('arm', models.CharField(blank=True, choices=[('urgent', 'chosen as urgent'), ('chance', 'drawn by chance')], help_text='How an urgent task was last handed out anew.', max_length=8)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='corpora.item')),
                ('not_for', models.ManyToManyField(blank=True, help_text='Whose own words it asks about: it is never theirs to do.', related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='projects.project')),
            ],
            options={
                'ordering': ['project', 'item__source', 'item__position'],
                'constraints': [models.UniqueConstraint(fields=('project', 'item'), name='item_is_one_task_per_project'), models.CheckConstraint(condition=models.Q(('state__in', ['open', 'answered', 'disputed', 'done', 'taken_out'])), name='task_state_is_known'), models.CheckConstraint(condition=models.Q(('arm__in', ['', 'urgent', 'chance'])), name='task_arm_is_known')],
            },
        ),
        migrations.CreateModel(
            name='Assignment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('leased', 'leased'), ('answered', 'answered'), ('skipped', 'skipped'), ('expired', 'expired')], default='leased', max_length=16)),
                ('leased_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('skip_reason', models.CharField(blank=True, choices=[('unclear', 'I do not understand the sentence'), ('not_my_variety', 'Not my variety'), ('too_hard', 'Too hard or too long'), ('offensive', 'Offensive or not fitting'), ('personal', 'Holds personal data'), ('other', 'Another reason')], max_length=16)),
                ('skip_note', models.CharField(blank=True, max_length=500)),
                ('packet', models.UUIDField(blank=True, help_text='Assignments fetched together, to be done offline.', null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to=settings.AUTH_USER_MODEL)),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='projects.task')),
            ],
            options={
                'ordering': ['-leased_at'],
                'indexes': [models.Index(fields=['person', 'state'], name='assignment_by_person_and_state')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'leased')), fields=('task', 'person'), name='one_live_lease_per_task_and_person'), models.CheckConstraint(condition=models.Q(('state__in', ['leased', 'answered', 'skipped', 'expired'])), name='assignment_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'skipped'), _negated=True), models.Q(('skip_reason', ''), _negated=True), _connector='OR'), name='a_skip_has_a_reason')],
            },
        ),
    ]
