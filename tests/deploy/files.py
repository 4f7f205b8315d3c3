"""Read the files that describe images and where they run."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MANIFESTS = sorted(
    path for path in (ROOT / "deploy" / "kubernetes").glob("*.yaml") if path.name != "kustomization.yaml"
)


def stage(name: str) -> dict[str, str]:
    """Return the last instruction of each kind in a stage of the Dockerfile and in those that it is built on."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    for part in re.split(r"^FROM ", text.replace("\\\n", ""), flags=re.MULTILINE)[1:]:
        first, *lines = part.splitlines()
        base, _, stage_name = first.partition(" AS ")
        if stage_name == name:
            inherited = stage(base) if ":" not in base else {}
            return inherited | dict(line.split(maxsplit=1) for line in lines if line)
    raise LookupError(name)


def environment(name: str) -> dict[str, str]:
    """Return the variables of the last ENV of a stage."""
    return dict(re.findall(r"(\w+)=(\S+)", stage(name)["ENV"]))


def command(name: str) -> list[str]:
    """Return what a container of a stage runs, without its entry point."""
    words: list[str] = json.loads(stage(name)["CMD"])
    return words


def documents(path: Path) -> list[dict[str, Any]]:
    """Return the documents of a YAML file."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def resources() -> dict[tuple[str, str], dict[str, Any]]:
    """Return the manifests of Kubernetes by kind and name."""
    every = [document for path in MANIFESTS for document in documents(path)]
    return {(one["kind"], one["metadata"]["name"]): one for one in every}


def pod(kind: str, name: str) -> dict[str, Any]:
    """Return the specification of the pods of a Deployment or CronJob."""
    spec = resources()[kind, name]["spec"]
    template: dict[str, Any] = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]
    return template["spec"]


def compose() -> dict[str, Any]:
    """Return what compose.yaml describes."""
    (described,) = documents(ROOT / "compose.yaml")
    return described
