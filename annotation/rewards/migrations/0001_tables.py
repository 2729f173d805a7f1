"""Points, and what they are for."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ('rewards', '0001_initial'),
    ]

    dependencies = [
        ('answers', '0001_tables'),
        ('people', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Scoring',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('through', models.DateTimeField(help_text='Answers that changed before this moment were scored.')),
            ],
            options={
                'verbose_name_plural': 'scorings',
            },
        ),
        migrations.CreateModel(
            name='Player',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_hidden', models.BooleanField(default=False)),
                ('best_points', models.PositiveIntegerField(default=0, help_text='The level never falls because its holder took words back.')),
                ('badge', models.CharField(blank=True, max_length=16)),
                ('companion_name', models.CharField(blank=True, max_length=40)),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='players', to='people.community')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='playing', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('community', 'person'), name='one_player_per_person')],
            },
        ),
        migrations.CreateModel(
            name='Point',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('answer_sent', 'sent an answer'), ('answer_validated', 'an answer was accepted'), ('review_given', 'checked an answer'), ('review_agreed', 'a check agreed with what became of the answer')], max_length=24)),
                ('points', models.SmallIntegerField(help_text='Negative where an earlier line is taken back.')),
                ('note', models.CharField(blank=True, max_length=100)),
                ('at', models.DateTimeField()),
                ('answer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='points', to='answers.answer')),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='points', to='people.community')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='points', to=settings.AUTH_USER_MODEL)),
                ('review', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='points', to='answers.review')),
            ],
            options={
                'ordering': ['at', 'pk'],
                'indexes': [models.Index(fields=['community', 'at'], name='points_by_community_and_time'), models.Index(fields=['person', 'community'], name='points_by_person')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('answer__isnull', False), ('review__isnull', True)), models.Q(('answer__isnull', True), ('review__isnull', False)), _connector='OR'), name='points_are_for_one_thing'), models.CheckConstraint(condition=models.Q(('points', 0), _negated=True), name='a_line_of_points_says_something')],
            },
        ),
    ]
