-- The balance sheet of an initiative: what it cost, what it would have cost, what was saved.
CREATE TABLE evaluations (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    initiative_id uuid NOT NULL,
    summary text NOT NULL,
    -- what the commune would have paid without the residents
    reference_cost_cents bigint NOT NULL CONSTRAINT evaluations_reference_cost CHECK (reference_cost_cents >= 0),
    -- what the commune had planned to pay
    expected_cost_cents bigint CONSTRAINT evaluations_expected_cost CHECK (expected_cost_cents >= 0),
    municipal_cost_cents bigint NOT NULL CONSTRAINT evaluations_municipal_cost CHECK (municipal_cost_cents >= 0),
    staff_minutes integer NOT NULL CONSTRAINT evaluations_staff_minutes CHECK (staff_minutes >= 0),
    staff_cost_cents bigint NOT NULL CONSTRAINT evaluations_staff_cost CHECK (staff_cost_cents >= 0),
    official_minutes integer NOT NULL DEFAULT 0 CONSTRAINT evaluations_official_minutes CHECK (official_minutes >= 0),
    savings_cents bigint NOT NULL GENERATED ALWAYS AS
        (reference_cost_cents - municipal_cost_cents - staff_cost_cents) STORED,
    method text NOT NULL,
    source text NOT NULL,
    what_worked text,
    obstacles text,
    -- to those who will do the like
    advice text,
    created_by uuid NOT NULL REFERENCES users (id),
    created_at timestamptz NOT NULL,
    -- when it got its present words
    worded_at timestamptz NOT NULL,
    -- the holder's side first; its silence agrees too: then there is a time and nobody
    agreed_by uuid REFERENCES users (id),
    agreed_at timestamptz,
    validated_by uuid REFERENCES users (id),
    validated_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (id, commune_code),
    FOREIGN KEY (initiative_id, commune_code) REFERENCES initiatives (id, commune_code),
    CONSTRAINT evaluations_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT evaluations_validated_whole CHECK ((validated_by IS NULL) = (validated_at IS NULL)),
    CONSTRAINT evaluations_validated_by_another CHECK (validated_by <> created_by AND validated_by <> agreed_by),
    CONSTRAINT evaluations_agreed_by_another CHECK (agreed_by <> created_by AND (agreed_by IS NULL OR agreed_at IS NOT NULL)),
    CONSTRAINT evaluations_validated_by_both CHECK (validated_at IS NULL OR agreed_at IS NOT NULL)
);
CREATE UNIQUE INDEX evaluations_one_per_initiative ON evaluations (initiative_id, commune_code);
CREATE INDEX evaluations_unanswered ON evaluations (worded_at) WHERE agreed_at IS NULL;
CREATE INDEX evaluations_by_validation ON evaluations (commune_code, validated_at) WHERE validated_at IS NOT NULL;

CREATE FUNCTION guard_evaluation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.validated_at IS NOT NULL THEN
        RAISE EXCEPTION 'a validated evaluation does not change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'evaluations_validated_is_final';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER evaluations_guarded BEFORE UPDATE OR DELETE ON evaluations
    FOR EACH ROW EXECUTE FUNCTION guard_evaluation();

-- Whom it concerned: people, counted by age.
CREATE TABLE evaluation_people (
    evaluation_id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    age_band text NOT NULL CONSTRAINT evaluation_people_age_band CHECK
        (age_band IN ('under_11', '11_14', '15_17', '18_29', '30_59', '60_plus', 'unknown')),
    people integer NOT NULL CONSTRAINT evaluation_people_count CHECK (people BETWEEN 0 AND 100000),
    PRIMARY KEY (evaluation_id, commune_code, age_band),
    FOREIGN KEY (evaluation_id, commune_code) REFERENCES evaluations (id, commune_code)
);
CREATE FUNCTION guard_evaluation_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM evaluations
        WHERE (id, commune_code) IN ((NEW.evaluation_id, NEW.commune_code), (OLD.evaluation_id, OLD.commune_code))
            AND validated_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'a validated evaluation does not change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'evaluations_validated_is_final';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER evaluation_people_guarded BEFORE INSERT OR UPDATE OR DELETE ON evaluation_people
    FOR EACH ROW EXECUTE FUNCTION guard_evaluation_people();

CREATE TABLE meetings (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    initiative_id uuid,
    title text NOT NULL,
    place text,
    held_on date NOT NULL,
    -- entries, not people
    attendance integer CONSTRAINT meetings_attendance CHECK (attendance BETWEEN 0 AND 1000000),
    recorded_by uuid NOT NULL REFERENCES users (id),
    -- the name that a partner's system gives it
    external_id text,
    created_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (id, commune_code),
    FOREIGN KEY (initiative_id, commune_code) REFERENCES initiatives (id, commune_code),
    CONSTRAINT meetings_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT meetings_external_id_unique UNIQUE (commune_code, external_id)
);
CREATE INDEX meetings_by_commune ON meetings (commune_code, held_on DESC, id DESC);
CREATE INDEX meetings_by_day ON meetings (held_on DESC, id DESC);
CREATE INDEX meetings_by_initiative ON meetings (initiative_id, held_on DESC, id DESC) WHERE initiative_id IS NOT NULL;

-- Indicators reported by hand.
CREATE TABLE measures (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    indicator text NOT NULL CONSTRAINT measures_indicator CHECK (indicator ~ '^[a-z][a-z0-9_]{1,59}$'),
    year integer NOT NULL CONSTRAINT measures_year CHECK (year BETWEEN 1900 AND 2100),
    value numeric(14, 3) NOT NULL,
    unit text NOT NULL,
    source text NOT NULL CONSTRAINT measures_source_given CHECK (btrim(source) <> ''),
    recorded_by uuid NOT NULL REFERENCES users (id),
    -- the name that a partner's system gives it
    external_id text,
    created_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (id, commune_code),
    CONSTRAINT measures_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT measures_external_id_unique UNIQUE (commune_code, external_id),
    CONSTRAINT measures_one_a_year UNIQUE (commune_code, indicator, year)
);
CREATE INDEX measures_by_commune ON measures (commune_code, year DESC, id DESC);
