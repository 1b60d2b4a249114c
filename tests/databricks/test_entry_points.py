# SPDX-License-Identifier: Apache-2.0
"""Every task of the bundle, run as Databricks runs it, against the simulator; the table must be the truth.

What stands in for Databricks: this machine for the cluster, local Spark, a workspace that knows secrets. In place of
`uc://` names the tables are folders, since no catalog lends keys here (tests/company has that).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

import session
from bundle import Bundle
from drive import Clock, Plant, Simulator, iso, utc
from truth import check_all
from workspace import Workspace

PLANT = Plant("mixed", points=100, begins=utc("2026-03-03T00:00:00Z"))
NOW = utc("2026-03-04T09:30:00Z")
SECRETS = {"pi_username": "reader", "pi_password": "only-${the}-cluster 'knows' $HOME",
           "catalog_client_id": "nobody", "catalog_client_secret": "nothing"}
#: What a task of the kind python_wheel_task does: the entry point by its name, with the parameters as arguments.
RUN_WHEEL = """
import sys
from importlib.metadata import distribution
package, name, *sys.argv[1:] = sys.argv[1:]
found = [one for one in distribution(package).entry_points if one.name == name]
found[0].load()()
"""


class Databricks:
    """A simulated plant, a workspace, a cluster of one, and the bundle deployed to it."""

    def __init__(self, folder: Path, simulator: Simulator, workspace: Workspace, clock: Clock):
        self.folder = folder
        self.table = folder / "table"
        self.clock = clock
        self.workspace = workspace
        self.bundle = Bundle("dev", pi_url=simulator.url, tags="*", history_from=iso(PLANT.begins))

    def local(self, parameters: list[str]) -> list[str]:
        """The parameters of a task, with a folder in place of the catalog's table."""
        gone = ("--table.catalog.", "--table.location=", "--table.options.", "--table.path=")
        kept = [word for word in parameters if not word.startswith(gone)]
        assert len(parameters) - len(kept) >= 4, "a task that does not write to the catalog"
        with_clock = parameters[0] not in ("optimize", "vacuum")
        return [*kept, f"--table.path={self.table}", *([f"--test-clock={self.clock.path}"] if with_clock else [])]

    def begin(self, job: str, key: str) -> subprocess.Popen[str]:
        task = self.bundle.task(job, key)
        wheel = task["python_wheel_task"]
        command = [sys.executable, "-c", RUN_WHEEL, wheel["package_name"], wheel["entry_point"],
                   *self.local(wheel["parameters"])]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, env=self.environment(job, task))

    def environment(self, job: str, task: dict[str, Any]) -> dict[str, str]:
        """What the cluster of the task has, with `{{secrets/…}}` replaced as Databricks does."""
        clusters = {one["job_cluster_key"]: one["new_cluster"]
                    for one in self.bundle.resources["jobs"][job].get("job_clusters", [])}
        variables = clusters.get(task.get("job_cluster_key"), {}).get("spark_env_vars", {})
        own = {name: SECRETS[value.removesuffix("}}").rpartition("/")[2]] for name, value in variables.items()}
        return {**os.environ, **self.workspace.environment, **own,
                "PYTHONPATH": f"{Path(session.__file__).parent}:{os.environ['PYTHONPATH']}"}

    def run(self, job: str, key: str) -> str:
        """The task to its end, which must be a good one; what it said."""
        process = self.begin(job, key)
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said[-3000:]
        assert SECRETS["pi_password"] not in said
        return said


@pytest.fixture
def databricks(tmp_path: Path) -> Iterator[Databricks]:
    clock = Clock(tmp_path / "clock", NOW)
    auth = ["--auth", "basic", "--user", SECRETS["pi_username"], "--password", SECRETS["pi_password"]]
    with Simulator(PLANT, clock, tmp_path, *auth) as simulator, Workspace(**SECRETS) as workspace:
        yield Databricks(tmp_path, simulator, workspace, clock)


@pytest.mark.parametrize("job", ["run", "run_serverless"])
def test_the_job_that_runs_makes_the_table_equal_to_the_archive(databricks, job):
    databricks.run(job, "run")
    check_all(databricks.table, PLANT, NOW, PLANT.begins)
    scope = databricks.bundle.resources["secret_scopes"]["plant"]["name"]
    assert {f"{scope}/pi_username", f"{scope}/pi_password"} <= set(databricks.workspace.asked)


def test_the_table_is_cared_for(databricks):
    for _ in range(3):
        databricks.run("run", "run")
        databricks.clock.advance(minutes=20)
    databricks.run("care", "optimize")
    databricks.run("care", "vacuum")
    databricks.run("run", "run")
    check_all(databricks.table, PLANT, databricks.clock.now, PLANT.begins)


def test_a_task_fails_where_pilake_does(databricks):
    """An exit code would be lost."""
    databricks.workspace.environment["DATABRICKS_TOKEN"] = "a wrong one"
    process = databricks.begin("run", "run")
    said, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "the secret pi_username of the scope pilake_dev cannot be read" in said
    databricks.bundle = Bundle("dev", pi_url="http://127.0.0.1:1/piwebapi", auth_kind="anonymous")
    databricks.bundle.task("run", "run")["python_wheel_task"]["parameters"][3:5] = []
    process = databricks.begin("run", "run")
    said, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "nothing accepts connections at 127.0.0.1:1" in said and "exit code 5" in said


def test_the_continuous_job_shows_what_is_new_and_ends_with_its_task(databricks):
    databricks.run("run", "run")
    databricks.clock.go(1)
    process = databricks.begin("live", "stream")
    assert process.stdout
    lines = iter(process.stdout.readline, "")
    assert any("caught_up" in line for line in lines)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(signal.SIGKILL)  # as a job that is cancelled
    process.wait()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes()
              for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert children and not any(Path(f"/proc/{child}/cmdline").exists() and Path(f"/proc/{child}/cmdline").read_bytes()
                                for child in children)
    databricks.clock.freeze()
    databricks.run("run", "run")
    check_all(databricks.table, PLANT, databricks.clock.now, PLANT.begins)


def test_the_cluster_fills_the_table_and_the_run_goes_on_from_there(databricks):
    said = databricks.run("fill", "fill")
    assert '"commits"' in said
    databricks.clock.advance(hours=1)
    databricks.run("run", "run")
    check_all(databricks.table, PLANT, databricks.clock.now, PLANT.begins)
