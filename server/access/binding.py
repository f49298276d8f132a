"""Where the server may listen, and by which names it may be called."""

from __future__ import annotations

from agent.settings import Settings
from server.access.authenticators import is_loopback
from tools.errors import SwitchyardError

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY_ADDRESS = frozenset({"", "0.0.0.0", "::"})


class UnsafeAddressError(SwitchyardError):
    """The server may not listen there with these settings."""

    code = "unsafe_address"


def require_safe_address(settings: Settings) -> None:
    """Check that only people with a key can reach the server, and only by names that it knows.

    Raises:
        UnsafeAddressError: they could not.
    """
    host = settings.host
    if host == "localhost" or is_loopback(host):
        return
    if settings.auth == "off":
        raise UnsafeAddressError(
            f"With SWITCHYARD_AUTH=off only this machine may connect, so {host!r} is refused. "
            "Use --host 127.0.0.1, or SWITCHYARD_AUTH=keys and keys for everybody: switchyard keys create --help"
        )
    if host in _ANY_ADDRESS and not settings.allowed_hosts:
        raise UnsafeAddressError(
            f"On {host!r} the server would not know its own name. Say by which names people may call it: "
            "SWITCHYARD_ALLOWED_HOSTS=switchyard.example"
        )


def host_names(settings: Settings) -> frozenset[str]:
    """The names in a request's `Host` that are the server's own."""
    bound = frozenset[str]() if settings.host in _ANY_ADDRESS else {settings.host.lower()}
    return _LOOPBACK_NAMES | bound | frozenset(settings.allowed_hosts)


def local_address(host: str, port: int) -> str:
    """The URL by which programs on this machine reach a server that listens on `host`."""
    name = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"
