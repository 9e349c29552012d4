# What a browser sees: Swagger UI and the front end. Sourced by .ci/run after machine.sh; the program must be built.

# Debian has Chromium as a package; where Chrome is there already, it will do.
install_browser() {
    CHROMIUM=$(command -v chromium || command -v google-chrome || true)
    if [ -z "$CHROMIUM" ]; then
        echo "Installing chromium"
        as_root apt-get update -qq
        as_root apt-get install -qq -y --no-install-recommends chromium fonts-liberation >/dev/null
        CHROMIUM=$(command -v chromium)
    fi
    export CHROMIUM
    # Its wrapper complains about this machine, not about us.
    "$CHROMIUM" --version 2>/dev/null
    npm --prefix tests/browser ci --ignore-scripts --silent
}

# In a shell of its own, so that the program ends with it however the tests end. Pictures are left in target/browser/.
browser_sees_it() (
    install_browser
    folder=$(mktemp -d)
    # The account that runs PostgreSQL for root must pass through.
    chmod 711 "$folder"
    DATA_DIR="$folder/data" PORT=0 target/debug/fifty-fifty serve 2>"$folder/log" &
    program=$!
    trap end_program EXIT
    for _ in $(seq 600); do
        FIFTY_FIFTY=$(sed -n 's,^Fifty-Fifty serves \(.*\)/v1 .*,\1,p' "$folder/log")
        [ -z "$FIFTY_FIFTY" ] || break
        kill -0 "$program" 2>/dev/null || break
        sleep 0.2
    done
    [ -n "$FIFTY_FIFTY" ] || {
        cat "$folder/log" >&2
        fail "The program does not serve."
    }
    export FIFTY_FIFTY
    # One file at a time: they count what the program answers.
    node --test --test-concurrency=1 --test-reporter=spec tests/browser/*.test.mjs
    ls target/browser
)

end_program() {
    kill "$program" 2>/dev/null || true
    wait "$program" || true
    rm -rf "$folder"
}
