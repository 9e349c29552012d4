-- Practice sheets: what a commune learned, told to others, with the initiatives that prove it. What it cost, took and
-- saved is never written here: it follows from the records of these initiatives.
INSERT INTO lifecycle_transitions (lifecycle, from_state, to_state) VALUES
    ('practice', 'draft', 'published'),
    ('practice', 'draft', 'withdrawn'),
    ('practice', 'published', 'withdrawn');

CREATE TABLE practices (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    state text NOT NULL CONSTRAINT practices_state CHECK (state IN ('draft', 'published', 'withdrawn')),
    title text NOT NULL,
    theme text CONSTRAINT practices_theme CHECK
        (theme IN ('environment', 'mobility', 'culture', 'sport', 'education', 'solidarity', 'heritage', 'energy',
            'digital', 'health', 'agriculture', 'living_environment')),
    participation_level text CONSTRAINT practices_participation_level CHECK
        (participation_level IN ('information', 'consultation', 'concertation', 'co_construction', 'citizen_led')),
    tags text[] NOT NULL CONSTRAINT practices_tags CHECK (cardinality(tags) <= 10 AND array_position(tags, NULL) IS NULL),
    context text,
    objectives text,
    approach text,
    results text,
    tips text,
    satisfactions text,
    obstacles text,
    -- a service of the town hall and its postal address: no person, and no mail
    contact_service text,
    contact_address text,
    latitude double precision CONSTRAINT practices_latitude CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision CONSTRAINT practices_longitude CHECK (longitude BETWEEN -180 AND 180),
    -- The sheet that inspired this one, of any commune: the one column, with that of initiatives, that may name a row of
    -- another commune. No foreign key follows it, so that tables can still be distributed by commune; what it names was
    -- published, and what was published stays.
    inspired_by_practice_id uuid,
    created_by uuid NOT NULL REFERENCES users (id),
    published_at timestamptz,
    state_changed_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    -- what is searched, in lower case without accents
    folded_text text NOT NULL,
    words tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('french', folded_text)) STORED,
    PRIMARY KEY (id, commune_code),
    CONSTRAINT practices_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT practices_location_whole CHECK ((latitude IS NULL) = (longitude IS NULL)),
    CONSTRAINT practices_contact_whole CHECK ((contact_service IS NULL) = (contact_address IS NULL)),
    CONSTRAINT practices_contact_is_no_mail CHECK (contact_service !~ '@' AND contact_address !~ '@'),
    CONSTRAINT practices_drafts_are_private CHECK (state <> 'draft' OR published_at IS NULL),
    CONSTRAINT practices_complete_when_published CHECK
        (state <> 'published'
        OR (published_at IS NOT NULL AND theme IS NOT NULL AND participation_level IS NOT NULL AND context IS NOT NULL
            AND objectives IS NOT NULL AND approach IS NOT NULL AND results IS NOT NULL AND contact_service IS NOT NULL))
);
CREATE TRIGGER practices_follow_lifecycle BEFORE INSERT OR UPDATE OF state ON practices
    FOR EACH ROW EXECUTE FUNCTION follow_lifecycle('practice', 'draft');
CREATE TRIGGER practices_append_only BEFORE DELETE OR TRUNCATE ON practices
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE INDEX practices_public ON practices (created_at DESC, id DESC) WHERE state = 'published';
CREATE INDEX practices_by_commune ON practices (commune_code, created_at DESC, id DESC);
CREATE INDEX practices_public_by_theme ON practices (theme, created_at DESC, id DESC) WHERE state = 'published';
CREATE INDEX practices_public_by_level ON practices (participation_level, created_at DESC, id DESC)
    WHERE state = 'published';
CREATE INDEX practices_by_tag ON practices USING gin (tags);
CREATE INDEX practices_by_words ON practices USING gin (words);
CREATE INDEX practices_by_location ON practices (latitude, longitude) WHERE state = 'published' AND latitude IS NOT NULL;
CREATE INDEX practices_by_inspiration ON practices (inspired_by_practice_id) WHERE inspired_by_practice_id IS NOT NULL;
CREATE INDEX initiatives_by_inspiration ON initiatives (inspired_by_practice_id, created_at DESC, id DESC)
    WHERE inspired_by_practice_id IS NOT NULL;

-- The initiatives that prove a sheet, and with them their conventions.
CREATE TABLE practice_initiatives (
    practice_id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    initiative_id uuid NOT NULL,
    PRIMARY KEY (practice_id, commune_code, initiative_id),
    FOREIGN KEY (practice_id, commune_code) REFERENCES practices (id, commune_code),
    FOREIGN KEY (initiative_id, commune_code) REFERENCES initiatives (id, commune_code)
);
CREATE INDEX practice_initiatives_by_initiative ON practice_initiatives (initiative_id, commune_code);

