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
    -- one check of each occurrence
    PRIMARY KEY (commitment_id, commune_code, occurs_on),
    FOREIGN KEY (commitment_id, commune_code) REFERENCES commitments (id, commune_code),
    CONSTRAINT upkeep_checks_say_what_is_missing CHECK (outcome = 'done' OR remark IS NOT NULL),
    CONSTRAINT upkeep_checks_not_beforehand CHECK (occurs_on <= (checked_at AT TIME ZONE 'Europe/Paris')::date)
);
CREATE TRIGGER upkeep_checks_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON upkeep_checks
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION guard_upkeep_check() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    promised commitments;
BEGIN
    SELECT * INTO promised FROM commitments
    WHERE (id, commune_code) = (NEW.commitment_id, NEW.commune_code) FOR SHARE;
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
