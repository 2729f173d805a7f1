"""Check an exported ledger without trusting the server that wrote it.

    PYTHONPATH=platform:. python -m ledger.verify FILE [--checkpoint FILE]... [--key KEY]

FILE holds JSON lines: a header and the entries. Every link of the chain is reckoned anew, every sealed content in the
file is compared with its commitment, and every checkpoint (C2SP tlog-checkpoint) must be signed by the ledger's key and
agree with the first entries of the file. Exit code 0 only if all of it holds. Keep a checkpoint of your own: without
one, a file that was shortened or written anew as a whole cannot be told from a true one.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "wordhearth-ledger-1"
BODY = ("sequence", "at", "community", "actor", "action", "subject", "details", "commitment")
ERASED = "secrets.erased"
PLAIN = json.JSONEncoder(ensure_ascii=False).encode
NO_CHECKPOINT = "No checkpoint given: a file that was shortened or written anew as a whole would look the same."


class Broken(Exception):
    """The ledger is not whole, or does not agree with a checkpoint; says where."""


def canonical(value: Any) -> str:
    """JSON as RFC 8785 writes it (JCS), of texts, whole numbers, truth values, null, lists and objects."""
    if isinstance(value, str) or value is None or (isinstance(value, int) and abs(value) < 2**53):
        return PLAIN(value)
    if isinstance(value, list):
        return f"[{','.join(map(canonical, value))}]"
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return "{" + ",".join([f"{PLAIN(name)}:{canonical(value[name])}" for name in names]) + "}"
    raise ValueError(f"{value!r} has no canonical form here")


class Tree:
    """The Merkle tree of RFC 6962 over the entries' hashes, leaf by leaf."""

    def __init__(self, peaks: Iterable[tuple[int, bytes]] = ()) -> None:
        self.peaks = list(peaks)  # (leaves, hash) of the whole subtrees, the largest first

    def add(self, sha256: str) -> None:
        """One leaf more."""
        leaves, node = 1, hashlib.sha256(b"\x00" + bytes.fromhex(sha256)).digest()
        while self.peaks and self.peaks[-1][0] == leaves:
            node = hashlib.sha256(b"\x01" + self.peaks.pop()[1] + node).digest()
            leaves *= 2
        self.peaks.append((leaves, node))

    def root(self) -> bytes:
        """The hash over all leaves so far."""
        nodes = [node for _, node in reversed(self.peaks)] or [hashlib.sha256(b"").digest()]
        return reduce(lambda right, left: hashlib.sha256(b"\x01" + left + right).digest(), nodes)


def read_key(text: str) -> tuple[str, bytes, Ed25519PublicKey]:
    """Name, short id and public key of a verifier key of C2SP signed-note, `name+id+base64`."""
    name, shown, encoded = text.strip().split("+", 2)
    content = base64.b64decode(encoded, validate=True)
    number = hashlib.sha256(f"{name}\n".encode() + content).digest()[:4]
    if number.hex() != shown or content[0] != 1:
        raise ValueError("not an Ed25519 verifier key")
    return name, number, Ed25519PublicKey.from_public_bytes(content[1:])


def read_checkpoint(note: str, key: tuple[str, bytes, Ed25519PublicKey]) -> tuple[int, bytes]:
    """Size and root of a checkpoint, once its origin and signature are found to be the key's."""
    text, _, signatures = note.partition("\n\n")
    origin, size, root = text.split("\n")[:3]
    if origin != key[0]:
        raise Broken(f"it is of another ledger than {key[0]}")
    for line in signatures.splitlines():
        signature = base64.b64decode(line.rpartition(" ")[2])
        if line.startswith(f"— {origin} ") and signature[:4] == key[1]:
            key[2].verify(signature[4:], f"{text}\n".encode())
            return int(size), base64.b64decode(root, validate=True)
    raise Broken("it is not signed by the ledger's key")


