# The document under fire. Sourced by .ci/run, after .ci/machine.sh.

# Schemathesis calls every operation as nobody, a citizen, an agent, an elected official and an administrator, and holds
# each answer against the served document. The administrator comes last, for mandates end there.
#
#   FUZZ_LONG=1   some 60,000 cases instead of some 14,000: all phases as everybody, and more cases in each
#   FUZZ_SEED     another seed gives other cases
#   FUZZ_PROGRAM  another program than the one that cargo built
document_holds_under_fire() {
    local venv=$tools/schemathesis cases=5 lives=3 everywhere=examples,fuzzing,stateful
    if [ -n "${FUZZ_LONG:-}" ]; then
        cases=50 lives=20 everywhere=examples,coverage,fuzzing,stateful
    fi
    install_schemathesis
    start_program
    local account phases failed=0
    for account in "" agriculteur@demo.example agent@demo.example maire@demo.example admin@demo.example; do
        phases=$everywhere
        # The boundaries of bodies and queries are tried once, by the one who may do most.
        [ "$account" != agent@demo.example ] || phases=examples,coverage,fuzzing,stateful
        FUZZ_URL=$program_url FUZZ_ACCOUNT=$account FUZZ_LIVES=$lives PYTHONDONTWRITEBYTECODE=1 \
            "$venv/bin/schemathesis" --config-file tests/fuzz/schemathesis.toml run "$program_url/openapi.json" \
            --url "$program_url" --phases "$phases" --max-examples "$cases" --seed "${FUZZ_SEED:-5050}" \
            --generation-database none --report json --report-json-path "$program_data/report.json" \
            --no-color >"$program_data/${account:-nobody}.log" 2>&1 || failed=1
        "$venv/bin/python" tests/fuzz/summary.py "$program_data/report.json" "${account:-nobody}" ||
            { failed=1 && cat "$program_data/${account:-nobody}.log"; }
    done
    # How deep it went: what nobody succeeds in is hardly tried.
    sed -n 's/^succeeded: //p' "$program_data"/*.log | tr ' ' '\n' | sort -u | wc -l |
        sed 's/$/ operations succeeded for somebody./'
    if grep -a -E 'ERROR (request|failure)|panicked' "$program_data/program.log"; then
        failed=1
    fi
    stop_program
    [ "$failed" = 0 ] || fail "The program and its document do not agree."
}

# A virtual environment is kept from one run to the next, as long as nothing in it changes.
install_schemathesis() {
    if ! python3 -c 'import ensurepip' 2>/dev/null; then
        as_root apt-get update -qq
        as_root apt-get install -qq -y --no-install-recommends python3-venv >/dev/null
    fi
    if ! cmp -s tests/fuzz/requirements.txt "$venv/requirements.txt"; then
        rm -rf "$venv"
        python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement tests/fuzz/requirements.txt
        cp tests/fuzz/requirements.txt "$venv/requirements.txt"
    fi
    "$venv/bin/schemathesis" --version
}

# The program with the demonstration, in a folder of a moment that its PostgreSQL can reach.
start_program() {
    program_data=$(mktemp -d)
    chmod 711 "$program_data"
    trap stop_program EXIT
    env -u DATABASE_URL HOST=127.0.0.1 PORT=0 DATA_DIR="$program_data/data" "${FUZZ_PROGRAM:-target/debug/fifty-fifty}" serve \
        >"$program_data/program.log" 2>&1 &
    program_pid=$!
    program_url=
    while [ -z "$program_url" ]; do
        kill -0 "$program_pid" 2>/dev/null || fail "$(cat "$program_data/program.log")"
        sleep 0.2
        program_url=$(grep -a -o -m 1 'serves http://[0-9.:]*' "$program_data/program.log" | cut -d ' ' -f 2) || true
    done
}

stop_program() {
    trap - EXIT
    kill -TERM "$program_pid" 2>/dev/null || true
    wait "$program_pid" 2>/dev/null || true
    rm -rf "$program_data"
}
