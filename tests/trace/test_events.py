"""Every event that readers rely on is checked once, whatever a foreign trace holds."""

import json

import pytest

from seedproof.trace.events import checked
from seedproof.trace.format import Column
from traces import HELLO

COLUMN = Column("update", "w", dtype="float32", shape=(None, 2), fold=0).to_json()
EVENTS = {
    "hello": {
        **HELLO,
        "variables": {"OMP_NUM_THREADS": "1"},
        "role": "rank0",
        "world_size": 2,
        "mode": "steps",
        "seedproof": "0.1.0",
    },
    "framework": {"name": "keras", "version": "3"},
    "pinned": {"framework": "keras", "source": "seeds", "set": ["a"], "missed": []},
    "table": {"number": 0, "key": "t", "columns": [COLUMN]},
    "value": {
        "name": "w",
        "phase": "update",
        "step": -1,
        "dtype": "float32",
        "shape": [2, 3],
        "offset": 0,
        "bytes": 24,
    },
    "training_begins": {"at": 1.5, "cpu": 0, "fit": 0},
    "training_ends": {"at": 1.5, "cpu": 0, "fit": 0},
    "trouble": {"where": "update", "error": "ValueError"},
    "effective": {"num_threads": 1},
    "planned": {"steps": 1000},
    "ambiguous": {"why": "several threads train at once"},
    "end": {"stopped_after": 200},
    "of a later version": {"anything": [1, {"at": "all"}]},
}
# What each field may not be, beside missing.
TEXT = [None, 1, True, ["a"], {}]
NUMBER = [None, "1", True, [], float("nan"), float("inf"), 2**63]
COUNT = [*NUMBER, -1, 1.0, 1e3]
STEP = [*NUMBER, -2, 0.5]
PHASE = [*TEXT, "", "training"]
TEXTS = [None, "a", {}, [1], [None]]
SHAPE = [None, 2, "2", [1.0], [-1], [None], [True], [[2]], [2**63]]
WRONG = {
    ("hello", "digest"): TEXT,
    ("hello", "at"): NUMBER,
    ("framework", "name"): TEXT,
    ("framework", "version"): TEXT,
    ("pinned", "framework"): TEXT,
    ("pinned", "source"): TEXT,
    ("pinned", "set"): TEXTS,
    ("pinned", "missed"): TEXTS,
    ("table", "number"): COUNT,
    ("table", "key"): TEXT,
    ("table", "columns"): [None, {}, [], [None], [{}], "columns"],
    ("value", "name"): TEXT,
    ("value", "phase"): PHASE,
    ("value", "step"): STEP,
    ("value", "dtype"): TEXT,
    ("value", "shape"): SHAPE,
    ("value", "offset"): COUNT,
    ("value", "bytes"): COUNT,
    ("training_begins", "at"): NUMBER,
    ("training_begins", "cpu"): NUMBER,
    ("training_ends", "at"): NUMBER,
    ("training_ends", "cpu"): NUMBER,
    ("trouble", "where"): TEXT,
    ("trouble", "error"): TEXT,
    ("planned", "steps"): COUNT,
}
# What a field may not be that may be missing.
WRONG_OPTIONAL = {
    ("hello", "pins"): [None, [], "a", 1],
    ("hello", "variables"): [None, [], "a", 1],
    ("hello", "role"): TEXT,
    ("hello", "mode"): TEXT,
    ("hello", "seedproof"): TEXT,
    ("hello", "world_size"): [value for value in COUNT if value is not None],
    ("ambiguous", "why"): TEXT,
    ("end", "stopped_after"): COUNT,
}
WRONG_COLUMN = {
    "phase": PHASE,
    "name": TEXT,
    "kind": [None, "bits", 1],
    "dtype": [None, 1],
    "shape": [2, "2", [1.0], [-1], [True]],
    "fold": ["0", 1.0, True, [], 2**63],
}


def event(kind, **changes):
    return {"event": kind, **EVENTS[kind], **changes}


@pytest.mark.parametrize("kind", EVENTS)
def test_what_the_writer_writes_is_let_through(kind):
    written = json.loads(json.dumps(event(kind)))
    assert checked(written) is written


@pytest.mark.parametrize(("kind", "field"), WRONG)
def test_a_missing_field_is_damage(kind, field):
    damaged = event(kind)
    del damaged[field]
    with pytest.raises(ValueError, match="damaged"):
        checked(damaged)


@pytest.mark.parametrize(("kind", "field"), WRONG_OPTIONAL)
def test_what_not_every_writer_says_may_be_missing(kind, field):
    shorter = event(kind)
    del shorter[field]
    assert checked(shorter) is shorter


def test_a_rank_need_not_know_how_many_there_are():
    assert checked(event("hello", world_size=None))


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [(*at, value) for at, values in {**WRONG, **WRONG_OPTIONAL}.items() for value in values],
)
def test_a_field_of_another_kind_is_damage(kind, field, value):
    with pytest.raises(ValueError, match="damaged"):
        checked(event(kind, **{field: value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [(field, value) for field, values in WRONG_COLUMN.items() for value in values],
)
def test_a_column_of_another_kind_is_damage(field, value):
    columns = [COLUMN, {**COLUMN, field: value}]
    with pytest.raises(ValueError, match="damaged table"):
        checked(event("table", columns=columns))


@pytest.mark.parametrize("content", [None, 1, "end", [], ["event"], {}, {"event": None}])
def test_what_is_no_event_is_refused(content):
    with pytest.raises(ValueError, match="no event"):
        checked(content)


@pytest.mark.parametrize("kind", ["effective", "hello", "of a later version"])
def test_deep_nesting_is_refused(kind):
    nested = []
    for _ in range(100):
        nested = [nested]
    with pytest.raises(ValueError, match="deep"):
        checked(event(kind, more=nested))


@pytest.mark.parametrize("schema", [None, 1, "", "seedproof.trace/2", {}])
def test_of_another_schema_only_its_name_is_read(schema):
    foreign = {"event": "hello", "schema": schema, "digest": "other/1", "at": "noon", "pins": 1}
    assert checked(foreign) == {
        key: value
        for key, value in foreign.items()
        if key in ("event", "schema", "digest") and isinstance(value, str)
    }


@pytest.mark.parametrize(
    "column",
    [
        Column("init", ""),
        Column("metric", "loss", kind="value", fold=0),
        Column("data", "x", dtype="int8", shape=()),
        Column("data", "x", dtype="int8", shape=(None, 0, 3)),
    ],
)
def test_a_column_is_read_as_it_was_written(column):
    fields = json.loads(json.dumps(column.to_json()))
    assert checked(event("table", columns=[fields]))
    assert Column.from_json(fields) == column
