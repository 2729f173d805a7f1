"""When the watch last looked."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ('guard', '0001_the_watch'),
    ]

    dependencies = []

    operations = [
        migrations.CreateModel(
            name='Watch',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('through', models.DateTimeField(help_text='Votes and outcomes before this moment are in the estimates.')),
            ],
            options={
                'verbose_name_plural': 'watches',
            },
        ),
    ]
