"""Downloads against a real server on this machine, which misbehaves as told."""

import hashlib
import random
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from seedproof.errors import UsageError
from seedproof.experiments import download
from seedproof.experiments.download import RemoteFile, fetch

BODY = bytes(range(256)) * 1000
DIGEST = hashlib.sha256(BODY).hexdigest()


class Server(ThreadingHTTPServer):
    """Answers each request with the next behaviour; the last one stays."""

    def __init__(self, *behaviours):
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviours = list(behaviours)
        self.requests = 0
        self.released = threading.Event()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/images.gz"

    def handle_error(self, request, client_address):
        pass  # a client that gave up is what some tests want


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        server.requests += 1
        behaviours = server.behaviours
        (behaviours.pop(0) if len(behaviours) > 1 else behaviours[0])(self)

    def log_message(self, *args):
        pass


def serves(body, announced=None):
    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(announced or len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def refuses(status):
    return lambda handler: handler.send_error(status)


def hangs(handler):
    handler.server.released.wait()


def hangs_halfway(handler):
    serves(BODY[:1000], announced=len(BODY))(handler)
    hangs(handler)


@pytest.fixture
def start():
    running = []

    def start_server(*behaviours):
        server = Server(*behaviours)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return server

    yield start_server
    for server, thread in running:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    directory = tmp_path / "cache"
    monkeypatch.setenv("SEEDPROOF_CACHE", str(directory))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return directory


def remote(*servers, sha256=DIGEST):
    return RemoteFile("mnist/images.gz", sha256, tuple(server.url for server in servers))


def files_below(directory):
    return [path for path in directory.rglob("*") if path.is_file()]


def fails(servers, *, pauses=(), timeout=20.0, sha256=DIGEST):
    """Fetch, expect a refusal, and return its line and the pauses that were made."""
    slept = []
    with pytest.raises(UsageError) as caught:
        fetch(
            remote(*servers, sha256=sha256),
            pauses=pauses,
            timeout=timeout,
            sleep=slept.append,
        )
    return str(caught.value), slept


def test_a_good_file_is_downloaded_once_and_kept(start, cache):
    server = start(serves(BODY))
    path = fetch(remote(server))
    assert path == cache / "mnist" / "images.gz"
    assert path.read_bytes() == BODY
    assert fetch(remote(server)) == path
    assert server.requests == 1
    assert files_below(cache) == [path]


def test_a_file_with_another_digest_is_refused_and_not_kept(start, cache):
    server = start(serves(BODY))
    line, slept = fails([server], pauses=(1.0, 2.0), sha256="0" * 64)
    assert f"SHA-256 is {DIGEST}" in line
    assert files_below(cache) == []
    assert (server.requests, slept) == (1, [])


def test_a_file_without_end_is_not_received_whole(start, cache, monkeypatch):
    monkeypatch.setattr(download, "MOST_BYTES", len(BODY) - 1)
    line, slept = fails([start(serves(BODY))], pauses=(1.0, 2.0))
    assert "it sends more than" in line
    assert (files_below(cache), slept) == ([], [])


def test_a_truncated_body_is_asked_for_again_then_refused_and_not_kept(start, cache):
    server = start(serves(BODY[:-7], announced=len(BODY)))
    line, slept = fails([server], pauses=(1.0, 2.0))
    assert "7 bytes early" in line or "7 more expected" in line
    assert files_below(cache) == []
    assert (server.requests, slept) == (3, [1.0, 2.0])


def test_a_server_that_fails_twice_is_asked_a_third_time(start):
    server = start(refuses(500), refuses(500), serves(BODY))
    slept = []
    path = fetch(remote(server), pauses=(1.0, 2.0, 4.0), sleep=slept.append)
    assert path.read_bytes() == BODY
    assert (server.requests, slept) == (3, [1.0, 2.0])


def test_a_missing_file_is_not_asked_for_again(start, cache):
    server = start(refuses(404))
    line, slept = fails([server], pauses=(1.0, 2.0))
    assert "HTTP 404 Not Found" in line
    assert "--dataset digits" in line
    assert "\n" not in line
    assert (server.requests, slept) == (1, [])
    assert files_below(cache) == []


@pytest.mark.parametrize("silent", [hangs, hangs_halfway])
def test_a_silent_server_is_given_up(start, cache, silent):
    line, _ = fails([start(silent)], timeout=0.1)
    assert "timed out" in line
    assert files_below(cache) == []


def test_a_server_that_is_not_there_is_a_line_too():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        host = f"127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(
        UsageError, match=rf"cannot download mnist/images\.gz \({host}: .*refused\)"
    ):
        fetch(RemoteFile("mnist/images.gz", DIGEST, (f"http://{host}/images.gz",)), pauses=())


