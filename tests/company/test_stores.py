# SPDX-License-Identifier: Apache-2.0
"""Tables in object stores: all that holds on a disk holds there, read by a foreign reader."""

import json
import os
import random
import signal
import subprocess
import time

import pytest
from deltalake.exceptions import TableNotFoundError

from conftest import LONG
from doors import CarelessDoor, LossyDoor, RefusingDoor
from lakes import Lake, check, check_nothing_is_told, open_table
from drive import Plant, Site, utc
from findings import check_finds
from servers import S3

PLANT = Plant("mixed", points=100, begins=utc("2026-03-03T12:00:00Z"))
MANY_COMMITS = ("--rows-per-shard", "20000")
KILLS = int(os.environ.get("PILAKE_KILLS", 50 if LONG else 8))
KILLS_A_TABLE = 4
SEED = int(os.environ.get("PILAKE_SEED", 1))


def log_of(site: Site, command: str = "run") -> str:
    return (site.folder / f"{command}.log").read_text()


def test_a_run_makes_the_table_equal_and_the_next_goes_on(home, lake, clock):
    here = home(PLANT, tail="current")
    assert "will be created" in (checked := here.call("check")).out, checked.out
    here.run()
    check(here, lake, PLANT)
    clock.advance(hours=2)
    first = here.run()
    assert first["rows"] > 0
    check(here, lake, PLANT)
    assert here.run()["rows"] == 0
    told = [here.call(command) for command in ("check", "status", "report")]
    assert [one.code for one in told] == [0, 0, 0], told
    check_nothing_is_told(lake, *(one.out + one.err for one in told))


def test_care_takes_nothing_from_the_table(home, lake, clock):
    here = home(PLANT, tail="current")
    for _ in range(4):
        here.run(*MANY_COMMITS)
        clock.advance(minutes=40)
    before = here.status()
    merged = here.call("optimize", "--json").json
    assert merged["files_merged"] > merged["files_made"] > 0
    assert here.status()["rows"] == before["rows"]
    assert here.call("vacuum", "--json").json["tables"][0]["names"] == [], "a younger file is needed by readers"
    here.run()
    check(here, lake, PLANT)
    verified = here.call("verify")
    assert verified.code == 0, verified.out + verified.err
    assert any(entry["operation"] == "OPTIMIZE" for entry in open_table(here, lake).history())


def test_runs_that_write_one_table_at_once_write_each_row_once(home, lake):
    here = home(PLANT)
    runs = [here.start(*MANY_COMMITS) for _ in range(2)]
    assert [run.wait(240) for run in runs] == [0, 0], log_of(here)
    check(here, lake, PLANT)
    assert here.run()["rows"] == 0


def kill_after(run: subprocess.Popen, seconds: float) -> bool:
    """Kills `run` when it has lived for `seconds`; false if it was done before."""
    try:
        assert run.wait(seconds) == 0
        return False
    except subprocess.TimeoutExpired:
        run.send_signal(signal.SIGKILL)
        run.wait()
        return True


def test_a_run_that_is_killed_at_any_moment_costs_only_work(home, lake):
    moments = random.Random(SEED)
    whole = home(PLANT)
    began = time.monotonic()
    assert whole.run(*MANY_COMMITS)["commits"] > 5
    duration = time.monotonic() - began
    kills = tables = 0
    while kills < KILLS:
        here = home(PLANT)
        tables += 1
        assert tables < KILLS, "runs end before they can be killed"
        for _ in range(KILLS_A_TABLE):
            kills += kill_after(here.start(*MANY_COMMITS), moments.uniform(0, duration))
        here.run(*MANY_COMMITS)
        check(here, lake, PLANT)


@pytest.mark.parametrize("step", ["data-put", "data-landed", "log-put", "log-landed", "checksum-put"])
def test_a_run_that_dies_at_a_step_costs_only_work(home, lake, step):
    here = home(PLANT)
    trial = f"die={step}" if step.startswith("checksum") else f"die={step}:2"
    assert here.start(*MANY_COMMITS, env={"PILAKE_TRIAL": trial}).wait(120) == -signal.SIGKILL
    here.run(*MANY_COMMITS)
    check(here, lake, PLANT)


