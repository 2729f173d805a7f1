"""The Celery application: jobs live in `<app>/jobs.py` and take database ids only."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wordhearth.settings")

app = Celery("wordhearth")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="jobs")
