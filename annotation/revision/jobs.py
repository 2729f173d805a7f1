"""Looking projects over, on the ordinary worker."""

from __future__ import annotations

from typing import Any

from celery import shared_task
from django.utils import timezone

from annotation.revision.models import Scan
from annotation.revision.services import scan_project


def ring(scan: Scan) -> None:
    """Wake a worker for a scan, once the transaction that asked for it is committed."""
    scan_project_job.delay_on_commit(scan_id=scan.pk)  # type: ignore[attr-defined]


@shared_task
def scan_project_job(scan_id: int, **kwargs: Any) -> int:
    """Look one project over; a second bell finds it done."""
    scan = Scan.objects.filter(pk=scan_id).first()
    return scan_project(scan=scan, now=timezone.now()) if scan and scan.is_waiting else 0


@shared_task
def recover_scans_job(**kwargs: Any) -> int:
    """Ring again for scans whose bell or worker was lost (every ten minutes)."""
    waiting = [scan.pk for scan in Scan.objects.all() if scan.is_waiting]
    for scan_id in waiting:
        scan_project_job.delay(scan_id=scan_id)
    return len(waiting)
