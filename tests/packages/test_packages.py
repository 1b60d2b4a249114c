# SPDX-License-Identifier: Apache-2.0
"""What `make packages` made, in systems that have nothing else. PILAKE_BINARY, which plays the plant, is the
portable binary itself."""

import gzip
import json
import re
import subprocess
from typing import Callable

import pytest
import yaml

from drive import ROOT, Clock, Plant, Simulator, utc
from systems import System, package

VERSION = re.search(r"project\(pilake VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
# The oldest that debootstrap can bring, and the one that pilake is built on.
SUITES = ["bullseye", "bookworm"]
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"


def unpack(system: System) -> None:
    """As docs/install.md says it."""
    file = system.bring(package("pilake-*-linux-x86_64.tar.gz"), "/tmp/pilake.tar.gz")
    system.must("tar", "-xzf", file, "-C", "/usr/local", "--strip-components=1")


def install(system: System) -> None:
    system.must("dpkg", "--install", system.bring(package("pilake_*_amd64.deb"), "/tmp/pilake.deb"))


class Installed:
    """A system with pilake in it, below `prefix`."""

    def __init__(self, system: System, prefix: str):
        self.system, self.prefix = system, prefix

    def text(self, path: str) -> str:
        data = (self.system.root / self.prefix / path).read_bytes()
        return (gzip.decompress(data) if path.endswith(".gz") else data).decode()


@pytest.fixture(scope="module", params=[(suite, kind) for suite in SUITES for kind in ("tarball", "deb")],
                ids=lambda param: "-".join(param))
def installed(request, tmp_path_factory) -> Installed:
    suite, kind = request.param
    system = System(tmp_path_factory.mktemp(f"{suite}-{kind}") / "root", suite)
    {"tarball": unpack, "deb": install}[kind](system)
    return Installed(system, {"tarball": "usr/local", "deb": "usr"}[kind])


def test_the_demo_proves_its_table(installed):
    assert "\nequal: all" in installed.system.must("pilake", "demo", "--path", "/tmp/demo")


def test_it_is_the_version_of_the_sources(installed):
    assert installed.system.must("pilake", "--version").startswith(f"pilake {VERSION}\n")


def test_the_man_page_is_there_and_is_the_programs_own(installed):
    page = installed.text("share/man/man1/pilake.1.gz")
    assert page == installed.system.must("pilake", "--man-page") and page.startswith(".TH PILAKE 1")


def test_shells_find_the_completions_where_they_look(installed):
    zsh = {"usr": "vendor-completions", "usr/local": "site-functions"}[installed.prefix]
    for shell, path in {"bash": "bash-completion/completions/pilake", "zsh": f"zsh/{zsh}/_pilake",
                        "fish": "fish/vendor_completions.d/pilake.fish"}.items():
        assert installed.text(f"share/{path}") == installed.system.must("pilake", "--completion", shell)
    script = f"/{installed.prefix}/share/bash-completion/completions/pilake"
    assert "_pilake" in installed.system.must("bash", "-c", f"source {script}; complete -p pilake")


def test_the_unit_starts_a_program_that_is_there(installed):
    program = re.search(r"^ExecStart=(\S+)", installed.text("lib/systemd/system/pilake.service"), re.MULTILINE)[1]
    assert installed.system.must(program, "--version").startswith("pilake ")


def test_the_example_is_a_configuration(installed):
    example = yaml.safe_load(installed.text("share/doc/pilake/examples/pilake.yaml"))
    assert {"source", "tags", "table"} <= example.keys()


def test_licences_and_inventory_are_there(installed):
    docs = "share/doc/pilake"
    bill = json.loads(installed.text(f"{docs}/sbom.cdx.json"))
    assert bill["metadata"]["component"]["version"] == VERSION
    parts = {part["name"]: part["version"] for part in bill["components"]}
    locked = re.search(r'name = "delta_kernel"\nversion = "([\d.]+)"', (ROOT / "src/delta/bridge/Cargo.lock").read_text())[1]
    assert parts["delta_kernel"] == locked and parts["openssl"].startswith("3.0.") and "curl" in parts
    notices = installed.text(f"{docs}/NOTICES" + (".gz" if installed.prefix == "usr" else ""))
    assert "Daniel Stenberg" in notices and "tokio" in notices
    named = set(re.findall(r"^\| (\S+) \| [\d.]", installed.text(f"{docs}/THIRD-PARTY.md"), re.MULTILINE))
    assert named and named <= parts.keys()


PLANT = Plant("mixed", points=5, begins=utc("2026-03-04T08:00:00Z"))


@pytest.fixture
def configured(installed, tmp_path) -> Callable[..., None]:
    """Writes the system's configuration, of a source at `url`."""

    def configure(url: str, **source: object) -> None:
        config = tmp_path / "pilake.yaml"
        config.write_text(yaml.safe_dump({
            "source": {"name": "plant1", "url": url, **source}, "tags": [{"include": ["*"]}],
            "history": {"from": "2026-03-04T08:00:00Z"}, "table": {"path": "/tmp/table"}}))
        installed.system.bring(config, "/etc/pilake/pilake.yaml")

    return configure


def test_it_trusts_the_authorities_of_the_system_and_no_others(installed, configured, tmp_path):
    clock = Clock(installed.system.root / "tmp/clock", utc("2026-03-04T09:30:00Z"))
    with Simulator(PLANT, clock, tmp_path, "--tls", str(tmp_path / "tls")) as simulator:
        configured(simulator.url)
        run = ["pilake", "run", "-c", "/etc/pilake/pilake.yaml", "--test-clock", "/tmp/clock"]
        refused = installed.system.run(*run)
        assert refused.code != 0 and "certificate" in refused.err, refused
        installed.system.bring(tmp_path / "tls/ca.pem", AUTHORITIES)
        installed.system.must(*run)
    status = json.loads(installed.system.must("pilake", "status", "-c", "/etc/pilake/pilake.yaml", "--test-clock", "/tmp/clock", "--json"))
    assert status["series"] > 5 and status["rows"] > 0, status


def test_it_names_the_package_without_which_there_is_no_kerberos(installed, configured, tmp_path):
    with Simulator(PLANT, Clock(tmp_path / "clock", utc("2026-03-04T09:30:00Z")), tmp_path) as simulator:
        configured(simulator.url, auth={"kind": "kerberos"})
        # Debian 11 has it for NIS.
        installed.system.must("find", "/usr/lib", "-name", "libgssapi_krb5.so*", "-delete")
        refused = installed.system.run("pilake", "run", "-c", "/etc/pilake/pilake.yaml")
        assert refused.code == 2 and "libgssapi-krb5-2" in refused.err and "krb5-libs" in refused.err, refused
        checked = installed.system.run("pilake", "check", "-c", "/etc/pilake/pilake.yaml", "--json")
        assert '"kerberos-library"' in checked.out, checked


def test_a_removed_package_leaves_nothing_of_itself(tmp_path):
    system = System(tmp_path / "root", "bullseye")
    before = system.files()
    install(system)
    assert len(system.files() - before) > 10
    system.must("dpkg", "--purge", "pilake")
    left = {file for file in system.files() - before if not file.startswith(("./var/lib/dpkg/", "./var/log/", "./tmp/"))}
    assert left == set()


def test_the_package_asks_for_glibc_alone():
    fields = subprocess.run(["dpkg-deb", "--field", package("pilake_*_amd64.deb"), "Depends", "Version"], check=True,
                            capture_output=True, text=True).stdout
    assert fields == f"Depends: libc6 (>= 2.28)\nVersion: {VERSION}\n"


def test_the_man_page_has_nothing_that_a_formatter_does_not_know(tmp_path):
    page = tmp_path / "pilake.1"
    page.write_bytes(gzip.decompress(tar_member("share/man/man1/pilake.1.gz")))
    done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", page], check=True, capture_output=True, text=True)
    assert done.stderr == "" and "pilake" in done.stdout


def tar_member(path: str) -> bytes:
    tarball = package("pilake-*-linux-x86_64.tar.gz")
    name = tarball.name.removesuffix(".tar.gz")
    return subprocess.run(["tar", "-xzOf", tarball, f"{name}/{path}"], check=True, capture_output=True).stdout


def test_every_file_of_the_tarball_is_roots_and_none_is_writable_by_others():
    listing = subprocess.run(["tar", "-tvzf", package("pilake-*-linux-x86_64.tar.gz")], check=True, capture_output=True,
                             text=True).stdout.splitlines()
    assert len(listing) > 10
    assert [line for line in listing if not re.match(r"[-d]rw[-x]r-[-x]r-[-x] 0/0 ", line)] == []
