"""Settings of the Wordhearth project; every deployment choice is an environment variable.

docs/operations.md lists the variables. Nothing here starts a service: `manage.py` does that
(`wordhearth.embedded`) before Django reads this file, so that a plain import stays cheap.
"""

from __future__ import annotations

import os
import secrets
import shlex
from pathlib import Path

from training.metering.grid import grid_of
from wordhearth.embedded.addresses import celery_url, database_settings
from wordhearth.embedded.folders import var_folder

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = var_folder()


def _flag(name: str, default: str = "0") -> bool:
    return os.environ.get(name, default).lower() in {"1", "true", "yes"}


def _words(name: str) -> list[str]:
    return [word.strip() for word in os.environ.get(name, "").split(",") if word.strip()]


def _secret_key() -> str:
    """The key from the environment, else one kept in var/ so that sessions survive a restart."""
    if key := os.environ.get("DJANGO_SECRET_KEY"):
        return key
    kept = VAR_DIR / "secret_key"
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(kept, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
    except FileExistsError:
        pass
    return kept.read_text().strip()


SECRET_KEY = _secret_key()
# Signs the ledger's checkpoints: 32 bytes in base64, else made once when the first is signed.
LEDGER_KEY = os.environ.get("WORDHEARTH_LEDGER_KEY", "")
LEDGER_KEY_FILE = VAR_DIR / "ledger_key"
# Where labels of communities are read, and the key of an account there; without a key nothing is asked.
LOCAL_CONTEXTS_HUB = os.environ.get("LOCAL_CONTEXTS_HUB", "https://localcontextshub.org/api/v2")
LOCAL_CONTEXTS_KEY = os.environ.get("LOCAL_CONTEXTS_KEY", "")
DEBUG = _flag("DJANGO_DEBUG")
ALLOWED_HOSTS = _words("DJANGO_ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]", "testserver"]
CSRF_TRUSTED_ORIGINS = _words("CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "ledger",
    "people",
    "care",
    "annotation.corpora",
    "annotation.standing",
    "annotation.projects",
    "annotation.answers",
    "annotation.guard",
    "annotation.conflicts",
    "annotation.revision",
    "annotation.rewards",
    "training.releases",
    "training.runs",
    "training.exports",
    "training.playground",
    "training.mining",
    "training.lineage",
    "wordhearth",
    "frontend",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "frontend.collected.CollectedFiles",
    "django.contrib.humanize",
    "django_htmx",
    "allauth",
    "allauth.account",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Above whatever may refuse a request, so that error pages carry the policy too.
    "wordhearth.middleware.ContentSecurityPolicyMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    # Above whatever may ask the database for a row of a community.
    "wordhearth.middleware.CommunitiesInViewMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "wordhearth.middleware.UnreadableInputMiddleware",
]

ROOT_URLCONF = "wordhearth.urls"
WSGI_APPLICATION = "wordhearth.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # A kind of task keeps its templates in its own folder.
        "DIRS": [BASE_DIR / "frontend" / "templates", BASE_DIR / "annotation" / "kinds"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "frontend.context.desks",
            ],
        },
    },
]

