"""The tables of a stream, as those who record rows know them: by a group and its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Sequence

from seedproof.trace.format import Column

if TYPE_CHECKING:
    from seedproof.inside.held_rows import Row
    from seedproof.trace.writer import TableWriter


class Tables:
    """Opens tables with `open_table`; a table that cannot be written is told as `trouble`, and the
    others go on."""

    def __init__(
        self,
        open_table: Callable[[str, Sequence[Column]], TableWriter],
        trouble: Callable[[str], None],
    ) -> None:
        self._open = open_table
        self._trouble = trouble
        self.begin_anew()

    def begin_anew(self) -> None:
        """In a forked child: what is open is the parent's."""
        self._by_layout: dict[Any, TableWriter] = {}
        self._by_columns: dict[Any, tuple[TableWriter, Sequence[Column]]] = {}

    def of(self, group: str, columns: Sequence[Column]) -> TableWriter:
        """One table per group and per layout that its rows had, numbered as they appeared."""
        layout = (group, tuple((column.phase, column.name) for column in columns))
        if layout not in self._by_layout:
            key = f"{group}#{sum(known[0] == group for known in self._by_layout)}"
            self._by_layout[layout] = self._open(key, columns)
        return self._by_layout[layout]

    def write(self, rows: Sequence[Row]) -> None:
        """Rows in their order, those of one table together; known columns cost no search."""
        found: dict[int, tuple[TableWriter, list[tuple[int, Sequence[int]]]]] = {}
        for group, columns, step, words in rows:
            try:
                table = self._known(group, columns)
            except OSError:
                self._trouble(f"record {group}")
            else:
                found.setdefault(id(table), (table, []))[1].append((step, words))
        for table, of_table in found.values():
            try:
                table.extend(of_table)
            except OSError:
                self._trouble("record rows")

    def _known(self, group: str, columns: Sequence[Column]) -> TableWriter:
        key = (group, id(columns))
        if key not in self._by_columns:  # it keeps them, so that the id stays theirs
            self._by_columns[key] = (self.of(group, columns), columns)
        return self._by_columns[key][0]
