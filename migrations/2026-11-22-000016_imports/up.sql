-- How the columns of a commune's own files become fields: titles, constants, and words for codes.
CREATE TABLE import_mappings (
    commune_code text NOT NULL REFERENCES communes (code),
    name text NOT NULL CONSTRAINT import_mappings_name CHECK (name ~ '^[a-z][a-z0-9_-]{0,59}$'),
    resource text NOT NULL CONSTRAINT import_mappings_resource CHECK
        (resource IN ('initiatives', 'holders', 'commitments', 'meetings', 'measures')),
    -- by the title of a column
    fields jsonb NOT NULL CONSTRAINT import_mappings_fields CHECK (jsonb_typeof(fields) = 'object'),
    constants jsonb NOT NULL CONSTRAINT import_mappings_constants CHECK (jsonb_typeof(constants) = 'object'),
    words jsonb NOT NULL CONSTRAINT import_mappings_words CHECK (jsonb_typeof(words) = 'object'),
    changed_by uuid NOT NULL REFERENCES users (id),
    changed_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (commune_code, name)
);

-- A file that is imported, a thousand rows a transaction. What a transaction did and how far the import has come are
-- written together: whatever cuts it off, the next one goes on where it stood.
CREATE TABLE imports (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    resource text NOT NULL CONSTRAINT imports_resource CHECK
        (resource IN ('initiatives', 'holders', 'commitments', 'meetings', 'measures')),
    file_type text NOT NULL CONSTRAINT imports_file_type CHECK (file_type IN ('csv', 'ndjson', 'xlsx', 'ods')),
    -- the mapping as it was when the file came
    mapping jsonb,
    validate_only boolean NOT NULL,
    state text NOT NULL CONSTRAINT imports_state CHECK
        (state IN ('receiving', 'queued', 'running', 'done', 'failed', 'cancelled')),
    fault text CONSTRAINT imports_fault CHECK
        (fault IN ('unreadable', 'too_large', 'bad_encoding', 'open_quote', 'bad_json', 'no_columns', 'repeated_column',
            'too_many_columns', 'not_allowed')),
    -- where it failed, if that is known
    fault_line bigint CONSTRAINT imports_fault_line CHECK (fault_line IS NULL OR fault_line > 0 AND fault IS NOT NULL),
    size_bytes bigint CONSTRAINT imports_size CHECK (size_bytes > 0),
    -- titles of its columns, in order
    titles jsonb,
    -- known once it is read to its end
    rows_total bigint,
    rows_read bigint NOT NULL DEFAULT 0,
    rows_created bigint NOT NULL DEFAULT 0,
    rows_updated bigint NOT NULL DEFAULT 0,
    rows_unchanged bigint NOT NULL DEFAULT 0,
    rows_refused bigint NOT NULL DEFAULT 0,
    -- until then a worker is at it
    leased_until timestamptz,
    created_by uuid NOT NULL REFERENCES users (id),
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    ended_at timestamptz,
    -- when its bytes went
    emptied_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (id, commune_code),
    CONSTRAINT imports_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT imports_rows_are_counted_once CHECK
        (rows_created + rows_updated + rows_unchanged + rows_refused = rows_read
        AND least(rows_created, rows_updated, rows_unchanged, rows_refused) >= 0 AND rows_read <= rows_total),
    CONSTRAINT imports_received_whole CHECK (state = 'receiving' OR size_bytes IS NOT NULL),
    CONSTRAINT imports_ended_whole CHECK ((state IN ('done', 'failed', 'cancelled')) = (ended_at IS NOT NULL)),
    CONSTRAINT imports_done_to_the_end CHECK (state <> 'done' OR (rows_total = rows_read) IS TRUE),
    CONSTRAINT imports_fault_of_failures CHECK ((state = 'failed') = (fault IS NOT NULL))
);
CREATE INDEX imports_by_commune ON imports (commune_code, created_at DESC, id DESC);
CREATE INDEX imports_to_do ON imports (created_at) WHERE state IN ('queued', 'running');
CREATE INDEX imports_to_empty ON imports (created_at) WHERE emptied_at IS NULL;

CREATE FUNCTION guard_import() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'receiving' OR NEW.rows_read <> 0 THEN
            RAISE EXCEPTION 'an import begins with its file'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'imports_start';
        END IF;
    ELSIF NEW.rows_read < OLD.rows_read OR OLD.ended_at IS NOT NULL
            AND to_jsonb(NEW) - 'emptied_at' <> to_jsonb(OLD) - 'emptied_at' THEN
        RAISE EXCEPTION 'what is imported is imported, and what has ended has ended'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'imports_go_forward';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER imports_guarded BEFORE INSERT OR UPDATE ON imports
    FOR EACH ROW EXECUTE FUNCTION guard_import();

-- The rows that were refused, as they came, so that they can be corrected and sent again. They may hold what is not for
-- everybody, and go after a month.
CREATE TABLE import_refusals (
    import_id uuid NOT NULL,
    commune_code text NOT NULL,
    row_number bigint NOT NULL CONSTRAINT import_refusals_row_number CHECK (row_number > 0),
    cells jsonb NOT NULL CONSTRAINT import_refusals_cells CHECK (jsonb_typeof(cells) = 'array'),
    -- in both languages
    faults jsonb NOT NULL CONSTRAINT import_refusals_faults CHECK (faults ?& ARRAY['fr', 'en']),
    PRIMARY KEY (import_id, commune_code, row_number),
    FOREIGN KEY (import_id, commune_code) REFERENCES imports (id, commune_code) ON DELETE CASCADE
);
