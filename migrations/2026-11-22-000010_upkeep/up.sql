-- What somebody saw who looked after an upkeep. The days on which it is due are computed from its rule; what is not
-- reported here is presumed done.
CREATE TABLE upkeep_checks (
    commitment_id uuid NOT NULL,
    commune_code text NOT NULL,
    -- the day on which it was due
    occurs_on date NOT NULL,
    outcome text NOT NULL CONSTRAINT upkeep_checks_outcome CHECK (outcome IN ('done', 'not_done')),
    remark text,
    checked_by uuid NOT NULL REFERENCES users (id),
    checked_at timestamptz NOT NULL,
    -- one check of each occurrence, and one more that says what was not done is caught up
    PRIMARY KEY (commitment_id, commune_code, occurs_on, outcome),
    FOREIGN KEY (commitment_id, commune_code) REFERENCES commitments (id, commune_code),
    CONSTRAINT upkeep_checks_say_what_is_missing CHECK (outcome = 'done' OR remark IS NOT NULL),
    CONSTRAINT upkeep_checks_not_beforehand CHECK (occurs_on <= (checked_at AT TIME ZONE 'Europe/Paris')::date)
);
CREATE INDEX upkeep_checks_missing ON upkeep_checks (commune_code) WHERE outcome = 'not_done';
CREATE TRIGGER upkeep_checks_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON upkeep_checks
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION guard_upkeep_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    promised commitments;
BEGIN
    SELECT * INTO promised FROM commitments
    WHERE (id, commune_code) = (NEW.commitment_id, NEW.commune_code) FOR UPDATE;
    IF EXISTS (
        SELECT FROM upkeep_checks
        WHERE (commitment_id, commune_code, occurs_on, outcome) = (NEW.commitment_id, NEW.commune_code, NEW.occurs_on, 'done')
    ) THEN
        RAISE EXCEPTION 'what is done is done'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'upkeep_checks_done_once';
    END IF;
    IF promised.state <> 'binding' THEN
        RAISE EXCEPTION 'only what a convention binds is checked'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'upkeep_checks_of_binding_commitments';
    END IF;
    IF (NEW.occurs_on BETWEEN promised.upkeep_starts_on AND promised.upkeep_ends_on) IS NOT TRUE THEN
        RAISE EXCEPTION 'not within the upkeep'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'upkeep_checks_within_upkeep';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER upkeep_checks_guarded BEFORE INSERT ON upkeep_checks
    FOR EACH ROW EXECUTE FUNCTION guard_upkeep_check();

-- Somebody else takes an upkeep over. What was signed stays as it is, and its party too: who owes from that day on is
-- said here, offer by offer.
CREATE TABLE upkeep_hand_overs (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    commitment_id uuid NOT NULL,
    -- who takes it over, and from which day
    holder_id uuid NOT NULL,
    starts_on date NOT NULL,
    state text NOT NULL CONSTRAINT upkeep_hand_overs_state CHECK (state IN ('offered', 'accepted', 'refused', 'withdrawn')),
    reason text NOT NULL,
    offered_by uuid NOT NULL REFERENCES users (id),
    on_behalf boolean NOT NULL DEFAULT false,
    offered_at timestamptz NOT NULL,
    answered_by uuid REFERENCES users (id),
    answered_at timestamptz,
    answer_reason text,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (id, commune_code),
    FOREIGN KEY (commitment_id, commune_code) REFERENCES commitments (id, commune_code),
    FOREIGN KEY (holder_id, commune_code) REFERENCES holders (id, commune_code),
    CONSTRAINT upkeep_hand_overs_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT upkeep_hand_overs_answered_whole CHECK
        ((state = 'offered') = (answered_at IS NULL) AND (answered_at IS NULL) = (answered_by IS NULL)),
    CONSTRAINT upkeep_hand_overs_accepted_by_another CHECK (state <> 'accepted' OR answered_by <> offered_by)
);
CREATE UNIQUE INDEX upkeep_hand_overs_one_offered ON upkeep_hand_overs (commitment_id, commune_code)
    WHERE state = 'offered';
CREATE INDEX upkeep_hand_overs_by_commitment ON upkeep_hand_overs (commitment_id, commune_code, starts_on, answered_at)
    INCLUDE (holder_id, state);
INSERT INTO lifecycle_transitions (lifecycle, from_state, to_state) VALUES
    ('hand_over', 'offered', 'accepted'),
    ('hand_over', 'offered', 'refused'),
    ('hand_over', 'offered', 'withdrawn');
CREATE TRIGGER upkeep_hand_overs_follow_lifecycle BEFORE INSERT OR UPDATE OF state ON upkeep_hand_overs
    FOR EACH ROW EXECUTE FUNCTION follow_lifecycle('hand_over', 'offered');

CREATE FUNCTION guard_upkeep_hand_over() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    promised commitments;
BEGIN
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND (OLD.state <> 'offered'
            OR (to_jsonb(OLD) - ARRAY['state', 'answered_by', 'answered_at', 'answer_reason', 'version'])
            <> (to_jsonb(NEW) - ARRAY['state', 'answered_by', 'answered_at', 'answer_reason', 'version']))) THEN
        RAISE EXCEPTION 'an offer changes only by its answer'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'upkeep_hand_overs_append_only';
    END IF;
    SELECT * INTO promised FROM commitments
    WHERE (id, commune_code) = (NEW.commitment_id, NEW.commune_code) FOR SHARE;
    IF NEW.state IN ('offered', 'accepted') AND promised.state <> 'binding' THEN
        RAISE EXCEPTION 'only what a convention binds is handed over'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'upkeep_hand_overs_of_binding_commitments';
    END IF;
    IF TG_OP = 'INSERT' AND (promised.side <> 'commune'
            AND NEW.starts_on BETWEEN promised.upkeep_starts_on AND promised.upkeep_ends_on) IS NOT TRUE THEN
        RAISE EXCEPTION 'an upkeep of the others, within its time'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'upkeep_hand_overs_within_upkeep';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER upkeep_hand_overs_guarded BEFORE INSERT OR UPDATE OR DELETE ON upkeep_hand_overs
    FOR EACH ROW EXECUTE FUNCTION guard_upkeep_hand_over();
CREATE TRIGGER upkeep_hand_overs_kept BEFORE TRUNCATE ON upkeep_hand_overs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
