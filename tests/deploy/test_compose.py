from pathlib import Path

from pozytywka_cli.serving.server import DRAIN_SECONDS

from .files import ROOT, command, compose, environment


def test_the_service_is_started_with_options_that_it_has(pozytywka):
    """The command exists, begins as that of the image, and names a file of tokens that is a secret."""
    service = compose()["services"]["service"]
    words = service["command"]
    assert words[: len(command("service"))] == command("service")
    assert pozytywka(*words, "--help").code == 0
    tokens = Path(words[words.index("--tokens") + 1])
    assert tokens.parent == Path("/run/secrets")
    assert tokens.name in service["secrets"]


def test_the_service_reads_its_database_from_a_secret():
    """The URL holds a password, so it is in no variable."""
    service = compose()["services"]["service"]
    configuration = Path(service["environment"]["POZYTYWKA_CONFIG"])
    assert configuration.parent == Path("/run/secrets")
    assert configuration.name in service["secrets"]
    assert list(service["environment"]) == ["POZYTYWKA_CONFIG"]


def test_secrets_are_files_that_are_never_committed():
    """Every secret that is used is declared, and lies in a folder that git and the images ignore."""
    described = compose()
    used = {name for service in described["services"].values() for name in service.get("secrets", [])}
    assert used == set(described["secrets"])
    for secret in described["secrets"].values():
        assert Path(secret["file"]).parent == Path("deploy/secrets")
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()[1] == "*"


def test_only_the_service_can_be_reached_and_only_from_this_machine():
    """The database publishes no port and is on a network without a way out; the nightly run has no network."""
    described = compose()
    services = described["services"]
    assert {name for name, service in services.items() if "ports" in service} == {"service"}
    (port,) = services["service"]["ports"]
    assert port == f"127.0.0.1:{(number := command('service')[4])}:{number}"
    assert services["database"]["networks"] == ["back"]
    assert described["networks"]["back"]["internal"] is True
    assert services["nightly"]["network_mode"] == "none"


def test_containers_of_the_program_write_only_what_they_must():
    """Their root is read only; the service writes events, the nightly run artifacts."""
    services = compose()["services"]
    for name, data, artifacts in (("service", "", ":ro"), ("nightly", ":ro", "")):
        variables = environment(name)
        assert services[name]["volumes"] == [
            f"data:{variables['POZYTYWKA_DATA_DIR']}{data}",
            f"artifacts:{variables['POZYTYWKA_ARTIFACTS_DIR']}{artifacts}",
        ]
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]
        assert services[name]["build"]["target"] == name


def test_the_service_waits_for_the_database_and_has_time_to_stop():
    """It starts when PostgreSQL answers, and is killed only after requests that have begun had their time."""
    services = compose()["services"]
    assert services["service"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert "healthcheck" in services["database"]
    assert int(services["service"]["stop_grace_period"].removesuffix("s")) > DRAIN_SECONDS


def test_the_nightly_run_starts_only_when_it_is_asked_for():
    """`docker compose up` does not train."""
    assert compose()["services"]["nightly"]["profiles"] == ["nightly"]
