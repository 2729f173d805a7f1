from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0002_what_a_run_was_expected_to_take'),
    ]

    operations = [
        migrations.AddField(
            model_name='gatebounds',
            name='most_memorised',
            field=models.PositiveIntegerField(default=200, help_text='Hundredths of a bit over held-out answers.'),
        ),
    ]
