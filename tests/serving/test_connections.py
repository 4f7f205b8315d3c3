"""Connections of clients that are slow, send no HTTP, or keep what they do not use; and of honest ones."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from pozytywka_cli.serving.protocol import HEAD_BYTES
from pozytywka_cli.serving.server import CONNECTIONS

from .running import SECONDS, Service
from .test_answers import SKIP, problem

HEAD = b"Host: x\r\nContent-Type: application/json\r\n"
BODY = json.dumps(SKIP).encode()
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = json.dumps([SKIP] * 17_000).encode()  # is answered quickly, with more than the system buffers


def post(path: bytes, body: bytes, more: bytes = b"") -> bytes:
    """Return a request with a body."""
    return b"POST %b HTTP/1.1\r\n%b%bContent-Length: %d\r\n\r\n%b" % (path, HEAD, more, len(body), body)


@pytest.fixture(scope="module")
def impatient(prepared: Path) -> Iterator[Service]:
    """A service that gives its clients one second; these tests write nothing."""
    service = Service(prepared, "--timeout", "1", "--max-requests", "100000")
    yield service
    assert service.stop() == 0


def raw(service: Service, content: bytes = b"") -> socket.socket:
    """Open a connection, and send bytes."""
    address = (service.client.base_url.host, service.client.base_url.port)
    connection = socket.create_connection(address, timeout=SECONDS)
    connection.sendall(content)
    return connection


def responses(connection: socket.socket, count: int) -> list[httpx.Response]:
    """Read responses that say how long their bodies are."""
    stream, found = connection.makefile("rb"), list[httpx.Response]()
    while len(found) < count:
        status = stream.readline().split()[1]
        headers = dict(line.decode().rstrip("\r\n").split(": ", 1) for line in iter(stream.readline, b"\r\n"))
        body = stream.read(int(headers.get("content-length", 0)))
        found.append(httpx.Response(int(status), headers=headers, content=body))
    return found


def ended(connection: socket.socket) -> bool:
    """Whether the service ends a connection in far less time than uvicorn keeps one on which nothing happens."""
    connection.settimeout(10)
    try:
        while connection.recv(2**20):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(
    "content",
    [
        b"POST /v1/skip HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow:",
        b"GET /heal",
        b"",
    ],
    ids=["body", "header", "path", "nothing"],
)
def test_a_slow_client_keeps_nobody_waiting_and_is_let_go(impatient: Service, content: bytes):
    """Others are answered meanwhile; after the limit the connection ends."""
    connections = [raw(impatient, content) for _ in range(20)]
    assert impatient.post("/v1/skip", SKIP).status_code == 200
    for connection in connections:
        with connection:
            answer = connection.recv(10_000)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"POST /v1/skip HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 90\r\n\r\n", 415),
        (b"POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n", 404),
        (b"DELETE /v1/skip HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n", 405),
        (b"POST /v1/events HTTP/1.1\r\n" + HEAD + b"Content-Length: 90\r\n\r\n", 401),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 90\r\n\r\n", 200),
    ],
    ids=["415", "404", "405", "401", "get"],
)
def test_a_body_that_never_ends_after_its_answer_keeps_no_connection(impatient: Service, content: bytes, status: int):
    """Also if a part of it comes after the answer."""
    with raw(impatient, content) as connection:
        (answer,) = responses(connection, 1)
        assert answer.status_code == status
        connection.sendall(b"{")
        assert ended(connection)


@pytest.mark.parametrize("content", [b"\r\n", b"GET /heal"], ids=["newline", "path"])
def test_bytes_after_a_request_keep_no_connection(impatient: Service, content: bytes):
    """They are the beginning of a request whose head has to arrive in time."""
    with raw(impatient, HEALTH) as connection:
        assert responses(connection, 1)[0].status_code == 200
        connection.sendall(content)
        assert ended(connection)


def open_connections(service: Service) -> int:
    """Count the sockets of a service's process."""
    links = Path(f"/proc/{service.process.pid}/fd").iterdir()
    return sum(link.is_symlink() and str(link.readlink()).startswith("socket:") for link in links)


