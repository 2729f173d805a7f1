"""The drills: what they make of their measurements, and `restarts` once for real."""

import json
import os
import subprocess
import sys

import psutil
import pytest
from rich.console import Console

from tests.guards.tree import ROOT
from wordhearth.drills import restarts, restore, withdrawal
from wordhearth.management.commands.up import commands

BACK = {
    "seconds_to_start": 9.0,
    "children": {
        "web": {"killed": 1, "seconds_to_process": 2.1, "seconds_to_answer": 3.5},
        "beat": {"killed": 2, "seconds_to_process": 2.0},
    },
    "seconds_to_stop": 4.0,
    "exit_code": 0,
    "left_behind": [],
}


def changed(**more):
    return json.loads(json.dumps({**BACK, **more}))


@pytest.fixture
def sleeper(tmp_path):
    """sleeper(**how) starts a process that waits; it is killed afterwards."""
    made = []

    def start(*arguments, **how):
        made.append(subprocess.Popen([sys.executable, "-S", "-c", "input()", *arguments], stdin=subprocess.PIPE, **how))
        return psutil.Process(made[-1].pid)

    yield start
    for process in made:
        process.kill()
        process.wait()
        process.stdin.close()


def test_every_process_of_up_is_killed():
    assert list(restarts.NAMES) == list(commands(bind="127.0.0.1", port=1, threads=1, no_training=False))


def test_when_all_came_back_nothing_failed():
    facts = restarts.judged(changed())
    assert facts["clean_exit"] is True
    assert facts["failures"] == []


def test_a_process_that_stayed_away_is_named():
    facts = changed()
    facts["children"]["beat"]["seconds_to_process"] = None
    assert restarts.judged(facts)["failures"] == ["beat did not come back within 60 s."]


def test_a_web_server_that_runs_and_does_not_answer_is_named():
    facts = changed()
    facts["children"]["web"]["seconds_to_answer"] = None
    assert restarts.judged(facts)["failures"] == ["web did not come back within 60 s."]


@pytest.mark.parametrize("code", [1, -9, None])
def test_a_group_that_ended_badly_is_no_clean_exit(code):
    facts = restarts.judged(changed(exit_code=code))
    assert facts["clean_exit"] is False
    assert facts["failures"] == [f"The group ended with {code} when it was told to stop."]


def test_what_was_left_behind_is_named():
    facts = restarts.judged(changed(left_behind=["postgres (7)"]))
    assert facts["clean_exit"] is False
    assert facts["failures"] == ["Left behind: postgres (7)."]


def test_a_site_that_did_not_start_says_what_it_printed():
    facts = restarts.judged({"children": {}, "site_output": "Port 1 is taken."})
    assert facts["clean_exit"] is False
    assert facts["failures"] == ["The site did not start:\nPort 1 is taken."]


@pytest.mark.parametrize("facts", [BACK, {"children": {}, "site_output": ""}])
def test_there_is_a_table_whatever_happened(facts):
    console = Console(record=True, width=100, file=open(os.devnull, "w"))  # noqa: SIM115
    console.print(restarts.table(restarts.judged(dict(facts))))
    assert "exit code" in console.export_text()


