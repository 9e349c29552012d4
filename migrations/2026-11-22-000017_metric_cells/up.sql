-- Figures of departments, regions and the country, added up beforehand. src/metrics/cells.rs fills these tables from the
-- records, with the SQL of the dictionary; nothing in them is known only here.

-- Which communes have changed since their figures were added up. Written in the transaction of the change, so that who
-- sees the change sees the mark; one row for each transaction and commune, so that no writers wait for each other.
CREATE TABLE metric_marks (
    transaction bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    commune_code text NOT NULL,
    PRIMARY KEY (transaction, commune_code)
);

CREATE FUNCTION mark_metrics() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO metric_marks (commune_code) SELECT DISTINCT commune_code FROM touched ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

-- Every table that an indicator reads.
DO $$
DECLARE
    source text;
BEGIN
    FOREACH source IN ARRAY ARRAY['commitments', 'convention_commitments', 'conventions', 'decisions', 'endorsements',
        'evaluations', 'events', 'fulfilments', 'headcounts', 'holders', 'initiatives', 'meetings', 'participations',
        'upkeep_checks']
    LOOP
        EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %I REFERENCING NEW TABLE AS touched
            FOR EACH STATEMENT EXECUTE FUNCTION mark_metrics()', source || '_marked_by_insert', source);
        EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %I REFERENCING NEW TABLE AS touched
            FOR EACH STATEMENT EXECUTE FUNCTION mark_metrics()', source || '_marked_by_update', source);
        EXECUTE format('CREATE TRIGGER %I AFTER DELETE ON %I REFERENCING OLD TABLE AS touched
            FOR EACH STATEMENT EXECUTE FUNCTION mark_metrics()', source || '_marked_by_delete', source);
    END LOOP;
END $$;

-- What the worker knows: one row.
CREATE TABLE metric_state (
    only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT metric_state_only_row CHECK (only_row),
    -- the moment that the figures of larger territories stand for
    as_of timestamptz,
    -- the last day whose passing was seen
    day date,
    -- everything is to be added up anew
    is_stale boolean NOT NULL DEFAULT true
);
INSERT INTO metric_state DEFAULT VALUES;

-- Of a commune what territories take from it. Where it lies changes with an edition of the official geography.
CREATE FUNCTION mark_commune() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.department_code, NEW.region_code) <> (OLD.department_code, OLD.region_code) THEN
        UPDATE metric_state SET is_stale = true;
    END IF;
    INSERT INTO metric_marks (commune_code) VALUES (NEW.code) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER communes_marked AFTER UPDATE ON communes FOR EACH ROW
    WHEN ((OLD.enrolled_at IS NULL, OLD.population, OLD.department_code, OLD.region_code)
        IS DISTINCT FROM (NEW.enrolled_at IS NULL, NEW.population, NEW.department_code, NEW.region_code))
    EXECUTE FUNCTION mark_commune();

-- What each commune adds: the cases of an indicator by period, theme and kind of holder, packed into one row, since a row
-- for each would be some thousands of every commune. By month where cases do not depend on the length of the period.
CREATE TABLE commune_cells (
    commune_code text NOT NULL REFERENCES communes (code),
    unit text NOT NULL CONSTRAINT commune_cells_unit CHECK (unit IN ('year', 'quarter', 'month')),
    indicator text NOT NULL,
    starts_on date[] NOT NULL,
    themes text[] NOT NULL,
    holder_kinds text[] NOT NULL,
    parts text[] NOT NULL,
    -- of medians the value that the cases share
    middles numeric[] NOT NULL,
    sums numeric[] NOT NULL,
    bases numeric[] NOT NULL,
    counts bigint[] NOT NULL,
    PRIMARY KEY (commune_code, unit, indicator),
    CONSTRAINT commune_cells_even CHECK (cardinality(themes) = cardinality(starts_on)
        AND cardinality(holder_kinds) = cardinality(starts_on) AND cardinality(parts) = cardinality(starts_on)
        AND cardinality(middles) = cardinality(starts_on) AND cardinality(sums) = cardinality(starts_on)
        AND cardinality(bases) = cardinality(starts_on) AND cardinality(counts) = cardinality(starts_on))
);

-- The sums of larger territories. A cell of which nothing is left has n = 0.
CREATE TABLE metric_cells (
    territory_kind text NOT NULL CONSTRAINT metric_cells_territory CHECK (territory_kind IN ('department', 'region', 'country')),
    territory_code text NOT NULL,
    unit text NOT NULL CONSTRAINT metric_cells_unit CHECK (unit IN ('year', 'quarter', 'month')),
    -- '' of the whole
    grouping text NOT NULL CONSTRAINT metric_cells_grouping CHECK (grouping IN ('', 'theme', 'holder_kind')),
    indicator text NOT NULL,
    starts_on date NOT NULL,
    grp text NOT NULL,
    part text NOT NULL,
    value numeric NOT NULL,
    base numeric NOT NULL,
    n bigint NOT NULL,
    -- of medians how many cases have each value
    spread jsonb,
    PRIMARY KEY (territory_kind, territory_code, unit, grouping, indicator, starts_on, grp, part)
) WITH (fillfactor = 80);

-- Two spreads together.
CREATE FUNCTION add_spread(a jsonb, b jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN a IS NULL OR b IS NULL THEN coalesce(a, b) ELSE (
        SELECT jsonb_object_agg(value, n) FROM (
            SELECT value, sum(n) AS n
            FROM (SELECT * FROM jsonb_each_text(a) UNION ALL SELECT * FROM jsonb_each_text(b)) AS both_of (value, text),
                LATERAL (SELECT text::bigint AS n) AS counted
            GROUP BY value HAVING sum(n) <> 0
        ) AS added
    ) END
$$;

-- The yearly figures of communes as they were last seen, where they are neither zero nor unknown: what others are compared
-- with, and what corrections are told by.
CREATE TABLE commune_figures (
    commune_code text NOT NULL REFERENCES communes (code),
    year integer NOT NULL,
    indicator text NOT NULL,
    value numeric NOT NULL,
    PRIMARY KEY (year, indicator, commune_code)
);
CREATE INDEX commune_figures_by_commune ON commune_figures (commune_code);

-- What has changed of years that were over. All that was seen at once of a year has one number.
CREATE TABLE metric_revisions (
    id bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    commune_code text NOT NULL REFERENCES communes (code),
    year integer NOT NULL,
    number integer NOT NULL CONSTRAINT metric_revisions_number CHECK (number > 0),
    indicator text NOT NULL,
    before numeric,
    after numeric,
    seen_at timestamptz NOT NULL,
    CONSTRAINT metric_revisions_once UNIQUE (commune_code, year, number, indicator),
    CONSTRAINT metric_revisions_change CHECK (before IS DISTINCT FROM after),
    CONSTRAINT metric_revisions_past CHECK (year < extract(year FROM seen_at AT TIME ZONE 'Europe/Paris'))
);
CREATE INDEX metric_revisions_by_commune ON metric_revisions (commune_code, id);
CREATE TRIGGER metric_revisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON metric_revisions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- How often a year of a territory was revised.
CREATE TABLE metric_editions (
    territory_kind text NOT NULL
        CONSTRAINT metric_editions_territory CHECK (territory_kind IN ('commune', 'department', 'region', 'country')),
    territory_code text NOT NULL,
    year integer NOT NULL,
    revision integer NOT NULL CONSTRAINT metric_editions_revision CHECK (revision > 0),
    PRIMARY KEY (territory_kind, territory_code, year)
);
