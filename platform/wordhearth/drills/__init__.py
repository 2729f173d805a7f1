"""Fault drills: `script/drill NAME`. Each module has `run() -> dict` and `table(facts) -> rich table`."""
