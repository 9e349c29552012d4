# The document under fire. Sourced by .ci/run, after .ci/machine.sh.

# Schemathesis calls every operation as nobody, a citizen, an agent, an elected official and an administrator, and holds
# each answer against the served document. The administrator comes last, for mandates end there.
#
#   FUZZ_LONG=1  some 67,000 cases instead of some 16,000: all phases as everybody, and more cases in each
#   FUZZ_SEED    another seed gives other cases
document_holds_under_fire() (
    cases=5 lives=3 everywhere=examples,fuzzing,stateful
    if [ -n "${FUZZ_LONG:-}" ]; then
        cases=50 lives=20 everywhere=examples,coverage,fuzzing,stateful
    fi
    python_environment schemathesis tests/fuzz/requirements.txt
    start_program
    PATH=$tools/schemathesis/bin:$PATH
    failed=0
    for account in "" agriculteur@demo.example agent@demo.example maire@demo.example admin@demo.example; do
        phases=$everywhere
        # The boundaries of bodies and queries are tried once, by the one who may do most.
        [ "$account" != agent@demo.example ] || phases=examples,coverage,fuzzing,stateful
        FUZZ_URL=$address FUZZ_ACCOUNT=$account FUZZ_LIVES=$lives PYTHONDONTWRITEBYTECODE=1 \
            schemathesis --config-file tests/fuzz/schemathesis.toml run "$address/openapi.json" \
            --url "$address" --phases "$phases" --max-examples "$cases" --seed "${FUZZ_SEED:-5050}" \
            --generation-database none --report json --report-json-path "$moment/report.json" \
            --no-color >"$moment/${account:-nobody}.log" 2>&1 || failed=1
        python3 tests/fuzz/summary.py "$moment/report.json" "${account:-nobody}" ||
            { failed=1 && cat "$moment/${account:-nobody}.log"; }
    done
    # How deep it went: what nobody succeeds in is hardly tried.
    sed -n 's/^succeeded: //p' "$moment"/*.log | tr ' ' '\n' | sort -u | wc -l |
        sed 's/$/ operations succeeded for somebody./'
    if grep -a -E 'ERROR (request|failure)|panicked' "$moment/log"; then
        failed=1
    fi
    [ "$failed" = 0 ] || fail "The program and its document do not agree."
)
