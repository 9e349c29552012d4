-- What a commune's documents may take, and what they take. The default costs no rewrite of the table.
ALTER TABLE communes
    ADD COLUMN document_quota_bytes bigint NOT NULL DEFAULT 1000000000,
    -- kept by a trigger on documents
    ADD COLUMN document_bytes bigint NOT NULL DEFAULT 0;
ALTER TABLE communes
    ADD CONSTRAINT communes_document_quota CHECK (document_bytes BETWEEN 0 AND document_quota_bytes);

-- A file about an initiative, about one thing of it, or about a meeting. Its bytes are in the store of documents, under its id: a row is
-- there before them and after them, so that no bytes are ever without one.
CREATE TABLE documents (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    initiative_id uuid,
    -- lost with the meeting, when that was recorded by mistake
    meeting_id uuid,
    -- what of the initiative it is about; nothing where it is about the whole
    convention_id uuid,
    fulfilment_id uuid,
    evaluation_id uuid,
    -- pending while its bytes come in
    state text NOT NULL CONSTRAINT documents_state CHECK (state IN ('pending', 'stored', 'erased')),
    -- forgotten with the bytes: a name may be a person's
    name text CONSTRAINT documents_name CHECK (name <> ''),
    purpose text NOT NULL CONSTRAINT documents_purpose CHECK
        (purpose IN ('scan', 'photo', 'minutes', 'proof', 'plan', 'other')),
    -- only the two sides read it, whatever it is about
    internal boolean NOT NULL,
    media_type text CONSTRAINT documents_media_type CHECK
        (media_type IN ('application/pdf', 'image/jpeg', 'image/png', 'image/webp', 'text/plain', 'text/csv',
            'application/vnd.oasis.opendocument.text', 'application/vnd.oasis.opendocument.spreadsheet',
            'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
            'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet')),
    size_bytes bigint CONSTRAINT documents_size CHECK (size_bytes > 0),
    sha256 text CONSTRAINT documents_hash_form CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    uploaded_by uuid NOT NULL REFERENCES users (id),
    created_at timestamptz NOT NULL,
    erased_by uuid REFERENCES users (id),
    erased_at timestamptz,
    -- when the store had no byte of it any more
    emptied_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (id, commune_code),
    FOREIGN KEY (initiative_id, commune_code) REFERENCES initiatives (id, commune_code),
    FOREIGN KEY (meeting_id, commune_code) REFERENCES meetings (id, commune_code) ON DELETE SET NULL (meeting_id),
    FOREIGN KEY (convention_id, commune_code) REFERENCES conventions (id, commune_code),
    FOREIGN KEY (fulfilment_id, commune_code) REFERENCES fulfilments (id, commune_code),
    FOREIGN KEY (evaluation_id, commune_code) REFERENCES evaluations (id, commune_code),
    CONSTRAINT documents_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT documents_about_something CHECK
        (num_nonnulls(initiative_id, meeting_id) = 1 OR initiative_id IS NULL AND state <> 'stored'),
    CONSTRAINT documents_about_one_thing CHECK (num_nonnulls(convention_id, fulfilment_id, evaluation_id) <= 1),
    CONSTRAINT documents_whole_when_stored CHECK
        ((state = 'pending') = (media_type IS NULL) AND (state = 'pending') = (size_bytes IS NULL)
        AND (state = 'pending') = (sha256 IS NULL)),
    CONSTRAINT documents_erased_whole CHECK
        ((state = 'erased') = (erased_by IS NOT NULL) AND (state = 'erased') = (erased_at IS NOT NULL)
        AND (state = 'erased') = (name IS NULL) AND (emptied_at IS NULL OR state = 'erased'))
);
CREATE INDEX documents_by_initiative ON documents (initiative_id, commune_code, created_at DESC, id DESC)
    WHERE state = 'stored';
CREATE INDEX documents_by_meeting ON documents (meeting_id, commune_code, created_at DESC, id DESC)
    WHERE meeting_id IS NOT NULL;
-- Those whose bytes are to go.
CREATE INDEX documents_to_empty ON documents (created_at) WHERE state <> 'stored' AND emptied_at IS NULL;

