"""Who has shown care, and who is kept apart."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ('standing', '0001_standings_and_pairs'),
    ]

    dependencies = [
        ('people', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Standing',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('agreed', models.FloatField(default=0)),
                ('missed', models.FloatField(default=0)),
                ('evidence', models.FloatField(default=0, help_text='How many gold answers the evidence is worth.')),
                ('below_line', models.FloatField(default=1, help_text='The probability that the skill is below the line.')),
                ('checks', models.PositiveIntegerField(default=0, help_text='Verdicts on answers whose outcome is known.')),
                ('checks_agreed', models.PositiveIntegerField(default=0)),
                ('gold', models.PositiveIntegerField(default=0, help_text='Verdicts on gold answers.')),
                ('gold_agreed', models.PositiveIntegerField(default=0)),
                ('has_shown_care', models.BooleanField(default=False)),
                ('is_stopped', models.BooleanField(default=False, help_text='Carelessness was shown: their votes do not count.')),
                ('is_spared', models.BooleanField(default=False, help_text='A steward lets the votes count whatever the estimate.')),
                ('is_frozen', models.BooleanField(default=False, help_text='By a steward: neither writes nor checks.')),
                ('estimated_at', models.DateTimeField(blank=True, null=True)),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='standings', to='people.community')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='standings', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['community', 'person'],
                'constraints': [models.UniqueConstraint(fields=('community', 'person'), name='one_standing_per_person'), models.CheckConstraint(condition=models.Q(('is_spared', True), ('is_stopped', True), _negated=True), name='who_is_spared_is_not_stopped')],
            },
        ),
        migrations.CreateModel(
            name='StandingEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('frozen', 'frozen'), ('unfrozen', 'no longer frozen'), ('stopped', 'votes stopped: carelessness was shown'), ('spared', 'votes count again')], max_length=16)),
                ('reason', models.CharField(blank=True, max_length=1000)),
                ('requeued', models.PositiveIntegerField(default=0, help_text='Answers that were settled anew because of it.')),
                ('at', models.DateTimeField()),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('standing', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='standing.standing')),
            ],
            options={
                'ordering': ['-at', '-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind', 'stopped'), models.Q(('reason', ''), _negated=True), _connector='OR'), name='what_a_steward_does_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='KeptApart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('approved', models.PositiveIntegerField(help_text='Approvals when it was found.')),
                ('votes', models.PositiveIntegerField()),
                ('expected', models.FloatField(help_text='Approvals to be expected by chance.')),
                ('found_at', models.DateTimeField()),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='kept_apart', to='people.community')),
                ('reviewer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name_plural': 'kept apart',
                'ordering': ['-found_at', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('community', 'reviewer', 'author'), name='a_pair_is_kept_apart_once')],
            },
        ),
    ]