def test_a_put_that_lands_and_is_answered_by_an_error_changes_nothing(home, lake):
    door = LossyDoor(lake.port)
    lake.doors.append(door)
    here = home(PLANT, door.url, tail="current")
    for _ in range(2):
        here.run(*MANY_COMMITS)
        check(here, lake, PLANT)
        here.clock.advance(hours=1)
    runs = [here.start(*MANY_COMMITS) for _ in range(2)]
    assert [run.wait(240) for run in runs] == [0, 0], log_of(here)
    check(here, lake, PLANT)
    assert door.lost > 3


def test_cuts_and_delays_on_the_way_cost_only_work(home, lake, toxiproxy):
    wire = toxiproxy.wire(lake.port)
    moments = random.Random(SEED)
    here = home(PLANT, wire.url)
    wire.poison("latency", latency=20, jitter=10)
    run = here.start(*MANY_COMMITS)
    deadline = time.monotonic() + 300
    cuts = 0
    while run.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(moments.uniform(0.2, 1))
        if cuts < 6:
            wire.cut()
            time.sleep(moments.uniform(0.05, 0.5))
            wire.mend()
            cuts += 1
    wire.heal()
    assert run.returncode in (0, 5), log_of(here)
    assert cuts > 1
    here.run(*MANY_COMMITS)
    check(here, lake, PLANT)


@pytest.mark.parametrize("toxic", [("limit_data", {"bytes": 20_000}), ("slicer", {"average_size": 500, "delay": 50}),
                                   ("reset_peer", {"timeout": 300})], ids=lambda toxic: toxic[0])
def test_connections_that_break_again_and_again_cost_only_work(home, lake, toxiproxy, toxic):
    wire = toxiproxy.wire(lake.port)
    here = home(PLANT, wire.url)
    wire.poison(toxic[0], **toxic[1])
    assert here.start(*MANY_COMMITS).wait(300) in (0, 5), log_of(here)
    wire.heal()
    here.run(*MANY_COMMITS)
    check(here, lake, PLANT)


def test_a_store_that_does_not_answer_is_named_and_worth_another_try(home, lake, toxiproxy):
    wire = toxiproxy.wire(lake.port)
    wire.cut()
    here = home(PLANT, wire.url)
    began = time.monotonic()
    outcome = here.call("run")
    assert outcome.code == 5, outcome.err
    assert lake.table(here.folder.name) in outcome.err
    assert time.monotonic() - began < 60
    check_nothing_is_told(lake, outcome.err)


@pytest.mark.parametrize("door", [CarelessDoor, RefusingDoor])
def test_a_store_without_conditional_put_is_refused_before_anything_is_written(home, lake, door):
    lake.doors.append(door(lake.port))
    here = home(PLANT, lake.doors[-1].url)
    for command in ("check", "run"):
        outcome = here.call(command)
        assert outcome.code == 2, outcome.err
        assert "a second writer" in outcome.out + outcome.err, outcome.out + outcome.err
        assert "conditional writes" in outcome.out + outcome.err
    check_finds(here, "store-second-writer")
    with pytest.raises(TableNotFoundError):
        open_table(here, lake)


def wrong_key(here: Site) -> None:
    options = here.config["table"]["options"]
    name = next(name for name in options if name in ("aws_secret_access_key", "azure_storage_account_key"))
    options[name] = options[name][:-8] + "AAAAAAA="


def no_bucket(here: Site) -> None:
    here.config["table"]["path"] = here.config["table"]["path"].replace("plant-lake", "no-such-lake")


def no_keys(here: Site) -> None:
    options = here.config["table"]["options"]
    for name in [name for name in options if "key" in name]:
        del options[name]


def misspelt(here: Site) -> None:
    here.config["table"]["options"]["aws_regoin"] = "eu-central-1"


def check_is_told(here: Site, lake: Lake, broken, finding: str, *words: str) -> None:
    broken(here)
    here.write()
    outcome = here.call("check")
    assert outcome.code not in (0, 3), outcome.out
    for word in words:
        assert word in outcome.out, outcome.out
    check_nothing_is_told(lake, outcome.out, outcome.err)
    check_finds(here, finding)