-- A document begins without bytes, never changes once it has them, and is erased for good; its row goes only before
-- that. What it is about belongs to its initiative.
CREATE FUNCTION guard_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.state <> 'pending' THEN
            RAISE EXCEPTION 'what is left of a document stays'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'documents_stay';
        END IF;
        RETURN OLD;
    END IF;
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'pending' THEN
            RAISE EXCEPTION 'a new document is pending'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'documents_start';
        END IF;
    ELSIF OLD.meeting_id IS NOT NULL AND to_jsonb(NEW) = to_jsonb(OLD) || '{"meeting_id": null}' THEN
        -- Its meeting goes.
        RETURN NEW;
    ELSIF (OLD.state, NEW.state) NOT IN (('pending', 'stored'), ('stored', 'erased'), ('erased', 'erased')) THEN
        RAISE EXCEPTION 'a document cannot go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'documents_transition';
    ELSIF (OLD.id, OLD.commune_code, OLD.initiative_id, OLD.meeting_id, OLD.convention_id, OLD.fulfilment_id,
            OLD.evaluation_id, OLD.purpose, OLD.internal, OLD.uploaded_by, OLD.created_at) IS DISTINCT FROM
        (NEW.id, NEW.commune_code, NEW.initiative_id, NEW.meeting_id, NEW.convention_id, NEW.fulfilment_id,
            NEW.evaluation_id, NEW.purpose, NEW.internal, NEW.uploaded_by, NEW.created_at)
        OR OLD.state <> 'pending' AND (OLD.media_type, OLD.size_bytes, OLD.sha256) IS DISTINCT FROM
            (NEW.media_type, NEW.size_bytes, NEW.sha256)
        OR OLD.state = 'erased' AND (OLD.erased_by, OLD.erased_at) IS DISTINCT FROM (NEW.erased_by, NEW.erased_at) THEN
        RAISE EXCEPTION 'a document does not change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'documents_do_not_change';
    END IF;
    IF TG_OP = 'INSERT' AND (
        NEW.convention_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM conventions
            WHERE (id, commune_code, initiative_id) = (NEW.convention_id, NEW.commune_code, NEW.initiative_id))
        OR NEW.fulfilment_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM fulfilments AS f
            JOIN commitments AS c ON (c.id, c.commune_code) = (f.commitment_id, f.commune_code)
            WHERE (f.id, f.commune_code, c.initiative_id) = (NEW.fulfilment_id, NEW.commune_code, NEW.initiative_id))
        OR NEW.evaluation_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM evaluations
            WHERE (id, commune_code, initiative_id) = (NEW.evaluation_id, NEW.commune_code, NEW.initiative_id))
    ) THEN
        RAISE EXCEPTION 'it is about something of another initiative'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'documents_of_one_initiative';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER documents_guarded BEFORE INSERT OR UPDATE OR DELETE ON documents
    FOR EACH ROW EXECUTE FUNCTION guard_document();

-- Counts what is stored against the commune's quota: of two uploads at once at its edge, one goes in.
CREATE FUNCTION count_document_bytes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE communes
    SET document_bytes = document_bytes + CASE NEW.state WHEN 'stored' THEN NEW.size_bytes ELSE -NEW.size_bytes END
    WHERE code = NEW.commune_code;
    RETURN NULL;
END $$;
CREATE TRIGGER documents_counted AFTER UPDATE OF state ON documents
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION count_document_bytes();

-- The scan of what was signed on paper, and of the paper that an agent entered an initiative from. Both show names and
-- handwriting, so that only the two sides may read them.
ALTER TABLE signatures
    ADD COLUMN document_id uuid,
    ADD FOREIGN KEY (document_id, commune_code) REFERENCES documents (id, commune_code),
    ADD CONSTRAINT signatures_scan_of_paper CHECK (document_id IS NULL OR method = 'paper');
ALTER TABLE initiatives
    ADD COLUMN paper_document_id uuid,
    ADD FOREIGN KEY (paper_document_id, commune_code) REFERENCES documents (id, commune_code),
    ADD CONSTRAINT initiatives_scan_of_paper CHECK (paper_document_id IS NULL OR channel = 'paper');
CREATE INDEX signatures_by_document ON signatures (document_id, commune_code) WHERE document_id IS NOT NULL;

CREATE FUNCTION guard_scan() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    scan documents;
BEGIN
    IF TG_TABLE_NAME = 'signatures' THEN
        SELECT * INTO scan FROM documents
        WHERE (id, commune_code, convention_id) = (NEW.document_id, NEW.commune_code, NEW.convention_id) FOR SHARE;
    ELSIF TG_OP = 'UPDATE' AND NEW.paper_document_id = OLD.paper_document_id THEN
        -- It may have been erased since.
        RETURN NEW;
    ELSE
        SELECT * INTO scan FROM documents
        WHERE (id, commune_code, initiative_id) = (NEW.paper_document_id, NEW.commune_code, NEW.id)
            AND num_nonnulls(convention_id, fulfilment_id, evaluation_id) = 0 FOR SHARE;
    END IF;
    IF (scan.purpose, scan.internal, scan.state) IS DISTINCT FROM ('scan', true, 'stored') THEN
        RAISE EXCEPTION 'no internal scan of this very paper'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_scan';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER signatures_scan BEFORE INSERT ON signatures
    FOR EACH ROW WHEN (NEW.document_id IS NOT NULL) EXECUTE FUNCTION guard_scan();
CREATE TRIGGER initiatives_scan BEFORE INSERT OR UPDATE OF paper_document_id ON initiatives
    FOR EACH ROW WHEN (NEW.paper_document_id IS NOT NULL) EXECUTE FUNCTION guard_scan();
