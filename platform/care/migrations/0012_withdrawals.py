"""What was taken back and what follows from it; what was erased, which the database lets nobody change."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


FORWARD = """
CREATE FUNCTION care_refuse_forgetting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was erased is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER erasure_is_append_only BEFORE UPDATE OR DELETE ON care_erasure
    FOR EACH ROW EXECUTE FUNCTION care_refuse_forgetting();
"""
BACKWARD = """
DROP TRIGGER erasure_is_append_only ON care_erasure;
DROP FUNCTION care_refuse_forgetting();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('care', '0011_ages'),
        ('people', '0006_elders'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Withdrawal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('item', 'one answer'), ('purpose', 'some uses'), ('everything', 'everything')], max_length=10)),
                ('answer_key', models.CharField(blank=True, help_text='Id of the answer, where it is about one.', max_length=36)),
                ('purposes', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('display_members', 'Show my words to members of this community'), ('display_public', 'Show my words to anyone'), ('credit_name', 'Name me as the author'), ('peer_review', 'Let other members check and correct my words'), ('research', 'Use my words in studies of the language'), ('evaluate_models', 'Measure with my words how good language models are'), ('train_noncommercial', 'Train language models, not for profit'), ('train_commercial', 'Train language models for commercial use'), ('release_dataset', 'Publish my words in a dataset'), ('release_adapter', 'Publish models trained on my words'), ('process_outside_country', 'Process my words on computers in other countries')], max_length=32), blank=True, default=list, size=None)),
                ('answers', models.PositiveIntegerField(help_text='How many answers it reached, corrections by others included.')),
                ('asked_at', models.DateTimeField()),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='withdrawals', to='people.community')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='withdrawals', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-asked_at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='WithdrawalStage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(choices=[('refused', 'No new use: the words are hidden and go into nothing new'), ('marked', 'Releases that hold them are marked: nothing trains on them, nobody downloads them'), ('stopped', 'Training that uses them stops'), ('paused', 'Models that learnt from them answer nobody'), ('told', 'The stewards are told'), ('traced', 'Everything made from them is found'), ('holders_told', 'Whoever holds an agreement on them is told to delete them'), ('ended', 'Models that learnt from them are deleted, or trained anew without them'), ('erased', 'The words themselves are erased')], max_length=16)),
                ('place', models.PositiveSmallIntegerField(help_text='Its place in the list.')),
                ('due_at', models.DateTimeField()),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('number', models.PositiveIntegerField(default=0, help_text='How many rows it concerned.')),
                ('withdrawal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stages', to='care.withdrawal')),
            ],
            options={
                'ordering': ['withdrawal', 'place'],
            },
        ),
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('answer', 'an answer'), ('person', 'everything about somebody')], max_length=8)),
                ('key', models.CharField(help_text='Id of the answer, or of the account.', max_length=36)),
                ('at', models.DateTimeField()),
                ('community', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='erasures', to='people.community')),
            ],
            options={
                'ordering': ['at', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('kind', 'key'), name='something_is_erased_once'), models.CheckConstraint(condition=models.Q(('kind__in', ['answer', 'person'])), name='erasure_kind_is_known')],
            },
        ),
        migrations.AddConstraint(
            model_name='withdrawal',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answer_key__gt', ''), ('scope', 'item')), models.Q(('answer_key', ''), ('scope__in', ['purpose', 'everything'])), _connector='OR'), name='a_withdrawal_names_the_answer_it_is_about'),
        ),
        migrations.AddConstraint(
            model_name='withdrawalstage',
            constraint=models.UniqueConstraint(fields=('withdrawal', 'name'), name='one_stage_of_a_name_in_a_withdrawal'),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
