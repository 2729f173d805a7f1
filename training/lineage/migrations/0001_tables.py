"""What withdrawals reached."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ('lineage', '0001_what_withdrawals_reached'),
    ]

    dependencies = [
        ('care', '0001_tables'),
    ]

    operations = [
        migrations.CreateModel(
            name='Taint',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(max_length=12)),
                ('key', models.CharField(max_length=36)),
                ('depth', models.PositiveSmallIntegerField(help_text='How many steps from the withdrawn answer.')),
                ('path', models.JSONField(default=list)),
                ('withdrawal', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='taints', to='care.withdrawal')),
            ],
            options={
                'ordering': ['withdrawal', 'depth', 'kind', 'key'],
                'constraints': [models.UniqueConstraint(fields=('withdrawal', 'kind', 'key'), name='something_is_tainted_once')],
            },
        ),
    ]
