#!/usr/bin/env bash
# Measures figures on a country full of initiatives: how long it takes to add everything up, how fast national questions are
# answered, and how far behind the worker is while communes change.
#
#   DATABASE_URL=postgres://… TOKEN_KEY_FILES=token-key.pem bash benches/metrics/run.sh [initiatives of a commune]
#
# The database is empty; 100 of each commune are 3.5 million initiatives and take some 20 GB. Needs psql, curl, wrk, and the
# program in target/release, or wherever PROGRAM says.
set -euo pipefail
cd "$(dirname "$0")/../.."
program=${PROGRAM:-target/release/fifty-fifty} each=${1:-100} seconds=${SECONDS_EACH:-20}
export PORT=${PORT:-8089} LOG_LEVEL=warn
api=http://127.0.0.1:$PORT
ask() { psql -qAt "$DATABASE_URL" -c "$1"; }

"$program" migrate
SECONDS=0
psql -q "$DATABASE_URL" -v per_commune="$each" -f benches/metrics/fill.sql
echo "filled: $(ask 'SELECT count(*) FROM initiatives') initiatives in $SECONDS s"
SECONDS=0
"$program" rebuild-metrics
echo "added up in $SECONDS s: $(ask "SELECT count(*) || ' cells in ' || pg_size_pretty(pg_total_relation_size('metric_cells')) FROM metric_cells"), of communes $(ask "SELECT pg_size_pretty(pg_total_relation_size('commune_cells'))")"
psql -q "$DATABASE_URL" -c 'VACUUM ANALYZE metric_cells, commune_cells, commune_figures'

"$program" serve &
server=$!
trap 'kill $server; wait $server' EXIT
until curl -sf "$api/readyz" >/dev/null; do sleep 0.2; done
measure() { wrk --latency -t1 -c4 -d"${seconds}s" "$api/v1/metrics?$1" | awk -v of="$1" '/50%|99%|Requests\/sec|Non-2xx/ {t = t " " $0} END {print of ":" t}'; }
questions() {
    measure 'country=FR'
    measure 'country=FR&from=2015&to=2026'
    measure 'country=FR&from=2015&to=2026&period=month'
    measure 'country=FR&from=2024&to=2026&period=month&group_by=theme'
    measure 'department=62&from=2015&to=2026'
    measure 'epci=246200364'
}
echo "at rest"
questions

# Communes change all the time: ten meetings a second, each in another commune.
(
    trap 'exit 0' TERM
    while :; do
        ask "INSERT INTO meetings (id, commune_code, title, held_on, recorded_by, created_at)
            SELECT overlay(overlay(h.id::text placing '0190ffff' from 1) placing substr(md5(random()::text), 1, 12) from 25)::uuid,
                h.commune_code, 'Réunion', '2026-01-01', (SELECT id FROM users LIMIT 1), '2026-01-01'
            FROM (SELECT DISTINCT ON (c.code) h.id, h.commune_code FROM (SELECT code FROM communes ORDER BY random() LIMIT 10) AS c
                JOIN holders AS h ON h.commune_code = c.code) AS h"
        sleep 1
    done
) &
writer=$!
trap 'kill $writer $server; wait' EXIT
echo "while communes change"
questions
for _ in 1 2 3 4 5 6; do
    echo "marks $(ask 'SELECT count(DISTINCT commune_code) FROM metric_marks'), behind $(ask 'SELECT round(extract(epoch FROM clock_timestamp() - as_of)::numeric, 1) FROM metric_state') s"
    sleep 5
done
