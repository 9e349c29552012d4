# What the checks need on this machine. Sourced by .ci/run.

export DEBIAN_FRONTEND=noninteractive CARGO_TERM_COLOR=never REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

# Programs of this version are built once and kept from one run to the next.
tools=${CI_TOOLS_DIR:-$HOME/.cache/fifty-fifty-ci}
CARGO_DENY=0.20.2
DIESEL_CLI=2.3.14

# The program to check: the one that cargo built, unless PROGRAM names another.
program=${PROGRAM:-target/debug/fifty-fifty}

step() {
    printf '\n== %s (%s)\n' "$*" "$(date -u +%H:%M:%S)"
}

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

is_root() {
    [ "$(id -u)" = 0 ]
}

as_root() {
    if is_root; then "$@"; else sudo --preserve-env=DEBIAN_FRONTEND "$@"; fi
}

# The newest PostgreSQL of Debian's packages.
postgresql_bin() {
    find /usr/lib/postgresql/*/bin -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -n 1
}

browser() {
    command -v chromium || command -v google-chrome || true
}

# Debian's packages, only where something is missing.
install_packages() {
    local missing=()
    [ -n "$(postgresql_bin)" ] || missing+=(postgresql)
    [ -e /usr/include/postgresql/libpq-fe.h ] || missing+=(libpq-dev)
    command -v cc >/dev/null || missing+=(build-essential)
    command -v ps >/dev/null || missing+=(procps)
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    command -v curl >/dev/null || missing+=(curl)
    # Debian keeps a part of Python apart from it.
    python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
    # Where Chrome is there already, it will do.
    [ -n "$(browser)" ] || missing+=(chromium fonts-liberation)
    if [ ${#missing[@]} -gt 0 ]; then
        echo "Installing ${missing[*]}"
        # Its programs are enough: no server of the system's is made.
        as_root mkdir -p /etc/postgresql-common
        [ -e /etc/postgresql-common/createcluster.conf ] ||
            echo "create_main_cluster = false" | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
        as_root apt-get update -qq
        as_root apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
    fi
    cargo --version
    cargo clippy --version
    cargo fmt --version
    echo "node $(node --version), npm $(npm --version)"
    python3 --version
    "$(postgresql_bin)/postgres" --version
    # Its wrapper complains about this machine, not about us.
    "$(browser)" --version 2>/dev/null
}

# Programs of crates.io and of npm, at fixed versions.
install_tools() {
    cargo install --quiet --locked --root "$tools" "cargo-deny@$CARGO_DENY"
    cargo install --quiet --locked --root "$tools" "diesel_cli@$DIESEL_CLI" --no-default-features --features postgres
    npm --prefix .ci ci --ignore-scripts --silent
    "$tools/bin/cargo-deny" --version
    "$tools/bin/diesel" --version | tr -s ' \n' ' '
    echo
}

# Packages of PyPI in an environment of their own: its name, and the file of what it needs. Kept from one run to the next
# as long as neither that nor Python changes.
python_environment() {
    local folder=$tools/$1 wanted
    wanted=$(python3 --version && cat "$2")
    [ "$wanted" != "$(cat "$folder/made-of" 2>/dev/null)" ] || return 0
    python3 -m venv --clear "$folder"
    "$folder/bin/pip" install --quiet --disable-pip-version-check --requirement "$2"
    echo "$wanted" >"$folder/made-of"
}

# Starts the program with the demonstration and no settings but these and those that are passed, and waits until it serves.
# A check that calls this runs in a subshell: the program ends with it, however it ends. It finds
#
#   address  where the program serves
#   moment   a folder that is removed in the end; the program writes `log` there
start_program() {
    moment=$(mktemp -d)
    # The account that runs PostgreSQL for root must pass through.
    chmod 711 "$moment"
    # It is read before the program may have opened it.
    touch "$moment/log"
    # Where the subshell is killed, no trap runs.
    env -i PATH="$PATH" DATA_DIR="$moment/data" PORT=0 "$@" setpriv --pdeathsig TERM "$program" serve >"$moment/log" 2>&1 &
    process=$!
    trap stop_program EXIT
    for _ in {1..600}; do
        address=$(sed -n 's,^Fifty-Fifty serves \(http://[^/]*\)/v1 .*,\1,p' "$moment/log")
        [ -z "$address" ] || return 0
        kill -0 "$process" 2>/dev/null || break
        sleep 0.2
    done
    fail "The program does not serve."
}

# What it said explains why a check failed.
stop_program() {
    local status=$?
    kill -TERM "$process" 2>/dev/null && wait "$process" || true
    [ "$status" = 0 ] || tail -n 30 "$moment/log" >&2
    rm -rf "$moment"
}
