# The checks that take more than a line. Sourced by .ci/run.

# The committed document is that of the code.
document_is_committed() {
    cargo run --quiet -- openapi | diff -u openapi/openapi.json - | head -n 60 ||
        fail "Run: cargo run -- openapi > openapi/openapi.json"
}

# No error and no warning.
document_is_clean() {
    (
        cd .ci
        node_modules/.bin/redocly lint --config redocly.yaml --format stylish ../openapi/openapi.json
        node_modules/.bin/spectral lint --ruleset spectral.yaml --fail-severity "${SPECTRAL_SEVERITY:-warn}" \
            ../openapi/openapi.json
    )
}

# A PostgreSQL of a moment, reached by a socket in its own folder. PostgreSQL refuses to run as root.
start_database() {
    bin=$(postgresql_bin)
    database=$(mktemp -d)
    trap stop_database EXIT
    as_postgres=()
    if is_root; then
        as_postgres=(setpriv --reuid=postgres --regid=postgres --clear-groups)
        chown postgres:postgres "$database"
    fi
    server initdb -D "$database/data" -U ci -A trust -E UTF8 --locale=C --no-sync >/dev/null
    server pg_ctl -D "$database/data" -l "$database/log" -w -o "-k $database -c listen_addresses= -c fsync=off" start >/dev/null
    "$bin/createdb" -h "$database" -U ci fifty_fifty
    export DATABASE_URL="postgres:///fifty_fifty?host=$database&user=ci"
}

server() {
    local program=$1
    shift
    (cd / && "${as_postgres[@]}" "$bin/$program" "$@")
}

stop_database() {
    trap - EXIT
    unset DATABASE_URL
    server pg_ctl -D "$database/data" -m immediate stop >/dev/null || true
    rm -rf "$database"
}

# Without the project's configuration, which would rewrite src/db/schema.rs.
migrate() {
    "$tools/bin/diesel" --config-file /dev/null migration --migration-dir migrations "$@" >"$database/migrations.log" 2>&1 || {
        cat "$database/migrations.log" >&2
        fail "diesel migration $*"
    }
}

# The schema as text; the lines with a number of chance are left out.
dump() {
    "$bin/pg_dump" -h "$database" -U ci --schema-only --no-owner fifty_fifty | grep -vE '^\\(un)?restrict '
}

schema_is_committed() {
    migrate run
    "$tools/bin/diesel" print-schema | diff -u src/db/schema.rs - || fail "Run: diesel print-schema > src/db/schema.rs"
    echo "src/db/schema.rs is that of the migrations."
}

# What goes up comes down without a rest, and goes up again the same.
migrations_go_down_and_up() {
    dump >"$database/up.sql"
    migrate revert --all
    dump | grep -E '^CREATE ' >"$database/left" || true
    if grep -v __diesel_schema_migrations "$database/left"; then
        fail "That is left after all migrations were reverted."
    fi
    migrate run
    dump | diff -u "$database/up.sql" - || fail "The schema differs after down and up."
    echo "$(find migrations -name up.sql | wc -l) migrations go down and up again."
}

# Where the tests of the API note what was answered.
statuses=${CARGO_TARGET_DIR:-target}/tmp/statuses

# What the document lists was answered by some test, and nothing else was.
statuses_are_seen() {
    python3 .ci/statuses.py openapi/openapi.json "$statuses" || fail "The document and the tests do not agree on statuses."
}

# The sums of all the runs of cargo's are the last line.
run_tests() {
    local log
    log=$(mktemp)
    rm -f "$statuses"
    cargo test 2>&1 | tee "$log"
    statuses_are_seen
    awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 }
        END { printf "\n%d passed, %d failed, %d skipped\n", passed, failed, ignored }' "$log"
    rm -f "$log"
}
