# SPDX-License-Identifier: Apache-2.0
"""`pilake check` names what is wrong: each row of docs/check.md is provoked here, or where its servers are."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Callable

import pytest

from domain import Authority
from doors import Door, reply
from drive import Plant, Site, utc
from findings import check_finds, listed
from secrecy import secret

FEW = Plant("mixed", points=40, begins=utc("2026-03-04T06:00:00Z"))


def test_each_finding_that_the_docs_list_is_provoked_somewhere():
    here = Path(__file__).parent
    sources = "".join(path.read_text() for path in [*here.glob("test_*.py"), *here.glob("../packages/test_*.py")])
    assert not {name for name in listed() if f'"{name}"' not in sources}
    assert len(listed()) >= 20


@pytest.fixture
def here(site, simulate) -> Callable[..., Site]:
    """A site whose source is a simulator with these flags, and whose configuration is changed so."""

    def make(*flags: str, plant: Plant = FEW, tags: object = None, trust: object = None, table: object = None,
             **source: object) -> Site:
        simulator = simulate(plant, *flags)
        made = site(simulator, source={"url": simulator.url, **source})
        for section, content in (("tags", tags), ("trust", trust), ("table", table)):
            if content is not None:
                made.config[section] = content
        made.write()
        return made

    return make


class Silent:
    """Takes connections and says nothing."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

    def stop(self) -> None:
        self._socket.close()


# ---- The way


def test_a_host_without_an_address(here):
    check_finds(here(url="http://no-such-host.invalid/piwebapi"), finding="dns")


def test_a_port_at_which_nothing_is(here):
    check_finds(here(url="http://127.0.0.1:1/piwebapi"), finding="nothing-there")


def test_a_host_that_says_nothing(here, started):
    silent = started(Silent())
    site = here(url=f"https://127.0.0.1:{silent.port}/piwebapi", timeouts={"connect": "1s"})
    check_finds(site, finding="no-answer")


def test_a_proxy_that_is_not_there(here):
    check_finds(here(url="https://127.0.0.1:1/piwebapi", proxy={"url": "http://no-such-proxy.invalid:3128"}),
                finding="proxy-away")


def test_a_proxy_that_takes_another_password(here, started):
    def refuse(request, _):
        reply(request, 407, {"Proxy-Authenticate": 'Basic realm="p"'})

    door = started(Door(refuse))
    check_finds(here(url="https://127.0.0.1:1/piwebapi", proxy={"url": door.url, "username": "me", "password": "x"}),
                finding="proxy-refuses")


# ---- Certificates of the server


def test_an_authority_that_nobody_trusts(here, tmp_path):
    check_finds(here("--tls", str(tmp_path / "tls")), finding="tls-authority")


def test_a_certificate_that_has_run_out(here, tmp_path):
    check_finds(here("--tls", str(tmp_path / "tls"), "--tls-expired", trust={"ca": str(tmp_path / "tls/ca.pem")}),
                finding="tls-expired")


def test_a_certificate_for_another_name(here, simulate, tmp_path):
    site = here("--tls", str(tmp_path / "tls"), trust={"ca": str(tmp_path / "tls/ca.pem")})
    site.config["source"]["url"] = simulate.running[0].url.replace("127.0.0.1", "pi.localhost")
    site.write()
    check_finds(site, finding="tls-name")


def test_a_port_without_tls(here, simulate):
    site = here()
    site.config["source"]["url"] = simulate.running[0].url.replace("http:", "https:")
    site.write()
    check_finds(site, finding="tls-none")


# ---- Who we are

@pytest.mark.parametrize("auth", [{"kind": "basic", "username": "PLANT\\reader", "password": secret("known-to-nobody")},
                                  {"kind": "bearer", "token": secret("token-of-nobody")}], ids=lambda auth: auth["kind"])
def test_a_server_at_which_everybody_is_anonymous(here, auth):
    checked = here(auth=auth).call("check", "--json")
    assert checked.code == 0, checked.out
    identity, = (line for line in map(json.loads, checked.out.splitlines()) if line["subject"] == "identity")
    assert identity["state"] == "doubtful"
    assert "NT SERVICE\\piwebapi" in identity["detail"] and "Anonymous stands among" in identity["detail"]


