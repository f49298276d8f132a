"""Settings of the whole test session: no model hub, no telemetry, no network beyond this machine."""

from __future__ import annotations

import faulthandler
import ipaddress
import os
import socket
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tools.offline import SWITCHES

# Before anything imports langgraph or huggingface_hub: both read these at import.
os.environ |= SWITCHES
for _name in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ.pop(_name, None)
    os.environ.pop(_name.upper(), None)
_FOR_TESTS = {"SWITCHYARD_SCREENSHOTS", "SWITCHYARD_TEST_URL"}  # read by tests/browser
for _name in [name for name in os.environ if name.startswith("SWITCHYARD_") and name not in _FOR_TESTS]:
    os.environ.pop(_name)

if TYPE_CHECKING:
    from tests.postgres import Cluster

# A deadline is a timing assert: a busy machine misses it.
settings.register_profile("switchyard", deadline=None)
settings.load_profile("switchyard")


_EXIT_S = 120


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """A process that does not end after its tests prints the stacks of its threads and ends with an error."""
    faulthandler.dump_traceback_later(_EXIT_S, exit=True, file=sys.__stderr__)


def _is_local(address: object) -> bool:
    if not isinstance(address, tuple):
        return True  # the path of a Unix socket
    host = str(address[0])  # pyright: ignore[reportUnknownArgumentType]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session", autouse=True)
def only_this_machine() -> Iterator[None]:
    """Connections to other machines are refused, as on a machine without a network."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if not _is_local(address):
            raise ConnectionRefusedError(f"tests reach only this machine, not {address!r}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A running PostgreSQL."""
    from tests.postgres import cluster

    with cluster() as running:
        yield running
