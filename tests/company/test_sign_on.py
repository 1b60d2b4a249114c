# SPDX-License-Identifier: Apache-2.0
"""Signing on as companies want it: Kerberos against a real KDC, tokens of a real issuer, certificates, proxies."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Callable

import pytest

from conftest import LONG
from domain import HOST, Authority, Gate, Issuer, Proxy, Realm, certificate_gate, kerberos_gate, token_gate
from doors import NtlmDoor
from findings import check_finds
from secrecy import secret
from drive import Clock, Outcome, Plant, Simulator, Site, utc
from truth import check_site, differences, read, visible

FEW = Plant("mixed", points=40, begins=utc("2026-03-04T06:00:00Z"))
MANY = Plant("mixed", points=120, begins=utc("2026-03-04T06:00:00Z"))
FAILED, USAGE, TRY_AGAIN = 1, 2, 5
DONE = {200, 207}  # a batch is answered with 207
SLOWLY = {"series_reads_per_second": 4}  # a minute and a half for MANY


class Domain:
    """A realm, a source behind a gate of it, and a machine of it on which pilake runs."""

    def __init__(self, ground: Path, started, simulator: Simulator, gate_now: str | None = None):
        self.realm: Realm = started(Realm(ground / "realm"))
        self.service_keytab = self.realm.add(f"HTTP/{HOST}")
        self.gate: Gate = started(kerberos_gate(ground / "gate", self.realm, self.service_keytab, simulator.port,
                                                gate_now))
        self.env = {"KRB5_CONFIG": str(self.realm.file), "KRB5CCNAME": f"FILE:{ground}/no-cache"}

    def source(self, **auth: object) -> dict[str, object]:
        return {"name": "plant1", "url": self.gate.url_as(), "auth": {"kind": "kerberos", **auth}}


@pytest.fixture
def domain(ground, started, simulate) -> Callable[..., Domain]:
    return lambda plant=FEW, **options: Domain(ground, started, simulate(plant), **options)


@pytest.fixture
def home(site, simulate) -> Callable[..., Site]:
    """A site of the one simulator that runs."""
    return lambda source, **changes: site(simulate.running[0], source=source, **changes)


def run(here: Site, env: dict[str, str] | None = None, code: int = 0) -> Outcome:
    outcome = here.call("run", "--json", env=env)
    assert outcome.code == code, f"exit code {outcome.code}, not {code}: {outcome.err[-2000:]}"
    return outcome


def ends_well_without(here: Site, process: subprocess.Popen[bytes], gate: Gate, stop: Callable[[], None]) -> None:
    """What one signs on by goes away in mid-run, while what it gave is still good."""
    while len(gate.seen()) < 3:
        assert process.poll() is None
        time.sleep(0.1)
    stop()
    assert process.wait(120) == 0, (here.folder / "run.log").read_text()
    check_site(here, MANY)


def refused(here: Site, env: dict[str, str] | None, code: int, finding: str) -> str:
    """What `run` says when it must refuse; `check` says so too and calls it `finding`."""
    said = run(here, env, code).err
    check_finds(here, finding, code, env)
    return [line for line in said.splitlines() if line.startswith("pilake: ")][-1].removeprefix("pilake: ")


def stream_for(here: Site, clock: Clock, plant: Plant, seconds: int, env: dict[str, str] | None = None) -> None:
    """`pilake stream` for so long, in which twenty times as much passes at the plant; then all of it is there."""
    process = here.start("--json", command="stream", env=env)
    log = here.folder / "stream.log"

    def wait_until(holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.2)

    try:
        wait_until(lambda: "event=caught_up" in log.read_text())
        clock.go(20)
        time.sleep(seconds)
        clock.freeze()
        clock.advance(seconds=61)
        expected = visible(plant, clock.now, here.folder).select(read(here.table).column_names)
        wait_until(lambda: not differences(read(here.table), expected))
        process.terminate()
        assert process.wait(20) == 0, log.read_text()[-3000:]
    finally:
        process.kill()


# ---- Kerberos


def test_a_ticket_of_a_cache(domain, home):
    at = domain()
    alice = at.realm.sign_in("alice", at.realm.add("alice"))
    here = home(at.source())
    run(here, {**at.env, "KRB5CCNAME": alice})
    check_site(here, FEW)
    assert {who for who, _ in at.gate.seen()} == {"alice"} and {code for _, code in at.gate.seen()} == DONE
    identity = here.call("check", env={**at.env, "KRB5CCNAME": alice}).out
    assert "good" in identity and "bad" not in identity.split()


def test_a_cache_that_is_named_and_the_account_in_it(domain, home):
    at = domain()
    alice = at.realm.sign_in("alice", at.realm.add("alice"))
    here = home(at.source(cache=alice, principal="alice@TEST.LOCAL", service=f"HTTP/{HOST}@TEST.LOCAL"))
    run(here, at.env)
    check_site(here, FEW)


def test_a_keytab_without_any_ticket(domain, home):
    at = domain()
    here = home(at.source(keytab=str(at.realm.add("alice"))))
    run(here, at.env)
    check_site(here, FEW)
    assert {who for who, _ in at.gate.seen()} == {"alice"}
    assert at.realm.asked("AS_REQ") <= 2 and at.realm.asked("TGS_REQ") <= 2, "tickets are used again"


def test_a_ticket_of_a_minute_is_replaced_in_the_middle_of_a_run(domain, home):
    at = domain(MANY)
    keytab = at.realm.add("brief", "-maxlife", '"1 minute"')
    here = home({**at.source(keytab=str(keytab)), "budget": SLOWLY})
    begin = time.monotonic()
    run(here, at.env)
    assert time.monotonic() - begin > 65, "it was over before the first ticket was"
    check_site(here, MANY)
    assert {code for _, code in at.gate.seen()} == DONE, "a ticket was used after its end"
    assert at.realm.asked("AS_REQ") >= 2


def test_a_ticket_that_runs_out_where_nobody_replaces_it(domain, home):
    at = domain(MANY)
    cache = at.realm.sign_in("alice", at.realm.add("alice"), life="20s")
    here = home({**at.source(cache=cache), "budget": SLOWLY})
    said = run(here, at.env, FAILED).err
    assert "has run out; run kinit again, or name a keytab in source.auth.keytab" in said, said
    check_finds(here, finding="kerberos-expired", env=at.env)
    # Somebody does, and the run goes on where it was.
    here.config["source"]["auth"]["cache"] = at.realm.sign_in("alice", at.realm.folder / "alice.keytab")
    here.config["source"].pop("budget")
    here.write()
    run(here, at.env)
    check_site(here, MANY)


def test_a_service_that_gets_a_new_key_in_the_middle_of_a_run(domain, home):
    at = domain(MANY)
    here = home({**at.source(keytab=str(at.realm.add("alice"))), "budget": {"series_reads_per_second": 15}})
    process = here.start("--json", env=at.env)
    while len(at.gate.seen()) < 6:
        assert process.poll() is None
        time.sleep(0.1)
    at.realm.renew_key(f"HTTP/{HOST}", at.service_keytab)
    at.service_keytab.chmod(0o644)
    assert process.wait(120) == 0, (here.folder / "run.log").read_text()
    check_site(here, MANY)
    assert 401 in {code for _, code in at.gate.seen()}, "the old ticket was never refused"


def test_a_stream_through_the_gate_outlives_its_tickets(domain, home, clock):
    at = domain()
    keytab = at.realm.add("brief", "-maxlife", '"1 minute"')
    here = home(at.source(keytab=str(keytab)), tail="current", stream={"commit_every": "5s", "settle_every": "1m"})
    stream_for(here, clock, FEW, seconds=75, env=at.env)
    assert {who for who, _ in at.gate.seen()} == {"brief"}
    assert {code for _, code in at.gate.seen()} <= {101, *DONE}
    assert any(code == 101 for _, code in at.gate.seen()), "no channel was opened"
    assert at.realm.asked("AS_REQ") >= 2


def test_no_ticket(domain, home):
    at = domain()
    said = refused(home(at.source()), at.env, FAILED, finding="kerberos-no-ticket")
    assert f"Kerberos for HTTP/{HOST} as whoever has a ticket: there is no Kerberos ticket; run kinit" in said
    assert not at.gate.seen()


def test_credentials_that_the_gate_does_not_take(domain, home):
    at = domain()
    said = refused(home({"url": at.gate.url_as()}), at.env, FAILED, finding="no-credentials")
    assert "a caller without credentials was refused" in said and "The server accepts: Negotiate" in said
    assert "source.auth.kind kerberos" in said


def test_a_ticket_of_another_realm(domain, home, ground, started):
    at = domain()
    other = started(Realm(ground / "other", "OTHER.LOCAL"))
    config = other.write_config("both.conf", knows=(at.realm,))
    config.write_text(config.read_text().replace(f"{HOST} = OTHER.LOCAL", f"{HOST} = TEST.LOCAL"))
    env = {"KRB5_CONFIG": str(config), "KRB5CCNAME": other.sign_in("bob", other.add("bob"))}
    said = refused(home(at.source()), env, FAILED, finding="kerberos-service")
    assert "'bob@OTHER.LOCAL'" in said and "it must be trusted" in said


def test_a_service_that_nobody_registered(ground, started, simulate, home):
    simulator = simulate(FEW)
    realm = started(Realm(ground / "realm"))
    env = {"KRB5_CONFIG": str(realm.file), "KRB5CCNAME": realm.sign_in("alice", realm.add("alice"))}
    said = refused(home({"url": simulator.url.replace("127.0.0.1", HOST), "auth": {"kind": "kerberos"}}), env, FAILED, finding="kerberos-service")
    assert f"no KDC knows HTTP/{HOST}" in said and f"setspn -S HTTP/{HOST}" in said


def test_a_kdc_whose_clock_is_another(ground, started, simulate, home):
    simulator = simulate(FEW)
    realm = started(Realm(ground / "realm", now="+10m"))
    keytab = realm.add("alice", "+requires_preauth")
    realm.add(f"HTTP/{HOST}")
    env = {"KRB5_CONFIG": str(realm.write_config("strict.conf", "kdc_timesync = 0"))}
    said = refused(home({"url": simulator.url.replace("127.0.0.1", HOST),
                         "auth": {"kind": "kerberos", "keytab": str(keytab)}}), env, FAILED, finding="kerberos-clock")
    assert "this machine's clock and the KDC's are further apart" in said and "NTP" in said


def test_a_server_whose_clock_is_another(domain, home):
    at = domain(gate_now="+10m")
    said = refused(home(at.source(keytab=str(at.realm.add("alice")))), at.env, FAILED, finding="kerberos-refused")
    assert "Kerberos principal 'alice@TEST.LOCAL' was refused" in said and "does its machine's clock go right" in said


def test_a_keytab_whose_key_is_an_old_one(domain, home):
    at = domain()
    old = at.realm.add("alice", "+requires_preauth")
    at.realm.renew_key("alice", at.realm.folder / "new.keytab")
    said = refused(home(at.source(keytab=str(old), principal="alice@TEST.LOCAL")), at.env, FAILED, finding="kerberos-old-key")
    assert "have the keytab made anew" in said


def test_a_keytab_of_somebody_else(domain, home):
    at = domain()
    said = refused(home(at.source(keytab=str(at.realm.add("alice")), principal="carol@TEST.LOCAL")), at.env, FAILED, finding="kerberos-other-key")
    assert "the keytab holds no key of carol@TEST.LOCAL" in said


def test_a_keytab_that_is_not_there(domain, home, tmp_path):
    at = domain()
    said = refused(home(at.source(keytab=str(tmp_path / "no.keytab"))), at.env, FAILED, finding="kerberos-no-keytab")
    assert "no keytab where source.auth.keytab says" in said and "no.keytab" in said


def test_an_account_that_is_not_there(domain, home):
    at = domain()
    keytab = at.realm.add("alice")
    at.realm.remove("alice")
    source = at.source(keytab=str(keytab), principal="alice@TEST.LOCAL")
    said = refused(home(source), at.env, FAILED, finding="kerberos-account")
    assert "the KDC does not know alice@TEST.LOCAL" in said


def test_a_realm_that_nobody_knows(domain, home):
    at = domain()
    keytab = at.realm.add("alice")
    config = at.realm.write_config("lost.conf")
    config.write_text(config.read_text().replace(f"kdc = 127.0.0.1:{at.realm.port}", ""))
    said = refused(home(at.source(keytab=str(keytab))), {**at.env, "KRB5_CONFIG": str(config)}, FAILED,
                   finding="kerberos-realm")
    assert "check the name of the realm" in said


def test_a_cache_of_somebody_else(domain, home):
    at = domain()
    cache = at.realm.sign_in("alice", at.realm.add("alice"))
    said = refused(home(at.source(cache=cache, principal="carol@TEST.LOCAL")), at.env, FAILED,
                   finding="kerberos-other-ticket")
    assert "no ticket of carol@TEST.LOCAL" in said


def test_a_keytab_that_is_none(domain, home, tmp_path):
    at = domain()
    (tmp_path / "letter").write_text("Dear")
    said = refused(home(at.source(keytab=str(tmp_path / "letter"))), at.env, FAILED, finding="kerberos-bad-keytab")
    assert "klist -k" in said


def test_an_account_that_is_locked(domain, home):
    at = domain()
    keytab = at.realm.add("alice")
    at.realm.change("alice", "-allow_tix")
    said = refused(home(at.source(keytab=str(keytab))), at.env, FAILED, finding="kerberos-locked")
    assert "is locked or disabled" in said


def test_a_kdc_that_does_not_answer(domain, home):
    at = domain()
    keytab = at.realm.add("alice")
    at.realm.stop()
    said = refused(home(at.source(keytab=str(keytab))), at.env, TRY_AGAIN, finding="kerberos-kdc")
    assert "no KDC of the realm answers" in said and "port 88" in said


def test_a_kdc_that_is_away_while_tickets_are_good(domain, home):
    at = domain(MANY)
    here = home({**at.source(keytab=str(at.realm.add("alice"))), "budget": {"series_reads_per_second": 15}})
    process = here.start("--json", env=at.env)
    ends_well_without(here, process, at.gate, at.realm.stop)


# ---- Tokens


class Issued:
    """An issuer whose tokens live for 30 s, and a source behind a gate that takes no others."""

    SECRET = secret("s3cret-of-the-client/+=", "pilake")

    def __init__(self, ground: Path, started, simulator: Simulator):
        self.issuer: Issuer = started(Issuer(ground / "issuer", 30, self.SECRET))
        self.gate: Gate = started(token_gate(ground / "gate", self.issuer, simulator.port))

    def source(self, **auth: object) -> dict[str, object]:
        return {"name": "plant1", "url": self.gate.url_as(), "auth": auth}

    def client(self, **changes: object) -> dict[str, object]:
        return self.source(**{"kind": "oidc", "issuer": self.issuer.url, "client_id": "pilake",
                              "client_secret": self.SECRET, **changes})


@pytest.fixture
def issued(ground, started, simulate) -> Callable[..., Issued]:
    return lambda plant=FEW: Issued(ground, started, simulate(plant))


def check_tokens(at: Issued, least: int) -> None:
    """None was used after its end, and they were asked for in time, not for each call."""
    assert {code for _, code in at.gate.seen()} <= {101, *DONE}, at.gate.seen()
    assert least <= at.issuer.given() <= 3 * least, at.issuer.given()


def test_tokens_are_replaced_before_they_run_out(issued, home):
    at = issued(MANY)
    here = home({**at.client(), "budget": {"series_reads_per_second": 1} if LONG else SLOWLY})
    begin = time.monotonic()
    run(here)
    seconds = time.monotonic() - begin
    assert seconds > (300 if LONG else 75), "it was over before it could go wrong"
    check_site(here, MANY)
    check_tokens(at, int(seconds / 30))


def test_a_token_from_a_command(issued, home, tmp_path):
    at = issued(MANY)
    program = tmp_path / "get-token"
    program.write_text(f"""#!/usr/bin/env python3
