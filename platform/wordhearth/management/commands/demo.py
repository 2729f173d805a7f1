"""`manage.py demo`: the main job, end to end, on real text, with progress shown."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from annotation.answers.models import Answer
from annotation.projects.models import Project
from care.models import Receipt
from people.models import Community
from people.refusals import Refusal
from training.runs.models import Adapter, Run
from training.runs.services import folder_of
from wordhearth.demo import community as stage
from wordhearth.demo import kinds, walk
from wordhearth.management.commands.up import check_port
from wordhearth.measuring import free_port


class Command(BaseCommand):
    """Creates the demo community and takes its sentences from the form to an approved adapter."""

    help = "Run the main job on demo data, then keep serving the site (or stop, with --once)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--once, --port."""
        parser.add_argument("--once", action="store_true", help="stop afterwards; the last line is a JSON object")
        parser.add_argument("--port", type=int, default=8000, help="of the site, on 127.0.0.1 (default 8000)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the steps, then serve."""
        began = time.monotonic()
        port = free_port() if options["once"] else options["port"]
        check_port("127.0.0.1", port)
        self.console = Console(soft_wrap=True, highlight=False)
        self.console.print("[bold]Wordhearth[/bold] demo: published Otomí sentences, from the form to a model\n")
        call_command("migrate", interactive=False, verbosity=0, skip_checks=False)
        site = _start_site(port)
        try:
            facts = self._walk(began, site)
        except (walk.DemoFailed, Refusal) as error:
            _stop_site(site)
            raise CommandError(f"The demo stopped: {error}") from error
        except BaseException:
            _stop_site(site)
            raise
        if options["once"]:
            _stop_site(site)
            self.stdout.write(json.dumps(facts, ensure_ascii=False))
            return
        self._closing_words(port, facts)
        try:
            site.wait()
        except KeyboardInterrupt:
            self.console.print("\nStopping ...")
        finally:
            _stop_site(site)

    def _walk(self, began: float, site: subprocess.Popen[bytes]) -> dict[str, Any]:
        password = stage.demo_password()
        with self._step("accounts and community"):
            cast = stage.make_accounts(password)
            community = stage.make_community(cast)
            stage.make_policy(community, cast)
        with self._step("corpus of the elotl package") as note:
            note(f"{stage.import_corpus(community, cast)} sentences")
            project = stage.make_project(community, cast)
        self._bar("answers through the speakers' service", walk.TOTAL_ANSWERS, walk.answer_tasks(project, cast))
        self._review(project, cast)
        with self._step("an expert decides disputes") as note:
            walk.decide_disputes(cast, project)
            note(f"{Answer.objects.disputed().filter(task__project=project).count()} left for you")
        with self._step("a project of every other kind") as note:
            projects = kinds.open_kinds(community, cast)
            kinds.classify_questions(next(row for row in projects if row.kind == "classify"), cast)
            note(", ".join(sorted(row.kind for row in projects)))
        with self._step("release") as note:
            release = walk.make_release(project, cast)
            note(f"number {release.number}, {sum_of(release.counts)} sentences, {release.sha256[:12]}")
        run = walk.start_run(release, cast)
        adapter = self._train(run, site)
        with self._step("a steward approves the adapter") as note:
            adapter = walk.approve(adapter, cast)
            note(f"bits per byte {adapter.base_bpb:.2f} → {adapter.adapter_bpb:.2f}, through a gate with demo bounds")
        return facts_of(community, project, adapter, time.monotonic() - began)

    def _review(self, project: Project, cast: stage.Cast) -> None:
        waiting = walk.count_waiting(project)
        done = (waiting - left for left in walk.review_answers(project, cast))
        self._bar("peer reviews, two for each answer", waiting, done)

    def _train(self, run: Run, site: subprocess.Popen[bytes]) -> Adapter:
        with self._progress() as progress:
            task = progress.add_task("training and evaluation", total=None)

            def tell(current: Run) -> None:
                if site.poll() is not None:
                    raise walk.DemoFailed("The worker processes ended; their output is above.")
                progress.update(task, **_shown(current))

            adapter = walk.wait_for(run, tell)
            progress.update(task, description="training and evaluation", total=1, completed=1)
        self.console.print(f"  [dim]run folder: {folder_of(run)}[/dim]")
        return adapter

    def _bar(self, name: str, total: int, steps: Any) -> None:
        with self._progress() as progress:
            task = progress.add_task(name, total=total)
            for done in steps:
                progress.update(task, completed=done)
            progress.update(task, completed=total)

    def _progress(self) -> Progress:
        return Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description:<42}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.console,
        )

    def _step(self, name: str) -> _Step:
        return _Step(self.console, name)

    def _closing_words(self, port: int, facts: dict[str, Any]) -> None:
        address = f"http://127.0.0.1:{port}"
        self.console.print(
            f"\n[bold]{address}[/bold]   (stop with Ctrl-C)\n\nDemo accounts, all with the password "
            f"[bold]{stage.demo_password()}[/bold]:"
        )
        for username, what in stage.sign_ins():
            self.console.print(f"  {username:<18} {what}")
        self.console.print(
            f"\nLook at:\n  {address}/c/{stage.SLUG}/try/  the adapter beside its base model\n"
            f"  {address}/c/{stage.SLUG}/train/  releases, runs, loss curves\n"
            f"  held-out bits per byte {facts['base_bpb']:.2f} → {facts['adapter_bpb']:.2f}, "
            f"chrF++ {facts['base_chrf']:.1f} → {facts['adapter_chrf']:.1f}, in {facts['seconds']:.0f} s\n"
        )


