"""Measurements: `script/bench NAME`. Each module has `run() -> dict` and `table(facts) -> rich table`."""
