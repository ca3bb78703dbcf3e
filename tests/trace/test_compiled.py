"""Compiled code gives the digests that NumPy gives, and is not used where it does not."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from seedproof.trace import compiled, sums
from seedproof.trace.digest import digest_array
from seedproof.trace.keys import BLOCK

GENERATOR = np.random.default_rng(0)
LENGTHS = [0, 1, 7, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 1, 70 * BLOCK + 5]

needs_library = pytest.mark.skipif(compiled.function() is None, reason="nothing was compiled")


def random(width, length):
    return np.frombuffer(GENERATOR.bytes(width * length), f"i{width}")


@pytest.fixture
def loaded_anew():
    """What is loaded is kept; here it is looked for again, and once more afterwards."""
    forget = (compiled.function.cache_clear, sums._is_right.cache_clear)
    for each in forget:
        each()
    yield
    for each in forget:
        each()


@pytest.mark.skipif(not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="no C compiler")
def test_it_was_compiled_where_a_compiler_is_at_hand():
    assert sums.are_compiled([1])


@needs_library
@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("length", LENGTHS)
def test_every_width_and_length_has_the_sum_that_numpy_finds(width, length):
    words = random(width, length)
    assert sums._compiled(words) == sums._by_numpy(words) % 2**64


@needs_library
def test_arrays_of_one_call_have_each_its_header_and_its_words():
    arrays = [random(4, 5), random(1, 9), random(2, BLOCK + 3), random(4, 0)]
    headers, counts = [2**64 - 1, 0, 7, 9], list(map(len, arrays))
    digests = compiled.Digests(headers, counts, [array.itemsize for array in arrays])
    found = digests(list(map(compiled.address, arrays)))
    bodies = map(sums._by_numpy, arrays)
    assert found == [(head + body) % 2**64 for head, body in zip(headers, bodies, strict=True)]


@needs_library
@pytest.mark.parametrize("width", [2, 4])
def test_words_may_begin_at_any_address(width):
    raw = np.frombuffer(GENERATOR.bytes(1 + 100 * width), np.uint8)
    askew = raw[1:].view(f"i{width}")
    assert sums._compiled(askew) == sums._by_numpy(askew.copy()) % 2**64


@needs_library
@pytest.mark.slow
def test_the_longest_array_has_its_sum_and_a_longer_one_is_left_to_numpy():
    words = np.zeros(compiled.MOST_WORDS, np.int8)
    words[[0, 5 * BLOCK, -1]] = 1, -2, 3
    assert sums._compiled(words) == sums._by_numpy(words) % 2**64
    assert not sums.are_compiled([1, compiled.MOST_WORDS + 1])


def test_a_library_that_sums_otherwise_is_not_used(loaded_anew, monkeypatch):
    array = random(4, 100)
    right = digest_array(array)
    sums._is_right.cache_clear()
    monkeypatch.setattr(compiled, "function", lambda: lambda *_: None)
    assert not sums.are_compiled([1])
    assert digest_array(array) == right


@pytest.mark.parametrize(("name", "text"), [("none.so", None), ("damaged.so", "no library")])
def test_without_a_library_that_loads_numpy_sums(name, text, loaded_anew, monkeypatch, tmp_path):
    array = random(4, 100)
    right = digest_array(array)
    compiled.function.cache_clear()
    sums._is_right.cache_clear()
    monkeypatch.setattr(compiled, "LIBRARY", str(tmp_path / name))
    if text is not None:
        (tmp_path / name).write_text(text)
    assert not sums.are_compiled([1])
    assert digest_array(array) == right


def test_a_library_of_another_digest_is_not_used(loaded_anew, monkeypatch):
    monkeypatch.setattr(compiled, "_FUNCTION", "ml64_0_digests")
    assert compiled.function() is None
