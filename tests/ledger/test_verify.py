"""The standalone verifier: short, without Django, and nothing that was tampered with passes it."""

import base64
import hashlib
import json
import subprocess
import sys

import pytest
import rfc8785

from ledger.sealing import Signer, seal
from ledger.verify import Broken, Tree, canonical, main, read_key, verify
from tests.guards.tree import ROOT
from wordhearth.benches.ledger import (
    CHAIN,
    LARGE,
    MOST_SECONDS,
    UNDER_CHECKPOINT,
    WAYS,
    judged,
    made_chain,
    table,
    tamper,
    verify_long,
)

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


def test_a_hundred_thousand_entries_take_ten_seconds_at_most():
    facts = verify_long(LARGE)
    assert facts["verified_entries"] == 100_000
    assert facts["seconds_to_verify"] <= MOST_SECONDS == 10


FACTS = {
    **{"tamperings": 9, "missed": [], "written": 4000, "gaps": 0, "forks": 0, "p50_ms": 9.0, "p95_ms": 20.0},
    **{"verified_entries": 100_000, "seconds_to_verify": 2.0},
}


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"missed": ["edit number 3"]}, "Not found: edit number 3"),
        ({"written": 3999}, "gaps or forks"),
        ({"gaps": 1}, "gaps or forks"),
        ({"forks": 1}, "gaps or forks"),
        ({"p95_ms": 50.1}, "took 50.1 ms"),
        ({"seconds_to_verify": 10.1}, "took 10.1 s"),
    ],
)
def test_the_bench_fails_where_something_is_not_found_or_slow(changes, failure):
    assert judged(FACTS)["failures"] == []
    (said,) = judged({**FACTS, **changes})["failures"]
    assert failure in said
    assert table({**FACTS, **changes}).row_count == 6


def said_of(made, *, lines=None, notes=(), key=""):
    """All that the verifier says of what is wrong."""
    with pytest.raises(Broken) as broken:
        verify(lines or made.lines(), notes, key)
    return str(broken.value)


def headed(made, **changes):
    return [json.dumps({**made.header, **changes}) + "\n", *made.lines()[1:]]


def test_what_is_wrong_is_said_word_for_word(made):
    """Whoever checks a file has nothing but these sentences to go by."""
    without_secret = [dict(row) for row in made.entries]
    del without_secret[2]["secret"]
    name, other = made.header["origin"], Signer(bytes(32), "made-up")
    not_ed25519 = base64.b64encode(b"\x02" + bytes(32)).decode()
    number = hashlib.sha256(f"{name}\n".encode() + b"\x02" + bytes(32)).digest()[:4].hex()
    short = made.header["key"].split("+")[1]
    twice = [made.lines()[0].replace('{"format"', '{"format": "a", "format"', 1), *made.lines()[1:]]
    anew = made_chain(size=CHAIN, checkpoint_at=UNDER_CHECKPOINT, seed=5)
    unsigned = made.checkpoint.partition("\n\n")[0] + f"\n\n— {name} {base64.b64encode(bytes(68)).decode()}\n"
    for said, wanted in [
        (said_of(made, lines=headed(made, format="x")), "line 1: it is no header of wordhearth-ledger-1."),
        (said_of(made, lines=headed(made, secrets="x")), "line 1: it is no header of wordhearth-ledger-1."),
        (said_of(made, lines=headed(made, origin="a/b/made-up")),
         "line 1: origin, community and key do not belong together."),
        (said_of(made, lines=headed(made, community="")), "line 1: origin, community and key do not belong together."),
        (said_of(made, lines=headed(made, key=f"{name}+{number}+{not_ed25519}")),
         "line 1: it is damaged (ValueError not an Ed25519 verifier key)."),
        (said_of(made, lines=headed(made, key=made.header["key"].replace(short, "00000000"))),
         "line 1: it is damaged (ValueError not an Ed25519 verifier key)."),
        (said_of(made, lines=twice), "line 1: it is damaged (ValueError a name comes twice)."),
        (said_of(made, notes=[other.checkpoint(5, bytes(32))]), f"checkpoint 1: it is of another ledger than {name}."),
        (said_of(made, notes=[made.checkpoint, unsigned]), "checkpoint 2: it is not signed by the ledger's key."),
        (said_of(made, lines=rows_with(made, 4, extra=1)), "line 6: it has other fields than an entry."),
        (said_of(made, lines=rows_with(made, 4, sequence=9)), "line 6: entry 5 is expected here, not 9."),
        (said_of(made, lines=rows_with(made, 4, previous="a" * 64)),
         "line 6: entry 5 does not follow the entry before it."),
        (said_of(made, lines=rows_with(made, 4, actor="99")), "line 6: entry 5 was changed: its hash is another."),
        (said_of(made, lines=rows_with(made, 2, secret={"salt": "00" * 32, "payload": {}})),
         "line 4: the sealed content of entry 3 is not what was sealed."),
        (said_of(made, lines=made.lines(without_secret)), "line 4: the sealed content of entry 3 is missing."),
        (said_of(made, lines=rows_with(made, 4, details={"share": 0.5})),
         "line 6: it is damaged (ValueError 0.5 has no canonical form here)."),
        (said_of(made, lines=made.lines(made.entries[:20]), notes=[made.checkpoint]),
         "the end: a checkpoint covers 25 entries, and the file ends after 20."),
        (said_of(made, lines=rows_with(made, 2, secret=None)),
         "the end: 1 sealed contents are erased, but the ledger records 0."),
        (said_of(made, lines=[made.lines()[0], *anew.lines()[1:]], notes=[made.checkpoint]),
         "line 26: checkpoint 1 promises other entries up to here: history was written anew."),
    ]:  # fmt: skip
        assert said == wanted


