"""What `torch.save` writes: read without PyTorch, and without running what a pickle asks for."""

import io
import subprocess
import sys
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from conftest import environment
from seedproof.compare.files.archive import Archive
from seedproof.compare.files.outcome import TensorDifference
from seedproof.compare.files.torch_zip import tensors_of_torch
from two_runs import TwoRuns, difference

torch = pytest.importorskip("torch")


def saved(content, **options):
    """What `torch.save` writes."""
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def read(content, **options):
    """By name, the tensors and values that are found in what `torch.save` writes."""
    archive = Archive(io.BytesIO(saved(content, **options)))
    return {tensor.name: tensor for tensor in tensors_of_torch(archive)}


def elements(tensor):
    """A tensor of the file as NumPy has it."""
    stored = np.frombuffer(b"".join(tensor.read(1 << 20)), tensor.dtype)
    if tensor.axes is None:
        return stored.reshape(tensor.shape)
    stored = stored.reshape([tensor.shape[axis] for axis in tensor.axes])
    return stored.transpose(np.argsort(tensor.axes)).reshape(tensor.shape)


def trained():
    """A model with buffers and its optimizer after one step."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(8, 3)).sum().backward()
    optimizer.step()
    return model, optimizer


def checkpoint(epoch=3, **changed):
    """A checkpoint as people write them."""
    model, optimizer = trained()
    content = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": epoch}
    return saved({**content, **changed})


# -- what is found -----------------------------------------------------------------------------


def test_state_is_found_under_dotted_names():
    model, optimizer = trained()
    found = read({"model": model.state_dict(), "optimizer": optimizer.state_dict()})
    for name, tensor in model.state_dict().items():
        assert np.array_equal(elements(found[f"model.{name}"]), tensor.numpy())
    for number, state in optimizer.state_dict()["state"].items():
        for name, tensor in state.items():
            key = f"optimizer.state.{number}.{name}"
            assert np.array_equal(elements(found[key]), tensor.numpy())
    assert not found["optimizer.param_groups.0.lr"].is_tensor


@pytest.mark.parametrize(
    "tensor",
    [
        torch.arange(12.0)[3:9].view(2, 3),
        torch.arange(12.0).view(3, 4).t(),
        torch.arange(12.0).view(3, 4)[:, 1:3],
        torch.arange(12.0)[::3],
        torch.arange(120.0).view(2, 3, 4, 5).to(memory_format=torch.channels_last),
        torch.arange(120.0).view(2, 3, 4, 5).permute(3, 1, 0, 2)[1:, :, :1],
        torch.ones(1).expand(5, 2),
        torch.tensor(3.5),
        torch.empty(0, 3),
        torch.arange(3).view(1, 3, 1).transpose(0, 1),
        torch.nn.Parameter(torch.arange(3.0)),
    ],
    ids=lambda tensor: f"{tuple(tensor.shape)}-{tensor.stride()}",
)
def test_views_are_read_as_the_tensors_that_they_are(tensor):
    (found,) = read({"w": tensor}).values()
    assert np.array_equal(elements(found), tensor.detach().numpy())
    assert found.shape == tuple(tensor.shape)


def test_a_transposed_tensor_is_read_as_it_is_stored():
    (found,) = read({"w": torch.arange(15.0).view(3, 5).t()}).values()
    assert found.axes == (1, 0)
    assert next(found.read(8)) == np.arange(2.0, dtype="f4").tobytes()


@pytest.mark.parametrize(
    "name",
    [
        *("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
        *("float16", "bfloat16", "float32", "float64", "complex64", "complex128"),
        *("float8_e4m3fn", "float8_e5m2"),
    ],
)
def test_every_type_has_its_name_and_its_size(name):
    (found,) = read([torch.ones(3).to(getattr(torch, name))]).values()
    assert (found.name, found.dtype, found.shape) == ("0", name, (3,))
    assert found.itemsize == getattr(torch, name).itemsize


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_every_protocol_of_pickle_is_read(protocol):
    content = OrderedDict(
        a=[torch.ones(2), (1, 2.5, None, True, "x", b"y", 2**70)], b={"c": {1, 2}}
    )
    found = read(content, pickle_protocol=protocol)
    assert np.array_equal(elements(found["a.0"]), [1, 1])
    assert {name.partition(".")[0] for name in found} == {"a", "b"}


class Tagged(torch.Tensor):
    """A class of tensors of somebody's own."""


def test_a_tensor_of_a_class_of_its_own_is_a_tensor():
    (found,) = read([torch.ones(3).as_subclass(Tagged)]).values()
    assert np.array_equal(elements(found), [1, 1, 1])


def test_a_tensor_alone_has_no_name():
    assert list(read(torch.ones(2))) == [""]


def test_a_storage_is_its_bytes():
    (found,) = read([torch.ones(2).untyped_storage()]).values()
    assert (found.dtype, found.shape) == ("uint8", (8,))


def test_a_whole_model_is_found_by_the_names_of_its_state():
    model, _ = trained()
    found = {name for name, tensor in read({"model": model}).items() if tensor.is_tensor}
    assert found == {f"model.{name}" for name in model.state_dict()}


def test_what_refers_to_itself_has_an_end():
    content = {"w": torch.ones(2)}
    content["again"] = content
    assert list(read(content)) == ["w"]


