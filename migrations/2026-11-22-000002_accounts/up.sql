-- Accounts are global: a person may live in one commune and be an agent of another. A program of a commune (clients) acts
-- in the name of an account too, so that whatever names who acted may name it; of a person it has nothing.
CREATE TABLE users (
    id uuid PRIMARY KEY,
    kind text NOT NULL DEFAULT 'person' CONSTRAINT users_kind CHECK (kind IN ('person', 'client')),
    email text CONSTRAINT users_email_unique UNIQUE
        CONSTRAINT users_email_folded CHECK (email = lower(email)),
    password_hash text,
    -- public, chosen by the person
    display_name text NOT NULL,
    -- private: stands in conventions as a salted hash
    full_name text,
    -- private: under 15 there is no account, under 18 no signature
    birth_on date,
    is_admin boolean NOT NULL DEFAULT false,
    locale text NOT NULL DEFAULT 'fr' CONSTRAINT users_locale CHECK (locale IN ('fr', 'en')),
    created_at timestamptz NOT NULL,
    erased_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT users_at_least_15 CHECK (birth_on <= (created_at AT TIME ZONE 'Europe/Paris')::date - interval '15 years'),
    CONSTRAINT users_people_have_names CHECK (kind <> 'person' OR num_nulls(email, password_hash, full_name, birth_on) = 0),
    CONSTRAINT users_clients_are_no_people CHECK
        (kind <> 'client' OR (num_nonnulls(email, password_hash, full_name, birth_on) = 0 AND NOT is_admin))
);

-- One row a refresh token ever given. A used token that comes back kills its whole family.
CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY,
    family_id uuid NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX refresh_tokens_by_family ON refresh_tokens (family_id);
CREATE INDEX refresh_tokens_by_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);

CREATE TABLE mandates (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    user_id uuid NOT NULL REFERENCES users (id),
    role text NOT NULL CONSTRAINT mandates_role CHECK (role IN ('agent', 'elected_official')),
    -- the person's function as conventions print it: "Maire", "Adjointe à la vie associative"
    capacity text NOT NULL,
    may_sign boolean NOT NULL,
    -- the act that gives the power to sign: the mayor's order of delegation; for the mayor the minutes of the election
    delegation_reference text,
    delegation_on date,
    starts_on date NOT NULL,
    -- last day of the mandate, included
    ends_on date,
    granted_by uuid NOT NULL REFERENCES users (id),
    created_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (id, commune_code),
    CONSTRAINT mandates_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT mandates_dates CHECK (ends_on >= starts_on),
    CONSTRAINT mandates_agents_never_sign CHECK (role = 'elected_official' OR NOT may_sign),
    CONSTRAINT mandates_delegation_whole CHECK ((delegation_reference IS NULL) = (delegation_on IS NULL)),
    CONSTRAINT mandates_sign_by_delegation CHECK (NOT may_sign OR delegation_on IS NOT NULL)
);
CREATE INDEX mandates_by_user ON mandates (user_id);
CREATE INDEX mandates_by_commune ON mandates (commune_code, starts_on DESC, id DESC);

-- True when the mandate (of that commune) covers the day, and so does its delegation where it is to sign. Triggers use
-- it for "held a mandate that day".
CREATE FUNCTION mandate_covers(mandate uuid, commune text, day date, needs_signature boolean) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM mandates
        WHERE id = mandate AND commune_code = commune AND role = 'elected_official'
            AND starts_on <= day AND (ends_on IS NULL OR ends_on >= day)
            AND (NOT needs_signature OR (may_sign AND delegation_on <= day))
    )
$$;

-- Answers to POST requests that carried an Idempotency-Key, kept 24 hours.
CREATE TABLE idempotency_keys (
    -- the nil UUID for those who have no account yet
    user_id uuid NOT NULL,
    operation text NOT NULL,
    key text NOT NULL,
    -- HMAC: a body may hold a password
    body_digest bytea NOT NULL,
    status smallint NOT NULL,
    body text,
    etag text,
    location text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, operation, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at);
