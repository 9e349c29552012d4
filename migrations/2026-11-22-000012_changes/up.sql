-- What has changed of what everybody may read. Triggers write it, so that no write can forget it; what a resource says is
-- read when somebody asks, so that nothing stays here that is no longer public.
CREATE TABLE changes (
    number bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- the place in the feed, given once the change is committed; feed_head() gives it
    position bigint,
    commune_code text NOT NULL REFERENCES communes (code),
    kind text NOT NULL CONSTRAINT changes_kind CHECK
        (kind IN ('initiative', 'convention', 'commitment', 'fulfilment', 'evaluation', 'meeting', 'measure', 'holder',
            'practice')),
    subject_id uuid NOT NULL,
    -- everybody saw it before this change: only then does anybody learn that it is gone
    was_public boolean NOT NULL,
    transaction bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    -- the machine's time of writing it down, which is no date of the domain
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT changes_id_carries_commune CHECK (commune_of(subject_id) = commune_code)
);
CREATE UNIQUE INDEX changes_by_position ON changes (position);
CREATE INDEX changes_by_commune ON changes (commune_code, position);
-- the last change of a kind: whether a file is still what it was
CREATE INDEX changes_by_kind ON changes (kind, position);
CREATE INDEX changes_by_commune_and_kind ON changes (commune_code, kind, position);
-- However much one transaction does to a resource, it is one change. Also finds what has no place yet.
CREATE UNIQUE INDEX changes_once_a_transaction ON changes (subject_id, commune_code, transaction) WHERE position IS NULL;

-- A change gets its place, and nothing else ever happens to it.
CREATE TRIGGER changes_placed_once BEFORE UPDATE ON changes FOR EACH ROW
    WHEN (OLD.position IS NOT NULL OR NEW.position IS NULL
        OR (OLD.number, OLD.commune_code, OLD.kind, OLD.subject_id, OLD.was_public, OLD.transaction, OLD.at)
        IS DISTINCT FROM (NEW.number, NEW.commune_code, NEW.kind, NEW.subject_id, NEW.was_public, NEW.transaction, NEW.at))
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER changes_append_only BEFORE DELETE OR TRUNCATE ON changes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Gives what is committed its place behind all places given before, and returns the last one. One at a time: whoever
-- reads up to a place has read everything before it, and what commits later comes behind. Ten thousand at a time, so
-- that no import makes it slow.
CREATE FUNCTION feed_head() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM changes WHERE position IS NULL) THEN
        PERFORM pg_advisory_xact_lock(5051);
        UPDATE changes SET position = last + place
        FROM (
            SELECT number, row_number() OVER (ORDER BY number) AS place
            FROM changes WHERE position IS NULL ORDER BY number LIMIT 10000
        ) AS waiting, (SELECT coalesce(max(position), 0) AS last FROM changes) AS placed
        WHERE changes.number = waiting.number;
    END IF;
    RETURN (SELECT coalesce(max(position), 0) FROM changes);
END $$;

CREATE FUNCTION note_change(kind text, subject uuid, commune text, was boolean) RETURNS void LANGUAGE sql AS $$
    INSERT INTO changes (commune_code, kind, subject_id, was_public) VALUES (commune, kind, subject, was)
    ON CONFLICT (subject_id, commune_code, transaction) WHERE position IS NULL DO NOTHING
$$;

-- Whether everybody sees an initiative. The lock keeps what changes beneath it and its publication from passing each
-- other by unseen.
CREATE FUNCTION is_published(initiative uuid, commune text) RETURNS boolean LANGUAGE sql AS $$
    SELECT published_at IS NOT NULL FROM initiatives WHERE (id, commune_code) = (initiative, commune) FOR SHARE
$$;

