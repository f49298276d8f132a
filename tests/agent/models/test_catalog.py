from __future__ import annotations

from pathlib import Path

import pytest

from agent.models.catalog import ROLES, CatalogError, load_catalog

HOSTED = "endpoints: {hosted: {kind: openai, base_url: 'https://llm.example.com/v1'}}\n"


@pytest.fixture
def override(tmp_path: Path) -> Path:
    return tmp_path / "models.yaml"


def test_by_default_every_role_is_embedded() -> None:
    catalog = load_catalog()
    assert set(catalog.roles) == set(ROLES)
    assert {role.endpoint for role in catalog.roles.values()} == {"embedded"}
    assert catalog.uses_embedded


def test_what_an_override_leaves_out_keeps_its_default(override: Path) -> None:
    override.write_text(HOSTED + "roles: {answer: {endpoint: hosted, model: big}}")
    catalog = load_catalog(override)
    assert (catalog.roles["answer"].endpoint, catalog.roles["answer"].model) == ("hosted", "big")
    assert catalog.roles["fraud"] == load_catalog().roles["fraud"]
    assert set(catalog.endpoints) == {"embedded", "hosted"}
    assert catalog.uses_embedded


def test_an_override_of_all_roles_needs_no_embedded_model(override: Path) -> None:
    roles = ", ".join(f"{role}: {{endpoint: hosted, model: big}}" for role in ROLES)
    override.write_text(HOSTED + f"roles: {{{roles}}}")
    assert not load_catalog(override).uses_embedded


def test_models_that_stand_in_are_read_in_their_order(override: Path) -> None:
    stand_ins = "[{endpoint: embedded, model: small}, {endpoint: hosted, model: cheap, style: prose}]"
    override.write_text(HOSTED + f"roles: {{answer: {{endpoint: hosted, model: big, fallbacks: {stand_ins}}}}}")
    answer = load_catalog(override).roles["answer"]
    assert [model.model for model in answer.models] == ["big", "small", "cheap"]
    assert answer.models[0] is answer


def test_a_model_that_only_stands_in_is_started_too(override: Path) -> None:
    roles = dict.fromkeys(ROLES, "endpoint: hosted, model: big")
    roles["judge"] += ", fallbacks: [{endpoint: embedded, model: small}]"
    listed = ", ".join(f"{role}: {{{fields}}}" for role, fields in roles.items())
    override.write_text(HOSTED + f"roles: {{{listed}}}")
    assert load_catalog(override).uses_embedded


def test_an_empty_override_changes_nothing(override: Path) -> None:
    override.write_text("# nothing yet\n")
    assert load_catalog(override) == load_catalog()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("roles: {answer: {endpoint: elsewhere, model: m}}", ["'answer'", "'elsewhere'", "not defined"]),
        ("endpoints: {hosted: {kind: openai}}", ["endpoints.hosted", "base_url"]),
        ("endpoints: {hosted: {kind: vllm, base_url: 'no address'}}", ["endpoints.hosted.base_url"]),
        ("endpoints: {hosted: {kind: telepathy}}", ["endpoints.hosted.kind"]),
        ("endpoints: {embedded: {kind: embedded, timeout_s: -1}}", ["endpoints.embedded.timeout_s"]),
        ("endpoints: {embedded: {kind: embedded, colour: red}}", ["endpoints.embedded.colour"]),
        ("roles: {answer: {endpoint: embedded}}", ["roles.answer.model"]),
        (
            "roles: {answer: {endpoint: embedded, model: m, fallbacks: [{endpoint: elsewhere, model: m}]}}",
            ["'answer'", "'elsewhere'", "not defined"],
        ),
        (
            "roles: {fraud: {endpoint: embedded, model: m, fallbacks: [{endpoint: embedded, model: n}]}}",
            ["'fraud'", "no fallbacks"],
        ),
        ("roles: {answer: {endpoint: embedded, model: m, temperature: hot}}", ["roles.answer.temperature"]),
        ("roles: {poet: {endpoint: embedded, model: m}}", ["roles.poet"]),
        ("models: {answer: {endpoint: embedded}}", ["models"]),
        ("- answer\n- extract", ["`endpoints` and `roles`"]),
        ("roles: {answer: 5}", ["roles.answer"]),
        ("roles: nothing", ["`endpoints` and `roles`"]),
        ("roles: {answer: [unclosed", ["not valid YAML"]),
        ("roles: {answer: !!python/object/apply:os.system [ls]}", ["not valid YAML"]),
    ],
)
def test_what_does_not_fit_is_named_with_its_file(override: Path, text: str, named: list[str]) -> None:
    override.write_text(text)
    with pytest.raises(CatalogError) as raised:
        load_catalog(override)
    assert raised.value.code == "models_file"
    assert all(part in raised.value.message for part in (str(override), *named)), raised.value.message


def test_a_missing_file_and_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="nowhere"):
        load_catalog(tmp_path / "nowhere.yaml")
    (binary := tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00roles")
    with pytest.raises(CatalogError, match=r"binary\.yaml"):
        load_catalog(binary)


def test_a_secret_in_the_file_is_refused_and_not_repeated(override: Path) -> None:
    override.write_text("endpoints: {hosted: {kind: openai, base_url: 'http://localhost/v1', api_key: sk-secret}}")
    with pytest.raises(CatalogError) as raised:
        load_catalog(override)
    assert "endpoints.hosted.api_key" in raised.value.message
    assert "sk-secret" not in raised.value.message
