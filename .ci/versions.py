"""What the comparison of two OpenAPI documents needs besides Optic.

level OLD NEW A B   writes OLD to A with the enumerations that have a name as they are in NEW, where they only grew, which
                    docs/versioning.md allows; writes NEW to B with the version of OLD, since Optic allows everything where
                    the major version grew
taken OLD NEW       fails when NEW takes less than OLD in a query, a header or a body, which Optic lets pass: unknown
                    parameters and fields are refused
grew OLD NEW        fails unless the major version grew
spoil IN OUT HOW    writes IN with one breaking change
small IN OUT        writes IN with a few operations only
"""

import json
import sys
from pathlib import Path

METHODS = {"get", "put", "post", "patch", "delete"}


def read(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write(path, document):
    Path(path).write_text(json.dumps(document), encoding="utf-8")


def level(old, new, old_out, new_out):
    old, new = read(old), read(new)
    schemas = new["components"]["schemas"]
    for name, schema in old["components"]["schemas"].items():
        now = schemas.get(name, {}).get("enum")
        if now and "enum" in schema and set(schema["enum"]) < set(now):
            schema["enum"] = now
    new["info"]["version"] = old["info"]["version"]
    write(old_out, old)
    write(new_out, new)


def resolve(document, node):
    while isinstance(node, dict) and "$ref" in node:
        target = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield f"{method.upper()} {path}", item[method]


def parameters(document, operation):
    given = (resolve(document, parameter) for parameter in operation.get("parameters", []))
    return {(parameter["in"], parameter["name"]) for parameter in given}


def fields(document, schema, at="", above=()):
    """The paths of all fields that a body may have."""
    if isinstance(schema, dict) and "$ref" in schema:
        if schema["$ref"] in above:
            return
        above += (schema["$ref"],)
    schema = resolve(document, schema)
    for name, inner in schema.get("properties", {}).items():
        yield f"{at}/{name}"
        yield from fields(document, inner, f"{at}/{name}", above)
    if "items" in schema:
        yield from fields(document, schema["items"], f"{at}/-", above)
    for inner in (part for kind in ("allOf", "oneOf", "anyOf") for part in schema.get(kind, [])):
        yield from fields(document, inner, at, above)


def bodies(document, operation):
    content = resolve(document, operation.get("requestBody", {})).get("content", {})
    return {(kind, field) for kind, media in content.items() for field in ["", *fields(document, media.get("schema", {}))]}


def taken(old, new):
    old, new = read(old), read(new)
    now = dict(operations(new))
    lost = []
    for name, operation in operations(old):
        if name not in now:
            lost.append(name)
            continue
        for what in (parameters, bodies):
            for kind, item in sorted(what(old, operation) - what(new, now[name])):
                lost.append(f"{name}: {kind} {item}")
    if lost:
        sys.exit("No longer taken:\n  " + "\n  ".join(lost))


def grew(old, new):
    major, then = (int(read(path)["info"]["version"].split(".")[0]) for path in (new, old))
    if major <= then:
        sys.exit(1)


def small(source, out):
    document = read(source)
    kept = ("/v1/accounts", "/v1/initiatives", "/v1/initiatives/{id}")
    document["paths"] = {path: document["paths"][path] for path in kept}
    write(out, document)


def spoil(source, out, how):
    document = read(source)
    schemas, paths = document["components"]["schemas"], document["paths"]
    if how == "response_field_removed":
        del schemas["Initiative"]["properties"]["title"]
        schemas["Initiative"]["required"].remove("title")
    elif how == "request_field_removed":
        del schemas["NewAccount"]["properties"]["locale"]
    elif how == "request_field_required":
        schemas["NewAccount"]["required"].append("locale")
    elif how == "parameter_removed":
        del paths["/v1/initiatives"]["get"]["parameters"][0]
    elif how == "enumeration_narrowed":
        schemas["Theme"]["enum"].pop()
    elif how == "operation_removed":
        del paths["/v1/initiatives"]["get"]
    elif how == "compatible":
        schemas["Initiative"]["properties"]["colour"] = {"type": "string"}
        schemas["NewAccount"]["properties"]["colour"] = {"type": "string"}
        schemas["Theme"]["enum"].append("colour")
        schemas["ProblemCode"]["enum"].append("colour")
        paths["/v1/colours"] = paths["/v1/initiatives"]
    else:
        sys.exit(f"no such change: {how}")
    write(out, document)


COMMANDS = {command.__name__: command for command in (level, taken, grew, small, spoil)}
COMMANDS[sys.argv[1]](*sys.argv[2:])