@dataclass
class Report:
    """What was checked, as far as it went."""

    head: str = "0" * 64
    entries: int = 0
    opened: int = 0
    withheld: int = 0
    erased: int = 0
    recorded: int = 0
    checkpoints: list[int] = field(default_factory=list)

    def __str__(self) -> str:
        sizes = ", ".join(map(str, sorted(self.checkpoints)))
        shown = f"Checkpoints that agree, by the entries they cover: {sizes}." if sizes else NO_CHECKPOINT
        return (
            f"Whole: {self.entries} entries, each linked to the one before; the last hash is {self.head}.\n"
            f"Sealed contents: {self.opened} agree with their commitments, {self.erased} were erased (as the ledger "
            f"itself records), {self.withheld} are not in this file.\n{shown}\n"
        )


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON in which no name comes twice."""
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def check_entry(entry: dict[str, Any], header: dict[str, Any], report: Report) -> None:
    """Check one entry against the one before it, and count its sealed content."""
    if not {*BODY, "previous", "sha256"} <= set(entry) <= {*BODY, "previous", "sha256", "secret"}:
        raise Broken("it has other fields than an entry")
    if entry["sequence"] != report.entries + 1:
        raise Broken(f"entry {report.entries + 1} is expected here, not {entry['sequence']}")
    if entry["previous"] != report.head or entry["community"] != header["community"]:
        raise Broken(f"entry {entry['sequence']} does not follow the entry before it")
    body = canonical({name: entry[name] for name in BODY}).encode()
    if hashlib.sha256(b"\x01" + bytes.fromhex(report.head) + body).hexdigest() != entry["sha256"]:
        raise Broken(f"entry {entry['sequence']} was changed: its hash is another")
    if (secret := entry.get("secret")) is not None:
        salt, payload = bytes.fromhex(secret["salt"]), canonical(secret["payload"]).encode()
        if len(salt) != 32 or hmac.digest(salt, payload, "sha256").hex() != entry["commitment"]:
            raise Broken(f"the sealed content of entry {entry['sequence']} is not what was sealed")
        report.opened += 1
    elif "secret" in entry and entry["commitment"]:
        report.erased += 1
    elif entry["commitment"] and header["secrets"] == "included":
        raise Broken(f"the sealed content of entry {entry['sequence']} is missing")
    else:
        report.withheld += bool(entry["commitment"])
    report.recorded += entry["details"]["secrets"] if entry["action"] == ERASED else 0
    report.entries, report.head = entry["sequence"], entry["sha256"]


def verify(lines: Iterable[str], notes: Iterable[str] = (), key: str = "") -> Report:
    """Check the lines of an export against checkpoints. Raises Broken, which names the line or the checkpoint."""
    report, tree, rows, place = Report(), Tree(), iter(lines), "line 1"
    try:
        header = json.loads(next(rows, ""), object_pairs_hook=once)
        if header["format"] != FORMAT or header["secrets"] not in {"included", "withheld"}:
            raise Broken(f"it is no header of {FORMAT}")
        trusted = read_key(key or header["key"])
        if trusted[0] != header["origin"] or header["origin"].split("/")[2:] != [header["community"] or "-"]:
            raise Broken("origin, community and key do not belong together")
        promised: dict[int, list[tuple[int, bytes]]] = {}
        for number, note in enumerate(notes, 1):
            place = f"checkpoint {number}"
            size, root = read_checkpoint(note, trusted)
            promised.setdefault(size, []).append((number, root))
        for number, row in enumerate(rows, 2):
            place = f"line {number}"
            check_entry(json.loads(row, object_pairs_hook=once), header, report)
            tree.add(report.head)
            for which, root in promised.get(report.entries, ()):
                if root != tree.root():
                    raise Broken(f"checkpoint {which} promises other entries up to here: history was written anew")
                report.checkpoints.append(report.entries)
        place = "the end"
        if missing := [size for size in promised if not 0 < size <= report.entries]:
            raise Broken(f"a checkpoint covers {max(missing)} entries, and the file ends after {report.entries}")
        if report.erased != report.recorded:
            raise Broken(f"{report.erased} sealed contents are erased, but the ledger records {report.recorded}")
    except (Broken, InvalidSignature, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        why = error if isinstance(error, Broken) else f"it is damaged ({type(error).__name__} {error})"
        raise Broken(f"{place}: {why}.") from error
    return report


def main(arguments: list[str] | None = None) -> None:
    """The command; ends with exit code 1 unless the file is whole."""
    parser = argparse.ArgumentParser(prog="ledger.verify", description="Check an exported ledger.")
    parser.add_argument("file")
    parser.add_argument("--checkpoint", action="append", default=[], metavar="FILE")
    parser.add_argument("--key", default="", help="the verifier key you trust; otherwise the one in the file")
    given = parser.parse_args(arguments)
    try:
        notes = [Path(name).read_text(encoding="utf-8") for name in given.checkpoint]
        with Path(given.file).open(encoding="utf-8", newline="\n") as lines:
            sys.stdout.write(str(verify(lines, notes, given.key)))
    except (Broken, OSError, UnicodeError) as error:
        sys.exit(f"NOT WHOLE. {error}")


if __name__ == "__main__":
    main()
