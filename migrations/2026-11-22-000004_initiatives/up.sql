-- The lifecycles as the database knows them. src/*/lifecycle.rs says the same with who may act and why; a test
-- compares the two.
CREATE TABLE lifecycle_transitions (
    lifecycle text NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    PRIMARY KEY (lifecycle, from_state, to_state)
);
INSERT INTO lifecycle_transitions (lifecycle, from_state, to_state) VALUES
    ('initiative', 'draft', 'submitted'),
    ('initiative', 'draft', 'withdrawn'),
    ('initiative', 'submitted', 'in_review'),
    ('initiative', 'submitted', 'accepted'),
    ('initiative', 'submitted', 'redirected'),
    ('initiative', 'submitted', 'withdrawn'),
    ('initiative', 'in_review', 'changes_requested'),
    ('initiative', 'in_review', 'accepted'),
    ('initiative', 'in_review', 'refused'),
    ('initiative', 'in_review', 'redirected'),
    ('initiative', 'in_review', 'withdrawn'),
    ('initiative', 'changes_requested', 'in_review'),
    ('initiative', 'changes_requested', 'lapsed'),
    ('initiative', 'changes_requested', 'withdrawn'),
    ('initiative', 'refused', 'in_review'),
    ('initiative', 'lapsed', 'in_review'),
    ('initiative', 'accepted', 'in_progress'),
    ('initiative', 'accepted', 'in_review'),
    ('initiative', 'accepted', 'withdrawn'),
    ('initiative', 'accepted', 'abandoned'),
    ('initiative', 'in_progress', 'completed'),
    ('initiative', 'in_progress', 'abandoned'),
    ('initiative', 'completed', 'closed'),
    ('commitment', 'proposed', 'accepted'),
    ('commitment', 'proposed', 'declined'),
    ('commitment', 'proposed', 'withdrawn'),
    ('commitment', 'accepted', 'withdrawn'),
    ('commitment', 'accepted', 'binding'),
    ('commitment', 'binding', 'fulfilled'),
    ('commitment', 'binding', 'partially_fulfilled'),
    ('commitment', 'binding', 'unfulfilled'),
    ('commitment', 'partially_fulfilled', 'fulfilled'),
    ('commitment', 'partially_fulfilled', 'unfulfilled'),
    ('fulfilment', 'recorded', 'acknowledged'),
    ('fulfilment', 'recorded', 'disputed'),
    ('fulfilment', 'recorded', 'withdrawn'),
    ('fulfilment', 'disputed', 'acknowledged'),
    ('fulfilment', 'disputed', 'rejected'),
    ('convention', 'draft', 'open_for_signature'),
    ('convention', 'draft', 'cancelled'),
    ('convention', 'open_for_signature', 'draft'),
    ('convention', 'open_for_signature', 'active'),
    ('convention', 'open_for_signature', 'cancelled'),
    ('convention', 'active', 'suspended'),
    ('convention', 'active', 'terminated'),
    ('convention', 'active', 'expired'),
    ('convention', 'active', 'superseded'),
    ('convention', 'suspended', 'active'),
    ('convention', 'suspended', 'terminated'),
    ('convention', 'suspended', 'expired'),
    ('evaluation', 'draft', 'validated');

-- Fires on every table with a lifecycle: a new row starts at the beginning, a state moves along the table only. What
-- happened before this system was there comes in where it ended; guards of its table say what of it may come.
CREATE FUNCTION follow_lifecycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> TG_ARGV[1] AND to_jsonb(NEW) ->> 'imported_at' IS NULL THEN
            RAISE EXCEPTION 'a new % starts as %', TG_ARGV[0], TG_ARGV[1]
                USING ERRCODE = 'check_violation', CONSTRAINT = 'lifecycle_start';
        END IF;
    ELSIF NEW.state <> OLD.state AND NOT EXISTS (
        SELECT FROM lifecycle_transitions
        WHERE lifecycle = TG_ARGV[0] AND from_state = OLD.state AND to_state = NEW.state
    ) THEN
        RAISE EXCEPTION '% cannot go from % to %', TG_ARGV[0], OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'lifecycle_transition';
    END IF;
    RETURN NEW;
END $$;

CREATE TABLE initiatives (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    state text NOT NULL CONSTRAINT initiatives_state CHECK
        (state IN ('draft', 'submitted', 'in_review', 'changes_requested', 'accepted', 'refused', 'redirected', 'lapsed',
            'in_progress', 'completed', 'closed', 'withdrawn', 'abandoned')),
    origin text NOT NULL CONSTRAINT initiatives_origin CHECK (origin IN ('idea', 'demand', 'meeting')),
    delivery text NOT NULL CONSTRAINT initiatives_delivery CHECK (delivery IN ('holder', 'joint')),
    title text NOT NULL,
    description text,
    theme text,
    needs text,
    place text,
    latitude double precision CONSTRAINT initiatives_latitude CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision CONSTRAINT initiatives_longitude CHECK (longitude BETWEEN -180 AND 180),
    starts_on date,
    ends_on date,
    -- what decides whether a quick yes is possible, and what silence would mean
    building_work boolean NOT NULL DEFAULT false,
    land text NOT NULL DEFAULT 'none' CONSTRAINT initiatives_land CHECK
        (land IN ('none', 'public_domain', 'private_domain', 'rural_track', 'church')),
    requests_money boolean NOT NULL DEFAULT false,
    holder_id uuid,
    host_id uuid,
    follows_id uuid,
    -- a practice sheet, of any commune; migration 18 says why no foreign key follows it
    inspired_by_practice_id uuid,
    author_id uuid NOT NULL REFERENCES users (id),
    channel text NOT NULL CONSTRAINT initiatives_channel CHECK (channel IN ('online', 'counter', 'phone', 'paper')),
    -- the agent who entered it for a resident; null when the author did
    entered_by uuid REFERENCES users (id),
    paper_reference text,
    published_at timestamptz,
    publication_withheld_reason text,
    submitted_at timestamptz,
    submission_number integer NOT NULL DEFAULT 0,
    -- the reply clock
    reply_due_on date,
    reply_paused_on date,
    first_reply_at timestamptz,
    implicit_decision_on date,
    decided_at timestamptz,
    -- the last ones, so that a single view needs no search
    opinion_id uuid,
    decision_id uuid,
    redirected_to text,
    -- the name that a partner's system gives it
    external_id text,
    -- of what happened before this system was there: when it was imported, in which state, and the days of its path
    imported_at timestamptz,
    past_state text CONSTRAINT initiatives_past_state CHECK
        (past_state IN ('accepted', 'refused', 'redirected', 'lapsed', 'in_progress', 'completed', 'closed', 'withdrawn', 'abandoned')),
    past_decided_on date,
    past_completed_on date,
    past_ended_on date,
    state_changed_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    -- kept by triggers on endorsements and participations, so that lists need no second query
    endorsement_count integer NOT NULL DEFAULT 0,
    participant_count integer NOT NULL DEFAULT 0,
    -- title, description, place and needs in lower case without accents
    folded_text text NOT NULL,
    words tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('french', folded_text)) STORED,
    PRIMARY KEY (id, commune_code),
    FOREIGN KEY (holder_id, commune_code) REFERENCES holders (id, commune_code),
    FOREIGN KEY (host_id, commune_code) REFERENCES holders (id, commune_code),
    FOREIGN KEY (follows_id, commune_code) REFERENCES initiatives (id, commune_code),
    CONSTRAINT initiatives_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT initiatives_dates CHECK (ends_on >= starts_on),
    CONSTRAINT initiatives_location_whole CHECK ((latitude IS NULL) = (longitude IS NULL)),
    CONSTRAINT initiatives_host_is_another CHECK (host_id <> holder_id),
    CONSTRAINT initiatives_on_behalf CHECK ((channel = 'online') = (entered_by IS NULL)),
    CONSTRAINT initiatives_complete_when_submitted CHECK
        (state IN ('draft', 'withdrawn')
        OR (description IS NOT NULL AND theme IS NOT NULL AND holder_id IS NOT NULL AND submitted_at IS NOT NULL
            -- of the past nobody promised a day here
            AND (reply_due_on IS NOT NULL OR imported_at IS NOT NULL))),
    CONSTRAINT initiatives_external_id_unique UNIQUE (commune_code, external_id),
    CONSTRAINT initiatives_imported_whole CHECK
        ((imported_at IS NULL) = (past_state IS NULL)
        AND (past_decided_on IS NOT NULL) = coalesce(past_state IN
            ('accepted', 'refused', 'in_progress', 'completed', 'closed', 'abandoned'), false)
        AND (past_completed_on IS NOT NULL) = coalesce(past_state IN ('completed', 'closed'), false)
        AND (past_ended_on IS NOT NULL) = coalesce(past_state IN
            ('redirected', 'lapsed', 'closed', 'withdrawn', 'abandoned'), false)),
    CONSTRAINT initiatives_imported_in_order CHECK
        (past_completed_on >= past_decided_on AND past_ended_on >= greatest(past_decided_on, past_completed_on)
        AND (imported_at AT TIME ZONE 'Europe/Paris')::date >= greatest(past_decided_on, past_completed_on, past_ended_on)),
    CONSTRAINT initiatives_drafts_are_private CHECK (published_at IS NULL OR submitted_at IS NOT NULL),
    CONSTRAINT initiatives_clock_pauses CHECK ((state = 'changes_requested') = (reply_paused_on IS NOT NULL)),
    CONSTRAINT initiatives_theme CHECK
        (theme IN ('environment', 'mobility', 'culture', 'sport', 'education', 'solidarity', 'heritage', 'energy',
            'digital', 'health', 'agriculture', 'living_environment'))
);
CREATE TRIGGER initiatives_follow_lifecycle BEFORE INSERT OR UPDATE OF state ON initiatives
    FOR EACH ROW EXECUTE FUNCTION follow_lifecycle('initiative', 'draft');

-- What is imported is so from its first moment, or never: its state is then the one in which it ended, and no decision of
-- an official here stands behind it. What happens to it here later goes the way of all others.
CREATE FUNCTION guard_imported_initiative() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (OLD.imported_at, OLD.past_state) IS DISTINCT FROM (NEW.imported_at, NEW.past_state) THEN
            RAISE EXCEPTION 'what was imported, and as what, stays so'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'initiatives_imported_once';
        END IF;
    ELSIF NEW.state <> NEW.past_state OR NEW.submitted_at IS NULL OR NEW.channel = 'online'
        OR (NEW.submitted_at AT TIME ZONE 'Europe/Paris')::date
            > least(NEW.past_decided_on, NEW.past_completed_on, NEW.past_ended_on)
        OR num_nonnulls(NEW.opinion_id, NEW.decision_id, NEW.reply_due_on, NEW.first_reply_at) > 0 THEN
        RAISE EXCEPTION 'the past comes in as it ended, and nothing of it happened here'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'initiatives_imported_in_final_state';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER initiatives_imported BEFORE INSERT ON initiatives
    FOR EACH ROW WHEN (NEW.imported_at IS NOT NULL) EXECUTE FUNCTION guard_imported_initiative();
CREATE TRIGGER initiatives_imported_once BEFORE UPDATE OF imported_at, past_state ON initiatives
    FOR EACH ROW EXECUTE FUNCTION guard_imported_initiative();

-- Lists: newest first, of everyone and of one commune, whole and by state, public and for the town hall.
CREATE INDEX initiatives_public ON initiatives (created_at DESC, id DESC) WHERE published_at IS NOT NULL;
CREATE INDEX initiatives_public_by_commune ON initiatives (commune_code, created_at DESC, id DESC)
    WHERE published_at IS NOT NULL;
CREATE INDEX initiatives_public_by_theme ON initiatives (theme, created_at DESC, id DESC)
    WHERE published_at IS NOT NULL;
CREATE INDEX initiatives_public_by_state ON initiatives (state, created_at DESC, id DESC)
    WHERE published_at IS NOT NULL;
-- Feeds: the last to be published.
CREATE INDEX initiatives_by_publication ON initiatives (published_at DESC, id DESC) WHERE published_at IS NOT NULL;
CREATE INDEX initiatives_by_publication_in_commune ON initiatives (commune_code, published_at DESC, id DESC)
    WHERE published_at IS NOT NULL;
CREATE INDEX initiatives_by_commune ON initiatives (commune_code, created_at DESC, id DESC);
CREATE INDEX initiatives_inbox ON initiatives (commune_code, state, created_at DESC, id DESC);
CREATE INDEX initiatives_by_reply_due ON initiatives (commune_code, reply_due_on, id)
    WHERE state IN ('submitted', 'in_review');
CREATE INDEX initiatives_by_holder ON initiatives (holder_id, created_at DESC, id DESC);
CREATE INDEX initiatives_by_host ON initiatives (host_id) WHERE host_id IS NOT NULL;
CREATE INDEX initiatives_by_author ON initiatives (author_id, created_at DESC, id DESC);
CREATE INDEX initiatives_waiting ON initiatives (reply_paused_on) WHERE reply_paused_on IS NOT NULL;
CREATE INDEX initiatives_by_words ON initiatives USING gin (words);
CREATE INDEX initiatives_by_location ON initiatives (latitude, longitude)
    WHERE published_at IS NOT NULL AND latitude IS NOT NULL;

CREATE TABLE opinions (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    initiative_id uuid NOT NULL,
    submission_number integer NOT NULL,
    outcome text NOT NULL CONSTRAINT opinions_outcome CHECK
        (outcome IN ('favourable', 'favourable_with_conditions', 'unfavourable')),
    text text NOT NULL,
    estimated_cost_cents bigint CONSTRAINT opinions_cost CHECK (estimated_cost_cents >= 0),
    given_by uuid NOT NULL REFERENCES users (id),
    given_at timestamptz NOT NULL,
    PRIMARY KEY (id, commune_code),
    FOREIGN KEY (initiative_id, commune_code) REFERENCES initiatives (id, commune_code),
    CONSTRAINT opinions_id_carries_commune CHECK (commune_of(id) = commune_code)
);
CREATE INDEX opinions_by_initiative ON opinions (initiative_id, commune_code, given_at DESC);

-- The last day on which an official may contest what was recorded in their name: eight days after the day of recording,
-- in Europe/Paris. The number stands here only.
CREATE FUNCTION contestable_until(recorded_at timestamptz) RETURNS date
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT (recorded_at AT TIME ZONE 'Europe/Paris')::date + 8
$$;

-- Who stands aside in a matter for good: conflicts of interest that no membership shows.
CREATE TABLE recusals (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    initiative_id uuid NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    grounds text NOT NULL CONSTRAINT recusals_grounds CHECK (grounds IN ('membership', 'kinship', 'interest', 'other')),
    -- read by the town hall only
    text text,
    -- the agent who wrote it down for them; null when they did
    recorded_by uuid REFERENCES users (id),
    recused_at timestamptz NOT NULL,
    -- the person says that it is not so, when another recorded it; from then on it keeps them from nothing
    contested_at timestamptz,
    contest_reason text,
    PRIMARY KEY (id, commune_code),
    FOREIGN KEY (initiative_id, commune_code) REFERENCES initiatives (id, commune_code),
    CONSTRAINT recusals_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT recusals_recorded_by_another CHECK (recorded_by <> user_id),
    CONSTRAINT recusals_other_is_explained CHECK (grounds <> 'other' OR text IS NOT NULL),
    CONSTRAINT recusals_contested_whole CHECK ((contested_at IS NULL) = (contest_reason IS NULL)),
    CONSTRAINT recusals_contested_in_time CHECK (contested_at IS NULL OR (recorded_by IS NOT NULL
        AND (contested_at AT TIME ZONE 'Europe/Paris')::date <= contestable_until(recused_at)))
);
CREATE UNIQUE INDEX recusals_one_per_person ON recusals (initiative_id, commune_code, user_id) WHERE contested_at IS NULL;
-- What was recorded in somebody's name and may still be contested.
CREATE INDEX recusals_to_confirm ON recusals (commune_code, user_id, contestable_until(recused_at))
    WHERE recorded_by IS NOT NULL AND contested_at IS NULL;

CREATE FUNCTION guard_recusal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    day date := (NEW.recused_at AT TIME ZONE 'Europe/Paris')::date;
    contest text[] := ARRAY['contested_at', 'contest_reason'];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.contested_at IS NOT NULL OR to_jsonb(OLD) - contest <> to_jsonb(NEW) - contest THEN
            RAISE EXCEPTION 'a recusal changes only by being contested, once'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'recusals_append_only';
        END IF;
        RETURN NEW;
    END IF;
    -- Who decides at the same moment holds the initiative.
    PERFORM FROM initiatives WHERE (id, commune_code) = (NEW.initiative_id, NEW.commune_code) FOR UPDATE;
    IF NEW.recorded_by IS NOT NULL AND EXISTS (
        SELECT FROM recusals WHERE (initiative_id, commune_code, user_id) = (NEW.initiative_id, NEW.commune_code, NEW.user_id)
            AND contested_at IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'who has contested a recusal stands aside only by themselves'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recusals_contested_is_respected';
    END IF;
    IF NOT EXISTS (
        SELECT FROM mandates
        WHERE user_id = NEW.user_id AND commune_code = NEW.commune_code AND starts_on <= day
            AND (ends_on IS NULL OR ends_on >= day)
    ) THEN
        RAISE EXCEPTION 'who has no mandate has nothing to stand aside from'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'recusals_by_the_town_hall';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER recusals_guarded BEFORE INSERT OR UPDATE ON recusals
    FOR EACH ROW EXECUTE FUNCTION guard_recusal();

-- Whether somebody stands on the other side of a matter, or has stood aside in it.
CREATE FUNCTION stands_aside(person uuid, initiative uuid, commune text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM initiatives AS i JOIN holder_members AS m ON m.holder_id IN (i.holder_id, i.host_id)
            AND m.commune_code = i.commune_code
        WHERE (i.id, i.commune_code) = (initiative, commune) AND m.user_id = person AND m.state = 'active'
    ) OR EXISTS (
        SELECT FROM recusals AS r
        WHERE (r.initiative_id, r.commune_code, r.user_id) = (initiative, commune, person) AND r.contested_at IS NULL
    )
$$;

CREATE TABLE decisions (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    initiative_id uuid NOT NULL,
    outcome text NOT NULL CONSTRAINT decisions_outcome CHECK (outcome IN ('accepted', 'refused')),
    reason text NOT NULL CONSTRAINT decisions_reason_given CHECK (btrim(reason) <> ''),
    mandate_id uuid NOT NULL,
    decided_by uuid NOT NULL REFERENCES users (id),
    decided_on date NOT NULL,
    decided_at timestamptz NOT NULL,
    -- the function under which it was decided, as the mandate named it on that day
    capacity text NOT NULL,
    -- the agent who recorded, at decided_at, what was decided on paper; null when the official decided here
    recorded_by uuid REFERENCES users (id),
    paper_reference text,
    -- the official says that it is not what they decided
    contested_at timestamptz,
    contested_by uuid REFERENCES users (id),
    contest_reason text,
    PRIMARY KEY (id, commune_code),
    FOREIGN KEY (initiative_id, commune_code) REFERENCES initiatives (id, commune_code),
    FOREIGN KEY (mandate_id, commune_code) REFERENCES mandates (id, commune_code),
    CONSTRAINT decisions_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT decisions_not_in_the_future CHECK (decided_on <= (decided_at AT TIME ZONE 'Europe/Paris')::date),
    CONSTRAINT decisions_paper CHECK ((recorded_by IS NULL) = (paper_reference IS NULL)),
    CONSTRAINT decisions_recorded_by_another CHECK (recorded_by <> decided_by),
    CONSTRAINT decisions_contested_whole CHECK (num_nulls(contested_at, contested_by, contest_reason) IN (0, 3)),
    CONSTRAINT decisions_contested_by_the_official CHECK (contested_by = decided_by),
    CONSTRAINT decisions_contested_in_time CHECK (contested_at IS NULL OR (recorded_by IS NOT NULL
        AND (contested_at AT TIME ZONE 'Europe/Paris')::date <= contestable_until(decided_at)))
);
-- What was recorded in somebody's name and may still be contested.
CREATE INDEX decisions_to_confirm ON decisions (commune_code, decided_by, contestable_until(decided_at))
    WHERE recorded_by IS NOT NULL AND contested_at IS NULL;
CREATE INDEX decisions_by_initiative ON decisions (initiative_id, commune_code, decided_at DESC);

ALTER TABLE initiatives
    ADD FOREIGN KEY (opinion_id, commune_code) REFERENCES opinions (id, commune_code),
    ADD FOREIGN KEY (decision_id, commune_code) REFERENCES decisions (id, commune_code);

CREATE FUNCTION guard_decision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    contest text[] := ARRAY['contested_at', 'contested_by', 'contest_reason'];
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.contested_at IS NOT NULL OR to_jsonb(OLD) - contest <> to_jsonb(NEW) - contest THEN
            RAISE EXCEPTION 'a decision changes only by being contested, once'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'decisions_append_only';
        END IF;
        RETURN NEW;
    END IF;
    IF NOT mandate_covers(NEW.mandate_id, NEW.commune_code, NEW.decided_on, false)
        OR NOT EXISTS (SELECT FROM mandates WHERE id = NEW.mandate_id AND user_id = NEW.decided_by) THEN
        RAISE EXCEPTION 'no mandate of an elected official on that day'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decisions_mandate_held';
    END IF;
    PERFORM FROM initiatives WHERE (id, commune_code) = (NEW.initiative_id, NEW.commune_code) FOR UPDATE;
    IF stands_aside(NEW.decided_by, NEW.initiative_id, NEW.commune_code) THEN
        RAISE EXCEPTION 'a member of the holder or host, or who was recused, decides nothing'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'decisions_conflict_of_interest';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER decisions_guarded BEFORE INSERT OR UPDATE ON decisions
    FOR EACH ROW EXECUTE FUNCTION guard_decision();

-- Internal: read by the town hall only.
CREATE TABLE notes (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    initiative_id uuid NOT NULL,
    author_id uuid NOT NULL REFERENCES users (id),
    text text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id, commune_code),
    FOREIGN KEY (initiative_id, commune_code) REFERENCES initiatives (id, commune_code),
    CONSTRAINT notes_id_carries_commune CHECK (commune_of(id) = commune_code)
);
CREATE INDEX notes_by_initiative ON notes (initiative_id, commune_code, created_at DESC, id DESC);

CREATE TABLE endorsements (
    initiative_id uuid NOT NULL,
    commune_code text NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (initiative_id, commune_code, user_id),
    FOREIGN KEY (initiative_id, commune_code) REFERENCES initiatives (id, commune_code)
);
CREATE INDEX endorsements_by_user ON endorsements (user_id);

CREATE TABLE participations (
    initiative_id uuid NOT NULL,
    commune_code text NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (initiative_id, commune_code, user_id, started_at),
    FOREIGN KEY (initiative_id, commune_code) REFERENCES initiatives (id, commune_code),
    CONSTRAINT participations_dates CHECK (ended_at >= started_at)
);
CREATE UNIQUE INDEX participations_one_active ON participations (initiative_id, commune_code, user_id)
    WHERE ended_at IS NULL;
CREATE INDEX participations_by_user ON participations (user_id);

CREATE FUNCTION count_endorsements() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE initiatives SET endorsement_count = endorsement_count + CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END
    WHERE (id, commune_code) = (coalesce(NEW.initiative_id, OLD.initiative_id), coalesce(NEW.commune_code, OLD.commune_code));
    RETURN NULL;
END $$;
CREATE TRIGGER endorsements_counted AFTER INSERT OR DELETE ON endorsements
    FOR EACH ROW EXECUTE FUNCTION count_endorsements();

CREATE FUNCTION count_participants() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change integer := 0;
BEGIN
    IF TG_OP IN ('INSERT', 'UPDATE') AND NEW.ended_at IS NULL THEN change := change + 1; END IF;
    IF TG_OP IN ('DELETE', 'UPDATE') AND OLD.ended_at IS NULL THEN change := change - 1; END IF;
    IF change <> 0 THEN
        UPDATE initiatives SET participant_count = participant_count + change
        WHERE (id, commune_code) = (coalesce(NEW.initiative_id, OLD.initiative_id), coalesce(NEW.commune_code, OLD.commune_code));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER participations_counted AFTER INSERT OR UPDATE OR DELETE ON participations
    FOR EACH ROW EXECUTE FUNCTION count_participants();

-- People who are counted and not named: minors above all.
CREATE TABLE headcounts (
    initiative_id uuid NOT NULL,
    commune_code text NOT NULL,
    counted_on date NOT NULL,
    age_band text NOT NULL CONSTRAINT headcounts_age_band CHECK
        (age_band IN ('under_11', '11_14', '15_17', '18_29', '30_59', '60_plus', 'unknown')),
    people integer NOT NULL CONSTRAINT headcounts_people CHECK (people BETWEEN 1 AND 100000),
    recorded_by uuid NOT NULL REFERENCES users (id),
    PRIMARY KEY (initiative_id, commune_code, counted_on, age_band),
    FOREIGN KEY (initiative_id, commune_code) REFERENCES initiatives (id, commune_code)
);

-- What happened, in order, for ever. One row a change, written in the transaction of the change.
CREATE TABLE events (
    id uuid NOT NULL,
    -- the order in which things were written down, where several happened at one instant
    number bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    commune_code text NOT NULL REFERENCES communes (code),
    initiative_id uuid,
    -- the resource that changed
    subject text NOT NULL,
    subject_id uuid NOT NULL,
    action text NOT NULL,
    from_state text,
    to_state text,
    reason text,
    actor_id uuid REFERENCES users (id),
    -- in which quality the actor acted; 'clock' when time did
    actor_role text NOT NULL CONSTRAINT events_actor_role CHECK
        (actor_role IN ('holder', 'host', 'resident', 'agent', 'elected_official', 'town_hall', 'admin', 'client', 'clock')),
    on_behalf boolean NOT NULL DEFAULT false,
    visibility text NOT NULL CONSTRAINT events_visibility CHECK (visibility IN ('public', 'parties', 'commune')),
    at timestamptz NOT NULL,
    PRIMARY KEY (id, commune_code),
    CONSTRAINT events_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT events_clock_has_no_actor CHECK ((actor_role = 'clock') = (actor_id IS NULL))
);
CREATE INDEX events_by_initiative ON events (initiative_id, commune_code, at, number);
CREATE INDEX events_by_subject ON events (subject_id, commune_code, at, number);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME
        USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only';
END $$;
CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER opinions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON opinions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER recusals_append_only BEFORE DELETE OR TRUNCATE ON recusals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER decisions_append_only BEFORE DELETE OR TRUNCATE ON decisions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
