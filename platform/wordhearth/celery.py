"""The Celery application: jobs live in `<app>/jobs.py` and take database ids only."""

import os
from typing import Any

from celery import Celery
from celery.contrib.django.task import DjangoTask

from people.tenants import every_community

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "wordhearth.settings")


class HouseTask(DjangoTask):
    """A job works for every community: it is told which rows to work on, and by code of ours."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run it, in a worker as well as at once."""
        with every_community():
            return super().__call__(*args, **kwargs)


app = Celery("wordhearth", task_cls=HouseTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(related_name="jobs")
