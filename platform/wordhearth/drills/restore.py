"""`script/drill restore`: somebody's words are erased, a backup from before is restored, and the words stay gone.

A site of its own in a temporary folder: an account writes, `pg_dump` makes a backup, the account is erased with all it
wrote, `psql` loads the backup into an empty database, and `manage.py up` starts. What the account wrote is looked for
in every column that may hold text, at each point; at the last one the site has answered its first request. What the
database itself refuses (answers that may not be used, counter-examples that pass for good ones) is tried before the
backup and after it is loaded.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from rich.table import Table

from annotation.answers.models import Answer
from annotation.answers.services import submit_answer
from annotation.corpora.services import import_upload
from annotation.projects.models import Project
from annotation.projects.services import lease_task, open_project
from care.models import Policy, Purpose
from care.purposes import reading_for
from care.services import give_consent
from people.models import Person
from people.row_security import unbound_tables
from training.lineage.erasing import erase_person
from training.releases.models import Release, ReleaseItem
from wordhearth.demo import community as stage
from wordhearth.drills.restarts import NOT_INHERITED, START_SECONDS, Site, stop
from wordhearth.embedded.postgres import Postgres
from wordhearth.leftovers import found_in_database
from wordhearth.measuring import seconds_until

NEEDS_SITE = False
ANSWERS = 30
CANARIES = [f"kanario{number:03d}" for number in range(ANSWERS)]
# No table is unbound; one answer is given for training, two with counter-examples; one that was turned down is in no
# release as a good one, nor in one that holds none such.
GUARDED = [0, 1, 2, "release_holds_validated_answers", "release_holds_counter_examples_as_such", "kept"]
# Rows of communities are given to whoever says that they want all of them (docs/operations.md).
EVERYTHING = {"PGOPTIONS": "-c wordhearth.communities=*"}


def run() -> dict[str, Any]:
    """Write, back up, erase, restore, serve; how many of the words were found at each point."""
    with tempfile.TemporaryDirectory(prefix="wordhearth-drill-") as folder:
        var = Path(folder).resolve()
        facts = {"answers": ANSWERS, **_before_serving(var)}
        began = time.monotonic()
        site = Site(var)
        try:
            facts["served"] = (
                seconds_until(lambda: site.answers() or site.has_ended(), within=START_SECONDS) is not None
            )
            facts["seconds_to_serve"] = round(time.monotonic() - began, 1)
            facts["found_when_served"] = _act(var, "look")
            return judged({**facts, **stop(site)})
        finally:
            site.clean_up()


def _before_serving(var: Path) -> dict[str, Any]:
    """What the database holds at each point, before anybody is served."""
    _act(var, "write")
    written, guarded = _act(var, "look"), _act(var, "guard")
    _act(var, "back_up")
    _act(var, "erase")
    erased = _act(var, "look")
    _act(var, "restore")
    return {
        "found_when_written": written,
        "found_when_erased": erased,
        "found_when_restored": _act(var, "look"),
        "guarded_when_written": guarded,
        "guarded_when_restored": _act(var, "guard"),
    }


def _act(var: Path, name: str) -> Any:
    """One act in a process of its own, on the drill's data; what it printed last."""
    env = {key: value for key, value in os.environ.items() if key not in NOT_INHERITED}
    paths = os.pathsep.join([str(settings.BASE_DIR / "platform"), str(settings.BASE_DIR)])
    done = subprocess.run(
        [
            sys.executable,
            "manage.py",
            "shell",
            "-v",
            "0",
            "-c",
            f"from wordhearth.drills import restore; restore.{name}()",
        ],
        cwd=settings.BASE_DIR,
        env={**env, "PYTHONPATH": paths, "WORDHEARTH_VAR": str(var)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{name} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else None


def write() -> None:
    """An account with words in its name, its notes, and thirty answers."""
    call_command("migrate", interactive=False, verbosity=0)
    now = timezone.now()
    cast = stage.make_accounts("made for a drill")
    community = stage.make_community(cast)
    policy = stage.make_policy(community, cast)
    writer = cast.speakers[0]
    give_consent(person=writer, policy=policy, purposes=list(stage.PURPOSES), now=now)
    lines = "".join(f"frase {number}\n" for number in range(ANSWERS + 2))
    import_upload(
        community=community, imported_by=cast.steward, name="drill.tsv", title="Drill", licence="CC0",
        language_tag="es", content=f"text\n{lines}".encode(), now=now,
    )  # fmt: skip
    project = open_project(
        community=community, created_by=cast.steward, sources=list(community.sources.all()), now=now, title="Drill",
        source_language_name="Spanish", source_language_tag="es",
    )  # fmt: skip
    for canary in CANARIES:
        lease = lease_task(project=project, person=writer, now=now)
        submit_answer(assignment=lease, author=writer, client_id=uuid4(), now=now, text=f"{canary} ñäʼ")
    _write_what_stays(project, policy, cast.speakers[1])


def _write_what_stays(project: Project, policy: Policy, writer: Person) -> None:
    """One answer that peers found right, and one that they turned down for what it says."""
    give_consent(person=writer, policy=policy, purposes=list(stage.PURPOSES), now=timezone.now())
    for state in (Answer.State.VALIDATED, Answer.State.REJECTED):
        lease = lease_task(project=project, person=writer, now=timezone.now())
        made = submit_answer(
            assignment=lease, author=writer, client_id=uuid4(), now=timezone.now(), text=f"restas {state}"
        )
        Answer.objects.filter(pk=made.pk).update(state=state)


def back_up() -> None:
    """As docs/operations.md says."""
    _call("pg_dump", "--enable-row-security", "-f", str(_backup()), os.environ["DATABASE_URL"])


def erase() -> None:
    """By their own wish."""
    erase_person(person=Person.objects.get(username=stage.SPEAKERS[0]), now=timezone.now())


def restore() -> None:
    """The database is lost, and what the backup holds takes its place."""
    name = connection.settings_dict["NAME"]
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}"')
    _call("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(_backup()), os.environ["DATABASE_URL"])


def look() -> None:
    """How many of the words are anywhere in the database."""
    found = found_in_database(CANARIES)
    print(len({line.split(": ")[1].split(" ")[0] for line in found}))  # noqa: T201 - read by the drill


def guard() -> None:
    """What the database gives and refuses by itself: tables that are not bound, how many answers it gives for training,
    without counter-examples and with them, and what becomes of a row of a release with one."""
    mine = Answer.objects.filter(text__startswith="restas ")
    with reading_for(Purpose.TRAIN_NONCOMMERCIAL):
        good = mine.count()
    with reading_for(Purpose.TRAIN_NONCOMMERCIAL, counter_examples=True):
        both = mine.count()
    tried = [_outcome(*case) for case in ((False, True), (False, False), (True, False))]
    print(json.dumps([len(unbound_tables()), good, both, *tried]))  # noqa: T201 - read by the drill


def _outcome(has_judgements: bool, is_good: bool) -> str:
    """The constraint that refuses an answer which was turned down in such a release, or that it was kept."""
    wrong = Answer.objects.filter(state=Answer.State.REJECTED).select_related("task__project").get()
    project = wrong.task.project
    try:
        with transaction.atomic():
            release = Release.objects.create(
                community=project.community, project=project, number=1, purpose=Purpose.TRAIN_NONCOMMERCIAL,
                sha256="0" * 64, folder="drill", has_judgements=has_judgements, created_at=timezone.now(),
            )  # fmt: skip
            ReleaseItem.objects.create(
                release=release,
                answer=wrong,
                receipt_id=wrong.receipt_id,
                split="train",
                row_sha256="",
                is_good=is_good,
            )
            transaction.set_rollback(True)
    except IntegrityError as error:
        return str(getattr(error.__cause__.diag, "constraint_name", error))  # type: ignore[union-attr]
    return "kept"


def _backup() -> Path:
    return Path(settings.VAR_DIR) / "backup.sql"


def _call(program: str, *arguments: str) -> None:
    programs = Postgres(Path(settings.VAR_DIR) / "postgres").programs
    subprocess.run(
        [str(programs / program), *arguments], env={**os.environ, **EVERYTHING}, check=True, capture_output=True
    )


def judged(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts, with a sentence in `failures` for everything that is not as it must be."""
    wrong = {
        "found_when_written": facts["found_when_written"] != ANSWERS and "Not all words were written.",
        "found_when_erased": facts["found_when_erased"] != 0 and "Erasing left words behind.",
        "found_when_restored": facts["found_when_restored"] != ANSWERS and "The backup did not bring the words back.",
        "guarded_when_written": facts["guarded_when_written"] != GUARDED and "The database lets pass what it must not.",
        "guarded_when_restored": facts["guarded_when_restored"] != GUARDED
        and "The restored database does not refuse what the one before did.",
        "served": not facts["served"] and "The site did not answer.",
        "found_when_served": facts["found_when_served"] != 0 and "Words were there when the site was served.",
        "exit_code": facts["exit_code"] != 0 and "The site did not end well.",
    }
    return {**facts, "failures": [said for said in wrong.values() if said]}


def table(facts: dict[str, Any]) -> Table:
    """The same for people."""
    shown = Table(title=f"{facts['answers']} answers, erased, and a backup from before restored", title_justify="left")
    shown.add_column("point")
    shown.add_column("answers whose words were found", justify="right")
    for name, words in (
        ("found_when_written", "written, the backup is made"),
        ("found_when_erased", "erased"),
        ("found_when_restored", "the backup is loaded"),
        ("found_when_served", "the site has answered"),
    ):
        shown.add_row(words, str(facts[name]))
    return shown
