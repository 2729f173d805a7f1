"""Accounts, communities and who is what in them."""

import django.contrib.auth.models
import django.contrib.auth.validators
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    replaces = [
        ('people', '0001_initial'),
        ('people', '0002_language_profiles'),
        ('people', '0003_community_fonts'),
        ('people', '0004_review_rule'),
        ('people', '0005_experts_see_names'),
        ('people', '0006_elders'),
    ]

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='Community',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=64, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('language_name', models.CharField(max_length=120)),
                ('language_tag', models.CharField(max_length=64, validators=[django.core.validators.RegexValidator('^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(-x(-[A-Za-z0-9]{1,8})+)?$', 'Write a BCP 47 language tag such as ote, quz-PE or sr-Latn.')])),
                ('iso_639_3', models.CharField(max_length=3, validators=[django.core.validators.RegexValidator('^[a-z]{3}$', 'Write the three small letters of ISO 639-3.')], verbose_name='ISO 639-3 code')),
                ('glottocode', models.CharField(max_length=8, validators=[django.core.validators.RegexValidator('^[a-z0-9]{4}[0-9]{4}$', 'Write a Glottolog code such as mezq1235.')], verbose_name='Glottolog code')),
                ('script', models.CharField(default='Latn', max_length=4, validators=[django.core.validators.RegexValidator('^[A-Z][a-z]{3}$', 'Write the ISO 15924 code of the script, such as Latn.')])),
                ('direction', models.CharField(choices=[('ltr', 'left to right'), ('rtl', 'right to left')], default='ltr', max_length=3)),
                ('about', models.TextField(blank=True, max_length=4000)),
                ('is_open', models.BooleanField(default=False, help_text='Anyone with an account may join as a speaker, without an invitation.')),
                ('is_demo', models.BooleanField(default=False)),
                ('own_words', models.JSONField(blank=True, default=dict, help_text="The community's own words for roles and buttons, by the English ones.")),
                ('review_rule', models.JSONField(blank=True, default=dict, help_text='How peers settle answers, where a project says nothing of its own.')),
                ('experts_see_names', models.BooleanField(default=False, help_text='Experts read who wrote and who checked what they decide on.')),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'communities',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Person',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('display_name', models.CharField(blank=True, max_length=80)),
                ('is_demo', models.BooleanField(default=False, help_text='Made by the demo; not a person.')),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
                'abstract': False,
            },
            managers=[
                ('objects', django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='CommunityFont',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('licence', models.CharField(max_length=200)),
                ('content', models.BinaryField(help_text='WOFF2.')),
                ('sha256', models.CharField(max_length=64)),
                ('set_at', models.DateTimeField()),
                ('community', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='font', to='people.community')),
            ],
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('speaker', 'Speaker'), ('expert', 'Expert'), ('researcher', 'Researcher'), ('steward', 'Steward'), ('elder', 'Elder')], max_length=16)),
                ('secret_sha256', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('expires_at', models.DateTimeField()),
                ('uses_left', models.PositiveIntegerField(default=1)),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='people.community')),
                ('invited_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='Orthography',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('script', models.CharField(default='Latn', max_length=4, validators=[django.core.validators.RegexValidator('^[A-Z][a-z]{3}$', 'Write the ISO 15924 code of the script, such as Latn.')])),
                ('characters', models.CharField(blank=True, help_text='Letters and marks for the character row, separated by spaces.', max_length=400)),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='orthographies', to='people.community')),
            ],
            options={
                'verbose_name_plural': 'orthographies',
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(fields=('community', 'name'), name='orthography_name_is_unique_in_community')],
            },
        ),
        migrations.CreateModel(
            name='Variety',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(max_length=32)),
                ('name', models.CharField(max_length=120)),
                ('iso_639_3', models.CharField(blank=True, max_length=3, validators=[django.core.validators.RegexValidator('^[a-z]{3}$', 'Write the three small letters of ISO 639-3.')])),
                ('glottocode', models.CharField(blank=True, max_length=8, validators=[django.core.validators.RegexValidator('^[a-z0-9]{4}[0-9]{4}$', 'Write a Glottolog code such as mezq1235.')])),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='varieties', to='people.community')),
            ],
            options={
                'verbose_name_plural': 'varieties',
                'ordering': ['name'],
                'constraints': [models.UniqueConstraint(fields=('community', 'code'), name='variety_code_is_unique_in_community')],
            },
        ),
        migrations.CreateModel(
            name='LanguageProfile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='language_profiles', to='people.community')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='language_profiles', to=settings.AUTH_USER_MODEL)),
                ('orthographies', models.ManyToManyField(blank=True, related_name='writers', to='people.orthography')),
                ('varieties', models.ManyToManyField(blank=True, related_name='speakers', to='people.variety')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('person', 'community'), name='one_language_profile_per_community')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('speaker', 'Speaker'), ('expert', 'Expert'), ('researcher', 'Researcher'), ('steward', 'Steward'), ('elder', 'Elder')], max_length=16)),
                ('since', models.DateTimeField()),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('community', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='people.community')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['community', 'person', 'role'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True)), fields=('person', 'community', 'role'), name='one_live_membership_per_role'), models.CheckConstraint(condition=models.Q(('role__in', ['speaker', 'expert', 'researcher', 'steward', 'elder'])), name='membership_role_is_known')],
            },
        ),
    ]
