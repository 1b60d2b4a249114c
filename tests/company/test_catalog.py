# SPDX-License-Identifier: Apache-2.0
"""Tables in a Unity Catalog: made or found by name, written with keys that end while a run goes on."""

import secrets
import signal

import pytest

from catalogs import KeysOffice, StubCatalog, UnityCatalog
from conftest import LONG
from findings import check_finds
from lakes import BUCKET, check_rows
from drive import Outcome, Plant, Site, utc
from servers import S3

PLANT = Plant("mixed", points=60, begins=utc("2026-03-03T12:00:00Z"))
MANY_COMMITS = ("--rows-per-shard", "20000")
NAMES = [f"pi.raw.{name}" for name in ("pi_timeseries", "pi_points", "pi_digital_states")]
KEYS_LIVE = 60 if LONG else 12  # seconds


@pytest.fixture(scope="module", params=["server", "stub"])
def unity(request, tmp_path_factory):
    """A server by others, and the stub, so that what is told by the stub is told of what servers do."""
    folder = tmp_path_factory.mktemp("unity")
    if request.param == "server":
        server = UnityCatalog(folder)
    else:
        server = StubCatalog()
        server.location = f"file://{folder}/ext"
    yield server
    server.stop()


def in_catalog(site: Site, catalog: UnityCatalog | StubCatalog, name: str = NAMES[0]) -> Site:
    site.config["table"] |= {"path": f"uc://{name}", "location": catalog.location,
                             "catalog": {"url": catalog.url, "token": catalog.token}}
    site.write()
    return site


def test_a_table_is_made_registered_and_found_again_by_name(unity, simulate, site, clock):
    here = in_catalog(site(simulate(PLANT), tail="current"), unity)
    checked = here.call("check")
    assert checked.code == 0 and f"uc://{NAMES[0]} will be created" in checked.out, checked.out
    here.run()
    table = unity.table(NAMES[0])
    assert table["table_type"] == "EXTERNAL"
    assert [column["name"] for column in table["columns"]][:2] == ["tag_webid", "tag_name"]
    assert all(column["comment"] for column in table["columns"])
    assert [unity.table(name)["storage_location"] for name in NAMES] == [
        f"{unity.location}/{name.rpartition('.')[2]}" for name in NAMES]
    check_rows(here, table["storage_location"], None, PLANT)

    del here.config["table"]["location"]
    here.write()
    clock.advance(hours=1)
    assert here.run()["rows"] > 0
    check_rows(here, table["storage_location"], None, PLANT)
    assert here.status()["table"] == f"uc://{NAMES[0]}"
    vacuum = here.call("vacuum", "--json")
    assert [one["table"] for one in vacuum.json["tables"]] == [f"uc://{name}" for name in NAMES], vacuum.err
    assert here.call("optimize").code == here.call("verify").code == 0


def test_a_table_that_was_registered_by_somebody_else_is_filled_where_it_is(unity, simulate, site):
    name, place = "pi.raw.given", f"{unity.location}/elsewhere/given"
    unity.post("tables", {"name": "given", "catalog_name": "pi", "schema_name": "raw", "table_type": "EXTERNAL",
                          "data_source_format": "DELTA", "storage_location": place, "columns": []})
    here = in_catalog(site(simulate(PLANT)), unity, name)
    here.run()
    check_rows(here, place, None, PLANT)


@pytest.mark.parametrize("time", range(1, 4))
def test_a_table_whose_maker_died_before_the_catalog_heard_of_it_is_registered_by_the_next_run(unity, simulate, site,
                                                                                               time):
    name = f"pi.raw.orphan{time}"
    here = in_catalog(site(simulate(PLANT)), unity, name)
    assert here.start(env={"PILAKE_TRIAL": f"die=log-landed:{time}"}).wait(120) == -signal.SIGKILL
    here.run()
    check_rows(here, unity.table(name)["storage_location"], None, PLANT)


def test_runs_that_make_one_table_at_once_make_it_once(unity, simulate, site):
    here = in_catalog(site(simulate(PLANT)), unity, "pi.raw.both")
    runs = [here.start(*MANY_COMMITS) for _ in range(2)]
    assert [run.wait(240) for run in runs] == [0, 0], (here.folder / "run.log").read_text()
    check_rows(here, unity.table("pi.raw.both")["storage_location"], None, PLANT)


@pytest.fixture
def lending(tmp_path, simulate, site):
    """A site whose store knows only keys that the catalog lends."""
    root = ("AKIAROOT", secrets.token_hex(20))
    (tmp_path / "iam").mkdir()
    store = S3(tmp_path / "store", *root, "--iam-dir", tmp_path / "iam", "--iam-cache-disable")
    store.make_bucket(BUCKET)
    stub = StubCatalog(KeysOffice(store, *root, life=KEYS_LIVE))
    stub.location = f"s3://{BUCKET}/lake"
    here = in_catalog(site(simulate(PLANT)), stub)
    here.config["table"]["options"] = {"aws_endpoint": store.url, "aws_allow_http": "true"}
    here.write()
    reader = {**here.config["table"]["options"], "aws_access_key_id": root[0], "aws_secret_access_key": root[1],
              "aws_region": "us-east-1"}
    yield here, stub, reader
    stub.office.close()
    stub.stop()
    store.stop()


