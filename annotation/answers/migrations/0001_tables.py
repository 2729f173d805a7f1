"""Answers, reviews, decisions of experts, gold."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('answers', '0001_initial'), ('answers', '0002_kinds_of_task'), ('answers', '0003_quotations'), ('answers', '0004_answer_warnings'), ('answers', '0005_suggestions'), ('answers', '0006_gold_and_its_offers'), ('answers', '0007_sent_back'), ('answers', '0008_row_security'), ('answers', '0009_suggestions_of_own_adapters'), ('answers', '0010_backups_of_bound_rows')]

    initial = True

    dependencies = [
        ('care', '0001_tables'),
        ('corpora', '0001_tables'),
        ('people', '0001_tables'),
        ('projects', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Suggestion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField(blank=True, max_length=4000)),
                ('payload', models.JSONField(blank=True, default=dict)),
                ('made_by', models.CharField(help_text='The model: an adapter of the community or another.', max_length=80)),
                ('made_at', models.DateTimeField()),
                ('adapter', models.PositiveBigIntegerField(blank=True, help_text="The number of the community's own adapter, which a hold may hide.", null=True)),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='suggestions', to='projects.task')),
            ],
            options={
                'ordering': ['-made_at', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('task', 'made_by'), name='one_suggestion_of_each_maker')],
            },
        ),
        migrations.CreateModel(
            name='Answer',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('client_id', models.UUIDField(help_text='Made by the browser, so that sending twice stores once.')),
                ('body_sha256', models.CharField(help_text='Of what was first sent with the client id.', max_length=64)),
                ('text', models.TextField(blank=True, max_length=4000)),
                ('payload', models.JSONField(blank=True, default=dict, help_text='What an answer is beside words: spans, choices.')),
                ('is_one_of_many', models.BooleanField(default=False, help_text='Its task wants several answers, all of them good.')),
                ('warnings', models.JSONField(blank=True, default=list, help_text='What was noticed in it, each with whether its author saw it and went on.')),
                ('bands', django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), blank=True, default=list, help_text='Keys by which texts like it are found.', size=None)),
                ('version', models.PositiveIntegerField(default=1)),
                ('state', models.CharField(choices=[('submitted', 'waiting for review'), ('validated', 'validated'), ('rejected', 'not accepted'), ('disputed', 'with the experts'), ('returned', 'sent back to its author'), ('withdrawn', 'withdrawn'), ('quarantined', 'kept apart until its author agrees again')], default='submitted', max_length=16)),
                ('created_at', models.DateTimeField()),
                ('changed_at', models.DateTimeField()),
                ('settled_at', models.DateTimeField(blank=True, null=True)),
                ('assignment', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='answer', to='projects.assignment')),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='answers', to=settings.AUTH_USER_MODEL)),
                ('built_on', models.ManyToManyField(blank=True, help_text='Receipts of the others whose words this answer corrects: they must allow its use too.', related_name='built_into', to='care.receipt')),
                ('fixes', models.ForeignKey(blank=True, help_text='The answer that this one corrects, when it came from a review.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='fixed_by', to='answers.answer')),
                ('receipt', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='answers', to='care.receipt')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='answers', to='projects.task')),
                ('suggestion', models.ForeignKey(blank=True, help_text='What a machine proposed and its author began with; its words may have changed since.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='begun', to='answers.suggestion')),
            ],
            options={
                'ordering': ['-created_at'],
                'indexes': [models.Index(fields=['state', 'created_at'], name='answer_by_state'), django.contrib.postgres.indexes.GinIndex(fields=['bands'], name='answer_by_its_bands')],
                'constraints': [models.UniqueConstraint(fields=('author', 'client_id'), name='client_id_is_unique_per_author'), models.UniqueConstraint(condition=models.Q(('is_one_of_many', False), ('state', 'validated')), fields=('task',), name='one_validated_answer_per_task'), models.CheckConstraint(condition=models.Q(('state__in', ['submitted', 'validated', 'rejected', 'disputed', 'returned', 'withdrawn', 'quarantined'])), name='answer_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('payload', {}), ('text', ''), _negated=True), ('state', 'withdrawn'), _connector='OR'), name='answer_says_something')],
            },
        ),
        migrations.CreateModel(
            name='AnswerEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=32)),
                ('version', models.PositiveIntegerField()),
                ('text', models.TextField(blank=True, help_text='The text as it was after the event, when it changed.')),
                ('payload', models.JSONField(blank=True, default=dict, help_text='Likewise the payload.')),
                ('note', models.CharField(blank=True, max_length=1000)),
                ('at', models.DateTimeField()),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('answer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='answers.answer')),
            ],
            options={
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Gold',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_right', models.BooleanField()),
                ('marked_at', models.DateTimeField()),
                ('answer', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='gold', to='answers.answer')),
                ('expert', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'gold',
                'ordering': ['-marked_at'],
            },
        ),
        migrations.CreateModel(
            name='GoldOffer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('offered_at', models.DateTimeField()),
                ('answer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='answers.answer')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='gold_offers', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['offered_at'],
                'constraints': [models.UniqueConstraint(fields=('answer', 'person'), name='gold_is_offered_to_somebody_once')],
            },
        ),
        migrations.CreateModel(
            name='Quotation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.CharField(help_text="The item's part that holds its words: option_a, candidate, …", max_length=16)),
                ('answer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quotations', to='answers.answer')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='quotations', to='corpora.item')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('item', 'place'), name='one_answer_in_each_place')],
            },
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('author_id_of_answer', models.BigIntegerField(help_text='Kept here so that a constraint can refuse self-review.')),
                ('version', models.PositiveIntegerField(help_text='Version of the answer that was read.')),
                ('verdict', models.CharField(choices=[('approve', 'Good as it is'), ('reject', 'Not acceptable'), ('fix', 'Good with my correction'), ('unsure', 'I am not sure')], max_length=16)),
                ('reason', models.CharField(blank=True, choices=[('wrong_language', 'Another language or variety'), ('wrong_meaning', 'The meaning is different'), ('not_natural', 'Nobody would say it like this'), ('spelling', 'Spelling'), ('offensive', 'Offensive'), ('personal_data', 'Holds personal data'), ('other', 'Another reason')], max_length=16)),
                ('note', models.CharField(blank=True, max_length=1000)),
                ('right_language', models.BooleanField(help_text='Language and variety are right; empty: not said.', null=True)),
                ('acceptable', models.BooleanField(help_text='It says the same and is well said.', null=True)),
                ('appropriate', models.BooleanField(help_text='It may be said: nothing offensive, nothing personal.', null=True)),
                ('is_gold', models.BooleanField(default=False, help_text='On an answer that was settled before: it changes nothing.')),
                ('gold_is_right', models.BooleanField(help_text='What an expert had said of a gold answer.', null=True)),
                ('client_id', models.UUIDField()),
                ('created_at', models.DateTimeField()),
                ('answer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='answers.answer')),
                ('fix', models.ForeignKey(blank=True, help_text='The corrected wording, an answer of its own.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='from_reviews', to='answers.answer')),
                ('reviewer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['created_at'],
                'constraints': [models.UniqueConstraint(fields=('answer', 'reviewer', 'version'), name='one_verdict_per_reviewer'), models.UniqueConstraint(fields=('reviewer', 'client_id'), name='review_client_id_is_unique'), models.CheckConstraint(condition=models.Q(('reviewer_id', models.F('author_id_of_answer')), _negated=True), name='nobody_reviews_their_own'), models.CheckConstraint(condition=models.Q(('verdict__in', ['approve', 'reject', 'fix', 'unsure'])), name='verdict_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('verdict', 'reject'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='a_rejection_has_a_reason')],
            },
        ),
    ]
