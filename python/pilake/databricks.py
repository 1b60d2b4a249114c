# SPDX-License-Identifier: Apache-2.0
"""A task of a Databricks job: ``pilake-job VERB --OPTION=VALUE …``.

    pilake-job run --source.url=https://pi.example.com/piwebapi --source.auth.kind=basic
        --source.auth.username=secret:plant/pi_username --source.auth.password=secret:plant/pi_password
        --tags.include=U1.* --history.from=2026-01-01 --table.path=uc://main.plant.pi_timeseries

VERB is a command of `pilake`, or ``fill``: `pilake.spark.write`, with the executors of the cluster.
Options with a dot in their name are keys of the configuration, as in ``spark.read.format("pilake")``;
``--config=PATH`` names a file instead of them. One without a value counts as left out. All others are the
command's own, such as ``--allow-deletes``.

A value ``secret:SCOPE/KEY`` stands for a secret of the workspace, ``env:NAME`` for an environment variable.

Needs databricks-sdk where secrets are asked for, and pyspark for ``fill``: both are on every cluster.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from . import _settings
from .errors import InvalidError, PilakeError, UnreachableError

__all__ = ["main", "options"]

_SECRET = re.compile(r"secret:([^/]+)/(.+)")
_VARIABLE = re.compile(r"env:(\w+)")

#: What an exit code of the program means to whoever reads that a task failed.
_MEANINGS = {
    2: "usage or configuration",
    3: "done, but some series were left out; quarantine.exit: 0 accepts that",
    4: "table and archive differ",
    5: "the source or the store cannot be reached; try again",
    6: "the table is further behind than allowed",
    130: "interrupted",
}


def main() -> None:
    """Returns if all is well and raises `PilakeError` if not: a task of Databricks fails by exceptions, its
    exit code is lost."""
    verb, keys, flags = _words(sys.argv[1:])
    if verb == "fill":
        _fill(keys, flags)
    else:
        _program(verb, keys, flags)


def options(keys: Mapping[str, str]) -> dict[str, str]:
    """Options for ``format("pilake")`` with secrets in place of ``secret:SCOPE/KEY``; for compute whose
    executors have no environment variables of ours. Spark shows them nowhere."""
    return _resolved(keys, lambda secret: secret.replace("${", "$${"))


def _words(arguments: list[str]) -> tuple[str, dict[str, str], list[str]]:
    """Verb, keys of the configuration, and what is meant for the command."""
    if not arguments or arguments[0].startswith("-"):
        raise InvalidError("pilake-job: the first word must be a command, such as run, stream or fill")
    keys, flags = {}, []
    for word in arguments[1:]:
        name, is_pair, value = word.removeprefix("--").partition("=")
        if word.startswith("--") and is_pair and ("." in name or name == "config"):
            keys[name] = value
        else:
            flags.append(word)
    return arguments[0], keys, flags


def _resolved(keys: Mapping[str, str], place: Callable[[str], str]) -> dict[str, str]:
    """`keys` without those that are empty. `place` says what stands where a secret is wanted."""
    found = {}
    for name, value in keys.items():
        if secret := _SECRET.fullmatch(value):
            found[name] = place(_secret(*secret.groups()))
        elif variable := _VARIABLE.fullmatch(value):
            found[name] = "${env:" + variable[1] + "}"
        elif value:
            found[name] = value
    return found


def _secret(scope: str, key: str) -> str:
    from databricks.sdk import WorkspaceClient

    try:
        return WorkspaceClient().dbutils.secrets.get(scope, key)
    except Exception as error:  # the SDK has a class for each answer of the workspace
        raise PilakeError(f"the secret {key} of the scope {scope} cannot be read: {error}") from error


# ---- A command of pilake


def _program(verb: str, keys: Mapping[str, str], flags: list[str]) -> None:
    """Runs the command in a process of its own, which alone gets the secrets, in its environment."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}

    def hide(secret: str) -> str:
        name = f"PILAKE_SECRET_{len(environment)}"
        environment[name] = secret
        return "${env:" + name + "}"

    known = _resolved(keys, hide)
    with tempfile.TemporaryDirectory(prefix="pilake-") as folder:
        file = _file(known, Path(folder))
        code = _call([verb, *(["-c", file] if file else []), *flags], environment)
    if code != 0:
        _fail(verb, code)


def _file(keys: dict[str, str], folder: Path) -> str:
    """Where the configuration stands; the empty word if there is none."""
    if "config" in keys:
        others = [name for name in keys if name != "config"]
        if others:
            raise InvalidError(f"option {others[0]}: with the option config, everything else stands in that file")
        return keys["config"]
    if not keys:
        return ""
    file = folder / "options.yaml"  # JSON is YAML, too
    file.write_text(json.dumps(_settings.nested(keys)), encoding="utf-8")
    return str(file)


def _call(words: list[str], environment: dict[str, str]) -> int:
    """Shows what the program says as output of the task. It ends with us: its standard input does."""
    command = [sys.executable, "-m", "pilake._bound", *words]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace") as process:  # fmt: skip
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
        return process.wait()


def _fail(verb: str, code: int) -> NoReturn:
    kind = UnreachableError if code == 5 else InvalidError if code == 2 else PilakeError
    raise kind(f"pilake {verb} ended with exit code {code}: {_MEANINGS.get(code, 'it failed')}. See its words above.")


# ---- A table that the cluster fills


def _fill(keys: Mapping[str, str], flags: list[str]) -> None:
    from pyspark.sql import SparkSession

    from . import spark

    report = spark.write(SparkSession.builder.getOrCreate(), options(keys), **_settings_of_fill(flags))
    print(json.dumps(report, indent=1))
    left_out = [one for name in ("held", "gone", "quarantined", "unresolved", "vanished") for one in report[name]]
    if left_out:
        raise PilakeError(f"pilake fill is done, but {len(left_out)} series were left out; the first: {left_out[0]}")


def _settings_of_fill(flags: list[str]) -> dict[str, Any]:
    read = {"at-once": int, "rows-per-task": int, "allow-deletes": lambda value: value in ("", "true"), "test-clock": str}
    named = {"test-clock": "testClock"}
    settings = {}
    for flag in flags:
        name, _, value = flag.removeprefix("--").partition("=")
        if name not in read:
            raise InvalidError(f"pilake-job fill: {flag} is no option of it; there are --at-once, --rows-per-task and "
                               "--allow-deletes")
        try:
            settings[named.get(name, name.replace("-", "_"))] = read[name](value)
        except ValueError as error:
            raise InvalidError(f"pilake-job fill: {flag}: {value!r} is no whole number") from error
    return settings