-- Of what is as public as its initiative.
CREATE FUNCTION note_beneath(kind text, subject uuid, initiative uuid, commune text, was boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF is_published(initiative, commune) THEN
        PERFORM note_change(kind, subject, commune, was);
    END IF;
END $$;

CREATE FUNCTION note_initiative() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was boolean := TG_OP = 'UPDATE' AND OLD.published_at IS NOT NULL;
    is_now boolean := NEW.published_at IS NOT NULL;
BEGIN
    IF NOT was AND NOT is_now THEN
        RETURN NULL;
    END IF;
    PERFORM note_change('initiative', NEW.id, NEW.commune_code, was);
    -- Beneath what is new there is nothing yet.
    IF was <> is_now AND TG_OP = 'UPDATE' THEN
        PERFORM note_change(beneath.kind, beneath.id, NEW.commune_code, was) FROM (
            SELECT 'convention' AS kind, id FROM conventions
            WHERE (initiative_id, commune_code) = (NEW.id, NEW.commune_code) AND activated_at IS NOT NULL
            UNION ALL
            SELECT 'commitment', id FROM commitments
            WHERE (initiative_id, commune_code) = (NEW.id, NEW.commune_code)
                AND state IN ('binding', 'fulfilled', 'partially_fulfilled', 'unfulfilled')
            UNION ALL
            SELECT 'fulfilment', f.id FROM fulfilments AS f
            JOIN commitments AS c ON (c.id, c.commune_code) = (f.commitment_id, f.commune_code)
            WHERE (c.initiative_id, c.commune_code) = (NEW.id, NEW.commune_code) AND f.state = 'acknowledged'
            UNION ALL
            SELECT 'evaluation', id FROM evaluations
            WHERE (initiative_id, commune_code) = (NEW.id, NEW.commune_code) AND validated_at IS NOT NULL
            UNION ALL
            SELECT 'meeting', id FROM meetings WHERE (initiative_id, commune_code) = (NEW.id, NEW.commune_code)
        ) AS beneath;
    ELSIF TG_OP = 'UPDATE' AND OLD.title <> NEW.title THEN
        -- They name it.
        PERFORM note_change('convention', id, commune_code, true) FROM conventions
        WHERE (initiative_id, commune_code) = (NEW.id, NEW.commune_code) AND activated_at IS NOT NULL;
        PERFORM note_change('meeting', id, commune_code, true) FROM meetings
        WHERE (initiative_id, commune_code) = (NEW.id, NEW.commune_code);
    END IF;
    -- Natural persons show once they carry or host something that is published.
    IF was <> is_now OR (OLD.holder_id, OLD.host_id) IS DISTINCT FROM (NEW.holder_id, NEW.host_id) THEN
        PERFORM note_change('holder', h.id, h.commune_code,
            (was AND h.id IN (OLD.holder_id, OLD.host_id)) IS TRUE OR EXISTS (
                SELECT FROM initiatives AS i
                WHERE i.commune_code = h.commune_code AND h.id IN (i.holder_id, i.host_id) AND i.published_at IS NOT NULL
                    AND i.id <> NEW.id
            ))
        FROM holders AS h
        WHERE h.id IN (OLD.holder_id, OLD.host_id, NEW.holder_id, NEW.host_id) AND h.commune_code = NEW.commune_code
            AND h.kind IN ('person', 'collective', 'youth_group');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER initiatives_noted AFTER INSERT OR UPDATE ON initiatives
    FOR EACH ROW EXECUTE FUNCTION note_initiative();

CREATE FUNCTION note_convention() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_beneath('convention', NEW.id, NEW.initiative_id, NEW.commune_code,
        TG_OP = 'UPDATE' AND OLD.activated_at IS NOT NULL);
    RETURN NULL;
END $$;
CREATE TRIGGER conventions_noted AFTER INSERT OR UPDATE ON conventions
    FOR EACH ROW WHEN (NEW.activated_at IS NOT NULL) EXECUTE FUNCTION note_convention();

-- A signature that is contested later.
CREATE FUNCTION note_signature() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_beneath('convention', id, initiative_id, commune_code, true) FROM conventions
    WHERE (id, commune_code) = (NEW.convention_id, NEW.commune_code) AND activated_at IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER signatures_noted AFTER UPDATE ON signatures
    FOR EACH ROW EXECUTE FUNCTION note_signature();

CREATE FUNCTION note_commitment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_beneath('commitment', NEW.id, NEW.initiative_id, NEW.commune_code,
        TG_OP = 'UPDATE' AND OLD.state IN ('binding', 'fulfilled', 'partially_fulfilled', 'unfulfilled'));
    RETURN NULL;
END $$;
CREATE TRIGGER commitments_noted AFTER INSERT OR UPDATE ON commitments
    FOR EACH ROW WHEN (NEW.state IN ('binding', 'fulfilled', 'partially_fulfilled', 'unfulfilled'))
    EXECUTE FUNCTION note_commitment();

-- What was delivered of a commitment, and who keeps it up, stands in other tables.
CREATE FUNCTION note_part_of_commitment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_beneath('commitment', id, initiative_id, commune_code, true) FROM commitments
    WHERE (id, commune_code) = (NEW.commitment_id, NEW.commune_code)
        AND state IN ('binding', 'fulfilled', 'partially_fulfilled', 'unfulfilled');
    RETURN NULL;
END $$;
CREATE TRIGGER fulfilments_noted_of_commitment AFTER INSERT OR UPDATE ON fulfilments
    FOR EACH ROW WHEN (NEW.state = 'acknowledged') EXECUTE FUNCTION note_part_of_commitment();
CREATE TRIGGER upkeep_checks_noted AFTER INSERT ON upkeep_checks
    FOR EACH ROW EXECUTE FUNCTION note_part_of_commitment();
CREATE TRIGGER upkeep_hand_overs_noted AFTER INSERT OR UPDATE ON upkeep_hand_overs
    FOR EACH ROW WHEN (NEW.state = 'accepted') EXECUTE FUNCTION note_part_of_commitment();

-- What was acknowledged stays so.
CREATE FUNCTION note_fulfilment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_beneath('fulfilment', NEW.id, initiative_id, NEW.commune_code,
        TG_OP = 'UPDATE' AND OLD.state = 'acknowledged')
    FROM commitments WHERE (id, commune_code) = (NEW.commitment_id, NEW.commune_code);
    RETURN NULL;
END $$;
CREATE TRIGGER fulfilments_noted AFTER INSERT OR UPDATE ON fulfilments
    FOR EACH ROW WHEN (NEW.state = 'acknowledged') EXECUTE FUNCTION note_fulfilment();

CREATE FUNCTION note_evaluation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_beneath('evaluation', NEW.id, NEW.initiative_id, NEW.commune_code,
        TG_OP = 'UPDATE' AND OLD.validated_at IS NOT NULL);
    RETURN NULL;
END $$;
CREATE TRIGGER evaluations_noted AFTER INSERT OR UPDATE ON evaluations
    FOR EACH ROW WHEN (NEW.validated_at IS NOT NULL) EXECUTE FUNCTION note_evaluation();

-- A meeting may be about no initiative, and about another one after a correction.
CREATE FUNCTION note_meeting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was boolean := TG_OP <> 'INSERT' AND (OLD.initiative_id IS NULL OR is_published(OLD.initiative_id, OLD.commune_code));
    is_now boolean := TG_OP <> 'DELETE' AND (NEW.initiative_id IS NULL OR is_published(NEW.initiative_id, NEW.commune_code));
BEGIN
    IF was OR is_now THEN
        PERFORM note_change('meeting', coalesce(NEW.id, OLD.id), coalesce(NEW.commune_code, OLD.commune_code), was);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER meetings_noted AFTER INSERT OR UPDATE OR DELETE ON meetings
    FOR EACH ROW EXECUTE FUNCTION note_meeting();

CREATE FUNCTION note_measure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_change('measure', coalesce(NEW.id, OLD.id), coalesce(NEW.commune_code, OLD.commune_code), TG_OP <> 'INSERT');
    RETURN NULL;
END $$;
CREATE TRIGGER measures_noted AFTER INSERT OR UPDATE OR DELETE ON measures
    FOR EACH ROW EXECUTE FUNCTION note_measure();

-- Written down even of a holder whom nobody sees: an initiative of theirs may be published at this very moment, and
-- readers are told only of what is public then. The same goes for what bears their name.
CREATE FUNCTION note_holder() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_change('holder', NEW.id, NEW.commune_code, TG_OP = 'UPDATE' AND (
        NEW.kind NOT IN ('person', 'collective', 'youth_group') OR EXISTS (
            SELECT FROM initiatives
            WHERE commune_code = NEW.commune_code AND NEW.id IN (holder_id, host_id) AND published_at IS NOT NULL
        )));
    IF TG_OP = 'UPDATE' AND OLD.name <> NEW.name THEN
        PERFORM note_change('initiative', id, commune_code, published_at IS NOT NULL) FROM initiatives
        WHERE commune_code = NEW.commune_code AND NEW.id IN (holder_id, host_id);
        PERFORM note_change('convention', v.id, v.commune_code, v.activated_at IS NOT NULL AND i.published_at IS NOT NULL)
        FROM conventions AS v JOIN initiatives AS i ON (i.id, i.commune_code) = (v.initiative_id, v.commune_code)
        WHERE v.commune_code = NEW.commune_code AND v.holder_id = NEW.id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER holders_noted_new AFTER INSERT ON holders
    FOR EACH ROW EXECUTE FUNCTION note_holder();
-- How to reach it is told to nobody.
CREATE TRIGGER holders_noted AFTER UPDATE ON holders FOR EACH ROW
    WHEN (to_jsonb(OLD) - ARRAY['contact_email', 'contact_phone', 'version']
        IS DISTINCT FROM to_jsonb(NEW) - ARRAY['contact_email', 'contact_phone', 'version'])
    EXECUTE FUNCTION note_holder();

-- A holder shows how many members it has.
CREATE FUNCTION note_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM note_change('holder', h.id, h.commune_code, h.kind NOT IN ('person', 'collective', 'youth_group') OR EXISTS (
        SELECT FROM initiatives AS i
        WHERE i.commune_code = h.commune_code AND h.id IN (i.holder_id, i.host_id) AND i.published_at IS NOT NULL
    ))
    FROM holders AS h
    WHERE (h.id, h.commune_code) = (coalesce(NEW.holder_id, OLD.holder_id), coalesce(NEW.commune_code, OLD.commune_code));
    RETURN NULL;
END $$;
CREATE TRIGGER holder_members_noted AFTER INSERT OR UPDATE OR DELETE ON holder_members
    FOR EACH ROW EXECUTE FUNCTION note_member();
