"""The standalone verifier: short, without Django, and nothing that was tampered with passes it."""

import base64
import hashlib
import json
import subprocess
import sys

import pytest
import rfc8785

from ledger.sealing import Signer
from ledger.verify import Broken, Tree, canonical, main, read_key, verify
from tests.guards.tree import ROOT
from wordhearth.benches.ledger import CHAIN, UNDER_CHECKPOINT, WAYS, made_chain, tamper

VERIFIER = ROOT / "platform" / "ledger" / "verify.py"


@pytest.fixture(scope="module")
def made():
    return made_chain(size=CHAIN, checkpoint_at=UNDER_CHECKPOINT)


@pytest.fixture
def files(made, tmp_path):
    """files(lines=..., notes=...) writes them and returns the arguments of the command."""

    def write(lines=None, notes=()):
        (tmp_path / "ledger.jsonl").write_text("".join(lines or made.lines()), encoding="utf-8")
        arguments = [str(tmp_path / "ledger.jsonl")]
        for number, note in enumerate(notes):
            (tmp_path / f"{number}.txt").write_text(note, encoding="utf-8")
            arguments += ["--checkpoint", str(tmp_path / f"{number}.txt")]
        return arguments

    return write


def test_a_thousand_random_tamperings_are_all_found_given_one_earlier_checkpoint():
    tried, missed = tamper(times=1000, seed=1)

    assert sum(tried.values()) == 1000
    assert set(tried) == {way.__name__ for way in WAYS}
    assert not missed


def test_without_a_checkpoint_a_shortened_file_looks_whole_and_the_report_says_so(made):
    report = verify(made.lines(made.entries[:-1]))
    assert report.entries == CHAIN - 1
    assert "No checkpoint given" in str(report)


def test_it_is_short_and_needs_only_cryptography_beside_python():
    text = VERIFIER.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 200
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert imported <= sys.stdlib_module_names | {"cryptography"}


def test_the_command_runs_without_django_and_ends_with_0_only_if_the_ledger_is_whole(made, files):
    def call(arguments):
        line = "import sys; sys.modules['django'] = None; import ledger.verify as v; v.main(sys.argv[1:])"
        env = {"PYTHONPATH": str(ROOT / "platform"), "PYTHONUTF8": "1"}
        return subprocess.run(
            [sys.executable, "-c", line, *arguments], env=env, capture_output=True, text=True, check=False
        )

    whole = call(files(notes=[made.checkpoint]))
    assert (whole.returncode, whole.stderr) == (0, "")
    assert f"Whole: {CHAIN} entries" in whole.stdout
    broken = call(files(lines=made.lines(made.entries[:20]), notes=[made.checkpoint]))
    assert (broken.returncode, broken.stdout) == (1, "")
    assert f"a checkpoint covers {UNDER_CHECKPOINT} entries, and the file ends after 20" in broken.stderr


@pytest.mark.parametrize("missing", ["file", "checkpoint"])
def test_a_file_that_is_not_there_is_no_whole_ledger(made, files, missing):
    arguments = files(notes=[made.checkpoint])
    arguments[0 if missing == "file" else 2] += "x"
    with pytest.raises(SystemExit, match="NOT WHOLE"):
        main(arguments)


def test_the_key_that_one_trusts_can_be_given(made, files, capsys):
    main([*files(notes=[made.checkpoint]), "--key", made.header["key"]])
    assert "agree, by the entries they cover: 25" in capsys.readouterr().out
    other = Signer(bytes(32), "made-up").verifier_key
    with pytest.raises(SystemExit, match="do not belong together"):
        main([*files(), "--key", other])


def rows_with(made, place, **changes):
    rows = [dict(row) for row in made.entries]
    rows[place] |= changes
    return made.lines(rows)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject": "person:99"}, "line 6: entry 5 was changed"),
        ({"sequence": 6}, "line 6: entry 5 is expected here, not 6"),
        ({"previous": "a" * 64}, "line 6: entry 5 does not follow"),
        ({"community": "other"}, "line 6: entry 5 does not follow"),
        ({"extra": 1}, "line 6: it has other fields"),
        ({"details": {"share": 0.5}}, "line 6: it is damaged"),
        ({"secret": {"salt": "00" * 32, "payload": {}}}, "line 6: the sealed content of entry 5 is not"),
    ],
)
def test_the_message_names_line_and_entry(made, changes, message):
    with pytest.raises(Broken, match=message):
        verify(rows_with(made, 4, **changes), [made.checkpoint])


def test_a_sealed_part_must_be_there_and_the_right_one(made):
    secret = made.entries[2]["secret"]
    rows = [dict(row) for row in made.entries]
    del rows[2]["secret"]
    with pytest.raises(Broken, match="line 4: the sealed content of entry 3 is missing"):
        verify(made.lines(rows))
    with pytest.raises(Broken, match="line 4: the sealed content of entry 3 is not what was sealed"):
        verify(rows_with(made, 2, secret={**secret, "payload": {**secret["payload"], "title": "other"}}))
    # A salt padded with zeros gives the same HMAC; it is not the salt.
    padded = {**secret, "salt": secret["salt"] + "00"}
    with pytest.raises(Broken, match="is not what was sealed"):
        verify(rows_with(made, 2, secret=padded))


