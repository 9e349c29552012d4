# The document is held against the one of the last release. Sourced by .ci/run, after .ci/machine.sh.

no_breaking_change() (
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    # Nothing is reported to anybody.
    export OPTIC_TELEMETRY_LEVEL=off SCARF_ANALYTICS=false
    npm --prefix .ci/versions ci --ignore-scripts --silent

    last=$(find openapi/released -name 'v*.json' | sort -V | tail -n 1)
    [ -n "$last" ] || fail "No released document in openapi/released."
    comparison_refuses_what_breaks

    if ! compatible "$last" openapi/openapi.json; then
        python3 .ci/versions.py grew "$last" openapi/openapi.json || {
            cat "$scratch/said" >&2
            fail "This breaks what $last promised: see docs/versioning.md."
        }
        echo "The document breaks with $last, and its version says so."
    else
        echo "The document keeps what $last promised."
    fi
)

# Whether who works with the first document works with the second; what stands in the way is in the file `said`.
compatible() {
    python3 .ci/versions.py taken "$1" "$2" >"$scratch/said" 2>&1 || return 1
    python3 .ci/versions.py level "$1" "$2" "$scratch/old.json" "$scratch/new.json" || fail "versions.py level"
    (cd "$scratch" && "$OLDPWD/.ci/versions/node_modules/.bin/optic" diff old.json new.json --check) >"$scratch/said" 2>&1 &&
        return 0
    # Optic ends the same way when it cannot run at all.
    grep -q 'Checks: ' "$scratch/said" || fail "Optic: $(cat "$scratch/said")"
    return 1
}

# A check that cannot fail is worth nothing. A few operations of the released document are enough to try it.
comparison_refuses_what_breaks() {
    python3 .ci/versions.py small "$last" "$scratch/small.json"
    for change in response_field_removed request_field_removed request_field_required parameter_removed \
        enumeration_narrowed operation_removed; do
        python3 .ci/versions.py spoil "$scratch/small.json" "$scratch/spoilt.json" "$change"
        ! compatible "$scratch/small.json" "$scratch/spoilt.json" || fail "The comparison lets this pass: $change"
    done
    python3 .ci/versions.py spoil "$scratch/small.json" "$scratch/spoilt.json" compatible
    compatible "$scratch/small.json" "$scratch/spoilt.json" || fail "The comparison refuses what is allowed: $(cat "$scratch/said")"
}