-- What inspired something is a sheet that was public when it was named. No lock is needed: what was published once stays.
CREATE FUNCTION guard_inspiration() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM practices WHERE id = NEW.inspired_by_practice_id
            AND commune_code = commune_of(NEW.inspired_by_practice_id) AND state = 'published'
    ) THEN
        RAISE EXCEPTION 'inspired by a sheet that is not public'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'inspired_by_what_is_public';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER initiatives_inspired BEFORE INSERT ON initiatives
    FOR EACH ROW WHEN (NEW.inspired_by_practice_id IS NOT NULL) EXECUTE FUNCTION guard_inspiration();
CREATE TRIGGER initiatives_inspired_anew BEFORE UPDATE ON initiatives
    FOR EACH ROW WHEN (NEW.inspired_by_practice_id <> OLD.inspired_by_practice_id
        OR (NEW.inspired_by_practice_id IS NOT NULL AND OLD.inspired_by_practice_id IS NULL))
    EXECUTE FUNCTION guard_inspiration();
CREATE TRIGGER practices_inspired BEFORE INSERT ON practices
    FOR EACH ROW WHEN (NEW.inspired_by_practice_id IS NOT NULL) EXECUTE FUNCTION guard_inspiration();
CREATE TRIGGER practices_inspired_anew BEFORE UPDATE ON practices
    FOR EACH ROW WHEN (NEW.inspired_by_practice_id <> OLD.inspired_by_practice_id
        OR (NEW.inspired_by_practice_id IS NOT NULL AND OLD.inspired_by_practice_id IS NULL))
    EXECUTE FUNCTION guard_inspiration();

-- A draft names what is public, nobody names a draft, and what was published names the same for ever: so every sheet was
-- published after the one that inspired it, and no line comes back to where it began, whatever runs at once.
CREATE FUNCTION guard_practice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'draft' AND (OLD.inspired_by_practice_id, OLD.published_at)
        IS DISTINCT FROM (NEW.inspired_by_practice_id, NEW.published_at) THEN
        RAISE EXCEPTION 'what inspired a sheet does not change once it was published'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'practices_inspiration_is_final';
    END IF;
    IF NEW.state = 'published' AND OLD.state = 'draft' THEN
        -- Whoever changes what proves it at the same moment waits, or was first and is seen.
        PERFORM FROM initiatives AS i JOIN practice_initiatives AS p
            ON (p.initiative_id, p.commune_code) = (i.id, i.commune_code)
        WHERE (p.practice_id, p.commune_code) = (NEW.id, NEW.commune_code) ORDER BY i.id FOR UPDATE OF i;
        IF NOT EXISTS (
            SELECT FROM initiatives AS i JOIN practice_initiatives AS p
                ON (p.initiative_id, p.commune_code) = (i.id, i.commune_code)
            WHERE (p.practice_id, p.commune_code) = (NEW.id, NEW.commune_code) AND i.published_at IS NOT NULL
        ) THEN
            RAISE EXCEPTION 'nothing public proves this sheet'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'practices_proved';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER practices_guarded BEFORE UPDATE ON practices
    FOR EACH ROW EXECUTE FUNCTION guard_practice();

-- What proves a sheet is public when it is named.
CREATE FUNCTION guard_proof() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM initiatives WHERE (id, commune_code) = (NEW.initiative_id, NEW.commune_code)
        AND published_at IS NOT NULL FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'what proves a sheet is public'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'practice_initiatives_public';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER practice_initiatives_guarded BEFORE INSERT OR UPDATE ON practice_initiatives
    FOR EACH ROW EXECUTE FUNCTION guard_proof();

-- A published sheet keeps one at least.
CREATE FUNCTION keep_proof() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM practices WHERE (id, commune_code) = (OLD.practice_id, OLD.commune_code) AND state = 'published')
        AND NOT EXISTS (SELECT FROM practice_initiatives WHERE (practice_id, commune_code) = (OLD.practice_id, OLD.commune_code))
    THEN
        RAISE EXCEPTION 'nothing proves this sheet'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'practices_proved';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER practice_initiatives_kept AFTER UPDATE OR DELETE ON practice_initiatives
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION keep_proof();