def test_a_run_outlives_the_keys_that_the_catalog_lends(lending):
    here, stub, reader = lending
    here.config["source"]["budget"] = {"calls_per_second": 4 if not LONG else 1}
    here.write()
    outcome = here.call("run", "--json", "--transport", "single", "--rows-per-shard", "5000", timeout=900)
    assert outcome.code == 0, outcome.err
    seconds = outcome.json["seconds"]
    assert seconds > 3 * KEYS_LIVE, "the run was too short to need new keys"
    check_rows(here, f"s3://{BUCKET}/lake/pi_timeseries", reader, PLANT)
    assert stub.office.given > seconds / KEYS_LIVE
    told = here.call("status").out + outcome.err + outcome.out
    assert not [secret for secret in [stub.token, *stub.office.secrets] if secret in told]


def test_a_token_or_a_service_principal_may_come_from_the_environment(lending):
    here, stub, reader = lending
    del here.config["table"]["catalog"]
    here.write()
    outcome = here.call("run", env={"DATABRICKS_HOST": stub.url, "DATABRICKS_TOKEN": stub.token})
    assert outcome.code == 0, outcome.err
    principal = {"DATABRICKS_HOST": stub.url, "DATABRICKS_CLIENT_ID": stub.principal[0],
                 "DATABRICKS_CLIENT_SECRET": stub.principal[1]}
    outcome = here.call("run", env=principal)
    assert outcome.code == 0, outcome.err
    assert stub.tokens_given > 0
    check_rows(here, f"s3://{BUCKET}/lake/pi_timeseries", reader, PLANT)
    wrong = here.call("run", env={**principal, "DATABRICKS_CLIENT_SECRET": "no-such-secret"})
    assert wrong.code != 0 and "gives a-service-principal no token" in wrong.err, wrong.err
    assert "no-such-secret" not in wrong.err


@pytest.fixture
def refused(simulate, site):
    """What `check` and `run` say of a catalog that refuses `routes`; they agree."""
    stub = StubCatalog()
    stub.location = "s3://bucket/lake"
    here = in_catalog(site(simulate(PLANT)), stub)

    def tell(tables: dict[str, dict] | None = None, **routes: tuple[int, str, str]) -> Outcome:
        stub.tables = {NAMES[0]: table for table in [tables] if table}
        stub.refuse = {route.replace("_", " ", 1).replace("_", "-"): answer for route, answer in routes.items()}
        outcome = here.call("check")
        assert here.call("run").code == outcome.code != 0, outcome.out
        assert not any(route.startswith("POST tables") for route in stub.refuse) or outcome.code
        return outcome

    tell.stub, tell.here = stub, here
    yield tell
    stub.stop()


EXTERNAL = {"table_type": "EXTERNAL", "data_source_format": "DELTA", "storage_location": "s3://bucket/lake/t",
            "table_id": "1"}
DENIED = (403, "PERMISSION_DENIED", "User does not have it.")


@pytest.mark.parametrize("table, routes, code, finding, words", [
    (None, {"GET_tables": DENIED}, 1, "catalog-grant", ["PERMISSION_DENIED", "GRANT USE CATALOG on pi, USE SCHEMA on pi.raw, SELECT"]),
    (None, {"GET_catalogs": (404, "CATALOG_DOES_NOT_EXIST", "no")}, 2, "catalog-missing", ["has no catalog pi", "CREATE CATALOG pi"]),
    (None, {"GET_schemas": (404, "SCHEMA_DOES_NOT_EXIST", "no")}, 2, "catalog-missing", ["has no schema pi.raw", "CREATE SCHEMA pi.raw"]),
    (None, {"GET_schemas": DENIED}, 1, "catalog-grant", ["GRANT USE SCHEMA on pi.raw"]),
    (None, {"POST_temporary-path-credentials": DENIED}, 1, "catalog-grant", ["EXTERNAL USE LOCATION", "s3://bucket/lake/pi_timeseries"]),
    (EXTERNAL, {"POST_temporary-table-credentials": DENIED}, 1, "catalog-grant", ["EXTERNAL USE SCHEMA on pi.raw", "MODIFY on pi.raw."]),
    (EXTERNAL, {"POST_temporary-table-credentials": (503, "TEMPORARILY_UNAVAILABLE", "later")}, 5, "", ["503"]),
    ({**EXTERNAL, "table_type": "MANAGED"}, {}, 2, "catalog-managed", ["is a managed table", "table.location"]),
    ({**EXTERNAL, "properties": {"delta.feature.catalogManaged": "supported"}}, {}, 2, "catalog-managed", ["is a managed table"]),
    ({**EXTERNAL, "data_source_format": "CSV"}, {}, 2, "", ["no external Delta table but EXTERNAL CSV"]),
], ids=["use", "catalog", "schema", "use schema", "location", "external use", "down", "managed", "catalog-managed", "csv"])
def test_what_the_catalog_refuses_is_told_with_its_cure(refused, table, routes, code, finding, words):
    outcome = refused(table, **routes)
    assert outcome.code == code, outcome.out
    for word in words:
        assert word in outcome.out, outcome.out
    check_finds(refused.here, finding)


def test_a_token_that_is_not_valid_is_named_without_being_shown(refused):
    refused.stub.token = "another"
    outcome = refused()
    assert "does not accept who we say we are (401 UNAUTHENTICATED" in outcome.out, outcome.out
    assert "table.catalog.token" in outcome.out
    assert "dapi-token" not in outcome.out
    check_finds(refused.here, "catalog-token")


def test_without_a_location_a_missing_table_is_not_made(refused):
    del refused.here.config["table"]["location"]
    refused.here.write()
    outcome = refused()
    assert outcome.code == 2 and "table.location does not say" in outcome.out, outcome.out
    check_finds(refused.here, "catalog-no-place")
