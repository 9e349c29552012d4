# What the checks need on this machine. Sourced by .ci/run.

export DEBIAN_FRONTEND=noninteractive CARGO_TERM_COLOR=never REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true

# Programs of this version are built once and kept from one run to the next.
tools=${CI_TOOLS_DIR:-$HOME/.cache/fifty-fifty-ci}
CARGO_DENY=0.20.2
DIESEL_CLI=2.3.14

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

# Debian's packages, only where something is missing.
install_packages() {
    local missing=()
    [ -n "$(postgresql_bin)" ] || missing+=(postgresql)
    [ -e /usr/include/postgresql/libpq-fe.h ] || missing+=(libpq-dev)
    command -v cc >/dev/null || missing+=(build-essential)
    command -v ps >/dev/null || missing+=(procps)
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
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
    "$(postgresql_bin)/postgres" --version
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
