"""Where the server may listen, which names it answers to, and which settings are refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agent.settings import Settings
from server.access.binding import UnsafeAddressError, host_names, local_address, require_safe_address


@pytest.mark.parametrize("auth", ["off", "keys"])
@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_this_machine_is_always_safe(host: str, auth: str) -> None:
    require_safe_address(Settings(host=host, auth=auth))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "10.0.0.7", "example.org", "127.0.0.1.evil.example", "fe80::1"])
def test_without_keys_no_other_address_is(host: str) -> None:
    with pytest.raises(UnsafeAddressError, match="SWITCHYARD_AUTH=off") as caught:
        require_safe_address(Settings(host=host, allowed_hosts=("switchyard.example",)))
    assert caught.value.code == "unsafe_address"


def test_with_keys_every_address_needs_a_name() -> None:
    with pytest.raises(UnsafeAddressError, match="SWITCHYARD_ALLOWED_HOSTS"):
        require_safe_address(Settings(host="0.0.0.0", auth="keys"))
    require_safe_address(Settings(host="0.0.0.0", auth="keys", allowed_hosts=("switchyard.example",)))
    require_safe_address(Settings(host="10.0.0.7", auth="keys"))


def test_the_server_s_names() -> None:
    local = {"localhost", "127.0.0.1", "::1"}
    assert host_names(Settings()) == local
    assert host_names(Settings(host="10.0.0.7")) == local | {"10.0.0.7"}
    assert host_names(Settings(host="0.0.0.0", allowed_hosts=("a.example",))) == local | {"a.example"}


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("::1", "http://[::1]:80"),
        ("10.0.0.7", "http://10.0.0.7:80"),
        ("localhost", "http://localhost:80"),
    ],
)
def test_programs_on_this_machine_reach_it(host: str, url: str) -> None:
    assert local_address(host, 80) == url


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCHYARD_ALLOWED_HOSTS", "Switchyard.example, 10.0.0.7,")
    monkeypatch.setenv("SWITCHYARD_CORS_ORIGINS", "https://chat.example,http://localhost:3000")
    settings = Settings()
    assert settings.allowed_hosts == ("switchyard.example", "10.0.0.7")
    assert settings.cors_origins == ("https://chat.example", "http://localhost:3000")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed_hosts", "*"),
        ("allowed_hosts", "*.example"),
        ("allowed_hosts", "https://switchyard.example"),
        ("allowed_hosts", "switchyard.example/path"),
        ("cors_origins", "*"),
        ("cors_origins", "null"),
        ("cors_origins", "chat.example"),
        ("cors_origins", "https://*.example"),
        ("cors_origins", "https://chat.example/"),
        ("cors_origins", "https://chat.example/path"),
        ("auth", "none"),
        ("tokens_per_day", "-1"),
    ],
)
def test_settings_that_would_open_more_than_is_meant_are_refused(name: str, value: str) -> None:
    with pytest.raises(ValidationError):
        Settings(**{name: value})  # pyright: ignore[reportArgumentType]


def test_a_key_in_the_settings_is_not_shown() -> None:
    assert "swy_secret" not in repr(Settings(api_key="swy_secret"))  # pyright: ignore[reportArgumentType]