class _Step:
    """One short step: says what it does, then how long it took."""

    def __init__(self, console: Console, name: str) -> None:
        self._console, self._name, self._note, self._began = console, name, "", time.monotonic()

    def __enter__(self) -> Any:
        def note(text: str) -> None:
            self._note = text

        return note

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if error is None:
            seconds = time.monotonic() - self._began
            self._console.print(f"✓ {self._name:<42} {self._note} [dim]({seconds:.1f} s)[/dim]")


def _shown(run: Run) -> dict[str, Any]:
    """The training bar's columns, from the run's progress."""
    progress = run.progress
    phase = progress.get("phase", run.get_state_display())
    if phase == "training" and "step" in progress:
        words = f"training, loss {progress.get('loss', 0):.2f}, {progress.get('tokens_per_second', 0):.0f} tokens/s"
        return {"description": words, "total": progress["steps"], "completed": progress["step"]}
    if phase == "evaluating" and "of" in progress:
        return {"description": "evaluating", "total": progress["of"], "completed": progress["done"]}
    return {"description": str(phase)}


def sum_of(counts: dict[str, int]) -> int:
    """Rows in the three splits."""
    return sum(counts[split] for split in ("train", "validation", "test"))


def facts_of(community: Community, project: Project, adapter: Adapter, seconds: float) -> dict[str, Any]:
    """The JSON object of `--once`."""
    answers = Answer.objects.filter(task__project=project)
    release = adapter.run.release
    return {
        "community": community.slug,
        "answers": answers.count(),
        "validated": answers.validated().count(),
        "consent_receipts": Receipt.objects.filter(community=community, ended_at__isnull=True).count(),
        "release": release.sha256,
        "release_items": release.items.count(),
        "run": adapter.run_id,
        "adapter": adapter.pk,
        "adapter_sha256": adapter.sha256,
        "base_bpb": round(adapter.base_bpb, 4),
        "adapter_bpb": round(adapter.adapter_bpb, 4),
        "base_chrf": round(adapter.base_chrf or 0.0, 2),
        "adapter_chrf": round(adapter.adapter_chrf or 0.0, 2),
        "seconds": round(seconds, 1),
    }


def _start_site(port: int) -> subprocess.Popen[bytes]:
    """Web server and workers, as `manage.py up` runs them; their lines go to var/run/demo.log."""
    log = settings.VAR_DIR / "run" / "demo.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "up", "--port", str(port)],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ.copy(),
        )


def _stop_site(site: subprocess.Popen[bytes]) -> None:
    if site.poll() is None:
        site.send_signal(signal.SIGTERM)
        try:
            site.wait(timeout=60)
        except subprocess.TimeoutExpired:
            site.kill()
