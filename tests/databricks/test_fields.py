# SPDX-License-Identifier: Apache-2.0
"""The bundle's fields, and that nothing in it leads nowhere. The Databricks CLI, which would validate it, is not to be
had from a package registry; the classes of resources that its makers publish are."""

from __future__ import annotations

import re
import tomllib

import pytest
import yaml
from databricks.bundles.jobs import Job
from databricks.bundles.pipelines import Pipeline
from databricks.bundles.schemas import Schema
from databricks.bundles.secret_scopes import SecretScope
from databricks.bundles.volumes import Volume

from bundle import FOLDER, REFERENCE, Bundle, files, words
from drive import ROOT

CLASSES = {"jobs": Job, "pipelines": Pipeline, "schemas": Schema, "secret_scopes": SecretScope, "volumes": Volume}
#: Top-level keys by the CLI's own schema; the classes do not have them.
TOP = {"artifacts", "bundle", "include", "permissions", "resources", "run_as", "sync", "targets", "variables", "workspace"}
OF_A_TARGET = (TOP - {"include", "targets"}) | {"default", "mode", "presets"}
OF_A_VARIABLE = {"default", "description", "lookup", "type"}
OF_AN_ARTIFACT = {"build", "dynamic_version", "executable", "files", "path", "type"}


@pytest.fixture(params=["dev", "prod"])
def bundle(request: pytest.FixtureRequest) -> Bundle:
    return Bundle(request.param)


def test_every_field_of_a_resource_is_one(bundle):
    assert set(bundle.resources) == set(CLASSES)
    for kind, resources in bundle.resources.items():
        for name, resource in resources.items():
            try:
                CLASSES[kind].from_dict(resource)
            except Exception as error:
                raise AssertionError(f"{kind}.{name}: {error}") from error


def test_a_field_that_is_none_is_found_out(bundle):
    """So that the test above can fail."""
    job = dict(bundle.resources["jobs"]["run"], max_concurrent_rums=1)
    with pytest.raises(ValueError, match="max_concurrent_rums"):
        Job.from_dict(job)


def test_what_surrounds_resources_has_known_keys_too(bundle):
    tree = bundle.tree
    assert set(tree) <= TOP
    assert set(tree["targets"]) == {"dev", "prod"}
    for target in tree["targets"].values():
        assert set(target) <= OF_A_TARGET
    for variable in tree["variables"].values():
        assert set(variable) <= OF_A_VARIABLE and variable["description"]
    for artifact in tree["artifacts"].values():
        assert set(artifact) <= OF_AN_ARTIFACT
    assert bundle.mode in ("development", "production")


def test_every_variable_is_used_and_every_reference_leads_somewhere(bundle):
    for part in ("targets", "artifacts", "workspace", "run_as", "permissions"):
        bundle._resolved(bundle.tree.get(part))
    unused = {f"var.{name}" for name in bundle.tree["variables"]} - bundle.used
    assert not unused
    for file in files():
        for text in re.findall(r"\$\{[^}]*\}", file.read_text()):
            assert REFERENCE.fullmatch(text), f"{file.name}: the CLI does not interpolate {text}"


def test_every_file_that_is_named_is_there():
    """Paths are meant from the file in which they stand."""
    named = 0
    for file in files():
        tree = yaml.safe_load(file.read_text())
        for key, text in words(tree):
            if not re.match(r"\.{1,2}/|dist/", text) or key == "description":
                continue
            named += 1
            path = (file.parent / text).resolve()
            if path.suffix == ".whl":
                assert path.parent == FOLDER / "dist", f"{file.name}: {text} is not where tools/bundle.sh puts the wheel"
            else:
                assert path.is_file(), f"{file.name}: {text} is not there"
    assert named >= 6
    assert "databricks/dist" in (ROOT / "tools/bundle.sh").read_text()
    assert (ROOT / "tools/bundle.sh").stat().st_mode & 0o111
    sources = {path.name for path in (FOLDER / "src").glob("*.py")}
    text = "".join(file.read_text() for file in files())
    assert all(name in text for name in sources), "a file in databricks/src that no resource names"


def test_every_task_has_compute_and_an_entry_point_of_the_wheel(bundle):
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    for name, job, task in bundle.tasks():
        if "pipeline_task" in task:
            continue
        wheel = task["python_wheel_task"]
        assert wheel["package_name"] == "pilake" and wheel["entry_point"] in scripts
        if "job_cluster_key" in task:
            assert task["job_cluster_key"] in {one["job_cluster_key"] for one in job["job_clusters"]}, name
            assert task["libraries"], name
        else:
            assert task["environment_key"] in {one["environment_key"] for one in job["environments"]}, name


def test_secrets_are_named_and_never_written(bundle):
    """Every password and secret is a reference into the scope that the bundle makes."""
    scope = bundle.resources["secret_scopes"]["plant"]["name"]
    found = 0
    for _, text in words(bundle.resources):
        option, _, value = text.partition("=")
        if option.startswith("--") and option.endswith(("password", "secret", "token")):
            assert value.startswith((f"secret:{scope}/", "env:")), text
            found += 1
    for job in bundle.resources["jobs"].values():
        for cluster in job.get("job_clusters", []):
            for value in cluster["new_cluster"].get("spark_env_vars", {}).values():
                assert value.startswith("{{secrets/" + scope + "/"), value
                found += 1
    assert found >= 6
    named = set(re.findall(rf"(?:secret:|{{{{secrets/){re.escape(scope)}/(\w+)", str(bundle.resources)))
    guide = (ROOT / "docs/databricks.md").read_text()
    assert named == {"pi_username", "pi_password", "catalog_client_id", "catalog_client_secret"}
    assert all(name in guide for name in named), "a secret that the guide does not tell of"


def test_the_guide_names_every_variable_and_resource(bundle):
    guide = (ROOT / "docs/databricks.md").read_text()
    for name in bundle.tree["variables"]:
        assert f"`{name}`" in guide, name
    for kind in ("jobs", "pipelines"):
        for name in bundle.resources[kind]:
            assert f"`{name}`" in guide, name


def test_the_sdk_that_a_runtime_has_knows_the_same_jobs(bundle):
    """databricks-sdk's dataclasses drop what they do not know: what comes out must be what went in."""
    from databricks.sdk.service.jobs import JobSettings

    for name, job in bundle.resources["jobs"].items():
        assert JobSettings.from_dict(job).as_dict().keys() >= job.keys() - {"permissions"}, name
