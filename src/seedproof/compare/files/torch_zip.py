"""What `torch.save` writes: a zip with a pickle that says which part of which storage is where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from seedproof.compare.files import dtypes
from seedproof.compare.files.archive import Archive
from seedproof.compare.files.content import UnreadableError, blocks
from seedproof.compare.files.leaves import Leaves
from seedproof.compare.files.pickled import Global, Made, Persistent, inert
from seedproof.compare.files.strided import View
from seedproof.compare.files.tensor import Tensor, naturals, value

PICKLE = "data.pkl"
_LARGEST_PICKLE = 64 << 20
_LARGEST_GATHERED = 256 << 20
_DEEPEST_WRAPPING = 10

# Of these the first arguments are the storage, the offset, the shape and the strides.
_VIEWS = {
    f"torch._utils.{name}"
    for name in ("_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_qtensor")
}
_WITH_DTYPE = "torch._utils._rebuild_tensor_v3"
_PARAMETERS = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state")
_SUBCLASS = "torch._tensor._rebuild_from_type_v2"
_STORAGES = {
    "Double": "float64",
    "Float": "float32",
    "Half": "float16",
    "BFloat16": "bfloat16",
    "Long": "int64",
    "Int": "int32",
    "Short": "int16",
    "Char": "int8",
    "Byte": "uint8",
    "Bool": "bool",
    "ComplexFloat": "complex64",
    "ComplexDouble": "complex128",
    "QUInt8": "quint8",
    "QInt8": "qint8",
    "QInt32": "qint32",
    "Untyped": "uint8",
}


def tensors_of_torch(archive: Archive) -> list[Tensor]:
    """The tensors and the plain values, in the order of the pickle, by dotted names."""
    pickle = next(name for name in archive.members if name.endswith("/" + PICKLE))
    file = _File(archive, pickle.removesuffix(PICKLE))
    whole = inert(archive.read(pickle, _LARGEST_PICKLE))
    return [file.leaf(name, node) for name, node in Leaves(whole, _is_tensor)]


def _is_tensor(node: Any) -> bool:
    return isinstance(_unwrapped(node), Persistent) or _made_by(_unwrapped(node)) in _VIEWS


def _made_by(node: Any) -> str:
    by = node.by if isinstance(node, Made) else None
    return by.name if isinstance(by, Global) else ""


def _unwrapped(node: Any) -> Any:
    """What a parameter, or a tensor of a class of its own, is made from."""
    for _ in range(_DEEPEST_WRAPPING):
        if _made_by(node) in _PARAMETERS:
            node = node.arguments[0]
        elif _made_by(node) == _SUBCLASS:
            node = Made(node.arguments[0], node.arguments[2])
        else:
            break
    return node


class _Storage(NamedTuple):
    """The bytes of a storage in the file."""

    start: int
    length: int
    dtype: str

    @property
    def itemsize(self) -> int:
        return dtypes.size_of(self.dtype) or 1


class _File:
    """The archive, whose members are called `prefix` and more."""

    def __init__(self, archive: Archive, prefix: str) -> None:
        self._archive = archive
        self._prefix = prefix
        order = prefix + "byteorder"
        self._is_big = order in archive.members and archive.read(order, 100) == b"big"

    def leaf(self, name: str, node: Any) -> Tensor:
        """A tensor, or a plain value."""
        if not _is_tensor(node):
            return value(name, node.name if isinstance(node, Global) else node)
        node = _unwrapped(node)
        if isinstance(node, Persistent):
            storage = self._storage(node, None)
            whole = storage.length // storage.itemsize
            return self._tensor(name, storage, View(0, (whole,), (1,)))
        of, offset, shape, strides = node.arguments[:4]
        dtype = node.arguments[6] if _made_by(node) == _WITH_DTYPE else None
        view = View(naturals([offset])[0], naturals(shape), naturals(strides))
        return self._tensor(name, self._storage(of, dtype), view)

    def _storage(self, persistent: Any, dtype: Any) -> _Storage:
        """A storage; its elements are of the type that it is named after where none is given."""
        _, kind, key, *_ = persistent.pid
        named = _STORAGES.get(kind.name.rpartition(".")[2].removesuffix("Storage"), "")
        name = named if dtype is None else dtype.name.removeprefix("torch.")
        member = f"{self._prefix}data/{key}" if isinstance(key, str) else ""
        if dtypes.size_of(name) is None or member not in self._archive.members:
            raise UnreadableError("a tensor's storage is missing, or of a type that is not known")
        return _Storage(*self._archive.span(member), name)

    def _tensor(self, name: str, storage: _Storage, view: View) -> Tensor:
        size = storage.itemsize
        if (view.offset + view.reach()) * size > storage.length:
            raise UnreadableError("a tensor reaches beyond its storage")
        start = storage.start + view.offset * size

        def dense(block: int) -> Iterator[bytes]:
            return self._blocks(storage.dtype, start, view.elements * size, block)

        def gathered(block: int) -> Iterator[bytes]:
            if max(view.reach(), view.elements) * size > _LARGEST_GATHERED:
                raise UnreadableError("a large tensor is spread over its storage")
            there = self._blocks(storage.dtype, start, view.reach() * size, _LARGEST_GATHERED)
            data = view.gathered(b"".join(there), size)
            return (data[at : at + block] for at in range(0, len(data), block))

        read, axes = (dense, view.axes()) if view.is_dense() else (gathered, ())
        in_order = None if list(axes) == sorted(axes) else axes
        return Tensor(name, storage.dtype, view.shape, size, read, in_order)

    def _blocks(self, dtype: str, start: int, length: int, block: int) -> Iterator[bytes]:
        for data in blocks(self._archive.file, start, length, block):
            yield dtypes.little_endian(dtype, data) if self._is_big else data
