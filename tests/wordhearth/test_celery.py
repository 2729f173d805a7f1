"""Jobs go to the worker that can do them, and the beat knows only jobs that exist."""

from django.conf import settings

from wordhearth.celery import app


def test_jobs_are_routed_by_what_they_need():
    app.loader.import_default_modules()
    route = app.amqp.router.route
    assert route({}, "training.runs.jobs.execute_run_job")["queue"].name == "training"
    assert route({}, "training.playground.jobs.generate_job")["queue"].name == "playground"
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        assert entry["task"] in app.tasks
        assert route({}, entry["task"])["queue"].name == "default"
