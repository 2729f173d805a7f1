"""The beat as a container runs it: a file beside its schedule says when it last looked at it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from celery.beat import PersistentScheduler


class WatchedScheduler(PersistentScheduler):
    """Celery's own, for `celery beat --scheduler`: a beat that hangs is a process as before, but its file grows old."""

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Ring what is due; the seconds until the next look."""
        Path(f"{self.schedule_filename}.alive").touch()
        return super().tick(*args, **kwargs)
