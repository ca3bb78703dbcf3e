"""Files like those of `torch.save` with pickles that lie: data, whatever they ask for."""

import io
import pickle
import sys
import zipfile
from collections import OrderedDict

import pytest

from seedproof.compare.files import leaves, pickled
from two_runs import difference

torch = pytest.importorskip("torch")


class Armed:
    """What a pickle could do to whoever loads it."""

    def __init__(self, call, *arguments):
        self.call = call, arguments

    def __reduce__(self):
        return self.call


class Storage:
    """A reference to a storage."""

    def __init__(self, key="0", count=2, kind=torch.FloatStorage):
        self.pid = ("storage", kind, key, "cpu", count)


class Pickler(pickle.Pickler):
    """Writes references as PyTorch does."""

    def persistent_id(self, content):
        return content.pid if isinstance(content, Storage) else None


def view(storage, offset=0, shape=(2,), strides=(1,)):
    """A tensor, as its pickle says it."""
    rebuild = torch._utils._rebuild_tensor_v2
    return Armed(rebuild, storage, offset, shape, strides, False, OrderedDict())


def forged(content, storage=bytes(8), protocol=2):
    """A file like PyTorch's with any pickle."""
    if not isinstance(content, bytes):
        file = io.BytesIO()
        Pickler(file, protocol).dump(content)
        content = file.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in {"data.pkl": content, "data/0": storage}.items():
            archive.writestr(zipfile.ZipInfo(f"archive/{name}"), data)
    return out.getvalue()


def note(tmp_path, content):
    """The note of two files with this pickle, whose storages differ."""
    found = difference(tmp_path, "w.pt", forged(content), forged(content, b"\1" * 8))
    assert found.tensor is None
    assert found.member.name == "archive/data/0"
    return found.note.removeprefix("what it holds was not compared: ")


def test_a_forged_file_is_read_like_a_true_one(tmp_path):
    ours, theirs = forged({"w": view(Storage())}), forged({"w": view(Storage())}, b"\1" * 8)
    assert difference(tmp_path, "w.pt", ours, theirs).tensor.name == "w"


def test_nothing_that_a_pickle_names_is_called(tmp_path):
    ours = forged([Armed(pytest.fail, "it was called"), view(Storage())])
    theirs = forged([Armed(pytest.fail, "it was called"), view(Storage())], b"\1" * 8)
    assert difference(tmp_path, "w.pt", ours, theirs).tensor.name == "1"


def test_nothing_that_a_pickle_names_is_imported(tmp_path):
    content = b"\x80\x02(cno_such_module\nfunction\nX\1\0\0\0x\x85Rl."
    ours, theirs = forged(content), forged(content.replace(b"x\x85", b"y\x85"))
    assert difference(tmp_path, "w.pt", ours, theirs).tensor.name == "0.0"
    assert "no_such_module" not in sys.modules


@pytest.mark.parametrize(
    ("forgery", "why"),
    [
        (view(Storage(), shape=(3,)), "beyond its storage"),
        (view(Storage(), offset=1), "beyond its storage"),
        (view(Storage(), shape=(2, 2), strides=(2, 1)), "beyond its storage"),
        (view(Storage(), offset=-1), "impossible shape"),
        (view(Storage(), shape=(-2,)), "impossible shape"),
        (view(Storage(), strides=(-1,)), "impossible shape"),
        (view(Storage(), shape=(2.0,)), "impossible shape"),
        (view(Storage(), shape=(1,) * 100, strides=(1,) * 100), "impossible shape"),
        (view(Storage(), shape=(2, 1)), "cannot be read"),
        (view(Storage("9")), "storage is missing"),
        (view(Storage("../data.pkl")), "storage is missing"),
        (view(Storage(7)), "storage is missing"),
        (view(Storage(kind=OrderedDict)), "type that is not known"),
        (view(OrderedDict()), "cannot be read"),
        (view(Storage(), shape=(10**9, 10**9), strides=(0, 0)), "larger by far"),
        (OrderedDict([("1", view(Storage())), (1, view(Storage()))]), "two tensors alike"),
        (Armed(torch._utils._rebuild_tensor_v2), "cannot be read"),
        (Armed(torch._utils._rebuild_parameter), "cannot be read"),
    ],
)
def test_a_tensor_that_cannot_be_leaves_the_member_and_a_note(tmp_path, forgery, why):
    assert why in note(tmp_path, [forgery])


@pytest.mark.parametrize(
    ("at", "flag", "why"), [(8, b"\1", "encrypted"), (10, b"\x08", "is packed")]
)
def test_a_storage_that_is_not_stored_as_it_is_leaves_a_note(tmp_path, at, flag, why):
    def altered(file):
        entry = file.rindex(b"PK\1\2") + at
        return file[:entry] + flag + file[entry + 1 :]

    ours, theirs = (forged(view(Storage()), content) for content in (bytes(8), b"\1" * 8))
    assert why in difference(tmp_path, "w.pt", altered(ours), altered(theirs)).note


def nested(depth):
    """Lists in lists, written by hand since the pickler is recursive."""
    return b"\x80\x02" + b"]" * depth + b"a" * (depth - 1) + b"."


def doubling(times):
    """A list of twice a list of twice a list …"""
    return b"\x80\x02]" + b"".join(b"q%c](h%ch%ce" % (n, n, n) for n in range(times)) + b"."


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x02",
        b"\x80\x02.",
        b"\x80\x02h\x07.",
        b"\x80\x02]K\1s.",
        b"\x80\x02}K\1a.",
        b"\x80\x02}(K\1u.",
        b"\x80\x02]K\1b.",
        b"\x80\x02K\1K\2K\3e.",
        b"\x80\x02K\1\x86.",
        b"\x80\x02R.",
        b"\x80\x02\x8b\xff\xff\xff\x7f.",
        b"\x80\x05\x8d\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"\x80\x02I" + b"9" * 100_000 + b"\n.",
        b"(ios\nsystem\n.",
        b"Pid\n.",
        nested(10_000),
        doubling(60),
    ],
    ids=lambda content: repr(content[:20]),
)
def test_a_pickle_that_is_none_or_too_much_leaves_the_member_and_a_note(tmp_path, content):
    assert note(tmp_path, content)


def test_a_pickle_of_too_many_values_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(leaves, "_MOST_VISITS", 100)
    assert "holds too much" in note(tmp_path, list(range(200)))


def test_a_pickle_of_too_many_opcodes_is_not_read_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(pickled, "_MOST_OPCODES", 100)
    assert "pickle is too long" in note(tmp_path, b"(" * 200 + b".")


def test_a_pickle_that_is_too_large_is_not_read(tmp_path):
    assert "too large" in note(tmp_path, b"\x80\x02" + b"N0" * (33 << 20) + b"N.")
