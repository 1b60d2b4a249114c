#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Cuts the vendor's Swagger 2.0 file of PI Web API down to what the tests ask of it.

    tools/reduce_swagger.py swagger.json > testdata/pi-web-api-2018sp1.paths.json

Kept: paths, methods, operation ids, parameter names with place and requiredness, and the property
names of every definition. Dropped: every description, sample and type.
"""
import json
import sys


def parameters(operation):
    return [{"name": p["name"], "in": p["in"], "required": p.get("required", False)}
            for p in operation.get("parameters", [])]


def response_definitions(operation):
    """Status code -> name of the definition of its body, where the file names one."""
    found = {}
    for status, response in operation.get("responses", {}).items():
        reference = response.get("schema", {}).get("$ref", "")
        if reference:
            found[status] = reference.rsplit("/", 1)[-1]
    return found


def reduce(swagger):
    paths = {
        path: {
            method: {
                "operationId": operation["operationId"],
                "parameters": parameters(operation),
                "responses": response_definitions(operation),
            }
            for method, operation in operations.items()
        }
        for path, operations in swagger["paths"].items()
    }
    definitions = {name: list(definition.get("properties", {}))
                   for name, definition in swagger["definitions"].items()}
    return {"title": swagger["info"]["title"], "version": swagger["info"]["version"],
            "paths": paths, "definitions": definitions}


def dump(contract, out):
    """One path or definition a line, so that a difference can be read."""
    out.write('{"title": %s, "version": %s,\n' % (json.dumps(contract["title"]), json.dumps(contract["version"])))
    for section, last in (("paths", False), ("definitions", True)):
        out.write(' "%s": {\n' % section)
        rows = ["  %s: %s" % (json.dumps(k), json.dumps(v)) for k, v in contract[section].items()]
        out.write(",\n".join(rows))
        out.write("\n }%s\n" % ("" if last else ","))
    out.write("}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8-sig") as source:
        dump(reduce(json.load(source)), sys.stdout)
