from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0005_bias_of_adapters'),
    ]

    operations = [
        migrations.AddField(
            model_name='gatebounds',
            name='most_memorised',
            field=models.PositiveIntegerField(default=200, help_text='Hundredths of a bit over held-out answers.'),
        ),
    ]
