"""What tells an outsider that a row is there is told: another status, another body, or another time."""

import time
from types import SimpleNamespace

import pytest

from wordhearth.benches import sidechannel

SAME = {"there": 5.0, "missing": 5.9, "status": [404, 404], "same": True}


@pytest.mark.parametrize(
    ("changes", "failures"),
    [
        ({}, 0),
        ({"missing": 6.1}, 1),
        ({"there": 8.0}, 1),
        ({"same": False}, 1),
        ({"status": [200, 200]}, 1),
        ({"same": False, "missing": 9.0}, 2),
    ],
)
def test_a_route_that_tells_is_named(changes, failures):
    facts = sidechannel.judged({"times": 200, "routes": {"a page": {**SAME, **changes}}})
    assert len(facts["failures"]) == failures
    assert all(said.startswith("a page: ") for said in facts["failures"])
    assert sidechannel.table(facts).row_count == 1


def test_both_are_asked_for_in_turn_and_compared_without_their_addresses(monkeypatch):
    monkeypatch.setattr(sidechannel, "TIMES", 5)
    monkeypatch.setattr(sidechannel, "WARMING", 1)
    asked = []

    def get(address, body):
        asked.append(address)
        time.sleep(0.01 if address == "/there/" else 0)
        return SimpleNamespace(status_code=404, content=f'No {address} nonce="{len(asked)}"'.encode())

    row = sidechannel.compare(SimpleNamespace(get=get), [("get", "/there/", {}), ("get", "/missing/", {})])
    assert asked[:4] == ["/missing/", "/there/", "/there/", "/missing/"]
    assert len(asked) == 12
    assert (row["same"], row["status"]) == (True, [404, 404])
    assert sidechannel.difference(row) > sidechannel.MOST