# Unset only where no database is touched (type checks, linters): any query then says so.
DATABASES = {"default": database_settings(os.environ.get("DATABASE_URL", "postgresql://unset@127.0.0.1:1/unset"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:1/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}
# Checks of answers (annotation) ask here what models wrote (training), so that the arrow between them stays one.
MACHINE_TEXTS = "training.playground.services.machine_texts"
SESSION_ENGINE = "django.contrib.sessions.backends.db"

CELERY_BROKER_URL = celery_url(REDIS_URL)
CELERY_TASK_DEFAULT_QUEUE = "default"
# Long runs and quick trials have workers of their own, so that neither waits for the other.
CELERY_TASK_ROUTES = {
    "training.runs.jobs.execute_run_job": {"queue": "training"},
    "training.runs.jobs.compare_adapter_job": {"queue": "training"},
    "training.runs.jobs.read_adapter_job": {"queue": "training"},
    "training.runs.jobs.make_rows_job": {"queue": "training"},
    "training.exports.jobs.export_job": {"queue": "training"},
    "training.mining.jobs.probe_job": {"queue": "training"},
    "training.playground.jobs.generate_job": {"queue": "playground"},
    "training.playground.jobs.suggest_job": {"queue": "playground"},
    "training.playground.jobs.explain_job": {"queue": "playground"},
}
CELERY_TASK_IGNORE_RESULT = True
# The database row is the truth and every job may run twice, so a lost worker costs a repeat, never a loss.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "run" / "beat-schedule")
CELERY_BEAT_SCHEDULE = {
    # Twice an hour, so that a late one still comes within the hour.
    "make-checkpoints": {"task": "ledger.jobs.make_checkpoints_job", "schedule": 1800.0},
    "expire-leases": {"task": "annotation.projects.jobs.expire_leases_job", "schedule": 60.0},
    "keep-time-of-decisions": {"task": "care.jobs.keep_time_job", "schedule": 60.0},
    "read-labels-of-the-hub": {"task": "care.jobs.read_hub_job", "schedule": 86_400.0},
    "keep-agreements": {"task": "care.jobs.keep_agreements_job", "schedule": 86_400.0},
    "keep-ages": {"task": "care.jobs.keep_ages_job", "schedule": 3600.0},
    "mark-late-reports": {"task": "care.jobs.mark_late_job", "schedule": 60.0},
    "mark-unanswered-requests": {"task": "care.jobs.mark_unanswered_job", "schedule": 3600.0},
    "score-changes": {"task": "annotation.rewards.jobs.score_changes_job", "schedule": 20.0},
    "estimate-skills": {"task": "annotation.guard.jobs.estimate_skills_job", "schedule": 60.0},
    "find-pairs": {"task": "annotation.guard.jobs.find_pairs_job", "schedule": 86_400.0},
    "recover-scans": {"task": "annotation.revision.jobs.recover_scans_job", "schedule": 600.0},
    "recover-generations": {"task": "training.playground.jobs.recover_generations_job", "schedule": 60.0},
    "recover-runs": {"task": "training.runs.jobs.recover_runs_job", "schedule": 30.0},
    "recover-readings": {"task": "training.runs.jobs.recover_readings_job", "schedule": 60.0},
    "recover-rows": {"task": "training.runs.jobs.recover_rows_job", "schedule": 60.0},
    "recover-exports": {"task": "training.exports.jobs.recover_exports_job", "schedule": 60.0},
    "recover-probes": {"task": "training.mining.jobs.recover_probes_job", "schedule": 60.0},
    "follow-withdrawals": {"task": "training.lineage.jobs.follow_withdrawals_job", "schedule": 20.0},
    "erase-accounts": {"task": "training.lineage.jobs.erase_accounts_job", "schedule": 60.0},
    "start-scheduled-runs": {"task": "training.runs.jobs.start_scheduled_runs_job", "schedule": 60.0},
}

AUTH_USER_MODEL = "people.Person"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
# Nobody gave an e-mail address, so nothing is ever sent.
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

LANGUAGE_CODE = "en-gb"
# Only languages that every page speaks (tests/guards/test_catalogues.py); a browser asking for another gets whole
# English pages, not half ones. Each is named as its readers name it.
LANGUAGES = [("en-gb", "English"), ("es", "Español"), ("fr", "Français"), ("ar", "العربية")]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
USE_I18N = True
LOCALE_PATHS = [BASE_DIR / "frontend" / "locale"]
FORMAT_MODULE_PATH = "frontend.formats"
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "frontend.storage.HashedStaticFiles"},
}
# With DEBUG, files are served from where they are written, without being collected.
WHITENOISE_USE_FINDERS = DEBUG

