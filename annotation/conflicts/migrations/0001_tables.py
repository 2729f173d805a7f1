"""What experts rule, and examples that follow."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ('conflicts', '0001_initial'),
        ('conflicts', '0002_rulings_and_remarks'),
        ('conflicts', '0003_examples'),
    ]

    dependencies = [
        ('answers', '0001_tables'),
        ('people', '0001_tables'),
        ('projects', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Adjudication',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('decision', models.CharField(choices=[('accept', 'Accept as it is'), ('both', 'Several are right'), ('correct', 'Accept with my correction'), ('send_back', 'Send back to its author'), ('reject', 'Do not accept')], max_length=16)),
                ('reason', models.CharField(max_length=1000)),
                ('decided_at', models.DateTimeField()),
                ('reopened_at', models.DateTimeField(blank=True, null=True)),
                ('reopen_reason', models.CharField(blank=True, max_length=1000)),
                ('answer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='adjudications', to='answers.answer')),
                ('correction', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='from_adjudication', to='answers.answer')),
                ('expert', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reopened_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-decided_at'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('reopened_at', None), models.Q(('decision', 'send_back'), _negated=True)), fields=('answer', 'version'), name='one_decision_per_version'), models.CheckConstraint(condition=models.Q(('decision__in', ['accept', 'both', 'correct', 'send_back', 'reject'])), name='decision_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('reopen_reason', ''), ('reopened_at', None)), models.Q(('reopened_at__isnull', False), models.Q(('reopen_reason', ''), _negated=True)), _connector='OR'), name='opening_again_has_a_reason'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='a_decision_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='Example',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('added_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('adjudication', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='example', to='conflicts.adjudication')),
                ('guideline', models.ForeignKey(help_text='The version with which it came.', on_delete=django.db.models.deletion.CASCADE, related_name='examples', to='projects.guideline')),
            ],
            options={
                'ordering': ['-guideline__number'],
            },
        ),
        migrations.CreateModel(
            name='Remark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=1000)),
                ('said_at', models.DateTimeField()),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='remarks', to='projects.task')),
            ],
            options={
                'ordering': ['said_at', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='a_remark_says_something')],
            },
        ),
        migrations.CreateModel(
            name='Ruling',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('before', models.CharField(choices=[('submitted', 'waiting for review'), ('validated', 'validated'), ('rejected', 'not accepted'), ('disputed', 'with the experts'), ('returned', 'sent back to its author'), ('withdrawn', 'withdrawn'), ('quarantined', 'kept apart until its author agrees again')], max_length=16)),
                ('after', models.CharField(choices=[('submitted', 'waiting for review'), ('validated', 'validated'), ('rejected', 'not accepted'), ('disputed', 'with the experts'), ('returned', 'sent back to its author'), ('withdrawn', 'withdrawn'), ('quarantined', 'kept apart until its author agrees again')], max_length=16)),
                ('adjudication', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rulings', to='conflicts.adjudication')),
                ('answer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rulings', to='answers.answer')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('adjudication', 'answer'), name='one_ruling_on_an_answer_in_a_decision')],
            },
        ),
    ]
