-- The articles that a commune puts into its conventions. A version never changes: a convention keeps the one with which
-- it was opened. Version 0 is the program's own and has no row.
CREATE TABLE convention_templates (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    version integer NOT NULL CONSTRAINT convention_templates_version CHECK (version >= 1),
    -- a list of title and text
    articles jsonb NOT NULL CONSTRAINT convention_templates_articles CHECK
        (jsonb_typeof(articles) = 'array' AND jsonb_array_length(articles) BETWEEN 1 AND 40),
    saved_by uuid NOT NULL REFERENCES users (id),
    saved_at timestamptz NOT NULL,
    PRIMARY KEY (id, commune_code),
    CONSTRAINT convention_templates_id_carries_commune CHECK (commune_of(id) = commune_code),
    -- of two that follow the same version one is saved
    CONSTRAINT convention_templates_one_follows UNIQUE (commune_code, version)
);
CREATE TRIGGER convention_templates_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON convention_templates
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION guard_convention_template() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version > 1 AND NOT EXISTS (
        SELECT FROM convention_templates WHERE (commune_code, version) = (NEW.commune_code, NEW.version - 1)
    ) THEN
        RAISE EXCEPTION 'versions follow each other without a gap'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'convention_templates_without_gap';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER convention_templates_guarded BEFORE INSERT ON convention_templates
    FOR EACH ROW EXECUTE FUNCTION guard_convention_template();

-- Where the articles came from; null for the program's own. Not material: the words themselves stand in the content. It
-- is frozen with the content all the same, by the trigger that guards the row.
ALTER TABLE conventions
    ADD COLUMN template_id uuid,
    ADD CONSTRAINT conventions_template FOREIGN KEY (template_id, commune_code)
        REFERENCES convention_templates (id, commune_code);
