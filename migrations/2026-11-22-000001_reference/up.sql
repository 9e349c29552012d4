-- The official geographic code (COG): loaded from data/ at start, see src/communes/reference_data.rs.
CREATE TABLE regions (
    code text PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE departments (
    code text PRIMARY KEY,
    name text NOT NULL,
    region_code text NOT NULL REFERENCES regions (code)
);

CREATE TABLE intercommunalities (
    siren text PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL
);

-- A commune is the tenant. Every tenant table points here, so this CHECK is the only place that needs to know
-- what an INSEE code looks like.
CREATE TABLE communes (
    code text PRIMARY KEY
        CONSTRAINT communes_code_is_insee CHECK
            (code ~ '^(?:(?:0[1-9]|[13-8]\d|2[1-9AB]|9[0-5])\d{3}|9(?:7[1-8]|8[4-9])\d{2})$'),
    name text NOT NULL,
    -- lower case, without accents, words separated by one space: what searches and sorts use
    folded_name text NOT NULL,
    department_code text NOT NULL REFERENCES departments (code),
    region_code text NOT NULL REFERENCES regions (code),
    epci_siren text REFERENCES intercommunalities (siren),
    siren text,
    population integer CONSTRAINT communes_population_positive CHECK (population >= 0),
    postal_codes text[] NOT NULL,
    enrolled_at timestamptz,
    reply_delay_days integer NOT NULL DEFAULT 60
        CONSTRAINT communes_reply_delay CHECK (reply_delay_days BETWEEN 1 AND 365),
    small_project_ceiling_cents bigint NOT NULL DEFAULT 50000
        CONSTRAINT communes_small_project_ceiling CHECK (small_project_ceiling_cents BETWEEN 0 AND 10000000),
    convention_max_months integer NOT NULL DEFAULT 48
        CONSTRAINT communes_convention_max_months CHECK (convention_max_months BETWEEN 1 AND 360),
    -- when the council meets, as far as it is known
    council_dates date[] NOT NULL DEFAULT '{}'
        CONSTRAINT communes_council_dates CHECK (cardinality(council_dates) <= 60 AND array_position(council_dates, NULL) IS NULL),
    version integer NOT NULL DEFAULT 1,
    name_words tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('simple', folded_name)) STORED
);

CREATE INDEX communes_by_name ON communes (folded_name, code);
CREATE INDEX communes_by_department ON communes (department_code, folded_name, code);
CREATE INDEX communes_by_population ON communes ((coalesce(population, 0)) DESC, code);
CREATE INDEX communes_by_name_words ON communes USING gin (name_words);
CREATE INDEX communes_by_postal_code ON communes USING gin (postal_codes);
CREATE INDEX communes_enrolled ON communes (folded_name, code) WHERE enrolled_at IS NOT NULL;
CREATE INDEX communes_by_epci ON communes (epci_siren, folded_name, code);

-- The commune that a tenant id carries: bits 52 to 63 and 66 to 79 of a version 8 UUID hold the INSEE code read
-- as a number in base 36 (see src/ids.rs).
CREATE FUNCTION commune_of(id uuid) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT substr(digits, n / 1679616 % 36 + 1, 1) || substr(digits, n / 46656 % 36 + 1, 1)
        || substr(digits, n / 1296 % 36 + 1, 1) || substr(digits, n / 36 % 36 + 1, 1)
        || substr(digits, n % 36 + 1, 1)
    FROM (
        SELECT '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ' AS digits,
            (('x' || substr(hex, 14, 3))::bit(12)::integer << 14)
                | (('x' || substr(hex, 17, 4))::bit(16)::integer & 16383) AS n
        FROM (SELECT replace(id::text, '-', '') AS hex) AS text_form
    ) AS number
$$;

-- Which edition of each data file is loaded.
CREATE TABLE reference_data (
    name text PRIMARY KEY,
    sha256 text NOT NULL
);
