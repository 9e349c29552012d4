-- Programs of a commune's partners, or of its own: what they may do there, from where, and until when.
CREATE TABLE clients (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    -- the account in whose name it acts; it outlives the client, for the history
    user_id uuid NOT NULL CONSTRAINT clients_account UNIQUE REFERENCES users (id),
    name text NOT NULL,
    contact text NOT NULL,
    scopes text[] NOT NULL CONSTRAINT clients_scopes CHECK
        (cardinality(scopes) > 0 AND scopes <@ ARRAY['import', 'webhooks', 'meetings', 'measures']),
    -- from where it calls; from anywhere when there is none
    address_ranges cidr[] NOT NULL CONSTRAINT clients_address_ranges CHECK (array_position(address_ranges, NULL) IS NULL),
    state text NOT NULL CONSTRAINT clients_state CHECK (state IN ('active', 'disabled')),
    state_changed_at timestamptz NOT NULL,
    expires_at timestamptz,
    -- SHA-256: 256 random bits need no slow hash. The number tells which secret a token was given for.
    secret_number integer NOT NULL CONSTRAINT clients_secret_number CHECK (secret_number > 0),
    secret_hash bytea NOT NULL CONSTRAINT clients_secret_is_hashed CHECK (octet_length(secret_hash) = 32),
    secret_made_at timestamptz NOT NULL,
    -- the one before, which the partner may still go by
    previous_secret_hash bytea CONSTRAINT clients_previous_secret_is_hashed CHECK (octet_length(previous_secret_hash) = 32),
    previous_secret_until timestamptz,
    created_by uuid NOT NULL REFERENCES users (id),
    created_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (id, commune_code),
    CONSTRAINT clients_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT clients_previous_whole CHECK (num_nulls(previous_secret_hash, previous_secret_until) IN (0, 2)),
    CONSTRAINT clients_previous_was_one CHECK (previous_secret_hash IS NULL OR secret_number > 1)
);
CREATE INDEX clients_by_commune ON clients (commune_code, created_at DESC, id DESC);

-- A client keeps its account and its commune, its secrets are numbered upwards, and the account is no person's. It bears
-- the client's name.
CREATE FUNCTION guard_client() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.id, NEW.commune_code, NEW.user_id) IS DISTINCT FROM (OLD.id, OLD.commune_code, OLD.user_id) THEN
        RAISE EXCEPTION 'a client keeps its commune and its account'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clients_keep_their_account';
    END IF;
    IF TG_OP = 'UPDATE' AND (NEW.secret_number < OLD.secret_number
        OR (NEW.secret_number = OLD.secret_number) <> (NEW.secret_hash = OLD.secret_hash)) THEN
        RAISE EXCEPTION 'each secret has a number of its own'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clients_secrets_are_numbered';
    END IF;
    UPDATE users SET display_name = NEW.name WHERE id = NEW.user_id AND kind = 'client';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a client acts in the name of an account of its own'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'clients_account_is_no_person';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER clients_guarded BEFORE INSERT OR UPDATE ON clients
    FOR EACH ROW EXECUTE FUNCTION guard_client();

-- No account becomes another kind of account.
CREATE FUNCTION guard_account_kind() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an account stays what it is'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'users_keep_their_kind';
END $$;
CREATE TRIGGER users_keep_their_kind BEFORE UPDATE OF kind ON users
    FOR EACH ROW WHEN (OLD.kind <> NEW.kind) EXECUTE FUNCTION guard_account_kind();

-- What only people do: a program has no mandate, and so decides nothing and signs nothing for the commune; it is no party
-- to a convention, gives no opinion, joins no holder, supports nothing, and does not sign in as people do.
CREATE FUNCTION people_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    who uuid := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    IF EXISTS (SELECT FROM users WHERE id = who AND kind = 'client') THEN
        RAISE EXCEPTION 'only people do this'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'people_only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refresh_tokens_people_only BEFORE INSERT OR UPDATE OF user_id ON refresh_tokens
    FOR EACH ROW EXECUTE FUNCTION people_only('user_id');
CREATE TRIGGER mandates_people_only BEFORE INSERT OR UPDATE OF user_id ON mandates
    FOR EACH ROW EXECUTE FUNCTION people_only('user_id');
CREATE TRIGGER holder_members_people_only BEFORE INSERT OR UPDATE OF user_id ON holder_members
    FOR EACH ROW EXECUTE FUNCTION people_only('user_id');
CREATE TRIGGER identities_people_only BEFORE INSERT OR UPDATE OF user_id ON identities
    FOR EACH ROW EXECUTE FUNCTION people_only('user_id');
CREATE TRIGGER opinions_people_only BEFORE INSERT OR UPDATE OF given_by ON opinions
    FOR EACH ROW EXECUTE FUNCTION people_only('given_by');
CREATE TRIGGER endorsements_people_only BEFORE INSERT OR UPDATE OF user_id ON endorsements
    FOR EACH ROW EXECUTE FUNCTION people_only('user_id');
CREATE TRIGGER participations_people_only BEFORE INSERT OR UPDATE OF user_id ON participations
    FOR EACH ROW EXECUTE FUNCTION people_only('user_id');
CREATE TRIGGER convention_parties_people_only BEFORE INSERT OR UPDATE OF user_id ON convention_parties
    FOR EACH ROW EXECUTE FUNCTION people_only('user_id');

-- Requests of a client, counted by day (Europe/Paris), part of the API and class of the answer's status.
CREATE TABLE client_usage (
    client_id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    day date NOT NULL,
    tag text NOT NULL,
    outcome text NOT NULL CONSTRAINT client_usage_outcome CHECK (outcome IN ('2xx', '3xx', '4xx', '5xx')),
    requests bigint NOT NULL CONSTRAINT client_usage_requests CHECK (requests > 0),
    last_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, commune_code, day, tag, outcome),
    FOREIGN KEY (client_id, commune_code) REFERENCES clients (id, commune_code) ON DELETE CASCADE
);
CREATE INDEX client_usage_by_day ON client_usage (day);