# ---- The address


def test_a_path_at_which_there_is_no_pi_web_api(here, simulate):
    site = here()
    site.config["source"]["url"] = simulate.running[0].url.replace("/piwebapi", "/other")
    site.write()
    check_finds(site, finding="no-pi-web-api")


def test_a_login_page(here):
    check_finds(here("--login-page"), finding="login-page")


def test_an_address_that_sends_us_elsewhere(here, started):
    door = started(Door(lambda request, _: reply(request, 302, {"Location": "https://login.example.com/"})))
    check_finds(here(url=f"{door.url}/piwebapi"), finding="redirect")


def test_a_gateway_that_lets_us_not_through(here, started):
    page = b"<html><title>Forbidden</title></html>"
    door = started(Door(lambda request, _: reply(request, 403, {"Content-Type": "text/html"}, page)))
    check_finds(here(url=f"{door.url}/piwebapi"), finding="gateway-forbids")


# ---- Who we are

BASIC = ("--auth", "basic", "--user", "me", "--password", "right")


def test_a_wrong_password(here):
    said = check_finds(here(*BASIC, auth={"kind": "basic", "username": "me", "password": secret("wr0ng-w0rd", "me")}),
                       finding="password-refused")
    assert "user 'me'" in said and "wr0ng-w0rd" not in said


def test_a_token_in_a_file_that_is_not_accepted(here, tmp_path):
    (tmp_path / "token").write_text(secret("stale-t0ken"))
    said = check_finds(here(*BASIC, auth={"kind": "bearer", "token_file": str(tmp_path / "token")}),
                       finding="token-refused")
    assert "stale-t0ken" not in said


def test_a_token_file_that_is_not_there(here, tmp_path):
    check_finds(here(auth={"kind": "bearer", "token_file": str(tmp_path / "no-token")}), finding="token-file")


def test_a_command_that_fails(here):
    check_finds(here(auth={"kind": "bearer", "token_command": "false"}), finding="token-command")


def test_a_command_whose_token_is_not_accepted(here):
    said = check_finds(here(*BASIC, auth={"kind": "bearer", "token_command": "echo stale-t0ken"}),
                       finding="token-command-refused")
    assert "stale-t0ken" not in said


def test_a_certificate_that_is_not_there(here, tmp_path):
    check_finds(here(auth={"certificate": str(tmp_path / "none.pem")}), finding="certificate-file")


def test_a_key_of_another_certificate(here, tmp_path):
    authority = Authority(tmp_path / "authority")
    one, other = authority.issue("one"), authority.issue("other")
    check_finds(here(auth={"certificate": str(one.certificate), "key": str(other.key)}), finding="certificate-key")


# ---- What we may read


def test_masks_that_match_no_point(here):
    said = check_finds(here(tags=[{"include": ["ZZ_NO_SUCH*"]}]), finding="nothing-granted")
    assert "that nobody may see" in said or "that '" in said


def test_a_data_server_that_is_not_shown(here):
    check_finds(here(tags=[{"server": "OTHER", "include": ["*"]}]), finding="server-unknown")


def test_clocks_that_disagree(here, tmp_path):
    plant = FEW.playing(tmp_path / "script", "clock host off 2h from 2026-03-04T00:00:00Z to 2026-03-05T00:00:00Z")
    check_finds(here(plant=plant), finding="source-clocks")


# ---- Where the table goes


def test_a_path_that_leads_through_a_file(here, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    check_finds(here(table={"path": str(tmp_path / "file" / "table")}), finding="disk-no-folder")


def test_a_folder_that_cannot_be_written(here):
    check_finds(here(table={"path": "/proc/pilake/table"}), finding="disk")


def test_a_folder_with_something_else_in_it(here, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "letter.txt").write_text("Dear")
    check_finds(here(table={"path": str(tmp_path / "folder")}), finding="disk-other")
