-- Counts the changes of what everybody may read, so that an export tells whether anything is new without reading it all.
-- Rows are only added: a counter in one row would make those who write wait for each other. src/exports/changes.rs adds
-- them up. What is not public is not counted: a tag that changes would tell that something happens.
CREATE TABLE public_changes (
    number bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    source text NOT NULL,
    commune_code text NOT NULL,
    changes bigint NOT NULL,
    -- of the server's clock: it is for caches, not a date of the domain
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX public_changes_by_commune ON public_changes (commune_code, source);

-- What was there before anybody counted.
INSERT INTO public_changes (source, commune_code, changes) VALUES ('all', '', 1);

CREATE FUNCTION count_public_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed jsonb := to_jsonb(coalesce(NEW, OLD));
BEGIN
    INSERT INTO public_changes (source, commune_code, changes)
    VALUES (TG_TABLE_NAME, coalesce(changed ->> 'commune_code', changed ->> 'code'), 1);
    RETURN NULL;
END $$;

CREATE TRIGGER initiatives_public_insert AFTER INSERT ON initiatives
    FOR EACH ROW WHEN (NEW.published_at IS NOT NULL) EXECUTE FUNCTION count_public_change();
CREATE TRIGGER initiatives_public_update AFTER UPDATE ON initiatives
    FOR EACH ROW WHEN (OLD.published_at IS NOT NULL OR NEW.published_at IS NOT NULL) EXECUTE FUNCTION count_public_change();
CREATE TRIGGER conventions_public_update AFTER UPDATE ON conventions
    FOR EACH ROW WHEN (NEW.activated_at IS NOT NULL) EXECUTE FUNCTION count_public_change();
CREATE TRIGGER commitments_public AFTER INSERT OR UPDATE ON commitments
    FOR EACH ROW WHEN (NEW.state IN ('binding', 'fulfilled', 'partially_fulfilled', 'unfulfilled'))
    EXECUTE FUNCTION count_public_change();
CREATE TRIGGER fulfilments_public_update AFTER UPDATE ON fulfilments
    FOR EACH ROW WHEN (OLD.state = 'acknowledged' OR NEW.state = 'acknowledged') EXECUTE FUNCTION count_public_change();
CREATE TRIGGER holders_public AFTER INSERT OR UPDATE OR DELETE ON holders
    FOR EACH ROW EXECUTE FUNCTION count_public_change();
CREATE TRIGGER holder_members_public_insert AFTER INSERT ON holder_members
    FOR EACH ROW WHEN (NEW.state = 'active') EXECUTE FUNCTION count_public_change();
CREATE TRIGGER holder_members_public_update AFTER UPDATE ON holder_members
    FOR EACH ROW WHEN (OLD.state = 'active' OR NEW.state = 'active') EXECUTE FUNCTION count_public_change();
CREATE TRIGGER meetings_public AFTER INSERT OR UPDATE OR DELETE ON meetings
    FOR EACH ROW EXECUTE FUNCTION count_public_change();
CREATE TRIGGER measures_public AFTER INSERT OR UPDATE OR DELETE ON measures
    FOR EACH ROW EXECUTE FUNCTION count_public_change();
CREATE TRIGGER authorities_public AFTER INSERT OR UPDATE OR DELETE ON authorities
    FOR EACH ROW EXECUTE FUNCTION count_public_change();
CREATE TRIGGER subsidy_records_public AFTER INSERT OR UPDATE ON subsidy_records
    FOR EACH ROW EXECUTE FUNCTION count_public_change();
-- Of a commune its settings; what its documents take changes with each upload, and the version does not.
CREATE TRIGGER communes_public AFTER UPDATE OF version ON communes
    FOR EACH ROW EXECUTE FUNCTION count_public_change();

-- The establishment of the commune that decides and gives: the national schemas want it. That it begins with the SIREN is
-- checked when it is set: a commune that merges with others keeps its code and gets another SIREN.
ALTER TABLE communes ADD COLUMN siret text CONSTRAINT communes_siret CHECK (is_siret(siret));
