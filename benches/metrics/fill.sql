-- Fills a migrated database with a country: every commune takes part, each with :per_commune initiatives of ten years and all
-- that hangs on them. Straight into the tables, with triggers asleep; figures are added up afterwards.
\set ON_ERROR_STOP on
SET session_replication_role = replica;
SET synchronous_commit = off;
SET maintenance_work_mem = '512MB';
SET work_mem = '256MB';

-- What no figure needs would be half of the disk and of the time.
DO $$
DECLARE
    unneeded regclass;
BEGIN
    FOR unneeded IN SELECT indexrelid FROM pg_index WHERE NOT indisunique
        AND indrelid IN ('initiatives'::regclass, 'events'::regclass, 'conventions'::regclass, 'commitments'::regclass,
            'fulfilments'::regclass, 'endorsements'::regclass, 'participations'::regclass)
        AND indexrelid::regclass::text NOT IN ('initiatives_by_commune', 'events_by_initiative', 'conventions_by_initiative',
            'commitments_by_initiative', 'fulfilments_by_commitment', 'commitments_by_upkeep_start', 'conventions_by_end',
            'conventions_by_effect')
    LOOP
        EXECUTE 'DROP INDEX ' || unneeded;
    END LOOP;
END $$;

-- An id of a commune (src/ids.rs): what kind of thing, and which.
CREATE FUNCTION pg_temp.row_id(commune bigint, kind integer, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT ('01900000-' || lpad(to_hex(kind), 4, '0') || '-8' || lpad(to_hex(commune >> 14), 3, '0') || '-'
        || to_hex(32768 | (commune & 16383)) || '-' || lpad(to_hex(number), 12, '0'))::uuid
$$;

UPDATE communes SET enrolled_at = '2016-01-01' WHERE enrolled_at IS NULL;

INSERT INTO users (id, email, password_hash, display_name, full_name, birth_on, created_at)
SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'person' || n || '@example.org', 'x', 'x', 'x', '1980-01-01',
    '2016-01-01'
FROM generate_series(1, 50) AS n;

-- The commune's number in its ids: its code in base 36.
CREATE UNLOGGED TABLE towns AS
SELECT code, row_number() OVER (ORDER BY code) AS place, (
    SELECT sum((strpos('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ', substr(code, p, 1)) - 1) * (36 ^ (5 - p))::bigint)::bigint
    FROM generate_series(1, 5) AS p
) AS number
FROM communes;

INSERT INTO holders (id, commune_code, kind, name, created_at)
SELECT pg_temp.row_id(t.number, 1, n), t.code, kind, 'Porteur', '2016-01-01'
FROM towns AS t, unnest(ARRAY['person', 'collective', 'youth_group', 'association', 'school', 'company'])
    WITH ORDINALITY AS k (kind, n);

-- Numbers that look like chance and are the same each time.
CREATE UNLOGGED TABLE lives AS
SELECT code, number, n, pg_temp.row_id(number, 2, n) AS id, pg_temp.row_id(number, 1, 1 + h % 6) AS holder_id,
    ('01900000-0000-7000-8000-' || lpad(to_hex(1 + h % 50), 12, '0'))::uuid AS person,
    (ARRAY['environment', 'mobility', 'culture', 'sport', 'education', 'solidarity', 'heritage', 'energy', 'digital', 'health',
        'agriculture', 'living_environment'])[1 + (h >> 8) % 12] AS theme,
    (h >> 4) % 10 AS fate, 1 + (h >> 12) % 60 AS days, (h >> 10) % 1000 AS amount,
    timestamptz '2016-06-01 10:00+00' + (h % 3600) * interval '1 day' AS submitted_at, (h >> 6) % 10 > 0 AS is_public
FROM towns, generate_series(1, :per_commune) AS n,
    LATERAL (SELECT (hashint8extended(place * 1000 + n, 7) & 2147483647)::bigint AS h) AS dice;
ANALYZE lives;

INSERT INTO initiatives (id, commune_code, state, origin, delivery, title, description, theme, holder_id, author_id, channel,
    published_at, submitted_at, submission_number, reply_due_on, first_reply_at, decided_at, state_changed_at, created_at,
    folded_text)
SELECT id, code, (ARRAY['in_review', 'refused', 'redirected', 'accepted', 'accepted', 'in_progress', 'in_progress', 'completed',
        'completed', 'completed'])[1 + fate], 'idea', 'joint', 'Projet', 'Un projet', theme, holder_id, person, 'online',
    CASE WHEN is_public THEN submitted_at END, submitted_at, 1, submitted_at::date + 60, submitted_at + days * interval '1 day',
    CASE WHEN fate NOT IN (0, 2) THEN submitted_at + (days + 10) * interval '1 day' END, submitted_at, submitted_at, 'projet'
FROM lives;

INSERT INTO events (id, commune_code, initiative_id, subject, subject_id, action, from_state, to_state, actor_role, visibility, at)
SELECT pg_temp.row_id(number, 2 + step, n), code, id, 'initiative', id, 'x', from_state, to_state, 'clock', 'public',
    submitted_at + (days + after) * interval '1 day'
FROM lives JOIN (VALUES (1, 2, 2, 'in_review', 'redirected', 5), (2, 5, 9, 'accepted', 'in_progress', 70),
    (3, 7, 9, 'in_progress', 'completed', 250)) AS s (step, first, last, from_state, to_state, after)
    ON fate BETWEEN first AND last;

INSERT INTO decisions (id, commune_code, initiative_id, outcome, reason, mandate_id, decided_by, decided_on, decided_at, capacity)
SELECT pg_temp.row_id(number, 6, n), code, id, CASE fate WHEN 1 THEN 'refused' ELSE 'accepted' END, 'x', id, person,
    (submitted_at + (days + 10) * interval '1 day')::date, submitted_at + (days + 10) * interval '1 day', 'Maire'
FROM lives WHERE fate NOT IN (0, 2);

INSERT INTO conventions (id, commune_code, root_id, number, initiative_id, holder_id, state, object, starts_on, ends_on, content,
    content_sha256, activated_at, created_by, state_changed_at, created_at)
SELECT v, code, v, 1, id, holder_id, CASE WHEN ends_on < '2026-11-22' THEN 'expired' ELSE 'active' END, 'x', at::date, ends_on,
    '{}', repeat('0', 64), at, person, at, at
FROM lives, LATERAL (SELECT submitted_at + (days + 70) * interval '1 day' AS at) AS a,
    LATERAL (SELECT (at + interval '2 years')::date AS ends_on, pg_temp.row_id(number, 7, n) AS v) AS e
WHERE fate >= 5;

-- Money of the commune, labour of the holder, and an upkeep.
INSERT INTO commitments (id, commune_code, initiative_id, side, kind, state, title, amount_cents, quantity, unit,
    unit_value_cents, valuation_method, route, budget_year, due_on, upkeep_starts_on, upkeep_ends_on, proposed_side, proposed_by,
    state_changed_at, created_at)
SELECT pg_temp.row_id(number, 8 + which, n), code, id, side, kind, 'binding', 'x', CASE which WHEN 0 THEN 10000 + amount * 100 END,
    CASE WHEN which > 0 THEN 20 + amount % 30 END, CASE WHEN which > 0 THEN 'heure' END, CASE WHEN which > 0 THEN 1500 END,
    CASE WHEN which > 0 THEN 'hourly_rate' END, CASE which WHEN 0 THEN 'purchase' END,
    CASE which WHEN 0 THEN extract(year FROM at)::integer END, CASE WHEN which < 2 THEN at::date + 200 END,
    CASE which WHEN 2 THEN at::date + 30 END, CASE which WHEN 2 THEN at::date + 700 END, 'commune', person, at, at
FROM lives, LATERAL (SELECT submitted_at + (days + 70) * interval '1 day' AS at) AS a,
    (VALUES (0, 'commune', 'financial'), (1, 'holder', 'labour'), (2, 'holder', 'labour')) AS w (which, side, kind)
WHERE fate >= 5 AND (which < 2 OR fate >= 8);

INSERT INTO convention_commitments (convention_id, commitment_id, commune_code)
SELECT pg_temp.row_id(number, 7, n), pg_temp.row_id(number, 8 + which, n), code
FROM lives, generate_series(0, 2) AS which WHERE fate >= 5 AND (which < 2 OR fate >= 8);

INSERT INTO fulfilments (id, commune_code, commitment_id, state, done_on, amount_cents, quantity, value_cents, evidence,
    recorded_by, recorded_side, recorded_at)
SELECT pg_temp.row_id(number, 11 + which, n), code, pg_temp.row_id(number, 8 + which, n), 'acknowledged', at::date,
    CASE which WHEN 0 THEN 5000 + amount * 50 END, CASE which WHEN 1 THEN 15 END,
    CASE which WHEN 0 THEN 5000 + amount * 50 ELSE 22500 END, 'x', person, 'commune', at
FROM lives, LATERAL (SELECT submitted_at + (days + 200) * interval '1 day' AS at) AS a, generate_series(0, 1) AS which
WHERE fate >= 6;

INSERT INTO evaluations (id, commune_code, initiative_id, summary, reference_cost_cents, municipal_cost_cents, staff_minutes,
    staff_cost_cents, official_minutes, method, source, created_by, created_at, worded_at, agreed_at, validated_by, validated_at)
SELECT pg_temp.row_id(number, 13, n), code, id, 'x', 1000000, amount * 500, 60 + amount, 5000, 120, 'x', 'x', person, at, at, at,
    ('01900000-0000-7000-8000-' || lpad(to_hex(99), 12, '0'))::uuid, at
FROM lives, LATERAL (SELECT submitted_at + (days + 260) * interval '1 day' AS at) AS a WHERE fate >= 8;

INSERT INTO meetings (id, commune_code, initiative_id, title, held_on, attendance, recorded_by, created_at)
SELECT pg_temp.row_id(number, 14, n), code, id, 'Réunion', submitted_at::date + 20, days, person, submitted_at
FROM lives WHERE n % 3 = 0;

INSERT INTO participations (initiative_id, commune_code, user_id, started_at)
SELECT id, code, person, submitted_at + interval '80 days' FROM lives WHERE fate >= 5;
INSERT INTO endorsements (initiative_id, commune_code, user_id, created_at)
SELECT id, code, person, submitted_at + interval '9 days' FROM lives;
INSERT INTO headcounts (initiative_id, commune_code, counted_on, age_band, people, recorded_by)
SELECT id, code, submitted_at::date + 100, band, 3 + days % 20, person
FROM lives, unnest(ARRAY['11_14', '30_59']) AS band WHERE fate >= 6;

DROP TABLE lives, towns;
UPDATE metric_state SET is_stale = true;
VACUUM ANALYZE;
