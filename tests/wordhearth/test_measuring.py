"""`manage.py bench` and `manage.py drill` run one module of a package and say what they found."""

import http.server
import json
import threading
import types
from contextlib import nullcontext
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from playwright.sync_api import Error
from rich.table import Table

from wordhearth import measuring
from wordhearth.benches import pages
from wordhearth.management.commands import bench, drill
from wordhearth.measuring import MeasuringCommand, answers, free_port, seconds_until


@pytest.fixture
def command(tmp_path, monkeypatch):
    """A command over a package made here, with one module `steady` that finds nothing and one `broken`."""
    (tmp_path / "made_up").mkdir()
    for name, failures in (("steady", []), ("broken", ["It did not come back.", "Nor did that."])):
        (tmp_path / "made_up" / f"{name}.py").write_text(
            f"def run():\n    return {{'seconds': 1.5, 'failures': {failures!r}}}\n"
            f"def table(facts):\n    return 'Table of {name}'\n"
        )
    (tmp_path / "made_up" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    import made_up

    class Command(MeasuringCommand):
        noun = "try"
        package = made_up

    return Command


def test_without_a_name_the_names_are_listed(command, capsys):
    call_command(command())
    assert capsys.readouterr().out.split() == ["broken", "steady"]


def test_an_unknown_name_is_refused_with_the_known_ones(command):
    with pytest.raises(CommandError, match="There is no try 'stedy'; there are: broken, steady"):
        call_command(command(), "stedy")


def test_data_is_refused_where_it_is_of_no_use(command, tmp_path):
    with pytest.raises(CommandError, match="takes no data"):
        call_command(command(), "steady", "--data", str(tmp_path))


def test_data_reaches_what_can_use_it(command, tmp_path, capsys):
    (Path(command.package.__path__[0]) / "hungry.py").write_text(
        "TAKES_DATA = True\ndef run(data):\n    return {'data': str(data[0])}\n"
        "def table(facts):\n    return facts['data']\n"
    )
    call_command(command(), "hungry", "--data", str(tmp_path))
    assert str(tmp_path) in capsys.readouterr().out.replace("\n", "")
    with pytest.raises(CommandError, match="no file or folder"):
        call_command(command(), "hungry", "--data", str(tmp_path / "nowhere"))


def test_people_get_a_table(command, capsys):
    call_command(command(), "steady")
    out = capsys.readouterr().out
    assert "Table of steady" in out
    assert "{" not in out


def test_a_table_in_a_file_loses_nothing(command, capsys):
    (Path(command.package.__path__[0]) / "wide.py").write_text(
        "def run():\n    return {}\ndef table(facts):\n    return ' '.join(['figure'] * 19)\n"
    )
    call_command(command(), "wide")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_machines_get_one_json_object_as_the_last_line(command, capsys):
    call_command(command(), "steady", "--json")
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"seconds": 1.5, "failures": []}


def test_failures_are_printed_and_end_the_command_with_an_error(command, capsys):
    with pytest.raises(CommandError, match=r"It did not come back\.\nNor did that\."):
        call_command(command(), "broken", "--json")
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["seconds"] == 1.5


@pytest.mark.parametrize(("module", "name"), [(bench, "pages"), (drill, "restarts")])
def test_every_bench_and_drill_has_run_and_table(module, name, capsys):
    call_command(module.Command())
    known = capsys.readouterr().out.split()
    assert name in known
    for each in known:
        found = measuring.importlib.import_module(f"{module.Command.package.__name__}.{each}")
        assert isinstance(found.run, types.FunctionType)
        assert found.table.__annotations__["return"] in {"Group", "Table", Table}


def test_waiting_tells_how_long_it_took_or_that_it_never_happened():
    asked = iter([False, False, True])
    assert 0.05 < seconds_until(lambda: next(asked), within=30) < 30
    assert seconds_until(lambda: False, within=0.1) is None


def test_a_site_answers_when_it_serves_the_page():
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/about/" else 500)
            self.end_headers()

        def log_message(self, *args):
            """Quiet."""

    port = free_port()
    assert not answers(f"http://127.0.0.1:{port}/about/")
    server = http.server.HTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    assert answers(f"http://127.0.0.1:{port}/about/")
    assert not answers(f"http://127.0.0.1:{port}/broken/")
    server.shutdown()
    server.server_close()


def test_without_a_browser_the_bench_of_pages_says_what_to_install(monkeypatch):
    def launch(**how):
        raise Error("BrowserType.launch: Executable doesn't exist\nmore than anybody reads")

    driver = types.SimpleNamespace(chromium=types.SimpleNamespace(launch=launch))
    monkeypatch.setattr(pages, "sync_playwright", lambda: nullcontext(driver))
    with pytest.raises(CommandError, match=r"Executable doesn't exist\nInstall one.*\n.*WORDHEARTH_CHROMIUM"):
        pages.run()
