"""The documents say what is there: every environment variable, every command, every script."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands

from tests.guards.tree import ROOT, files, shipped_python, shown

OPERATIONS = ROOT / "docs" / "operations.md"
VARIABLE = re.compile(r"^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$")
# Read, and still nothing for an operator to set: the reason is the value.
NOT_FOR_OPERATORS = {
    "MKL_CBWR": "set by the supervisor for the training process, which only reports it",
    "LOCAL_RANK": "set by accelerate or torchrun for each of several training processes",
    "LOCAL_WORLD_SIZE": "set by accelerate or torchrun for each of several training processes",
    "WORLD_SIZE": "set by accelerate or torchrun for each of several training processes",
    "ACCELERATE_USE_DEEPSPEED": "set by accelerate launch, as its --use_deepspeed says",
    "ACCELERATE_USE_FSDP": "set by accelerate launch, as its --use_fsdp says",
    "FSDP_OFFLOAD_PARAMS": "set by accelerate launch, as its --fsdp_offload_params says",
    "FSDP_RESHARD_AFTER_FORWARD": "set by accelerate launch, as its --fsdp_reshard_after_forward says",
    "FSDP_VERSION": "set by accelerate launch, as its --fsdp_version says",
}


def read_in_python(path: Path) -> set[str]:
    """Environment variables that the module reads, those read through a function of its own included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    found = set(_named(tree))
    for name, function in functions.items():
        if any(not isinstance(key, ast.Constant) for key in _keys(function)):
            # It reads what it is told to: by its callers, or by a list of its own.
            calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_name(node.func, name)]
            found |= {word for node in (function, *calls) for word in _words(node)}
    return found


def _keys(tree: ast.AST) -> Iterator[ast.expr]:
    """What stands in `os.environ[...]`, `os.environ.get(...)` and `os.getenv(...)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"os.environ.get", "os.getenv"}:
            yield node.args[0]
        elif (
            isinstance(node, ast.Subscript)
            and isinstance(node.ctx, ast.Load)
            and ast.unparse(node.value) == "os.environ"
        ):
            yield node.slice


def _named(tree: ast.AST) -> Iterator[str]:
    for key in _keys(tree):
        if isinstance(key, ast.Constant):
            yield key.value


def _words(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and VARIABLE.match(node.value):
            yield node.value


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def read_in_shell(text: str) -> set[str]:
    """Variables that come from outside: used with a default of their own, or never assigned before."""
    assigned = set(re.findall(r"(?:^|[\s;{])([A-Z][A-Z0-9_]*)=", text))
    given = set(re.findall(r"\$\{([A-Z][A-Z0-9_]*):?[-?]", text))
    used = set(re.findall(r"\$\{?([A-Z][A-Z0-9_]*)", text))
    return {name for name in (used - assigned) | given if VARIABLE.match(name)}


def scripts() -> list[Path]:
    return [path for path in files() if path.parent == ROOT / "script"]


def read_anywhere() -> dict[str, set[str]]:
    """Every variable with the files that read it."""
    readers: dict[str, set[str]] = {}
    shell = "\n".join(path.read_text(encoding="utf-8") for path in scripts())
    known = {path: read_in_python(path) for path in shipped_python()} | {ROOT / "script": read_in_shell(shell)}
    for path, names in known.items():
        for name in names:
            readers.setdefault(name, set()).add(shown(path))
    return readers


def documented() -> set[str]:
    """The variables in the first column of the table in docs/operations.md."""
    rows = [line.split("|")[1] for line in OPERATIONS.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return {name for cell in rows for name in re.findall(r"`([^`]+)`", cell) if VARIABLE.match(name)}


def commands() -> list[str]:
    return [path.stem for path in files() if path.match("management/commands/*.py") and path.stem != "__init__"]


def test_every_variable_that_is_read_is_in_the_operations_page():
    assert {"DATABASE_URL", "REDIS_URL", "WORDHEARTH_VAR", "DJANGO_DEBUG", "WORDHEARTH_PYTHON"} <= set(read_anywhere())
    missing = {
        name: sorted(readers)
        for name, readers in read_anywhere().items()
        if name not in documented() | set(NOT_FOR_OPERATORS)
    }
    assert not missing, f"docs/operations.md says nothing about {missing}"


def test_every_variable_in_the_operations_page_is_read():
    unread = sorted(documented() - set(read_anywhere()))
    assert not unread, f"docs/operations.md describes {unread}, and nothing reads it"


def test_no_exception_is_kept_longer_than_needed():
    assert set(NOT_FOR_OPERATORS) <= set(read_anywhere())


def documents() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8") + OPERATIONS.read_text(encoding="utf-8")


def test_every_management_command_is_named():
    assert {"up", "demo", "bench", "first_steward"} <= set(commands())
    unnamed = [name for name in commands() if not re.search(rf"\bmanage\.py {name}\b", documents())]
    assert not unnamed, f"neither README.md nor docs/operations.md names manage.py {unnamed}"


def test_every_script_is_named():
    called = [path.name for path in scripts() if path.suffix != ".sh"]
    assert {"demo", "server", "setup", "test"} <= set(called)
    unnamed = [name for name in called if not re.search(rf"\bscript/{name}\b", documents())]
    assert not unnamed, f"neither README.md nor docs/operations.md names script/ {unnamed}"


def test_no_document_names_a_script_or_command_that_is_not_there():
    texts = "".join(path.read_text(encoding="utf-8") for path in files() if path.suffix == ".md")
    scripts_named = set(re.findall(r"\bscript/(\w+)\b", texts))
    commands_named = set(re.findall(r"\bmanage\.py (\w+)\b", texts))
    assert scripts_named <= {path.name for path in scripts()}
    assert commands_named <= set(get_commands())


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import os\nos.environ['ONE_NAME']\n", {"ONE_NAME"}),
        ("import os\nos.environ.get('ONE_NAME', 'x')\nos.getenv('TWO_NAMES')\n", {"ONE_NAME", "TWO_NAMES"}),
        ("import os\ndef flag(name):\n    return os.environ.get(name)\nflag('ONE_NAME')\n", {"ONE_NAME"}),
        ("import os\ndef all():\n    return [os.environ.get(n) for n in ('ONE_NAME',)]\n", {"ONE_NAME"}),
        ("import os\nos.environ['SET_ONLY'] = '1'\n", set()),
    ],
    ids=["by key", "by get", "through a function", "from a list", "written only"],
)
def test_variables_are_found_in_python(source, names, tmp_path):
    (tmp_path / "made.py").write_text(source)
    assert read_in_python(tmp_path / "made.py") == names


def test_variables_are_found_in_shell():
    text = 'OWN_NAME=1\necho "$OWN_NAME" "$FROM_OUTSIDE"\nexport KEPT_NAME="${KEPT_NAME:-x}"\n'
    assert read_in_shell(text) == {"FROM_OUTSIDE", "KEPT_NAME"}
