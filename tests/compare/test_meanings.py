"""What each difference between two runs means, as one table."""

import numpy as np
import pytest

from seedproof.compare.comparison import Comparison
from seedproof.compare.verdict import judge
from seedproof.trace.digest import digest_array
from seedproof.trace.format import DIGEST, FARM_DIGEST, VALUE, Column
from traces import Trace

NAN = np.float32([np.nan, 1])
OTHER_NAN = (NAN.view("u4") ^ np.uint32([1, 0])).view("f4")
W = "update/w#0"


def array(values, name="w", phase="update", dtype="float32", kind=DIGEST):
    """A run that records one array after its first update."""
    values = np.asarray(values, dtype)
    column = Column(phase, name, kind, dtype, values.shape)
    return lambda run: run.rows("update/w#0", (0, digest_array(values)), columns=[column])


def metric(value):
    """A run that records one metric."""
    bits = int(np.float64(value).view("u8"))
    return lambda run: run.rows("m#0", (0, bits), columns=[Column("metric", "loss", "value")])


def steps(*numbers):
    """A run with a record at each of these steps."""
    return lambda run: run.rows(W, *((number, number) for number in numbers))


def updates(rows, made=None):
    """A run that records some of the updates that it makes."""

    def write(run):
        run.updates(*range(rows)).writer.watermark(made or rows)

    return write


def beside(role, *words, ended=True, ambiguous=False, **hello):
    """A run whose `main` records something, with another process beside it that does too."""

    def write(run):
        steps(0)(run)
        other = run.beside(role, **hello)
        if words:
            other.rows("data/x#0", *enumerate(words), columns=[Column("data", "x")])
        if ambiguous:
            other.writer.event("ambiguous")
        if ended:
            other.end()

    return write


def with_event(kind, then, **fields):
    """A run in which something happened that the recording tells of."""

    def write(run):
        run.writer.event(kind, **fields)
        then(run)

    return write


def generator(word):
    """A run that records something, and the state of a generator."""

    def write(run):
        steps(0)(run)
        run.rows("hint/python#0", (0, word), columns=[Column("init", "python")])

    return write


TROUBLE = {"where": "record", "error": "OSError: no space"}
UNSEEN = {"text": "updates that XLA compiles"}

