"""`--prepare`: what a run would check and load, and one line about it, without TensorFlow."""

import hashlib
import os
import struct
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import seedproof
from seedproof.experiments import datasets, download
from seedproof.experiments.mnist_cv import main

pytestmark = pytest.mark.skipif(
    find_spec("tensorflow") is None or find_spec("sklearn") is None,
    reason="prepares for TensorFlow and scikit-learn",
)


def run(*arguments, **variables):
    source = str(Path(seedproof.__file__).parents[1])
    environ = {**os.environ, "PYTHONPATH": source, "TF_NUM_INTRAOP_THREADS": "1", **variables}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


HEADING = (
    "20 images of scikit-learn's digits "
    "(enlarged from 8x8, its numbers do not compare with those of MNIST)\n"
)


@pytest.mark.parametrize("prepare", [False, True])
def test_preparing_prints_the_heading_alone_and_loads_no_tensorflow(tmp_path, prepare):
    results = tmp_path / "below" / "rows.txt"
    sizes = ["--samples", "20", "--folds", "2", "--epochs", "1", "--results", str(results)]
    code = (
        "import sys; from seedproof.experiments.mnist_cv import main; status = main(sys.argv[1:]);"
        "sys.stderr.write(f\"{status} {'tensorflow' in sys.modules} {'keras' in sys.modules}\")"
    )
    ended = run("-c", code, *sizes, *["--prepare"] * prepare)
    if prepare:
        assert (ended.stdout, ended.stderr) == (HEADING, "0 False False")
    else:  # the same code sees TensorFlow where there is something to see
        assert ended.stderr.startswith(f"mnist_cv: {HEADING}")
        assert ended.stderr.endswith("0 True True")
        assert [line.split()[0] for line in ended.stdout.splitlines()] == ["0", "1"]
    assert results.exists() is not prepare


def test_preparing_as_a_program_ends_with_0():
    ended = run("-m", "seedproof.experiments.mnist_cv", "--prepare", "--samples", 20)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, HEADING, "")


def test_preparing_downloads_once_and_says_so_on_standard_error(capsys, monkeypatch, tmp_path):
    contents = {
        "train-images-idx3-ubyte.gz": struct.pack(">4I", 0x803, 20, 28, 28) + bytes(20 * 28 * 28),
        "train-labels-idx1-ubyte.gz": struct.pack(">2I", 0x801, 20) + bytes(20),
    }
    images, labels = (hashlib.sha256(content).hexdigest() for content in contents.values())
    asked = []

    def chunks(url, timeout):
        asked.append(url)
        yield contents[url.rpartition("/")[2]]

    def load_mnist():
        homes = ("http://home/",)
        digests = {"images_sha256": images, "labels_sha256": labels}
        return datasets._downloaded("mnist", homes, **digests, title="zeros")

    monkeypatch.setenv("SEEDPROOF_CACHE", str(tmp_path))
    monkeypatch.setattr(download, "_chunks", chunks)
    monkeypatch.setitem(datasets.NAMED, "mnist", load_mnist)
    shown = []
    for _ in range(2):
        assert main(["--dataset", "mnist", "--prepare"]) == 0
        out, err = capsys.readouterr()
        assert out == "20 images of zeros\n"
        shown.append(err.splitlines())
    assert len(asked) == 2
    said = [f"downloading mnist/{name} from home" for name in contents]
    assert [line for line in shown[0] if "done" not in line] == said
    assert len(shown[0]) == 4
    assert shown[1] == []


def test_a_name_beyond_the_encoding_of_standard_output_is_spelled_out(tmp_path):
    path = tmp_path / "zahlen-\u00fc\u6570.npz"
    np.savez(path, x=np.zeros((20, 28, 28), np.uint8), y=np.zeros(20, np.uint8))
    arguments = ("-m", "seedproof.experiments.mnist_cv", "--prepare", "--dataset", path)
    ended = run(*arguments, PYTHONIOENCODING="ascii")
    assert ended.stderr == ""
    assert ended.stdout == f"20 images of {tmp_path}/zahlen-\\xfc\\u6570.npz\n"