def test_a_process_belongs_to_a_folder_by_environment_arguments_or_place(sleeper, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    for process in (
        sleeper(env={**os.environ, "WORDHEARTH_VAR": str(tmp_path)}),
        sleeper(f"--data={tmp_path}/postgres"),
        sleeper(cwd=tmp_path),
    ):
        assert restarts.belongs_to(process, tmp_path)
        assert not restarts.belongs_to(process, other)


def test_a_process_that_has_ended_belongs_to_nothing(sleeper, tmp_path):
    process = sleeper(cwd=tmp_path)
    process.kill()
    assert restarts.seconds_until(lambda: not restarts.is_alive(process.pid), within=10) is not None
    assert not restarts.belongs_to(process, tmp_path)


@pytest.mark.slow
def test_for_real_everything_comes_back_and_nothing_is_left():
    command = [sys.executable, str(ROOT / "manage.py"), "drill", "restarts", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    facts = json.loads(done.stdout.splitlines()[-1])
    assert set(facts["children"]) == set(restarts.NAMES)
    assert all(child["seconds_to_process"] < 60 for child in facts["children"].values())
    assert facts["children"]["web"]["seconds_to_answer"] < 60
    assert (facts["clean_exit"], facts["left_behind"]) == (True, [])


RESTORED = {
    "answers": restore.ANSWERS,
    "found_when_written": restore.ANSWERS,
    "guarded_when_written": restore.GUARDED,
    "guarded_when_restored": restore.GUARDED,
    "found_when_erased": 0,
    "found_when_restored": restore.ANSWERS,
    "served": True,
    "found_when_served": 0,
    "exit_code": 0,
}


@pytest.mark.parametrize(
    ("changes", "failures"),
    [
        ({}, []),
        ({"found_when_served": 3}, ["Words were there when the site was served."]),
        ({"found_when_restored": 0}, ["The backup did not bring the words back."]),
        ({"guarded_when_restored": [1, 3]}, ["The restored database does not refuse what the one before did."]),
        ({"found_when_erased": 1, "served": False}, ["Erasing left words behind.", "The site did not answer."]),
    ],
)
def test_a_restored_backup_is_judged_by_what_is_found(changes, failures):
    assert restore.judged({**RESTORED, **changes})["failures"] == failures
    assert restore.table({**RESTORED, **changes}).row_count == 4


FORGOTTEN = {
    "rows": 116,
    "withdrawn_rows": 32,
    "steps": 87,
    "before_sha256": "a" * 64,
    "retrained_sha256": "b" * 64,
    "never_saw_sha256": "b" * 64,
    "uninterrupted_sha256": "a" * 64,
    "resumed_sha256": "a" * 64,
    "killed_after_step": 11,
    "killed_by_signal": 9,
    "resumed_from_step": 8,
    "canary_before_bits": 6.0,
    "canary_after_bits": 1.2,
    "control_bits": 1.2,
    "seconds": 40.0,
}


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"never_saw_sha256": "c" * 64}, "it is not the adapter that never saw them"),
        ({"retrained_sha256": "a" * 64, "never_saw_sha256": "a" * 64}, "The withdrawn rows made no difference"),
        ({"resumed_sha256": "c" * 64}, "it is not the adapter of the uninterrupted run"),
        ({"killed_by_signal": 0}, "was not killed in the middle"),
        ({"resumed_from_step": None}, "was not killed in the middle"),
        ({"canary_before_bits": 3.1}, "The canaries were not learnt"),
        ({"canary_after_bits": 2.3}, "it knows the canaries better than the adapter that never saw them"),
    ],
)
def test_what_a_withdrawal_leaves_behind_is_named(changes, failure):
    assert withdrawal.judged(FORGOTTEN)["failures"] == []
    (said,) = withdrawal.judged({**FORGOTTEN, **changes})["failures"]
    assert failure in said
    assert withdrawal.table({**FORGOTTEN, **changes}).row_count == 5


def test_the_rows_of_who_never_saw_them_are_the_same_rows_otherwise_written():
    everything = [*withdrawal.lessons(withdrawal.ROWS), *withdrawal.canaries()]
    assert len([row for row in everything if row["id"] in withdrawal.WITHDRAWN]) == len(withdrawal.WITHDRAWN) == 32
    kept = [row for row in everything if row["id"] not in withdrawal.WITHDRAWN]
    lines = withdrawal.written_apart()
    assert sorted(map(json.loads, lines), key=lambda row: row["id"]) == sorted(kept, key=lambda row: row["id"])
    assert [json.loads(line)["id"] for line in lines] != [row["id"] for row in kept]
    assert not {withdrawal.as_line(row) for row in kept} & set(lines)
