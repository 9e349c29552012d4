# The examples of docs/api are run against a server with the demonstration. Sourced by .ci/run, after .ci/machine.sh.

docs_are_true() {
    (
        scratch=$(mktemp -d)
        # PostgreSQL runs as another user when this is root: it must pass through.
        chmod 711 "$scratch"
        server=
        trap 'end_of_docs' EXIT
        root=$PWD
        mkdir "$scratch/examples" "$scratch/data"

        python_can_make_environments
        python3 -m venv "$scratch/venv"
        PATH=$scratch/venv/bin:$PATH
        pip install --quiet --disable-pip-version-check --require-hashes --requirement .ci/docs/requirements.txt
        cp .ci/docs/package.json .ci/docs/package-lock.json .ci/docs/.npmrc "$scratch/examples"
        npm --prefix "$scratch/examples" ci --ignore-scripts --silent

        serve_for_docs
        # A check that cannot fail is worth nothing: it refuses what is not printed, and what fails.
        cd "$scratch/examples"
        export API PIP_DISABLE_PIP_VERSION_CHECK=1 npm_config_loglevel=error
        for wrong in 'echo one\n```\n\n```text\ntwo' 'curl -sf "$API/nothing"\n```\n\n```text\n' 'echo one\nexit 0'; do
            printf '```sh\n'"$wrong"'\n```\n' >wrong.md
            if python3 "$root/.ci/docs.py" wrong.md >/dev/null 2>&1; then
                fail "The check of the documentation passes this: $wrong"
            fi
        done
        python3 "$root/.ci/docs.py" "$root"/docs/api/*.md
    )
}

# Debian keeps the module apart from Python.
python_can_make_environments() {
    python3 -c 'import ensurepip, venv' 2>/dev/null || {
        as_root apt-get update -qq
        as_root apt-get install -qq -y --no-install-recommends python3-venv >/dev/null
    }
}

# Starts the built program with no settings but these, and waits until it says where it serves.
serve_for_docs() {
    env -u DATABASE_URL -u TOKEN_KEY_FILES -u PUBLIC_URL DATA_DIR="$scratch/data" HOST=127.0.0.1 PORT=0 \
        "${FIFTY_FIFTY:-target/debug/fifty-fifty}" serve 2>"$scratch/log" &
    server=$!
    for _ in $(seq 600); do
        API=$(sed -n 's|^Fifty-Fifty serves \(.*\)/v1 .*|\1|p' "$scratch/log")
        [ -z "$API" ] || return 0
        kill -0 "$server" 2>/dev/null || break
        sleep 0.2
    done
    cat "$scratch/log" >&2
    fail "The server for the examples does not start."
}

end_of_docs() {
    if [ -n "$server" ]; then
        kill -TERM "$server" 2>/dev/null || true
        wait "$server" || true
    fi
    rm -rf "$scratch"
}
