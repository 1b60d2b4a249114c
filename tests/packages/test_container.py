# SPDX-License-Identifier: Apache-2.0
"""The container file, built on a bare system in place of the image that a registry would give."""

import subprocess
from pathlib import Path
from typing import Callable, Iterator

import pytest

from drive import ROOT
from systems import PACKAGES, System

Buildah = Callable[..., str]


@pytest.fixture(scope="module")
def buildah(tmp_path_factory) -> Buildah:
    """Runs buildah with a store of its own, without a daemon and without namespaces, and gives what it printed."""
    folder = tmp_path_factory.mktemp("buildah")

    def run(*words: str | Path) -> str:
        done = subprocess.run(["buildah", "--root", folder / "store", "--runroot", folder / "run", "--storage-driver", "vfs", *words],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done
        return done.stdout.strip()

    return run


@pytest.fixture(scope="module")
def container(buildah, tmp_path_factory) -> Iterator[str]:
    base = buildah("from", "scratch")
    buildah("add", "--quiet", base, System(tmp_path_factory.mktemp("base") / "root", "bookworm").root, "/")
    buildah("commit", "--quiet", "--rm", base, "localhost/debian")
    buildah("build", "--isolation", "chroot", "--network", "host", "--build-arg", "BASE=localhost/debian",
            "--file", ROOT / "deploy/Containerfile", "--tag", "pilake", PACKAGES)
    container = buildah("from", "pilake")
    yield container
    buildah("rm", container)


def test_the_demo_runs_as_a_user_without_rights(buildah, container):
    run = ["run", "--isolation", "chroot", container, "--"]
    assert buildah(*run, "id", "-u") == "65532"
    assert "\nequal: all" in buildah(*run, "pilake", "demo")


def test_it_streams_unless_it_is_told_otherwise(buildah, container):
    said = buildah("inspect", "--format", "{{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Cmd}}", container)
    assert said == "[pilake] [stream -c /etc/pilake/pilake.yaml]"
