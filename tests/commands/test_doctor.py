"""`doctor` through the command line."""

import json
import subprocess
import sys

import pytest

from pozytywka_cli.doctor import Finding


def test_the_output_is_one_object(pozytywka, sampled, trained):
    """A row for each finding; data and promoted models are among them."""
    answer = pozytywka("doctor", "--json", "--data-dir", sampled, "--artifacts-dir", trained)
    assert (answer.code, answer.err) == (0, "")
    output = json.loads(answer.out)
    assert (output["format"], output["command"]) == (1, "doctor")
    assert {row["area"] for row in output["rows"]} >= {"machine", "gpu", "data", "artifacts"}
    assert all(row["found"] for row in output["rows"] if row["area"] in ("machine", "data", "artifacts"))


def test_missing_things_are_no_failure(pozytywka, tmp_path):
    """Neither data nor artifacts; each line says what to do."""
    folders = ["--data-dir", tmp_path, "--artifacts-dir", tmp_path]
    answer = pozytywka("doctor", *folders)
    assert (answer.code, answer.err) == (0, "")
    assert "missing" in answer.out
    assert "pozytywka transform" in answer.out
    rows = [row for row in json.loads(pozytywka("doctor", "--json", *folders).out)["rows"] if row["found"] is None]
    assert {row["name"] for row in rows} >= {"users", "sessions", "plays", "skip", "weekly", "similar"}
    assert all(row["hint"] for row in rows)


@pytest.mark.parametrize(("found", "code"), [("1", 0), (None, 5)])
def test_a_gpu_can_be_required(pozytywka, monkeypatch, tmp_path, found, code):
    """Exit 5 without one; the answer is printed either way."""
    monkeypatch.setattr("pozytywka_cli.doctor.gpu", lambda: [Finding("gpu", "device", found, "Get one.")])
    answer = pozytywka("doctor", "--require", "gpu", "--json", "--data-dir", tmp_path, "--artifacts-dir", tmp_path)
    assert answer.code == code
    assert ("device" in answer.err and "Get one." in answer.err) == (found is None)
    assert json.loads(answer.out)["command"] == "doctor"


def test_no_model_library_is_imported(tmp_path):
    """Where there is no device, they could not use it."""
    look = "import sys; from pozytywka_cli.commands.boundary import run; run(['doctor', '--json']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, cwd=tmp_path)
    rows = json.loads(done.stdout.splitlines()[0])["rows"]
    if next(row for row in rows if row["name"] == "device")["found"]:
        pytest.skip("there is a device here")
    assert not {"torch", "sklearn", "implicit", "scipy"} & set(done.stdout.splitlines()[1].split())
