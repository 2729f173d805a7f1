"""What a probe says in sum: the difference of two adapters, and whether the urgent tasks were worth their hurry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from annotation.answers.models import Answer
from annotation.projects.models import Assignment, Project, Task
from people.models import Person
from training.evaluation.scores import Interval, mean_interval, two_means_interval
from training.mining.models import Probe, Reading


@dataclass(frozen=True)
class Comparison:
    """Two adapters on the same answers, in bits per byte of each sentence, every sentence weighing the same."""

    items: int
    loss: float
    rival_loss: float
    gain: float
    """Mean of the rival's loss less the adapter's: above 0 the adapter is better."""
    interval: Interval
    better: Sequence[Reading]
    worse: Sequence[Reading]


def compare_adapters(readings: Sequence[Reading], *, shown: int = 5) -> Comparison | None:
    """The difference on readings that both adapters have a loss for, with a 95 % bootstrap interval over sentences,
    and the sentences that got better and worse most. None when there are none."""
    both = [one for one in readings if one.loss is not None and one.rival_loss is not None]
    if not both:
        return None
    gains = [one.gain for one in both]
    ranked = sorted(both, key=lambda one: -one.gain)
    return Comparison(
        items=len(both),
        loss=fmean(one.loss or 0.0 for one in both),
        rival_loss=fmean(one.rival_loss or 0.0 for one in both),
        gain=fmean(gains),
        interval=mean_interval(gains),
        better=[one for one in ranked if one.gain > 0][:shown],
        worse=[one for one in reversed(ranked) if one.gain < 0][:shown],
    )


@dataclass(frozen=True)
class ArmCounts:
    """What became of the tasks of one arm."""

    name: str
    tasks: int
    answered: int
    validated: int
    skips: int
    minutes: float | None
    """Median time from lease to answer."""
    loss: float | None
    """Mean bits per byte of the validated answers, as an adapter read them that had not learnt from them."""
    read: int


@dataclass(frozen=True)
class OrderWorth:
    """Both arms of a project's order, and how much more the chosen ones had to teach, where a probe has read both."""

    arms: Sequence[ArmCounts]
    difference: float | None
    interval: Interval | None

    @property
    def has_begun(self) -> bool:
        """Whether any task was handed out by this order."""
        return any(arm.tasks for arm in self.arms)


def order_worth(project: Project, person: Person) -> OrderWorth:
    """Compare urgent tasks that were chosen with urgent tasks that were drawn by chance.

    The newest finished probe of answers whose adapter had learnt from none of them gives their losses.
    """
    losses = _losses(project, person)
    counts, by_arm = [], {}
    for arm in Task.Arm:
        tasks = Task.objects.filter(project=project, arm=arm)
        read = [losses[pk] for pk in tasks.values_list("pk", flat=True) if pk in losses]
        by_arm[arm] = read
        done = Assignment.objects.filter(task__in=tasks, state=Assignment.State.ANSWERED, packet=None)
        spent = [
            (closed - leased).total_seconds() / 60
            for leased, closed in done.values_list("leased_at", "closed_at")
            if closed is not None
        ]
        counts.append(
            ArmCounts(
                name=str(arm.label),
                tasks=tasks.count(),
                answered=tasks.filter(answered__gt=0).count(),
                validated=tasks.filter(answers__state=Answer.State.VALIDATED).distinct().count(),
                skips=Assignment.objects.filter(task__in=tasks, state=Assignment.State.SKIPPED).count(),
                minutes=median(spent) if spent else None,
                loss=fmean(read) if read else None,
                read=len(read),
            )
        )
    chosen, drawn = by_arm[Task.Arm.URGENT], by_arm[Task.Arm.CHANCE]
    if len(chosen) < 2 or len(drawn) < 2:
        return OrderWorth(counts, None, None)
    return OrderWorth(counts, fmean(chosen) - fmean(drawn), two_means_interval(chosen, drawn))


def _losses(project: Project, person: Person) -> dict[int, float]:
    """Loss by task, of answers to tasks with an arm, from the newest probe whose adapter learnt from none of them."""
    probes = Probe.objects.visible_to(person).filter(project=project, state=Probe.State.FINISHED)
    for probe in probes.exclude(of=Probe.Of.TASKS).order_by("-asked_at"):
        learnt = probe.adapter.run.release.items.values("answer")
        read = probe.readings.readable_by(person).filter(loss__isnull=False).exclude(task__arm="")
        found = dict(read.exclude(answer__in=learnt).values_list("task", "loss"))
        if found:
            return found
    return {}
