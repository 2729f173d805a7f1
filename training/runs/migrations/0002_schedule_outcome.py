from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runs', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='schedule',
            name='outcome',
            field=models.JSONField(blank=True, default=dict, help_text='The same for translation: {template, values}.'),
        ),
    ]
