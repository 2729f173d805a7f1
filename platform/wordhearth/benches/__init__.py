"""Measurements: `script/bench NAME`. Each module has `run() -> dict` and `table(facts) -> rich table`.

A module that needs neither database nor static files says `NEEDS_SITE = False`.
"""