MEANINGS = [
    # -- the bits of a record ------------------------------------------------------------------
    ("the same bits", array([1, 2]), array([1, 2]), "identical"),
    ("one bit", array([1, 2]), array([1, np.nextafter(np.float32(2), 3)]), "bits"),
    ("-0.0 for 0.0", array([0.0, 1]), array([-0.0, 1]), "bits"),
    ("NaN with the same payload", array(NAN), array(NAN), "identical"),
    ("NaN with another payload", array(NAN), array(OTHER_NAN), "bits"),
    ("another dtype", array([1, 2]), array([1, 2], dtype="float64"), "shape"),
    ("another shape", array([1, 2]), array([[1, 2]]), "shape"),
    ("one bit of a metric", metric(0.3), metric(0.1 + 0.2), "bits"),
    ("-0.0 for 0.0 in a metric", metric(0.0), metric(-0.0), "bits"),
    ("NaN in both metrics", metric(np.nan), metric(np.nan), "identical"),
    # -- its name ------------------------------------------------------------------------------
    ("a renamed tensor", array([1, 2]), array([1, 2], "v"), "layout"),
    ("another phase", array([1, 2]), array([1, 2], phase="init"), "layout"),
    ("another digest of it", array([1]), array([1], kind=FARM_DIGEST), "are of another kind than"),
    ("a number for a digest", array([1]), array([1], kind=VALUE), "layout"),
    # -- records that only one has -------------------------------------------------------------
    ("fewer steps", steps(0, 1, 2), steps(0, 1), "missing"),
    ("more steps", steps(0, 1), steps(0, 1, 2), "extra"),
    ("a step left out", steps(0, 1, 2), steps(0, 2), "missing"),
    ("a step put in", steps(0, 2), steps(0, 1, 2), "extra"),
    ("a stream less", beside("main/a.py", 1), steps(0), "missing"),
    ("a stream more", steps(0), beside("main/a.py", 1), "extra"),
    ("a stream without records", steps(0), beside("main/a.py"), "identical"),
    # -- that the recording may have lost ------------------------------------------------------
    ("a gap", updates(3), updates(2, made=3), "2 of 3 updates were recorded"),
    ("trouble", steps(0, 1), with_event("trouble", steps(0), **TROUBLE), "recording failed"),
    ("unseen", steps(0, 1), with_event("unseen", steps(0), **UNSEEN), "XLA compiles were not"),
    ("a step before unseen ones", steps(0, 1), with_event("unseen", steps(1), **UNSEEN), "not"),
    ("bits beside trouble", array([1]), with_event("trouble", array([2]), **TROUBLE), "bits"),
    # -- processes -----------------------------------------------------------------------------
    ("a rank less", beside("rank0", 1, world_size=1), beside("rank0", 1, world_size=2), "rank 1"),
    ("bits of another process", beside("main/a.py", 1), beside("main/a.py", 2), "bits"),
    ("another process cut short", beside("main/a.py", 1, 2), beside("main/a.py", 1, ended=False),
     "main/a.py: the recording stops"),
    ("a script named worker", beside("main/worker.py", 1, 2),
     beside("main/worker.py", 1, ended=False), "main/worker.py: the recording stops"),
    ("a worker cut short", beside("main/worker1", 1, 2), beside("main/worker1", 1, ended=False),
     "identical"),
    ("a worker cut shorter", beside("main/worker1", 1, ended=False), steps(0), "identical"),
    ("bits of a worker cut short", beside("main/worker1", 1, 2),
     beside("main/worker1", 2, ended=False), "bits"),
    ("a worker that made less", beside("main/worker1", 1, 2), beside("main/worker1", 1), "missing"),
    ("the same of whom nobody knows", *[beside("main/a.py", 1, ambiguous=True)] * 2, "identical"),
    ("bits of whom nobody knows", *(beside("main/a.py", n, ambiguous=True) for n in (1, 2)),
     "cannot be told apart"),
    # -- not part of the verdict ---------------------------------------------------------------
    ("the state of a generator", generator(1), generator(2), "identical"),
    ("the state of a generator in one", generator(1), steps(0), "identical"),
]  # fmt: skip
HELLOS = [
    ("another digest", {"digest": "sum/0"}, "its digests are sum/0"),
    ("another schema", {"schema": "seedproof.trace/9"}, "its trace is of 'seedproof.trace/9'"),
    ("recorded only at its end", {"mode": "end"}, "only one of the two was recorded at every step"),
    (
        "another recorder",
        {"seedproof": "0.9"},
        "recorded by seedproof 0.9, run 0 by a seedproof of",
    ),
]


@pytest.fixture
def meaning(tmp_path):
    """What the verdict on two runs says of their difference."""

    def judged(ours, theirs, **hello):
        runs = [Trace(tmp_path / "0"), Trace(tmp_path / "1", **hello)]
        for run, write in zip(runs, (ours, theirs), strict=True):
            write(run)
            run.end()
        verdict = judge({1: Comparison(*(run.trace for run in runs))}, [0, 1])
        return verdict.divergence.kind if verdict.divergence else verdict.reason or verdict.name

    return judged


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"), [pytest.param(*case[1:], id=case[0]) for case in MEANINGS]
)
def test_what_a_difference_means(meaning, ours, theirs, expected):
    assert expected in meaning(ours, theirs)


@pytest.mark.parametrize(
    ("hello", "reason"), [pytest.param(*case[1:], id=case[0]) for case in HELLOS]
)
def test_recordings_that_do_not_tell_the_same_prove_nothing_by_what_one_lacks(
    meaning, hello, reason
):
    assert meaning(steps(0, 1), steps(0), **hello).startswith(f"run 1: {reason}")


@pytest.mark.parametrize("hello", [{"mode": "end"}, {"seedproof": "0.9"}])
def test_their_bits_prove_something_all_the_same(meaning, hello):
    assert meaning(array([1]), array([2]), **hello) == "bits"
