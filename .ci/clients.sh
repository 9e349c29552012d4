# Clients made from the OpenAPI document, at work: generated, type-checked, and run against the program. Sourced by
# .ci/run, after .ci/machine.sh.

typescript=tests/clients/typescript
python=tests/clients/python

clients_work() (
    # The packages of TypeScript stand beside its code.
    npm --prefix "$typescript" ci --ignore-scripts --silent
    python_environment clients "$python/requirements.txt"
    generate typescript npm --prefix "$typescript" run --silent generate
    generate python generate_python
    no_operation_is_skipped
    types_are_named
    types_hold
    start_program
    node "$typescript/build/story.js" "$address"
    node "$typescript/build/visit.js" "$address"
    PYTHONPATH=$python/generated "$tools/clients/bin/python" "$python/tour.py" "$address"
)

# What a generator cannot make it leaves out, and only says so: nothing of the kind may be said.
generate() {
    local name=$1 said
    shift
    said=$("$@" 2>&1) || fail "$said"
    if grep -iE 'warn|skip|ignor|unsupported|not supported|duplicate|⚠' <<<"$said"; then
        fail "The generators of $name leave something out."
    fi
}

# Its formatter is found by name.
generate_python() {
    PATH=$tools/clients/bin:$PATH openapi-python-client generate --path openapi/openapi.json \
        --config "$python/generator.yaml" --output-path "$python/generated" --overwrite --fail-on-warning
}

# Every operation of the document is there by its name.
no_operation_is_skipped() {
    local operations
    operations=$(python3 -c '
import json
paths = json.load(open("openapi/openapi.json"))["paths"].values()
print("\n".join(operation["operationId"] for path in paths for operation in path.values()))' | sort)
    compare openapi-typescript "$operations" \
        "$(sed -n '/^export interface operations {/,/^}/s/^    \([a-z_]*\): {$/\1/p' "$typescript/generated/fetch.ts")"
    compare @hey-api/openapi-ts "$(sed 's/_\(.\)/\U\1/g' <<<"$operations")" \
        "$(sed -n 's/^export const \([A-Za-z]*\) = .*/\1/p' "$typescript/generated/sdk/sdk.gen.ts")"
    compare openapi-python-client "$operations" \
        "$(find "$python/generated/fifty_fifty_client/api" -mindepth 2 -name '*.py' ! -name __init__.py -printf '%f\n' |
            sed 's/\.py$//')"
    echo "$(wc -l <<<"$operations") operations, all of them in the three clients."
}

compare() {
    diff <(sort <<<"$2") <(sort <<<"$3") || fail "$1: other names than in the document (<)."
}

# No type got a name that a generator had to make up. An identifier is a UUID in Python, without a class of its own.
types_are_named() {
    local types
    types=$(python3 -c '
import json
schemas = json.load(open("openapi/openapi.json"))["components"]["schemas"]
print("\n".join(name for name, schema in schemas.items() if schema.get("type") == "object" or "enum" in schema))')
    compare openapi-python-client "$types" \
        "$(sed -n 's/^    "\([A-Za-z0-9]*\)",$/\1/p' "$python/generated/fifty_fifty_client/models/__init__.py")"
    echo "$(wc -l <<<"$types") types, all of them with the name that they have in the document."
}

types_hold() {
    npm --prefix "$typescript" run --silent build
    MYPYPATH=$python/generated "$tools/clients/bin/mypy" --strict "$python/tour.py" \
        "$python/generated/fifty_fifty_client"
}