@pytest.mark.parametrize("first", [refuses(404), refuses(503), serves(b"a login page")])
def test_the_second_home_is_asked_before_any_pause(start, first):
    broken, good = start(first), start(serves(BODY))
    slept = []
    path = fetch(remote(broken, good), pauses=(1.0,), sleep=slept.append)
    assert path.read_bytes() == BODY
    assert (broken.requests, good.requests, slept) == (1, 1, [])


def test_only_homes_that_may_recover_are_asked_again(start):
    missing, busy = start(refuses(404)), start(refuses(503), serves(BODY))
    fetch(remote(missing, busy), pauses=(1.0,), sleep=[].append)
    assert (missing.requests, busy.requests) == (1, 2)


def test_a_cached_file_that_was_changed_is_fetched_again(start, capsys):
    server = start(serves(BODY))
    path = fetch(remote(server))
    path.write_bytes(BODY[:-1])
    capsys.readouterr()
    assert fetch(remote(server)).read_bytes() == BODY
    assert f"{path} is no longer what was downloaded" in capsys.readouterr().err


def test_an_interrupted_download_leaves_nothing(start, cache, monkeypatch):
    def interrupted(url, timeout):
        yield BODY[:100]
        raise KeyboardInterrupt

    monkeypatch.setattr(download, "_chunks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(RemoteFile("mnist/images.gz", DIGEST, ("http://127.0.0.1/images.gz",)))
    assert (cache / "mnist").is_dir()
    assert files_below(cache) == []


def test_a_cache_that_cannot_be_written_is_named_with_the_way_out(start, tmp_path, monkeypatch):
    (tmp_path / "regular").touch()
    monkeypatch.setenv("SEEDPROOF_CACHE", str(tmp_path / "regular" / "below"))
    server = start(serves(BODY))
    line, _ = fails([server])
    assert line.startswith(f"cannot keep downloads in {tmp_path / 'regular' / 'below'}: ")
    assert "set SEEDPROOF_CACHE to a directory that can be written" in line
    assert server.requests == 0


def test_a_download_draws_nothing_that_a_training_would_draw(start):
    before = random.getstate()
    fetch(remote(start(refuses(500), serves(BODY))), sleep=[].append)
    assert random.getstate() == before


def test_a_log_gets_a_line_at_the_start_and_one_at_the_end(start, capsys):
    server = start(serves(BODY))
    fetch(remote(server))
    start_line = f"downloading mnist/images.gz from 127.0.0.1:{server.server_port}"
    assert capsys.readouterr().err == f"{start_line}\n{start_line}: done, 256,000 bytes\n"


def test_a_log_says_why_it_waits(start, capsys):
    server = start(refuses(503), serves(BODY))
    fetch(remote(server), pauses=(2.5,), sleep=[].append)
    waiting, started, _ = capsys.readouterr().err.splitlines()
    assert waiting == "mnist/images.gz: HTTP 503 Service Unavailable; trying again in 2.5 s"
    assert started.startswith("downloading mnist/images.gz from ")


def test_a_cached_file_can_be_read_by_the_others_who_share_the_cache(start):
    assert fetch(remote(start(serves(BODY)))).stat().st_mode & 0o444 == 0o444
