"""The key of the ledger, the names of its chains, and what a chain is sealed with; no database."""

import base64
import binascii
import hashlib
import json
import stat

import pytest

from ledger.sealing import GENESIS, Signer, UnusableKey, read_seed, seal
from ledger.verify import FORMAT, Broken, Tree, read_checkpoint, read_key, verify

SEED = bytes(range(32))


def test_the_key_is_made_once_and_only_its_owner_reads_it(tmp_path):
    kept = tmp_path / "some" / "var" / "ledger_key"
    seed = read_seed("", kept)
    assert (len(seed), read_seed("", kept)) == (32, seed)
    assert base64.b64decode(kept.read_text(), validate=True) == seed
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir()] == ["ledger_key"]
    kept.unlink()
    assert read_seed("", kept) != seed


def test_of_two_processes_that_make_the_key_at_once_one_wins(tmp_path, monkeypatch):
    kept = tmp_path / "ledger_key"
    first = read_seed("", kept)
    monkeypatch.setattr("pathlib.Path.exists", lambda path: False)
    assert read_seed("", kept) == first
    assert [path.name for path in tmp_path.iterdir()] == ["ledger_key"]


def test_a_key_that_is_given_goes_before_the_kept_one(tmp_path):
    given = f" {base64.b64encode(SEED).decode()}\n"
    assert read_seed(given, tmp_path / "key") == SEED
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize("wrong", ["zzyx", "AAAA", "ñ", base64.b64encode(bytes(33)).decode(), "A" * 43 + "=*"])
def test_a_key_that_is_none_is_refused(tmp_path, wrong):
    with pytest.raises(UnusableKey) as refused:
        read_seed(wrong, tmp_path / "key")
    assert str(refused.value) == "The ledger's key must be 32 bytes in base64."


def installation_chain(signer: Signer) -> tuple[list[str], str]:
    """One entry in the chain of the installation itself, which has no community."""
    body = {
        **{"sequence": 1, "at": "2026-03-02T09:00:00.000000+00:00", "community": "", "actor": "1"},
        **{"action": "community.founded", "subject": "community:1", "details": {}, "commitment": ""},
    }
    entry = {**body, "previous": GENESIS, "sha256": seal(GENESIS, body)}
    header = {
        **{"format": FORMAT, "origin": signer.origin, "community": ""},
        **{"key": signer.verifier_key, "secrets": "included"},
    }
    tree = Tree()
    tree.add(entry["sha256"])
    return [json.dumps(line) + "\n" for line in (header, entry)], signer.checkpoint(1, tree.root())


def test_the_installation_s_own_chain_is_called_by_a_dash():
    signer = Signer(SEED, "")
    public = base64.b64decode(signer.verifier_key.split("+", 2)[2])[1:]
    assert signer.origin == f"wordhearth/{hashlib.sha256(public).hexdigest()[:16]}/-"
    lines, note = installation_chain(signer)
    report = verify(lines, [note])
    assert (report.entries, report.checkpoints) == (1, [1])
    with pytest.raises(Broken, match="origin, community and key do not belong together"):
        verify([lines[0].replace('"community": ""', '"community": "other"'), lines[1]])


def test_a_name_that_comes_twice_in_an_entry_is_damage():
    lines, _ = installation_chain(Signer(SEED, ""))
    twice = lines[1].replace('{"sequence"', '{"actor": "1", "sequence"', 1)
    with pytest.raises(Broken, match=r"line 2: it is damaged \(ValueError a name comes twice\)"):
        verify([lines[0], twice])


def test_what_is_not_base64_to_the_letter_is_refused():
    signer = Signer(SEED, "")
    key = read_key(signer.verifier_key)
    assert read_key(f" {signer.verifier_key}\n")[:2] == key[:2]
    with pytest.raises(binascii.Error):
        read_key(signer.verifier_key + "*")
    root = base64.b64encode(bytes(32)).decode()
    text = f"{signer.origin}\n1\n{root}*\n"
    note = f"{text}\n— {signer.origin} {base64.b64encode(key[1] + signer._key.sign(text.encode())).decode()}\n"
    with pytest.raises(binascii.Error):
        read_checkpoint(note, key)


def test_only_the_first_empty_line_ends_the_text_of_a_checkpoint():
    signer = Signer(SEED, "")
    note = signer.checkpoint(1, bytes(32))
    assert read_checkpoint(f"{note}\n\nanything else", read_key(signer.verifier_key)) == (1, bytes(32))
