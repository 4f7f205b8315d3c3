import shutil
import subprocess
from pathlib import Path

import pytest

from pozytywka_cli.serving.app import create
from pozytywka_cli.serving.options import Options
from pozytywka_cli.serving.server import DRAIN_SECONDS

from .files import MANIFESTS, ROOT, command, documents, environment, pod, resources, stage

WORKLOADS = [("Deployment", "service"), ("CronJob", "nightly")]
workloads = pytest.mark.parametrize(("kind", "name"), WORKLOADS)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_is_valid(path: Path):
    """The schemas of the newest known Kubernetes allow every resource, and no field that they do not know."""
    schemas = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate of the extra `dev` is missing")
    for document in documents(path):
        schemas.validate(document, schemas.latest_version(), strict=True)


def test_every_manifest_is_applied_but_the_examples_of_secrets():
    """`kubectl apply -k` never overwrites a secret with an example."""
    (listed,) = documents(ROOT / "deploy" / "kubernetes" / "kustomization.yaml")
    assert {*listed["resources"], "secrets.example.yaml"} == {path.name for path in MANIFESTS}


def test_kustomize_builds_the_manifests():
    """kubectl accepts kustomization.yaml, where kubectl is installed."""
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed")
    folder = ROOT / "deploy" / "kubernetes"
    done = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@workloads
def test_pods_run_as_the_user_of_the_image_and_may_do_nothing_more(kind: str, name: str):
    """Pods fulfil the restricted pod security standard, with a root file system that is read only."""
    specification = pod(kind, name)
    user, group = map(int, stage(name)["USER"].split(":"))
    security = specification["securityContext"]
    assert (security["runAsUser"], security["runAsGroup"], security["fsGroup"]) == (user, group, group)
    assert security["runAsNonRoot"]
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert specification["automountServiceAccountToken"] is False
    (container,) = specification["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"cpu", "memory"} <= set(container["resources"]["requests"])
    assert "memory" in container["resources"]["limits"]


@workloads
def test_volumes_are_mounted_where_the_image_looks_for_them(kind: str, name: str):
    """The service writes events only, the nightly run artifacts only, and both have a /tmp."""
    specification = pod(kind, name)
    mounts = {one["mountPath"]: one for one in specification["containers"][0]["volumeMounts"]}
    variables = environment(name)
    data, artifacts = (mounts[variables[f"POZYTYWKA_{folder}_DIR"]] for folder in ("DATA", "ARTIFACTS"))
    assert (data["name"], artifacts["name"]) == ("data", "artifacts")
    assert (data.get("readOnly", False), artifacts.get("readOnly", False)) == (name == "nightly", name == "service")
    assert "/tmp" in mounts
    assert {one["name"] for one in mounts.values()} == {one["name"] for one in specification["volumes"]}
    for volume in specification["volumes"]:
        if "persistentVolumeClaim" in volume:
            assert ("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]) in resources()


def test_the_service_is_started_with_options_that_it_has(pozytywka):
    """Arguments exist, begin as those of the image, and name a file of tokens that is mounted."""
    (container,) = pod("Deployment", "service")["containers"]
    arguments = container["args"]
    assert arguments[: len(command("service"))] == command("service")
    assert pozytywka(*arguments, "--help").code == 0
    tokens = Path(arguments[arguments.index("--tokens") + 1])
    assert str(tokens.parent) in {one["mountPath"] for one in container["volumeMounts"]}
    assert tokens.name in resources()["Secret", "tokens"]["stringData"]


def test_secrets_that_pods_need_have_examples():
    """The names of secrets and of their keys are those of the examples."""
    specification = pod("Deployment", "service")
    (variable,) = specification["containers"][0]["env"]
    wanted = variable["valueFrom"]["secretKeyRef"]
    assert variable["name"] == "POZYTYWKA_DATABASE_URL"
    assert wanted["key"] in resources()["Secret", wanted["name"]]["stringData"]
    assert [one["secret"]["secretName"] for one in specification["volumes"] if "secret" in one] == ["tokens"]


def test_probes_ask_routes_of_the_service_at_its_port(tmp_path: Path):
    """Every probe, and the health check of the image, asks a route that the application has."""
    application = create(Options(artifacts=tmp_path, data=tmp_path))
    routes = set(application.openapi()["paths"])
    (container,) = pod("Deployment", "service")["containers"]
    probes = [container[probe]["httpGet"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")]
    assert [probe["path"] for probe in probes] == ["/healthz", "/healthz", "/readyz"]
    assert {probe["path"] for probe in probes} <= routes
    (port,) = container["ports"]
    assert {probe["port"] for probe in probes} == {port["name"]}
    assert str(port["containerPort"]) == stage("service")["EXPOSE"] == container["args"][4]
    assert f"http://127.0.0.1:{port['containerPort']}/healthz" in stage("service")["HEALTHCHECK"]


def test_requests_that_have_begun_may_end():
    """A pod is killed only after new requests have stopped to arrive, and those that have begun had their time."""
    specification = pod("Deployment", "service")
    pause = specification["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert specification["terminationGracePeriodSeconds"] > pause + DRAIN_SECONDS


def test_whatever_selects_the_service_finds_its_pods():
    """Service, disruption budget, network policy and spread select by labels that the pods have."""
    every = resources()
    deployment = every["Deployment", "service"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert every["Service", "service"]["spec"]["selector"] == labels
    assert every["PodDisruptionBudget", "service"]["spec"]["selector"]["matchLabels"] == labels
    assert every["NetworkPolicy", "service"]["spec"]["podSelector"]["matchLabels"] == labels
    assert deployment["template"]["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"] == labels
    nightly = every["CronJob", "nightly"]["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    assert nightly != labels


def test_one_nightly_run_at_a_time():
    """A run that takes longer than a day is not joined by another one."""
    assert resources()["CronJob", "nightly"]["spec"]["concurrencyPolicy"] == "Forbid"
