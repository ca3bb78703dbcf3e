"""The article's text files: written whole, read strictly, evaluated to the bit."""

import dataclasses
import math
import random
import struct
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from seedproof.errors import UsageError
from seedproof.experiments.article_reader import read_results
from seedproof.experiments.article_results import append_run
from seedproof.experiments.evaluation import Evaluation, evaluate_results

ARTICLE = Path(__file__).parents[2].parent / "shared" / "data" / "article-results"
START = datetime(2020, 10, 2, 23, 0, 20)


def write_runs(path, values, stamps=None):
    """Write values[run][fold] = (loss, accuracy), one minute apart unless stamps are given."""
    for run, folds in enumerate(values):
        stamp = stamps[run] if stamps else START + timedelta(minutes=run)
        append_run(path, stamp, [(fold, *row) for fold, row in enumerate(folds)])
    return path


def written(tmp_path, text):
    path = tmp_path / "results.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode("ascii"))
    return path


def double(bits):
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


class TestAppendRun:
    def test_writes_the_article_s_format_with_full_precision(self, tmp_path):
        path = tmp_path / "new" / "directory" / "results.txt"
        append_run(path, START, [(0, 0.041036274284124374, 0.987500011920929), (1, 0.1, 1.0)])
        append_run(path, START + timedelta(seconds=116), [(0, math.nan, -math.inf), (1, -0.0, 0.0)])
        assert path.read_bytes() == (
            b"20201002-230020\n0 0.041036274284124374 0.987500011920929\n1 0.1 1.0\n"
            b"20201002-230216\n0 nan -inf\n1 -0.0 0.0\n"
        )

    def test_writes_numpy_scalars_as_the_doubles_that_they_are(self, tmp_path):
        path = tmp_path / "results.txt"
        append_run(path, START, [(np.int64(0), np.float32(0.9875), np.float64(0.1))])
        assert path.read_text().splitlines()[1] == "0 0.987500011920929 0.1"

    def test_refuses_a_run_without_folds_and_writes_nothing(self, tmp_path):
        with pytest.raises(ValueError, match="without folds"):
            append_run(tmp_path / "results.txt", START, [])
        assert not list(tmp_path.iterdir())

    def test_runs_side_by_side_never_interleave(self, tmp_path):
        path = tmp_path / "results.txt"

        def run(number):
            append_run(path, START, [(fold, number, number) for fold in range(10)])

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(run, range(400)))
        runs = np.frombuffer(read_results(path).values).reshape(400, 20)
        assert (runs == runs[:, :1]).all()
        assert sorted(runs[:, 0]) == list(range(400))

    def test_says_when_the_disk_took_only_a_part(self, tmp_path):
        resource = pytest.importorskip("resource")
        signal = pytest.importorskip("signal")
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
        try:
            with pytest.raises(OSError, match="only 20 of 26 bytes"):
                append_run(tmp_path / "results.txt", START, [(0, 1, 1)])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, ignored)

    def test_what_is_written_is_read_back_to_the_bit(self, tmp_path):
        drawn = random.Random(0)
        row = [double(drawn.getrandbits(64)) for _ in range(2000)]
        numbers = [value for value in row if not math.isnan(value)]
        numbers = numbers[: len(numbers) // 2 * 2]
        path = write_runs(tmp_path / "r.txt", [list(zip(numbers[::2], numbers[1::2], strict=True))])
        assert read_results(path).values.tobytes() == struct.pack(f"{len(numbers)}d", *numbers)


class TestTheArticleItself:
    pytestmark = pytest.mark.skipif(not ARTICLE.is_dir(), reason="needs the article's data")

    def test_with_options(self):
        evaluation = evaluate_results(ARTICLE / "with_tf_option.txt")
        assert (evaluation.runs, evaluation.folds, evaluation.seconds) == (2, 10, 116)
        assert evaluation.variance == evaluation.loss.variance == evaluation.accuracy.variance == 0
        assert evaluation.identical is True

    def test_without_options(self):
        evaluation = evaluate_results(ARTICLE / "without_tf_option.txt")
        assert (evaluation.runs, evaluation.folds, evaluation.seconds) == (2, 10, 92)
        assert evaluation.variance == 3.6624326077063645e-07
        assert evaluation.loss.variance == 4.929006647873963e-07
        assert evaluation.accuracy.variance == 2.395858567538767e-07
        assert evaluation.identical is False


class TestVariance:
    def test_is_within_a_fold_over_the_runs_then_averaged(self, tmp_path):
        runs = [[(0.25, 0.5), (4.0, 1.0)], [(0.75, 0.5), (4.0, 0.5)]]
        evaluation = evaluate_results(write_runs(tmp_path / "r.txt", runs))
        assert (evaluation.loss.variance, evaluation.loss.sample_variance) == (0.03125, 0.0625)
        assert evaluation.accuracy.variance == 0.03125
        assert evaluation.variance == 0.03125

    @pytest.mark.parametrize("runs", [2, 3, 9, 40])
    @pytest.mark.parametrize("folds", [1, 7, 50])
    def test_agrees_with_numpy_for_any_shape(self, tmp_path, runs, folds):
        values = np.random.default_rng(runs * 100 + folds).random((runs, folds, 2))
        evaluation = evaluate_results(write_runs(tmp_path / "r.txt", values.tolist()))
        within = np.var(values, axis=0)
        sample = np.var(values, axis=0, ddof=1)
        assert (evaluation.runs, evaluation.folds) == (runs, folds)
        assert evaluation.variance == within.mean()
        assert evaluation.loss.variance == within[:, 0].mean()
        assert evaluation.accuracy.variance == within[:, 1].mean()
        assert evaluation.loss.sample_variance == sample[:, 0].mean()
        assert evaluation.accuracy.sample_variance == sample[:, 1].mean()
        assert evaluation.identical is False
        assert evaluation.seconds == 60 * (runs - 1)

    def test_identical_runs_have_variance_zero_where_numpy_s_is_not(self, tmp_path):
        assert np.var([0.1, 0.1, 0.1]) != 0
        evaluation = evaluate_results(write_runs(tmp_path / "r.txt", [[(0.1, 0.1)]] * 3))
        assert evaluation.identical is True
        assert evaluation.variance == evaluation.loss.sample_variance == 0

    def test_an_identical_fold_adds_exactly_nothing_to_a_differing_one(self, tmp_path):
        runs = [[(0.1, 0.5), (loss, 0.5)] for loss in (0.25, 0.5, 0.75)]
        evaluation = evaluate_results(write_runs(tmp_path / "r.txt", runs))
        assert evaluation.loss.variance == np.var([0.25, 0.5, 0.75]) / 2
        assert evaluation.accuracy.variance == 0

    def test_a_single_run_was_compared_with_nothing(self, tmp_path):
        evaluation = evaluate_results(write_runs(tmp_path / "r.txt", [[(0.1, 0.9)]]))
        assert evaluation.identical is None
        assert evaluation.loss.sample_variance is None
        assert (evaluation.variance, evaluation.seconds) == (0, 0)


class TestIdentical:
    def judged(self, tmp_path, *losses):
        text = "".join(f"20201002-230020\n0 {loss} 0.5\n" for loss in losses)
        return evaluate_results(written(tmp_path, text))

    @pytest.mark.parametrize(
        ("losses", "identical"),
        [
            (("0.0", "-0.0"), False),
            (("0.1", "0.1000"), True),
            (("1e-200", "2e-200"), False),  # their variance underflows to 0
            (("0.1", "0.1", "0.10000000000000002"), False),
            (("nan", "NaN"), True),
            (("nan", "-nan"), False),
            (("inf", "inf"), True),
            (("inf", "-inf"), False),
        ],
    )
    def test_is_decided_on_the_bits(self, tmp_path, losses, identical):
        assert self.judged(tmp_path, *losses).identical is identical

    @pytest.mark.parametrize("losses", [("nan", "nan"), ("inf", "inf"), ("inf", "1.0")])
    def test_numbers_that_are_not_finite_have_no_variance(self, tmp_path, losses):
        evaluation = self.judged(tmp_path, *losses)
        assert math.isnan(evaluation.variance)
        assert math.isnan(evaluation.loss.variance)
        assert evaluation.accuracy.variance == 0
        assert evaluation.not_finite == sum("n" in loss for loss in losses)


class TestTime:
    def test_gaps_are_summed_over_days(self, tmp_path):
        stamps = [START, START + timedelta(days=1, seconds=5), START + timedelta(days=3)]
        path = write_runs(tmp_path / "r.txt", [[(1, 1)]] * 3, stamps)
        assert evaluate_results(path).seconds == 3 * 86400

    def test_is_unknown_once_the_clock_went_back(self, tmp_path):
        stamps = [START + timedelta(seconds=gap) for gap in (0, -1, 3600, 1800)]
        path = write_runs(tmp_path / "r.txt", [[(1, 1)]] * 4, stamps)
        evaluation = evaluate_results(path)
        assert (evaluation.seconds, evaluation.backwards_line) == (None, 3)


RUN = "20201002-230020\n0 0.1 0.9\n1 0.2 0.8\n"

DAMAGES = {
    "empty": ("", 1, "no run"),
    "blank lines alone": ("\n \n\n", 3, "no run"),
    "row before the first stamp": ("0 0.1 0.9\n" + RUN, 1, "before the first time stamp"),
    "stamp without folds": ("20201002-230020\n" + RUN, 2, "fold 0 is missing"),
    "stamp alone at the end": (RUN + "20201002-230216\n", 4, "fold 0 is missing"),
    "run cut short": (RUN + "20201002-230216\n0 0.1 0.9\n", 5, "end of run 2, whose fold 1"),
    "run cut short before another": (
        RUN + "20201002-230216\n0 0.1 0.9\n" + RUN,
        6,
        "end of run 2, whose fold 1 is missing; allowed is the folds 0 to 1",
    ),
    "fold left out": (RUN.replace("1 0.2", "2 0.2"), 3, "'2'; allowed is fold 1"),
    "first fold left out": ("20201002-230020\n1 0.1 0.9\n", 2, "'1'; allowed is fold 0"),
    "fold twice": (RUN + "1 0.2 0.8\n", 4, "fold 1 a second time"),
    "more folds than the first run": (RUN * 2 + "2 0.2 0.8\n", 7, "'2'; allowed is 0 to 1"),
    "fold that is no number": (RUN + "x 0.2 0.8\n", 4, "'x' as fold"),
    "negative fold": (RUN + "-1 0.2 0.8\n", 4, "'-1' as fold"),
    "bad loss": (RUN.replace("0.2", "0.2.1"), 3, "'0.2.1' as loss"),
    "bad accuracy": (RUN.replace("0.8", "0,8"), 3, "'0,8' as accuracy"),
    "Python's underscores": (RUN.replace("0.2", "1_0"), 3, "'1_0' as loss"),
    "beyond a double": (RUN.replace("0.2", "1e999"), 3, "'1e999' as loss"),
    "two fields": (RUN + "2 0.2\n", 4, "2 fields"),
    "four fields": (RUN + "2 0.2 0.2 0.2\n", 4, "4 fields"),
    "stamp of no date": (RUN + "20201302-230020\n", 4, "'20201302-230020'"),
    "stamp too short": (RUN + "2020102-230020\n", 4, "'2020102-230020'"),
    "NUL bytes": (RUN.encode() + b"\0\0\n", 4, r"'\x00\x00', which is no plain text"),
    "UTF-16": ("\ufeff20201002-230020\n".encode("utf-16-le"), 1, "which is no plain text"),
    "other letters": (RUN.encode() + b"2 0.2 \xe9\n", 4, r"'2 0.2 \xe9', which is no plain text"),
    "digits of another script": (RUN.encode() + "٢ 0.2 0.8\n".encode(), 4, "no plain text"),
    "long line": (RUN + "2" * 1001 + "\n", 4, "more than 1000 characters"),
    "after a long line of Windows": (
        RUN.replace("0.2", "0." + "2" * 992).replace("\n", "\r\n") + "x y\n",
        4,
        "2 fields",
    ),
    "long line shown in part": (RUN + "x" * 1000 + "\n", 4, f"'{'x' * 40}' ...; allowed"),
}


class TestDamage:
    @pytest.mark.parametrize("damage", DAMAGES)
    def test_is_refused_in_one_line_that_names_the_place(self, tmp_path, damage):
        text, line, found = DAMAGES[damage]
        path = written(tmp_path, text)
        with pytest.raises(UsageError) as refusal:
            evaluate_results(path)
        message = str(refusal.value)
        assert message.startswith(f"{path}:{line}: found ")
        assert found in message
        assert "; allowed is " in message
        assert "\n" not in message
        assert len(message) < len(str(path)) + 250

    def test_a_missing_file_and_a_directory_are_refused(self, tmp_path):
        for path in (tmp_path / "missing.txt", tmp_path):
            with pytest.raises(UsageError, match="cannot be read") as refusal:
                evaluate_results(path)
            assert str(refusal.value).startswith(f"{path}: ")

    def test_a_huge_line_is_never_held_whole(self, tmp_path):
        path = tmp_path / "huge.txt"
        with path.open("wb") as file:
            file.truncate(200_000_000)  # a sparse file: one line of NUL bytes
        tracemalloc.start()
        try:
            with pytest.raises(UsageError, match=":1: "):
                read_results(path)
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()


class TestTolerance:
    @pytest.mark.parametrize(
        "text",
        [
            RUN.replace("\n", "\r\n"),
            RUN.rstrip("\n"),
            f"\n{RUN}\n\n",
            RUN.replace(" ", "\t"),
            RUN.replace("0.2", "0." + "2" * 992),  # a line of exactly 1000 characters
            RUN.replace("0.2", "0." + "2" * 992).replace("\n", "\r\n"),
        ],
    )
    def test_harmless_variants_are_read(self, tmp_path, text):
        results = read_results(written(tmp_path, text))
        assert (results.runs, results.folds) == (1, 2)
        assert results.values.tolist() == pytest.approx([0.1, 0.9, 0.2, 0.8], abs=0.03)

    def test_memory_grows_with_the_numbers_only(self, tmp_path):
        path = written(tmp_path, RUN * 20_000)
        tracemalloc.start()
        try:
            results = read_results(path)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert results.runs == 20_000
        assert peak < 3 * 8 * len(results.values)


def test_an_evaluation_cannot_be_changed(tmp_path):
    evaluation = evaluate_results(written(tmp_path, RUN))
    assert isinstance(evaluation, Evaluation)
    with pytest.raises(dataclasses.FrozenInstanceError):
        evaluation.identical = True