@pytest.mark.parametrize("broken, finding, words", [
    (no_bucket, "store-bucket", ["there is no such bucket or container", "correct table.path"]),
    (misspelt, "", ["aws_regoin"]),
], ids=["bucket", "option"])
def test_a_place_that_is_not_there_is_told_with_its_cure(home, lake, broken, finding, words):
    check_is_told(home(PLANT), lake, broken, finding, *words)


@pytest.mark.parametrize("lake", ["s3", "azure"], indirect=True)  # that of Google checks no keys
@pytest.mark.parametrize("broken, finding, words", [
    (wrong_key, "store-keys", ["the store refuses us", "correct the keys in table.options"]),
    (no_keys, "store-no-keys", ["neither table.options nor the environment has keys", "this machine gives none"]),
], ids=["wrong", "none"])
def test_keys_that_open_nothing_are_told_with_their_cure(home, lake, broken, finding, words):
    check_is_told(home(PLANT), lake, broken, finding, *words)


@pytest.fixture(scope="module")
def private_s3(tmp_path_factory):
    """A store whose certificate only `trust.ca` makes trusted; the store, the certificate, its keys."""
    folder = tmp_path_factory.mktemp("private")

    def openssl(*args: object) -> None:
        subprocess.run(["openssl", *map(str, args)], check=True, capture_output=True, cwd=folder)

    new = ("-newkey", "rsa:2048", "-nodes", "-days", "2")
    openssl("req", "-x509", *new, "-subj", "/CN=plant root", "-keyout", "ca.key", "-out", "ca.pem")
    openssl("req", "-x509", *new, "-subj", "/CN=store", "-keyout", "key.pem", "-out", "cert.pem", "-CA", "ca.pem",
            "-CAkey", "ca.key", "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE")
    store = S3(folder, "AKIAPRIVATE", "private-secret-key", "--cert", folder / "cert.pem", "--key", folder / "key.pem")
    store.make_bucket("plant-lake")
    yield store, folder / "ca.pem", {"aws_endpoint": f"https://127.0.0.1:{store.port}", "aws_region": "us-east-1",
                        "aws_access_key_id": "AKIAPRIVATE", "aws_secret_access_key": "private-secret-key"}
    store.stop()


def test_a_store_with_a_private_authority_is_trusted_by_trust_ca(private_s3, simulate, site):
    store, cert, options = private_s3
    here = site(simulate(PLANT))
    here.config["table"] |= {"path": "s3://plant-lake/private/pi_timeseries", "options": options}
    here.write()
    refused = here.call("check")
    assert refused.code == 5, refused.out
    here.config["trust"] = {"ca": [str(cert)]}
    here.write()
    here.run()
    assert here.status()["rows"] > 0


def test_keys_may_stand_in_a_profile_or_be_said_by_a_command(private_s3, simulate, site, tmp_path):
    store, cert, options = private_s3
    options = dict(options)
    keys = {name: options.pop(name) for name in ("aws_access_key_id", "aws_secret_access_key")}
    said = json.dumps({"Version": 1, "AccessKeyId": keys["aws_access_key_id"],
                       "SecretAccessKey": keys["aws_secret_access_key"], "Expiration": "2099-01-01T00:00:00Z"})
    (tmp_path / "said").write_text(said)
    (tmp_path / "config").write_text(f"[profile plant]\naws_access_key_id = {keys['aws_access_key_id']}\n"
                                     f"aws_secret_access_key = {keys['aws_secret_access_key']}\n"
                                     f"[profile asks]\ncredential_process = cat {tmp_path}/said\n")
    env = {"AWS_CONFIG_FILE": str(tmp_path / "config")}
    simulator = simulate(PLANT)
    for profile in ("plant", "asks"):
        here = site(simulator, profile, trust={"ca": [str(cert)]})
        here.config["table"] |= {"path": f"s3://plant-lake/{profile}/pi_timeseries",
                                 "options": {**options, "aws_profile": profile}}
        here.write()
        assert here.call("run", env=env).code == 0
        here.config["table"]["options"].pop("aws_profile")
        here.write()
        status = here.call("status", env={**env, "AWS_PROFILE": profile})
        assert status.code == 0, status.err
    nobody = here.call("status", env={**env, "AWS_PROFILE": "nobody"})
    assert nobody.code == 2 and "no profile 'nobody'" in nobody.err, nobody.err
