"""HTTP connections that end when a client is too slow; uvicorn alone would wait for ever."""

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from pozytywka_cli.serving import problems
from pozytywka_cli.serving.middleware import new_request_id

HEAD_BYTES = 2**16  # of a request, without what arrives together with the end of its head
LEAST_READ = 2**16  # bytes of an answer that a client takes in every `seconds`, if so many are left


class ImpatientProtocol(HttpToolsProtocol):
    """A connection whose client must send and read in time.

    It ends `seconds` after it was opened, or after bytes arrived while no request was in progress, unless a request's
    head is complete by then. It is aborted when a client does not read its answer. A request in progress has a time
    limit of its own, and a connection on which nothing happens uvicorn's `timeout_keep_alive`.
    """

    def __init__(self, *arguments: Any, seconds: float, connections: int, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._seconds, self._most_connections = seconds, connections
        self._head_timer: asyncio.TimerHandle | None = None
        self._read_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0  # that arrived since a head was complete, or a part of a body came

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """Parse what arrived; wait for the rest of a head, but not for one without end."""
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > HEAD_BYTES:
            detail = f"the head of the request has more than {HEAD_BYTES:,} bytes"
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail, "Send fewer or shorter headers.")
        elif self._head_timer is None and (self.cycle is None or self.cycle.response_complete):
            self._await_head()

    def on_headers_complete(self) -> None:
        """Stop waiting, and let the application see which requests are in progress, and whether there are too many."""
        self._head_bytes = 0
        self._stop_head_timer()
        scope: Any = self.scope
        scope["in_progress"] = self.tasks
        scope["overloaded"] = max(len(self.connections), len(self.tasks)) > self._most_connections
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body, whose size the application limits."""
        self._head_bytes = 0
        super().on_body(body)

    def on_response_complete(self) -> None:
        """Wait for the next request, or, after the last one, until the client has read the answer."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._await_reading()

    def send_400_response(self, msg: str) -> None:
        """Refuse bytes that are no HTTP."""
        self._refuse(HTTPStatus.BAD_REQUEST, "the bytes that arrived are no HTTP request", "Send HTTP/1.1.")

    def pause_writing(self) -> None:
        """Begin to wait until the client reads."""
        super().pause_writing()
        self._await_reading()

    def resume_writing(self) -> None:
        """Stop waiting, but for the last bytes before the connection is closed."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._stop_read_timer()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection on which nothing has happened."""
        self._close()

    def eof_received(self) -> None:
        """Let the transport close itself."""
        self._await_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_head_timer()
        self._stop_read_timer()
        self._unset_keepalive_if_required()  # uvicorn keeps it after an error
        super().connection_lost(exc)

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self._seconds, self._close)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_read_timer(self) -> None:
        if self._read_timer is not None:
            self._read_timer.cancel()
            self._read_timer = None

    def _close(self) -> None:
        """Close the connection as soon as the client has read what was written."""
        self.transport.close()
        self._await_reading()

    def _await_reading(self) -> None:
        if self._read_timer is None:
            left = self.transport.get_write_buffer_size()
            self._read_timer = self.loop.call_later(self._seconds, self._check_reading, left)

    def _check_reading(self, before: int) -> None:
        """Drop the connection, and what was written, unless the client has read enough of `before` bytes."""
        left = self.transport.get_write_buffer_size()
        if left > before - LEAST_READ:
            self.transport.abort()
        else:
            self._read_timer = self.loop.call_later(self._seconds, self._check_reading, left)

    def _refuse(self, status: HTTPStatus, detail: str, hint: str) -> None:
        """Send a problem document, unless an earlier request is still to be answered, and close the connection."""
        cycle = self.cycle
        receiving = cycle is not None and cycle.more_body and not cycle.response_started and not self.pipeline
        if cycle is None or cycle.response_complete or receiving:
            request_id = new_request_id()
            answer = problems.response(status, detail, hint, request_id)
            own = [(b"x-request-id", request_id.encode()), (b"connection", b"close")]
            headers = [*self.server_state.default_headers, *answer.raw_headers, *own]
            lines = b"".join(b"%b: %b\r\n" % header for header in headers)
            self.transport.write(STATUS_LINE[status] + lines + b"\r\n" + bytes(answer.body))
        self._close()
