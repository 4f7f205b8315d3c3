"""Many values in one memory-mapped file, of which only the requested ones are read and decoded."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from pozytywka_cli.artifacts.decoding import decoding
from pozytywka_cli.catalogue.string_table import StringTable

T = TypeVar("T")


class JsonTable(Generic[T]):
    """A string table whose strings are values as JSON; unlike a string, a value can be None."""

    def __init__(self, table: StringTable, path: Path, kind: Any) -> None:
        self._table, self._path, self._decoder = table, path, msgspec.json.Decoder(kind)

    @staticmethod
    def write(path: Path, values: Iterable[T]) -> None:
        """Write values as the file that `load` reads."""
        StringTable.of([msgspec.json.encode(value).decode() for value in values]).save(path)

    @classmethod
    def load(cls, path: Path, kind: Any) -> "JsonTable[T]":
        """Memory-map a file of values of a type; an ArtifactError if it cannot be read, or is truncated."""
        return cls(StringTable.load(path), path, kind)

    def __len__(self) -> int:
        """Return the number of values."""
        return len(self._table)

    def __getitem__(self, row: int) -> T:
        """Return one value; an ArtifactError if it is damaged."""
        text = self._table[row]
        with decoding(self._path):
            value: T = self._decoder.decode(text)
            return value