def unread(service: Service, content: bytes) -> socket.socket:
    """Open a connection whose answer has begun, and is not read further; a busy machine may need several tries."""
    for _ in range(20):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(SECONDS)
        connection.connect((service.client.base_url.host, service.client.base_url.port))
        connection.sendall(content)
        if connection.recv(12) == b"HTTP/1.1 200":
            return connection
        connection.close()
    raise AssertionError("no answer in time")


@pytest.mark.parametrize(
    "content",
    [
        post(b"/v1/skip", LARGE),
        post(b"/v1/skip", LARGE, b"Connection: close\r\n"),
        b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 200,
    ],
    ids=["keep-alive", "close", "pipelined"],
)
def test_a_client_that_does_not_read_its_answer_keeps_no_connection(impatient: Service, content: bytes):
    """Its connection is aborted, and what was written to it is dropped."""
    assert impatient.get("/healthz").status_code == 200
    before = open_connections(impatient)
    with unread(impatient, content):
        assert open_connections(impatient) > before
        until = time.monotonic() + 15
        while open_connections(impatient) > before and time.monotonic() < until:
            time.sleep(0.05)
        assert open_connections(impatient) == before


def test_a_head_without_end_is_refused(impatient: Service):
    """As soon as it is too long."""
    with raw(impatient, (b"GET /healthz HTTP/1.1\r\nX-Long: " + b"x" * HEAD_BYTES)[: HEAD_BYTES + 1]) as connection:
        problem(responses(connection, 1)[0], 431)
        assert ended(connection)
    assert impatient.get("/healthz").status_code == 200


def test_bytes_that_are_no_http_are_refused(impatient: Service):
    """With a problem document; and the service goes on."""
    for content in (b"\x00" * 100, b"\x16\x03\x01" + b"\xff" * 100, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"):
        with raw(impatient, content) as connection:
            problem(responses(connection, 1)[0], 400)
            assert ended(connection)
    assert impatient.get("/healthz").status_code == 200


def test_one_connection_too_many_is_told_to_come_back(impatient: Service, prepared: Path):
    """Until others end."""
    patient = Service(prepared, "--timeout", "60")
    patient.client.close()
    with ExitStack() as opened:
        for _ in range(CONNECTIONS):
            opened.enter_context(raw(patient))
        with raw(patient, HEALTH) as connection:
            (answer,) = responses(connection, 1)
            problem(answer, 503)
            assert answer.headers["retry-after"]
            assert ended(connection)
    patient.client = httpx.Client(base_url=patient.client.base_url)
    patient.until_ready()
    assert patient.stop() == 0


def test_a_method_that_a_route_does_not_have_is_refused_with_those_it_has(impatient: Service):
    """In the header `Allow`."""
    answer = impatient.client.delete("/v1/skip")
    problem(answer, 405)
    assert "POST" in answer.headers["allow"]


def test_honest_clients_are_served(impatient: Service):
    """Keep-alive, pipelined requests, chunks, a body that is announced, and one that is slow but in time."""
    with raw(impatient) as connection:
        for _ in range(3):
            connection.sendall(post(b"/v1/skip", BODY))
            assert responses(connection, 1)[0].status_code == 200
        connection.sendall((post(b"/v1/skip", BODY) + HEALTH) * 200)
        assert {answer.status_code for answer in responses(connection, 400)} == {200}
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"
        connection.sendall(b"POST /v1/skip HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
        assert responses(connection, 1)[0].status_code == 200
        head, body = post(b"/v1/skip", BODY, b"Expect: 100-continue\r\n").split(b"\r\n\r\n")
        connection.sendall(head + b"\r\n\r\n")
        assert responses(connection, 1)[0].status_code == 100
        connection.sendall(body)
        assert responses(connection, 1)[0].status_code == 200
        head, body = post(b"/v1/skip", BODY).split(b"\r\n\r\n")
        connection.sendall(head + b"\r\n\r\n")
        for part in range(0, len(body), 20):
            connection.sendall(body[part : part + 20])
            time.sleep(0.01)
        assert responses(connection, 1)[0].status_code == 200
        connection.sendall(b"POST /none HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\n\r\n")
        assert responses(connection, 1)[0].status_code == 404
        connection.sendall(b"{}" + HEALTH)
        assert responses(connection, 1)[0].status_code == 200
