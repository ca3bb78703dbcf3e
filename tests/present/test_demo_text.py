"""The last line of the demo claims what was found, and says so where it cannot tell."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from seedproof.cli.demo_run import _exit_status
from seedproof.compare.verdict import Verdict
from seedproof.experiments.demo import DemoArm, DemoOutcome, Side
from seedproof.present.demo_text import _contrast_line

SAME, OTHER, UNTOLD = "identical", "diverged", "unknown"
STATUS = {SAME: 0, OTHER: 1, UNTOLD: 5}


def side(verdict: str) -> Side:
    reason = "nothing was recorded" if verdict == UNTOLD else ""
    return Side(runs=(), verdict=Verdict(verdict, reason), metrics={}, churn=None)


def an_arm(name: str, here: str, elsewhere: str) -> DemoArm:
    worst = next(v for v in (UNTOLD, OTHER, SAME) if v in (here, elsewhere))
    whole = SimpleNamespace(exit_status=STATUS[worst], arm=SimpleNamespace(name=name))
    return DemoArm(whole, side(here), side(elsewhere), None, None, None)


def found(seeded: tuple[str, str], deterministic: tuple[str, str]) -> DemoOutcome:
    arms = (an_arm("seeded", *seeded), an_arm("deterministic", *deterministic))
    return DemoOutcome(arms, None)


@pytest.mark.parametrize(
    ("seeded", "deterministic", "said", "status"),
    [
        ((SAME, OTHER), (SAME, SAME), "with seeds alone not", 0),
        ((SAME, SAME), (SAME, SAME), "the contrast cannot be shown here", 0),
        ((SAME, OTHER), (SAME, OTHER), "did not repeat everywhere", 1),
        ((OTHER, OTHER), (OTHER, SAME), "did not repeat everywhere", 1),
        ((SAME, OTHER), (SAME, UNTOLD), "cannot be told", 5),
        ((SAME, UNTOLD), (SAME, SAME), "seeds alone cannot be told", 5),
    ],
)
def test_the_conclusion_and_the_status_say_what_was_found(seeded, deterministic, said, status):
    outcome = found(seeded, deterministic)
    assert said in _contrast_line(outcome)
    assert _exit_status(outcome) == status


def test_what_cannot_be_told_is_never_claimed():
    line = _contrast_line(found((SAME, UNTOLD), (UNTOLD, SAME)))
    assert "nothing was recorded" in line
    assert "did not repeat" not in line
    assert "the training repeats, here" not in line


def test_a_side_that_nothing_reached_gives_no_success():
    """All runs agree, but none of them started as another machine would."""
    outcome = found((SAME, OTHER), (SAME, UNTOLD))
    outcome.arms[-1].outcome.exit_status = STATUS[SAME]
    assert _exit_status(outcome) == STATUS[UNTOLD]
