# SPDX-License-Identifier: Apache-2.0
"""Object stores with a place for tables: how pilake reaches them, and how a foreign reader does."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
from deltalake import DeltaTable

from doors import Door
from drive import Plant, Site, ticks
from servers import S3, Azurite, Gcs, Server
from truth import differences, final, read, span, visible

BUCKET = "plant-lake"


class Lake:
    """`reach(url)` makes both sides speak to the store through somebody else at `url`."""

    scheme: str
    server: Server
    secrets: list[str]

    def __init__(self) -> None:
        self.doors: list[Door] = []
        self.url = self.server.url

    @property
    def port(self) -> int:
        """Of what speaks the protocol of the store."""
        return int(self.url.rpartition(":")[2])

    def table(self, name: str) -> str:
        return f"{self.scheme}://{BUCKET}/{name}/pi_timeseries"

    def options(self, url: str | None = None) -> dict[str, str]:
        """What pilake is told in `table.options`."""
        raise NotImplementedError

    def reader(self) -> dict[str, str]:
        """What delta-rs is told."""
        return self.options()

    def stop(self) -> None:
        for door in self.doors:
            door.stop()
        self.server.stop()


class S3Lake(Lake):
    scheme = "s3"

    def __init__(self, folder: Path):
        self.key, self.secret = "AKIAPILAKETEST", secrets.token_hex(20)
        self.secrets = [self.secret]
        self.server = S3(folder, self.key, self.secret)
        self.server.make_bucket(BUCKET)
        super().__init__()

    def options(self, url: str | None = None) -> dict[str, str]:
        return {"aws_endpoint": url or self.url, "aws_allow_http": "true", "aws_region": "us-east-1",
                "aws_access_key_id": self.key, "aws_secret_access_key": self.secret}


class AzureLake(Lake):
    scheme = "az"

    def __init__(self, folder: Path):
        self.account, self.key = "plantaccount", base64.b64encode(secrets.token_bytes(64)).decode()
        self.secrets = [self.key]
        self.server = Azurite(folder, self.account, self.key)
        self.server.make_container(BUCKET)
        super().__init__()

    def options(self, url: str | None = None) -> dict[str, str]:
        return {"azure_storage_endpoint": f"{url or self.url}/{self.account}", "allow_http": "true",
                "azure_storage_account_name": self.account, "azure_storage_account_key": self.key}


class GcsLake(Lake):
    """The server speaks the JSON API, object_store the XML API: `GcsDoor` stands between them."""

    scheme = "gs"

    def __init__(self, folder: Path):
        self.secrets = []
        self.server = Gcs(folder)
        self.server.make_bucket(BUCKET)
        super().__init__()
        self.url = self.server.door.url

    def options(self, url: str | None = None) -> dict[str, str]:
        account = {"gcs_base_url": url or self.url, "disable_oauth": True, "client_email": "", "private_key": "",
                   "private_key_id": ""}
        return {"google_service_account_key": json.dumps(account), "allow_http": "true"}


LAKES = {"s3": S3Lake, "azure": AzureLake, "gcs": GcsLake}


def put_in(site: Site, lake: Lake, url: str | None = None) -> Site:
    """The site's table lives in `lake`, reached through `url`."""
    site.config["table"]["path"] = lake.table(site.folder.name)
    site.config["table"]["options"] = lake.options(url)
    site.write()
    return site


def open_table(site: Site, lake: Lake, **options: Any) -> DeltaTable:
    return DeltaTable(lake.table(site.folder.name), storage_options=lake.reader(), **options)


def check(site: Site, lake: Lake, plant: Plant) -> None:
    check_rows(site, lake.table(site.folder.name), lake.reader(), plant)


def check_rows(site: Site, table: str, reader: dict[str, str] | None, plant: Plant) -> None:
    """delta-rs sees of `plant` in `table` what the configuration of `site` says, no more and no less."""
    at = site.clock.now
    expected = visible(plant, at, site.folder)
    if site.config["table"]["tail"] == "none":
        expected = final(expected, at, span(site.settle), site.begins)
    expected = expected.filter(pc.greater_equal(expected["timestamp_100ns"], ticks(site.begins)))
    found = read(table, reader)
    differ = differences(found, expected.select(found.column_names))
    assert not differ, differ


def check_nothing_is_told(lake: Lake, *texts: str) -> None:
    for text in texts:
        for secret in lake.secrets:
            assert secret not in text, "a secret is told"
