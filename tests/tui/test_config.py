"""Settings come from option, environment, file, default, in this order; what does not fit is refused with its place."""

from pathlib import Path

import pytest

from tui.config import database_url, default_config_path, is_exempt, load_settings, read_config_file
from tui.errors import ConfigurationError
from tui.settings import SETTINGS, Kind


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text('port = 1\napi_port = 2\nintercept = ["a.example"]\nretention_size = "2GiB"\napi = false\n')
    return path


def test_defaults_without_any_file() -> None:
    settings = load_settings({}, environ={})
    assert (settings.listen, settings.port, settings.api_port) == ("127.0.0.1", 8080, 3001)
    assert settings.retention_days == 30
    assert settings.api
    assert settings.database == f"sqlite:///{settings.data_dir / 'assay.db'}"


def test_option_wins_over_environment_over_file(config: Path) -> None:
    environ = {"ASSAY_PORT": "11", "ASSAY_API_PORT": "12"}
    assert load_settings({}, config=config, environ={}).port == 1
    assert load_settings({}, config=config, environ=environ).port == 11
    assert load_settings({"port": "21"}, config=config, environ=environ).port == 21
    assert load_settings({"port": "21"}, config=config, environ=environ).api_port == 12


def test_every_kind_is_read_from_the_file(config: Path) -> None:
    settings = load_settings({}, config=config, environ={})
    assert settings.intercept == ("a.example",)
    assert settings.retention_size == 2 * 2**30
    assert settings.api is False


def test_every_kind_is_read_from_the_environment() -> None:
    environ = {
        "ASSAY_INTERCEPT": "a.example, b.example",
        "ASSAY_RETENTION_SIZE": "1.5 GB",
        "ASSAY_API": "no",
        "ASSAY_CAPTURE": "1",
    }
    settings = load_settings({}, environ=environ)
    assert settings.intercept == ("a.example", "b.example")
    assert settings.retention_size == 1_500_000_000
    assert settings.api is False
    assert settings.capture is True


def test_options_that_were_not_given_do_not_count(config: Path) -> None:
    settings = load_settings({"port": None, "intercept": ()}, config=config, environ={})
    assert (settings.port, settings.intercept) == (1, ("a.example",))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("port", "eighty", "not a whole number"),
        ("port", "-1", "not a whole number"),
        ("port", "70000", "not a port"),
        ("api", "perhaps", "not true or false"),
        ("retention_size", "a lot", "not a size"),
        ("retention_size", "-1GB", "not a size"),
        ("retention_size", "5 parsecs", "not a size"),
        ("retention_size", "inf", "not a size"),
        ("retention_size", "nan", "not a size"),
        ("retention_size", "9e99 GB", "not a size"),
        ("retention_days", "1000001", "not a whole number"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, value: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        load_settings({}, environ={f"ASSAY_{name.upper()}": value})


@pytest.mark.parametrize(
    "line", ["port = true", "api_origin = [1]", "listen = 5", "retention_size = true", 'port = "x"', "port = 1.9"]
)
def test_wrong_types_in_the_file_are_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(line)
    with pytest.raises(ConfigurationError, match=line.split(" ", maxsplit=1)[0]):
        load_settings({}, config=path, environ={})


def test_unknown_keys_are_refused_with_the_nearest_one(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("prot = 1")
    with pytest.raises(ConfigurationError, match="did you mean `port`"):
        load_settings({}, config=path, environ={})


def test_broken_or_missing_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    with pytest.raises(ConfigurationError, match="does not exist"):
        read_config_file(path, must_exist=True)
    assert read_config_file(path, must_exist=False) == {}
    path.write_text("= nothing")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_config_file(path, must_exist=True)


def test_config_file_named_by_the_environment(config: Path) -> None:
    assert load_settings({}, environ={"ASSAY_CONFIG": str(config)}).port == 1
    assert default_config_path({"ASSAY_CONFIG": str(config)}) == config
    with pytest.raises(ConfigurationError, match="does not exist"):
        load_settings({}, environ={"ASSAY_CONFIG": "/nowhere/config.toml"})


def test_database_may_be_a_url_or_a_file(tmp_path: Path) -> None:
    assert database_url("postgresql://host/name", tmp_path) == "postgresql://host/name"
    assert database_url(str(tmp_path / "x.db"), tmp_path) == f"sqlite:///{tmp_path / 'x.db'}"


def test_empty_text_means_not_given() -> None:
    assert load_settings({}, environ={"ASSAY_REVERSE": ""}).reverse is None


def test_zero_size_means_no_limit() -> None:
    assert load_settings({}, environ={"ASSAY_RETENTION_SIZE": "0"}).retention_size is None


@pytest.mark.parametrize(
    ("no_proxy", "expected"),
    [
        ("*", True),
        (".anthropic.com", True),
        ("anthropic.com", True),
        ("*.anthropic.com,x", True),
        ("thropic.com", False),
        ("", False),
    ],
)
def test_exemption(no_proxy: str, expected: bool) -> None:
    assert is_exempt("api.anthropic.com", no_proxy) is expected


def test_names_options_and_variables_are_distinct_and_well_formed() -> None:
    assert len({setting.name for setting in SETTINGS}) == len(SETTINGS)
    for setting in SETTINGS:
        assert setting.variable == f"ASSAY_{setting.name.upper()}"
        assert setting.option.startswith("--")
        assert ("/--no-" in setting.option) is (setting.kind is Kind.FLAG and setting.default is True)