# A whole answer is at most a few kilobytes; uploads are streamed and have a limit of their own.
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if _flag("WORDHEARTH_HTTPS"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "wordhearth.api.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PARSER_CLASSES": [
        "rest_framework.parsers.JSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "EXCEPTION_HANDLER": "wordhearth.problems.problem_details",
    "DEFAULT_THROTTLE_RATES": {"sign-in": "20/min"},
    "PAGE_SIZE": 50,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Wordhearth",
    "DESCRIPTION": "Write, check and govern the text that a language model learns from.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "DirectionEnum": "people.models.Community.Direction",
        "ProjectStateEnum": "annotation.projects.models.Project.State",
        "AssignmentStateEnum": "annotation.projects.models.Assignment.State",
        "AnswerStateEnum": "annotation.answers.models.Answer.State",
        "PolicyStateEnum": "care.models.Policy.State",
        "AgreementStateEnum": "care.models.Agreement.State",
        "CommitmentStateEnum": "care.models.Commitment.State",
        "CommitmentKindEnum": "care.models.Commitment.Kind",
        "HarmOutcomeEnum": "care.models.HarmReport.Outcome",
        "HarmReportStateEnum": "care.models.HarmReport.State",
        "ReportableKindEnum": "training.lineage.api.KINDS",
        "RestrictionKindEnum": "care.models.Restriction.Kind",
        "RunStateEnum": "training.runs.models.Run.State",
        "AdapterStateEnum": "training.runs.models.Adapter.State",
        "GenerationStateEnum": "training.playground.models.Generation.State",
        "ExplanationStateEnum": "training.playground.models.Explanation.State",
        "SkipReasonEnum": "annotation.projects.models.Assignment.SkipReason",
        "StandingEventKindEnum": "annotation.standing.models.StandingEvent.Kind",
        "RejectionReasonEnum": "annotation.answers.models.Review.Reason",
    },
}

# Training
MODELS_DIR = VAR_DIR / "models"
RELEASES_DIR = VAR_DIR / "releases"
RUNS_DIR = VAR_DIR / "runs"
# What was erased, by id: kept apart from backups of the database, to erase it again after a restore (docs/my-data.md).
ERASURES_FILE = VAR_DIR / "erasures.jsonl"
# Adapters that a playground worker keeps in memory beside its base model.
PLAYGROUND_ADAPTERS = int(os.environ.get("WORDHEARTH_PLAYGROUND_ADAPTERS", "8"))
# Stated electric power of the training machine at full load, in watts, where no meter can be read; what its building
# draws for each of them; and the grid it hangs on (docs/energy.md).
TRAINING_WATTS = float(os.environ.get("WORDHEARTH_TRAINING_WATTS", "65"))
TRAINING_PUE = float(os.environ.get("WORDHEARTH_TRAINING_PUE", "1"))
TRAINING_GRID = grid_of(
    os.environ.get("WORDHEARTH_TRAINING_REGION", ""),
    grams_per_kwh=float(os.environ.get("WORDHEARTH_TRAINING_GRAMS_PER_KWH") or 0),
    source=os.environ.get("WORDHEARTH_TRAINING_GRAMS_SOURCE", ""),
    year=int(os.environ.get("WORDHEARTH_TRAINING_GRAMS_YEAR") or 0),
)
# How this worker trains as several processes: options of `accelerate launch` (docs/methods.md). None: as one.
TRAINING_LAUNCH = shlex.split(os.environ.get("WORDHEARTH_TRAINING_LAUNCH", ""))
# What one community may take up: runs that wait or run, runs at the same time, hours in thirty days (0: no limit).
TRAINING_MOST_LIVE = int(os.environ.get("WORDHEARTH_TRAINING_MOST_LIVE", "200"))
TRAINING_AT_ONCE = int(os.environ.get("WORDHEARTH_TRAINING_AT_ONCE", "0"))
TRAINING_MOST_HOURS = int(os.environ.get("WORDHEARTH_TRAINING_MOST_HOURS", "0"))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("WORDHEARTH_LOG", "WARNING")},
}
