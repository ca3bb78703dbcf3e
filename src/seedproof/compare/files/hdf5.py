"""HDF5 files (`.h5`), and Keras' archive with one in it (`.keras`); read with h5py, where it is."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from seedproof.compare.files import dtypes
from seedproof.compare.files.archive import Archive
from seedproof.compare.files.content import MissingReaderError, UnreadableError
from seedproof.compare.files.tensor import Tensor, naturals
from seedproof.compare.files.window import Window

MAGIC = b"\x89HDF\r\n\x1a\n"
KERAS_WEIGHTS = "model.weights.h5"
_MOST_OBJECTS = 200_000
_LARGEST_CHUNK = 256 << 20
# Gzip, shuffle, checksum, szip, n-bit, scale-offset, LZF: what HDF5 and h5py bring themselves.
_KNOWN_FILTERS = (1, 2, 3, 4, 5, 6, 32000)


def tensors_of_keras(archive: Archive, opened: ExitStack) -> list[Tensor]:
    """The weights and the optimizer's variables in a `.keras` file."""
    return tensors_of_hdf5(Window(archive.file, *archive.span(KERAS_WEIGHTS)), opened)


def tensors_of_hdf5(file: Any, opened: ExitStack) -> list[Tensor]:
    """The datasets, by their paths; they can be read until `opened` is closed."""
    if find_spec("h5py") is None:
        raise MissingReaderError("reading HDF5 needs h5py beside seedproof")
    return list(_Datasets(opened.enter_context(import_module("h5py").File(file, "r"))))


class _Datasets:
    """All datasets that lie in the file itself; links to others are not followed."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._h5py = import_module("h5py")
        self._met: set[int] = set()

    def __iter__(self) -> Iterator[Tensor]:
        groups = [("", self._root)]
        while groups:
            path, group = groups.pop()
            inner = []
            for name in group:
                node = self._own(group, name)
                if isinstance(node, self._h5py.Group):
                    inner.append((f"{path}{name}/", node))
                elif isinstance(node, self._h5py.Dataset) and _is_tensor(node):
                    yield _tensor(path + name, node)
            groups.extend(reversed(inner))

    def _own(self, group: Any, name: str) -> Any:
        """An object at its first meeting; None at the next, and for a link that is none of the
        file's own."""
        if not isinstance(group.get(name, getlink=True), self._h5py.HardLink):
            return None
        node = group[name]
        address = self._h5py.h5o.get_info(node.id).addr
        if address in self._met:
            return None
        self._met.add(address)
        if len(self._met) > _MOST_OBJECTS:
            raise UnreadableError("it holds too many objects")
        return node


def _is_tensor(dataset: Any) -> bool:
    """Whether it has a shape, and elements of one size."""
    return dataset.shape is not None and not dataset.dtype.hasobject


def _tensor(name: str, dataset: Any) -> Tensor:
    dtype, shape = dataset.dtype, naturals(dataset.shape)
    _refuse_unusual(dataset)
    little = dtype.newbyteorder("<")
    known = dtypes.size_of(dtype.name) is not None

    def read(block: int) -> Iterator[bytes]:
        for part in _slabs(shape, max(1, block // dtype.itemsize)):
            yield dataset[part].astype(little, copy=False).tobytes()

    return Tensor(name, dtype.name if known else str(little), shape, dtype.itemsize, read)


def _refuse_unusual(dataset: Any) -> None:
    """What lies in other files, or is packed so that reading it could take any memory or code."""
    plan = dataset.id.get_create_plist()
    filters = [plan.get_filter(at)[0] for at in range(plan.get_nfilters())]
    if dataset.external or dataset.is_virtual or not set(filters) <= set(_KNOWN_FILTERS):
        raise UnreadableError("a dataset lies in another file, or is packed in an unusual way")
    if dataset.chunks and math.prod(dataset.chunks) * dataset.dtype.itemsize > _LARGEST_CHUNK:
        raise UnreadableError("a dataset is stored in too large chunks")


def _slabs(shape: tuple[int, ...], most: int) -> Iterator[tuple[slice | int, ...]]:
    """Parts of at most `most` elements that follow each other and make up the whole."""
    if not math.prod(shape):
        return
    if not shape:
        yield ()
        return
    inner = math.prod(shape[1:])
    if inner > most:
        for row in range(shape[0]):
            yield from ((row, *part) for part in _slabs(shape[1:], most))
    else:
        rows = most // inner
        for row in range(0, shape[0], rows):
            yield (slice(row, row + rows),)
