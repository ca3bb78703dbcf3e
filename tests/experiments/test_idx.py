"""The IDX format, read strictly: what a file announces is there, and nothing else is."""

import gzip
import struct
import tracemalloc
import zlib

import numpy as np
import pytest

from seedproof.experiments.idx import read_idx

SHAPE = (28, 28)
IMAGES = np.random.default_rng(0).integers(0, 256, (6, *SHAPE), dtype=np.uint8)
LABELS = np.array([3, 1, 4, 1, 5, 9], np.uint8)


def header(*shape, kind=8):
    return struct.pack(f">HBB{len(shape)}I", 0, kind, len(shape), *shape)


IMAGES_FILE = header(*IMAGES.shape) + IMAGES.tobytes()
LABELS_FILE = header(*LABELS.shape) + LABELS.tobytes()
ZIPPED = gzip.compress(IMAGES_FILE, mtime=0)


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, item_shape=SHAPE, name="images"):
        (tmp_path / name).write_bytes(content)
        return read_idx(tmp_path / name, item_shape)

    return write_and_read


@pytest.mark.parametrize("name", ["images", "images.gz"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_files_are_read_gzipped_or_not_whatever_their_names(read, pack, name):
    images = read(pack(IMAGES_FILE), name=name)
    labels = read(pack(LABELS_FILE), (), name)
    assert (images.dtype, labels.dtype) == (np.uint8, np.uint8)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)


def test_a_file_may_announce_no_items(read):
    assert read(header(0, *SHAPE)).shape == (0, *SHAPE)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "truncated, 4 bytes are missing"),
        (b"<html>no such file", "starts with the bytes 3c68746d, not 00000803"),
        (LABELS_FILE, "starts with the bytes 00000801, not 00000803"),
        (header(6, *SHAPE, kind=13) + IMAGES.tobytes(), "starts with the bytes 00000d03"),
        (IMAGES_FILE[:10], "truncated, 6 bytes are missing"),
        (IMAGES_FILE[:-5], "truncated, 5 bytes are missing"),
        (gzip.compress(IMAGES_FILE[:-5], mtime=0), "truncated, 5 bytes are missing"),
        (IMAGES_FILE + b"\0", "more bytes follow the 6 items"),
        (header(6, 14, 28) + IMAGES[:, :14].tobytes(), "its images are 14x28"),
    ],
)
def test_what_is_no_such_file_is_refused(read, content, part):
    with pytest.raises(ValueError, match=part):
        read(content)


@pytest.mark.parametrize(
    ("content", "error", "part"),
    [
        (ZIPPED[:-9], EOFError, "end-of-stream"),
        (ZIPPED + b"more", OSError, "Not a gzipped file"),
        (ZIPPED[:-8] + bytes(8), OSError, "CRC check failed"),
        (ZIPPED[:10] + b"\xff" * 9, zlib.error, "while decompressing"),
    ],
)
def test_a_damaged_archive_is_refused(read, content, error, part):
    with pytest.raises(error, match=part):
        read(content)


def test_a_false_header_reserves_nothing(read):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="truncated"):
            read(header(2**32 - 1, *SHAPE) + IMAGES.tobytes())
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
