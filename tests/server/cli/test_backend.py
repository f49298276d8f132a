"""How commands find the server that owns a data directory."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from agent.settings import Settings
from server.cli.backend import ServerError, running_server

_NO_PROCESS = 2**22 + 1  # above the largest process id of Linux


class _Handler(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


class _Failing(_Handler):
    status = 500


@contextmanager
def _listening(handler: type[_Handler]) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def _settings(folder: Path, url: str, pid: int) -> Settings:
    settings = Settings(data_dir=folder)
    settings.server_file.write_text(json.dumps({"url": url, "pid": pid}))
    return settings


def test_no_file_means_no_server(tmp_path: Path) -> None:
    assert running_server(Settings(data_dir=tmp_path)) is None


@pytest.mark.parametrize("content", ["", "{", '{"url": 1}', "null"])
def test_a_broken_file_means_no_server(tmp_path: Path, content: str) -> None:
    (tmp_path / "server.json").write_text(content)
    assert running_server(Settings(data_dir=tmp_path)) is None


def test_a_live_process_that_answers_is_the_server(tmp_path: Path) -> None:
    with _listening(_Handler) as url:
        assert running_server(_settings(tmp_path, url, os.getpid())) == url


def test_a_dead_process_left_its_file_behind(tmp_path: Path) -> None:
    with _listening(_Handler) as url:
        assert running_server(_settings(tmp_path, url, _NO_PROCESS)) is None


def test_a_process_id_given_to_another_program_is_no_server(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        assert running_server(_settings(tmp_path, url, os.getpid())) is None


def test_a_server_that_does_not_answer_is_not_opened_beside(tmp_path: Path) -> None:
    with _listening(_Failing) as url, pytest.raises(ServerError, match=f"process {os.getpid()}"):
        running_server(_settings(tmp_path, url, os.getpid()))
