# SPDX-License-Identifier: Apache-2.0
"""Bad input: one clear sentence that names the cause, the right exit code, and nothing touched."""

import subprocess
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from drive import Outcome, Plant, Site, call, utc

FEW = Plant("mixed", points=40, begins=utc("2026-03-04T06:00:00Z"))
FAILED, USAGE, TRY_AGAIN = 1, 2, 5


def sentence(outcome: Outcome, code: int) -> str:
    """What the program said: one sentence, and no more."""
    said = [line for line in outcome.err.splitlines() if line.startswith("pilake: ")]
    assert outcome.code == code, f"exit code {outcome.code}, not {code}: {outcome.err}"
    assert len(said) == 1 and "bug of ours" not in said[0], outcome.err
    return said[0]


def refused(site: Site, code: int, *flags: str, **options: object) -> str:
    """What `run` says when it must refuse. It leaves no table behind."""
    said = sentence(site.call("run", *flags, **options), code)
    left = [path for path in site.table.rglob("*") if path.is_file()]
    assert not left, f"a refused run left {left}"
    return said


def test_a_configuration_that_is_not_there(tmp_path):
    said = sentence(call("run", "-c", tmp_path / "none.yaml"), USAGE)
    assert "none.yaml" in said and "pilake init" in said


def test_keys_and_types_that_are_wrong(site, simulate):
    here = site(simulate(FEW))
    here.config["source"]["budgte"] = {"in_flight": 4}
    here.config["history"]["settle"] = "soon"
    here.write()
    outcome = here.call("run")
    assert outcome.code == USAGE
    line = 1 + here.file.read_text().splitlines().index("  budgte:")
    assert f"pilake.yaml:{line}: source.budgte: is no key; did you mean source.budget?" in outcome.err
    assert "history.settle: must be a span such as 30s" in outcome.err
    assert not here.table.exists()


def test_a_host_that_does_not_answer(tmp_path):
    here = Site(tmp_path / "site", "http://127.0.0.1:1/piwebapi", FEW.begins)
    assert "127.0.0.1" in refused(here, TRY_AGAIN)


def test_a_host_that_does_not_exist(tmp_path):
    here = Site(tmp_path / "site", "http://no-such-host.invalid/piwebapi", FEW.begins)
    assert "no-such-host.invalid" in refused(here, TRY_AGAIN)


def test_a_wrong_password(site, simulate):
    simulator = simulate(FEW, "--auth", "basic", "--user", "me", "--password", "right")
    here = site(simulator, source={"url": simulator.url, "auth": {
        "kind": "basic", "username": "me", "password": "wrong-password"}})
    said = refused(here, FAILED)
    assert "'me' was refused" in said and "wrong-password" not in said


def test_no_password_where_one_is_asked_for(site, simulate):
    assert "without credentials" in refused(site(simulate(FEW, "--auth", "basic", "--user", "me", "--password", "right")), FAILED)


def test_a_certificate_that_has_run_out(site, simulate, tmp_path):
    simulator = simulate(FEW, "--tls", str(tmp_path / "tls"), "--tls-expired")
    said = refused(site(simulator, trust={"ca": [str(tmp_path / "tls/ca.pem")]}), USAGE)
    assert "certificate" in said and "expired" in said


def test_a_certificate_that_nobody_trusts(site, simulate, tmp_path):
    said = refused(site(simulate(FEW, "--tls", str(tmp_path / "tls"))), USAGE)
    assert "certificate" in said and "trust.ca" in said


def test_tags_that_select_nothing(site, simulate):
    said = refused(site(simulate(FEW), tags=[{"include": ["NOTHING.LIKE.THIS*"]}]), USAGE)
    assert "tags" in said


def test_a_server_name_that_is_not_there(site, simulate):
    said = refused(site(simulate(FEW), tags=[{"server": "OTHER", "include": ["*"]}]), USAGE)
    assert "OTHER" in said and "PISRV" in said


def test_a_table_path_that_cannot_be_written(site, simulate, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    here = site(simulate(FEW), table={"path": str(tmp_path / "file/table")})
    said = sentence(here.call("run"), USAGE)
    assert str(tmp_path / "file") in said
    assert (tmp_path / "file").read_text() == "not a folder"


def test_a_path_that_holds_another_table(site, simulate):
    here = site(simulate(FEW))
    write_deltalake(str(here.table), pa.table({"a": [1, 2, 3]}))
    said = sentence(here.call("run"), USAGE)
    assert str(here.table) in said
    table = DeltaTable(str(here.table))
    assert (table.version(), table.to_pyarrow_table().num_rows) == (0, 3)


def test_a_folder_with_files_that_are_no_table(site, simulate):
    here = site(simulate(FEW))
    here.table.mkdir()
    (here.table / "letter.txt").write_text("dear reader")
    said = sentence(here.call("run"), USAGE)
    assert str(here.table) in said
    assert [path.name for path in here.table.iterdir()] == ["letter.txt"]


def test_an_address_that_answers_with_a_login_page(site, simulate):
    said = refused(site(simulate(FEW, "--login-page")), USAGE)
    assert "login page" in said and "source.url" in said


def test_a_server_that_answers_with_garbage(site, simulate):
    simulator = simulate(FEW, "--garbage")
    said = refused(site(simulator), TRY_AGAIN)
    assert simulator.url in said


def test_an_address_that_is_another_service(tmp_path, site, simulate):
    simulator = simulate(FEW)
    here = site(simulator, source={"url": simulator.url.replace("/piwebapi", "/other")})
    assert "/other" in refused(here, USAGE)


NO_LINKS = r"""
#include <errno.h>
int link(const char *a, const char *b) { (void)a; (void)b; errno = EPERM; return -1; }
int linkat(int d, const char *a, int e, const char *b, int f) {
  (void)d; (void)a; (void)e; (void)b; (void)f; errno = EPERM; return -1; }
"""


@pytest.fixture
def without_links(tmp_path: Path) -> dict[str, str]:
    """An environment in which the file system knows no hard links, as on some shares."""
    source, library = tmp_path / "no_links.c", tmp_path / "no_links.so"
    source.write_text(NO_LINKS)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return {"LD_PRELOAD": str(library)}


def test_a_share_that_cannot_create_a_file_only_if_it_is_not_there(site, simulate, without_links):
    said = refused(site(simulate(FEW)), USAGE, env=without_links)
    assert "table" in said


@pytest.mark.parametrize("args", [[], ["rnu"], ["run", "--jsn"], ["run", "-c"], ["simulate", "--plant", "none"],
                                  ["simulate", "--port", "99999"], ["simulate", "--user", "u", "--password", "p"]])
def test_usage_that_is_wrong(args):
    assert call(*args).code == USAGE


def test_help_and_version_are_given():
    assert call("--version").out.startswith("pilake ")
    for command in ("demo", "init", "check", "discover", "plan", "run", "status", "report", "verify", "reread", "adopt",
                    "explain", "vacuum", "optimize", "simulate"):
        said = call(command, "--help")
        assert said.code == 0
        assert f"pilake {command}" in said.out, "help without an example"


def test_init_prints_a_configuration_that_check_understands(tmp_path):
    starter = call("init")
    assert starter.code == 0
    (tmp_path / "pilake.yaml").write_text(starter.out)
    said = call("check", cwd=tmp_path)
    assert said.code == USAGE
    assert "PI_PASSWORD is not set" in said.err


def test_status_of_a_table_that_is_not_there(site, simulate):
    here = site(simulate(FEW))
    said = sentence(here.call("status"), FAILED)
    assert str(here.table) in said
    assert not here.table.exists()