def test_the_report_and_the_command_say_it_word_for_word(made, files, capsys):
    head = made.entries[-1]["sha256"]
    main(files(notes=[made.checkpoint]))
    assert capsys.readouterr().out == (
        f"Whole: {CHAIN} entries, each linked to the one before; the last hash is {head}.\n"
        f"Sealed contents: {CHAIN // 3} agree with their commitments, 0 were erased (as the ledger itself records), "
        "0 are not in this file.\nCheckpoints that agree, by the entries they cover: 25.\n"
    )
    main(files())
    assert capsys.readouterr().out.endswith(
        "\nNo checkpoint given: a file that was shortened or written anew as a whole would look the same.\n"
    )
    with pytest.raises(SystemExit) as ended:
        main(files(lines=made.lines(made.entries[:20]), notes=[made.checkpoint]))
    assert ended.value.code == (
        "NOT WHOLE. the end: a checkpoint covers 25 entries, and the file ends after 20."
    )  # fmt: skip
    with pytest.raises(SystemExit):
        main(["--help"])
    assert " ".join(capsys.readouterr().out.split()) == (
        "usage: ledger.verify [-h] [--checkpoint FILE] [--key KEY] file Check an exported ledger. "
        "positional arguments: file options: -h, --help show this help message and exit --checkpoint FILE --key KEY "
        "the verifier key you trust; otherwise the one in the file"
    )


def test_what_was_erased_is_counted_as_often_as_the_ledger_records_it(made):
    """Two entries lose their sealed part, and two later ones record it."""
    rows = [dict(row) for row in made.entries]
    rows[2]["secret"] = rows[5]["secret"] = None
    for place in (30, 33):
        rows[place] |= {"action": "secrets.erased", "details": {"secrets": 1}}
    previous = rows[29]["sha256"]
    for row in rows[30:]:
        row["previous"] = previous
        body = {name: row[name] for name in row if name not in {"previous", "sha256", "secret"}}
        previous = row["sha256"] = seal(previous, body)
    report = verify(made.lines(rows), [made.checkpoint, made.checkpoint])
    assert (report.erased, report.recorded, report.withheld) == (2, 2, 0)
    assert (report.entries, report.head, report.checkpoints) == (CHAIN, previous, [25, 25])


def test_several_checkpoints_are_told_in_their_order(made):
    tree, signer = Tree(), Signer(hashlib.sha256(b"1 0").digest(), "made-up")
    notes = []
    for row in made.entries:
        tree.add(row["sha256"])
        notes.append(signer.checkpoint(row["sequence"], tree.root()))
    report = verify(made.lines(), [notes[9], notes[0], notes[CHAIN - 1]])
    assert report.checkpoints == [1, 10, CHAIN]
    assert str(report).endswith(f"by the entries they cover: 1, 10, {CHAIN}.\n")
    with pytest.raises(Broken, match="a checkpoint covers 0 entries, and the file ends after 40"):
        verify(made.lines(), [signer.checkpoint(0, Tree().root())])