import base64, json, sys, urllib.parse, urllib.request
secret = urllib.parse.quote(sys.stdin.read() or open({str(tmp_path / "secret")!r}).read(), safe="")
request = urllib.request.Request({at.issuer.url + "/token"!r}, b"grant_type=client_credentials&scope=system",
                                 {{"Authorization": "Basic " + base64.b64encode(f"pilake:{{secret}}".encode()).decode()}})
print(json.load(urllib.request.urlopen(request))["access_token"])
""")
    program.chmod(0o755)
    (tmp_path / "secret").write_text(at.SECRET)
    here = home({**at.source(kind="bearer", token_command=str(program)), "budget": SLOWLY})
    run(here)
    check_site(here, MANY)
    check_tokens(at, 3)


def test_a_stream_whose_tokens_run_out(issued, home, clock):
    at = issued()
    here = home(at.client(), tail="current", stream={"commit_every": "5s", "settle_every": "1m"})
    stream_for(here, clock, FEW, seconds=75)
    check_tokens(at, 3)
    assert any(code == 101 for _, code in at.gate.seen()), "no channel was opened"


def test_an_issuer_that_is_away_while_the_token_is_good(issued, home):
    at = issued(MANY)
    here = home({**at.client(), "budget": {"series_reads_per_second": 25}})
    process = here.start("--json")
    ends_well_without(here, process, at.gate, at.issuer.stop)


def test_a_client_whose_secret_is_wrong(issued, home):
    said = refused(home(issued().client(client_secret=secret("wr0ng-secret", "pilake"))), None, FAILED, finding="client-refused")
    assert "gives client 'pilake' no token: invalid_client" in said and "wr0ng-secret" not in said


def test_an_issuer_that_is_none(issued, home):
    at = issued()
    said = refused(home(at.client(issuer=at.issuer.url + "/nothing")), None, USAGE, finding="issuer-none")
    assert "does not tell where tokens are to be had (status 404); check source.auth.issuer" in said


def test_an_issuer_that_does_not_answer(issued, home):
    at = issued()
    at.issuer.stop()
    said = refused(home(at.client()), None, TRY_AGAIN, finding="issuer-away")
    assert said.startswith("source.auth.issuer: nothing accepts connections at 127.0.0.1:")


# ---- Certificates


def test_a_client_certificate_behind_a_private_authority(ground, started, simulate, home, clock):
    authority = Authority(ground / "authority")
    at = started(certificate_gate(ground / "gate", authority, simulate(FEW).port))
    mine = authority.issue("pilake")
    source = {"name": "plant1", "url": at.url_as("https"),
              "auth": {"certificate": str(mine.certificate), "key": str(mine.key)}}
    here = home(source, trust={"ca": [str(authority.certificate)]}, tail="current",
                stream={"commit_every": "5s", "settle_every": "1m"})
    stream_for(here, clock, FEW, seconds=5)
    assert {who for who, _ in at.seen()} == {"pilake"} and any(code == 101 for _, code in at.seen())
    here.config["source"]["auth"] = {"kind": "anonymous"}
    here.write()
    said = refused(here, None, FAILED, finding="tls-certificate")
    assert "wants to know us by a certificate, and has got none; write source.auth.certificate" in said


# ---- Proxies


def test_a_proxy_that_wants_to_know_who_comes(ground, started, simulate, home, clock):
    simulator = simulate(FEW)
    proxy = started(Proxy(ground / "proxy", "worker", secret("pr0xy-secret", "worker")))
    source = {"name": "plant1", "url": simulator.url,
              "proxy": {"url": proxy.url, "username": "worker", "password": "pr0xy-secret"}}
    here = home(source, tail="current", stream={"commit_every": "5s", "settle_every": "1m"})
    stream_for(here, clock, FEW, seconds=5)
    assert "CONNECT" in proxy.log.read_text() and "GET" in proxy.log.read_text(), "not all came this way"


def test_a_proxy_that_does_not_know_us(ground, started, simulate, home):
    simulator = simulate(FEW)
    proxy = started(Proxy(ground / "proxy", "worker", secret("pr0xy-secret", "worker")))
    said = refused(home({"url": simulator.url, "proxy": {"url": proxy.url}}), None, FAILED, finding="proxy-credentials")
    assert "the proxy wants credentials, or other ones; check source.proxy.username" in said


def test_a_proxy_that_refuses_our_password(ground, started, simulate, home):
    """Where it makes a tunnel: of a request that it passes on, nobody can tell who refused it."""
    simulator = simulate(FEW, "--tls", str(ground / "tls"))
    proxy = started(Proxy(ground / "proxy", "worker", secret("pr0xy-secret", "worker")))
    source = {"url": simulator.url, "proxy": {"url": proxy.url, "username": "worker", "password": "wr0ng"}}
    said = refused(home(source), None, FAILED, finding="proxy-refuses")
    assert "the proxy refused user 'worker'; check source.proxy.username" in said and "wr0ng" not in said


# ---- NTLM


def test_ntlm_where_there_is_no_kerberos(started, simulate, home, tmp_path):
    door = started(NtlmDoor(simulate(FEW).port, {"PLANT\\reader": secret("ntlm-secret", "PLANT\\reader")}, tmp_path))
    source = {"name": "plant1", "url": f"{door.url}/piwebapi",
              "auth": {"kind": "ntlm", "username": "PLANT\\reader", "password": "ntlm-secret"}}
    here = home(source)
    run(here)
    check_site(here, FEW)
    assert door.connections <= 8, "connections that were signed on are kept"
    checked = here.call("check").out
    assert "channels no: " in checked and "by kerberos they can" in checked, checked
    here.config["source"]["auth"]["password"] = "wr0ng"
    here.write()
    said = refused(here, None, FAILED, finding="ntlm-refused")
    assert r"user 'PLANT\reader' (NTLM) was refused" in said and "wr0ng" not in said
