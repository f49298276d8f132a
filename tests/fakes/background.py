"""An ASGI application on loopback, in a thread of its own: a real server with real sockets."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import uvicorn

_START_S = 60
_STOP_S = 90


@contextmanager
def listening(app: Any, *, backlog: int = 2048) -> Iterator[str]:
    """Serves `app` and yields its base URL once its lifespan has started; stops it at the end."""
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as listener:
        config = uvicorn.Config(app, loop="uvloop", http="httptools", log_config=None, timeout_graceful_shutdown=10)
        server = uvicorn.Server(config)
        # A daemon: one that does not stop fails its test, and must not keep the process from ending as well.
        thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="uvicorn", daemon=True)
        thread.start()
        try:
            _wait_until_started(server, thread)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_STOP_S)
            assert not thread.is_alive(), "the server does not stop"


def _wait_until_started(server: uvicorn.Server, thread: Thread) -> None:
    deadline = time.monotonic() + _START_S
    while not server.started:
        assert thread.is_alive(), "the server ended while starting"
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