-- In the feed: a sheet shows the figures of what proves it, so what changes these changes it.
CREATE FUNCTION note_practice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'published' OR NEW.state = 'published' THEN
        PERFORM note_change('practice', NEW.id, NEW.commune_code, OLD.state = 'published');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER practices_noted AFTER UPDATE ON practices
    FOR EACH ROW EXECUTE FUNCTION note_practice();

CREATE FUNCTION note_practices_of(initiative uuid, commune text) RETURNS void LANGUAGE sql AS $$
    SELECT note_change('practice', p.id, p.commune_code, true)
    FROM practice_initiatives AS i JOIN practices AS p ON (p.id, p.commune_code) = (i.practice_id, i.commune_code)
    WHERE (i.initiative_id, i.commune_code) = (initiative, commune) AND p.state = 'published'
$$;

CREATE FUNCTION note_proof() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_practices_of(coalesce(NEW.initiative_id, OLD.initiative_id), coalesce(NEW.commune_code, OLD.commune_code));
    RETURN NULL;
END $$;
CREATE TRIGGER headcounts_noted AFTER INSERT OR UPDATE OR DELETE ON headcounts
    FOR EACH ROW EXECUTE FUNCTION note_proof();

-- What is noted of an initiative and of what is beneath it.
CREATE FUNCTION note_proved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_practices_of(CASE NEW.kind
        WHEN 'initiative' THEN NEW.subject_id
        WHEN 'convention' THEN (SELECT initiative_id FROM conventions WHERE (id, commune_code) = (NEW.subject_id, NEW.commune_code))
        WHEN 'evaluation' THEN (SELECT initiative_id FROM evaluations WHERE (id, commune_code) = (NEW.subject_id, NEW.commune_code))
        ELSE (SELECT c.initiative_id FROM fulfilments AS f
            JOIN commitments AS c ON (c.id, c.commune_code) = (f.commitment_id, f.commune_code)
            WHERE (f.id, f.commune_code) = (NEW.subject_id, NEW.commune_code))
        END, NEW.commune_code);
    RETURN NULL;
END $$;
CREATE TRIGGER changes_proved AFTER INSERT ON changes
    FOR EACH ROW WHEN (NEW.kind IN ('initiative', 'convention', 'evaluation', 'fulfilment')) EXECUTE FUNCTION note_proved();

-- Metres along the sphere.
CREATE FUNCTION metres_between(latitude double precision, longitude double precision,
    other_latitude double precision, other_longitude double precision) RETURNS integer
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT round(12742017.6 * asin(sqrt(least(1, power(sin(radians(other_latitude - latitude) / 2), 2)
        + cos(radians(latitude)) * cos(radians(other_latitude)) * power(sin(radians(other_longitude - longitude) / 2), 2)))))::integer
$$;

-- A reuse counts in the commune of the sheet, whichever commune's initiative it is.
CREATE FUNCTION mark_inspirer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO metric_marks (commune_code)
    SELECT DISTINCT commune_of(practice) FROM unnest(CASE TG_TABLE_NAME
        WHEN 'initiatives' THEN ARRAY[(to_jsonb(NEW) ->> 'inspired_by_practice_id')::uuid,
            (to_jsonb(OLD) ->> 'inspired_by_practice_id')::uuid]
        ELSE ARRAY(SELECT inspired_by_practice_id FROM initiatives
            WHERE (id, commune_code) = ((to_jsonb(NEW) ->> 'initiative_id')::uuid, NEW.commune_code))
        END) AS practice
    WHERE practice IS NOT NULL
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER initiatives_mark_inspirer_new AFTER INSERT ON initiatives
    FOR EACH ROW WHEN (NEW.inspired_by_practice_id IS NOT NULL) EXECUTE FUNCTION mark_inspirer();
CREATE TRIGGER initiatives_mark_inspirer AFTER UPDATE ON initiatives
    FOR EACH ROW WHEN (NEW.inspired_by_practice_id IS NOT NULL OR OLD.inspired_by_practice_id IS NOT NULL)
    EXECUTE FUNCTION mark_inspirer();
CREATE TRIGGER decisions_mark_inspirer AFTER INSERT OR UPDATE ON decisions
    FOR EACH ROW EXECUTE FUNCTION mark_inspirer();
CREATE TRIGGER practices_marked_by_insert AFTER INSERT ON practices REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION mark_metrics();
CREATE TRIGGER practices_marked_by_update AFTER UPDATE ON practices REFERENCING NEW TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION mark_metrics();
CREATE TRIGGER practices_marked_by_delete AFTER DELETE ON practices REFERENCING OLD TABLE AS touched
    FOR EACH STATEMENT EXECUTE FUNCTION mark_metrics();