def test_an_erasure_that_the_ledger_does_not_record_is_found(made):
    with pytest.raises(Broken, match="the end: 1 sealed contents are erased, but the ledger records 0"):
        verify(rows_with(made, 2, secret=None))


def test_a_file_without_sealed_parts_counts_them(made):
    rows = [{name: value for name, value in row.items() if name != "secret"} for row in made.entries]
    lines = made.lines(rows)
    lines[0] = json.dumps({**made.header, "secrets": "withheld"})
    report = verify(lines, [made.checkpoint])
    assert (report.opened, report.withheld) == (0, CHAIN // 3)


@pytest.mark.parametrize(
    "header",
    [
        {"format": "other"},
        {"secrets": "some"},
        {"community": "other"},
        {"origin": "wordhearth/x/made-up"},
        {"key": "made-up+00000000+AQ=="},
        {"key": "nothing"},
        {"key": None},
    ],
)
def test_a_wrong_header_is_refused(made, header):
    lines = made.lines()
    lines[0] = json.dumps({**made.header, **header})
    with pytest.raises(Broken, match="line 1"):
        verify(lines)


@pytest.mark.parametrize("line", ["", "[]", "{", '{"format": "a", "format": "b"}', "[" * 100_000, '"\\ud800"', "5"])
def test_what_is_no_line_of_a_ledger_is_damaged_and_never_an_error(made, line):
    with pytest.raises(Broken, match="line 1"):
        verify([line, *made.lines()[1:]])
    with pytest.raises(Broken, match="line 2"):
        verify([made.lines()[0], line])


def test_a_checkpoint_must_be_signed_by_the_key_over_exactly_its_lines(made):
    signer = Signer(bytes(32), "made-up")
    note = made.checkpoint
    for wrong, message in [
        (signer.checkpoint(5, bytes(32)), "of another ledger"),
        (note.replace("\n25\n", "\n24\n"), "checkpoint 2: it is damaged \\(InvalidSignature"),
        (note.partition("— ")[0], "not signed"),
        (f"{note.partition('— ')[0]}— {made.header['origin']} AAAAAAAA\n", "not signed"),
        ("", "damaged"),
        ("a\nb\nc\n\n— x", "of another ledger"),
    ]:
        with pytest.raises(Broken, match=message):
            verify(made.lines(), [note, wrong])


def test_signatures_of_witnesses_beside_it_do_no_harm(made):
    witness = base64.b64encode(bytes(76)).decode()
    text, _, signature = made.checkpoint.partition("\n\n")
    both = f"{text}\n\n— witness.example/w {witness}\n{signature}"
    assert verify(made.lines(), [both]).checkpoints == [UNDER_CHECKPOINT]


def test_history_written_anew_is_seen_by_an_old_checkpoint_only(made):
    other = made_chain(size=CHAIN, checkpoint_at=UNDER_CHECKPOINT, seed=5)
    lines = [json.dumps(made.header), *other.lines()[1:]]
    assert verify(lines).entries == CHAIN
    with pytest.raises(Broken, match="line 26: checkpoint 1 promises other entries up to here"):
        verify(lines, [made.checkpoint])


@pytest.mark.parametrize("value", [
    "", "ñäʼ ̱ 𐐷", "\x00\x1f\x7f\u2028\"\\/\b\t\n\f\r", 0, -5, 2**53 - 1, True, False, None, [], {},
    [1, [None, {"a": []}]],
    {"\ue000": 1, "𐐷": 2, "b": 3, "a": {"z": 1, "ä": 2}},
])  # fmt: skip
def test_its_canonical_json_is_that_of_rfc_8785(value):
    assert canonical(value).encode() == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [0.5, 2**53, float("nan"), {1: 2}, b""])
def test_what_has_no_canonical_form_here_is_refused(value):
    with pytest.raises((ValueError, AttributeError)):
        canonical(value)


def test_the_root_is_that_of_rfc_6962():
    def root(leaves):
        """The definition in section 2.1, word for word."""
        if len(leaves) < 2:
            return hashlib.sha256(b"\x00" + leaves[0]).digest() if leaves else hashlib.sha256(b"").digest()
        split = 1 << (len(leaves) - 1).bit_length() - 1
        return hashlib.sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()

    tree, leaves = Tree(), []
    assert tree.root() == root([])
    for number in range(70):
        leaves.append(hashlib.sha256(bytes([number])).digest())
        tree.add(leaves[-1].hex())
        assert tree.root() == root(leaves)


def test_the_key_is_named_as_c2sp_signed_note_says():
    signer = Signer(bytes(range(32)), "made-up")
    name, number, _public = read_key(signer.verifier_key)
    encoded = base64.b64decode(signer.verifier_key.split("+", 2)[2])
    assert name == signer.origin
    assert number == hashlib.sha256(name.encode() + b"\n" + encoded).digest()[:4]
    assert (encoded[0], len(encoded)) == (1, 33)
