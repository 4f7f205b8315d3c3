"""Requests from a stream, without a model that answers them."""

import io
import sys

import msgspec
import pytest

from pozytywka_cli.commands.inputs import RequestReader
from pozytywka_cli.errors import RefusedError


class Request(msgspec.Struct):
    user_id: int


def read(content: bytes, monkeypatch: pytest.MonkeyPatch, step: int) -> tuple[list[int], list[str], RequestReader]:
    """The users of the requests in a stream that comes `step` bytes at a time, the warnings and the reader."""
    stream = io.BytesIO(content)
    stream.read1 = lambda _size=-1: stream.read(step)  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", type("Stdin", (), {"buffer": stream}))
    warnings: list[str] = []
    reader = RequestReader("-", warnings.append)
    return [user for batch in reader.batches(Request) for user in batch["user_id"]], warnings, reader


@pytest.mark.parametrize("step", [1, 2, 7, 1000])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n\n", b"\n \n\n"])
def test_lines_do_not_depend_on_how_they_arrive(step: int, end: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor on blank lines at the end; one between others is a bad line with its number, as is nonsense."""
    content = b'{"user_id": 1}\n\n{"user_id": 2}\nnonsense\n{"user_id": 3}' + end
    users, warnings, reader = read(content, monkeypatch, step)
    assert users == [1, 2, 3]
    assert [warning.split(" ")[0] for warning in warnings] == ["-:2:", "-:4:"]
    with pytest.raises(RefusedError, match="2 of 5 lines of -"):
        reader.raise_bad()


@pytest.mark.parametrize("content", [b"", b"\n", b"\n \r\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_nothing_but_blank_lines_is_no_request(content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to answer, and nothing wrong."""
    users, warnings, reader = read(content, monkeypatch, 1)
    reader.raise_bad()
    assert (users, warnings) == ([], [])


@pytest.mark.parametrize("step", [1, 1000])
def test_a_stream_may_begin_with_a_byte_order_mark(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands before the first line."""
    users, warnings, _ = read(b'\xef\xbb\xbf{"user_id": 1}\n{"user_id": 2}\n', monkeypatch, step)
    assert (users, warnings) == ([1, 2], [])


def test_csv_with_other_separators_comes_from_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its format is told by its content."""
    assert read(b"x;user_id\r1;2\r\r", monkeypatch, 3)[0] == [2]