def test_a_shared_storage_is_found_under_each_name():
    weights = torch.arange(4.0)
    found = read({"tied": weights, "head": weights[1:]})
    assert [elements(found[name]).tolist() for name in found] == [[0, 1, 2, 3], [1, 2, 3]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.int16, torch.complex64, torch.uint8])
def test_a_file_of_another_byte_order_holds_equal_tensors(tmp_path, dtype):
    ours = saved({"w": torch.arange(3).to(dtype)})
    theirs = of_the_other_byte_order(ours, dtype)
    assert difference(tmp_path, "w.pt", ours, theirs).all_tensors_equal


def of_the_other_byte_order(file, dtype):
    """A file with the bytes of each number the other way round."""
    number = np.dtype(str(dtype).removeprefix("torch."))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename.endswith("byteorder"):
                data = b"big"
            elif "/data/" in info.filename:
                data = np.frombuffer(data, number).byteswap().tobytes()
            new.writestr(zipfile.ZipInfo(info.filename), data)
    return out.getvalue()


# -- what differs ------------------------------------------------------------------------------


def test_the_first_tensor_that_differs_is_named(tmp_path):
    model, _ = trained()
    with torch.no_grad():
        model[1].running_mean[2] += 1
        model[1].running_var[2] += 1
    found = difference(tmp_path, "w.pt", checkpoint(), checkpoint(model=model.state_dict()))
    assert found.tensor.name == "model.1.running_mean"
    assert found.tensor.dtypes == ("float32", "float32")
    assert found.tensor.share == 0.25
    assert found.tensor.max_abs_diff == pytest.approx(1)
    assert found.tensors == 5


def test_a_plain_value_is_told_where_all_tensors_are_equal(tmp_path):
    found = difference(tmp_path, "w.ckpt", checkpoint(epoch=3), checkpoint(epoch=4))
    assert found.tensor == TensorDifference(
        "epoch", "bits", ("int64",) * 2, ((), ()), 1.0, is_tensor=False
    )
    assert found.all_tensors_equal


def test_a_tensor_comes_before_a_value_that_stands_before_it(tmp_path):
    ours = saved({"time": 1.5, "w": torch.zeros(2)})
    found = difference(tmp_path, "w.pt", ours, saved({"time": 2.5, "w": torch.ones(2)}))
    assert found.tensor.name == "w"
    assert not found.all_tensors_equal


def test_a_text_that_differs_has_no_distance(tmp_path):
    found = difference(tmp_path, "w.pt", saved({"git": "aaa"}), saved({"git": "bbb"}))
    assert found.tensor == TensorDifference("git", "bits", ("str",) * 2, ((), ()), is_tensor=False)


def test_short_floats_have_distances_in_their_own_units(tmp_path):
    ours, theirs = torch.ones(2, dtype=torch.bfloat16), torch.ones(2, dtype=torch.bfloat16)
    theirs[1] = 1 + 2**-7
    tensor = difference(tmp_path, "w.pt", saved(ours), saved(theirs)).tensor
    assert (tensor.max_abs_diff, tensor.max_ulp) == (2**-7, 1)


def test_another_shape_or_type_is_told_as_such(tmp_path):
    ours, theirs = saved({"w": torch.ones(2)}), saved({"w": torch.ones(3, dtype=torch.float64)})
    tensor = difference(tmp_path, "w.pt", ours, theirs).tensor
    assert tensor == TensorDifference("w", "shape", ("float32", "float64"), ((2,), (3,)))


def test_a_missing_tensor_is_told_as_such(tmp_path):
    ours, theirs = saved({"a": torch.ones(2), "b": torch.ones(2)}), saved({"a": torch.ones(2)})
    assert difference(tmp_path, "w.pt", ours, theirs).tensor.kind == "missing"


def test_views_in_other_orders_of_axes_are_the_same_tensor(tmp_path):
    weights = torch.arange(120.0).view(2, 3, 4, 5)
    ours = saved({"w": weights})
    theirs = saved({"w": weights.to(memory_format=torch.channels_last)})
    assert difference(tmp_path, "w.pt", ours, theirs).all_tensors_equal


def test_a_file_saved_under_another_name_holds_equal_tensors(tmp_path):
    for name in ("one.pt", "two.pt"):
        torch.save({"w": torch.ones(2)}, tmp_path / name)
    ours, theirs = ((tmp_path / name).read_bytes() for name in ("one.pt", "two.pt"))
    found = difference(tmp_path, "w.pt", ours, theirs)
    assert found.all_tensors_equal
    assert found.member.name == "one/data.pkl"


def test_the_old_format_of_torch_has_an_offset_alone(tmp_path):
    ours, theirs = (
        saved({"w": torch.full((2,), value)}, _use_new_zipfile_serialization=False)
        for value in (1.0, 2.0)
    )
    found = difference(tmp_path, "w.pt", ours, theirs)
    assert found.note == "it does not begin as a .pt file does"


def test_it_is_read_where_there_is_no_torch(tmp_path):
    runs = TwoRuns(tmp_path).write("w.pt", saved(torch.zeros(2)), saved(torch.ones(2)))
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from pathlib import Path\n"
        "from seedproof.compare.files.comparison import compare_files\n"
        f"o = compare_files(Path({str(runs.reference)!r}), Path({str(runs.other)!r}), ['*'])\n"
        "print(o.differences[0].tensor.max_abs_diff)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("1.0\n", "")
