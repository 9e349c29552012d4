-- La Poste's many establishments share SIREN 356000000 and only promise that their digits sum to a multiple of 5.
CREATE FUNCTION luhn(digits text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT sum(CASE WHEN place % 2 = 0 THEN digit WHEN digit > 4 THEN digit * 2 - 9 ELSE digit * 2 END) % 10 = 0
    FROM (
        SELECT substr(digits, length(digits) - place, 1)::integer AS digit, place
        FROM generate_series(0, length(digits) - 1) AS place
    ) AS reading
$$;

CREATE FUNCTION is_siret(siret text) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT siret ~ '^\d{14}$' AND (
        luhn(siret)
        OR (siret LIKE '356000000%'
            AND (SELECT sum(digit::integer) % 5 = 0 FROM regexp_split_to_table(siret, '') AS digit)))
$$;

CREATE TABLE holders (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    kind text NOT NULL CONSTRAINT holders_kind CHECK
        (kind IN ('person', 'collective', 'youth_group', 'association', 'school', 'company')),
    -- a natural person's is the display name that they chose
    name text NOT NULL,
    description text,
    siret text CONSTRAINT holders_siret CHECK (is_siret(siret)),
    -- the registered office
    address text,
    rna text CONSTRAINT holders_rna CHECK (rna ~ '^W\d[A-Z\d]\d{7}$'),
    -- day on which the "contrat d'engagement républicain" was subscribed to
    republican_commitment_on date,
    -- private
    contact_email text,
    contact_phone text,
    -- the agent who entered it at the counter; null when a resident did
    entered_by uuid REFERENCES users (id),
    -- the name that a partner's system gives it
    external_id text,
    created_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (id, commune_code),
    CONSTRAINT holders_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT holders_external_id_unique UNIQUE (commune_code, external_id),
    CONSTRAINT holders_natural_persons_have_no_siret CHECK
        (kind NOT IN ('person', 'collective', 'youth_group') OR (siret IS NULL AND rna IS NULL)),
    CONSTRAINT holders_natural_persons_have_no_office CHECK
        (kind NOT IN ('person', 'collective', 'youth_group') OR address IS NULL),
    CONSTRAINT holders_rna_is_for_associations CHECK (rna IS NULL OR kind IN ('association', 'school'))
);
CREATE INDEX holders_by_commune ON holders (commune_code, created_at DESC, id DESC);
CREATE INDEX holders_by_commune_and_kind ON holders (commune_code, kind, created_at DESC, id DESC);
CREATE UNIQUE INDEX holders_siret_unique ON holders (commune_code, siret);

CREATE TABLE holder_members (
    holder_id uuid NOT NULL,
    commune_code text NOT NULL,
    user_id uuid NOT NULL REFERENCES users (id),
    state text NOT NULL CONSTRAINT holder_members_state CHECK (state IN ('requested', 'active', 'left')),
    role text NOT NULL CONSTRAINT holder_members_role CHECK (role IN ('lead', 'member')),
    may_sign boolean NOT NULL DEFAULT false,
    since timestamptz NOT NULL,
    PRIMARY KEY (holder_id, commune_code, user_id),
    FOREIGN KEY (holder_id, commune_code) REFERENCES holders (id, commune_code)
);
CREATE INDEX holder_members_by_user ON holder_members (user_id, since DESC, holder_id DESC);
CREATE INDEX holder_members_by_holder ON holder_members (holder_id, commune_code, since DESC, user_id DESC);
-- Exactly one lead speaks for a holder's membership; it changes by handing over.
CREATE UNIQUE INDEX holder_members_one_lead ON holder_members (holder_id, commune_code)
    WHERE role = 'lead' AND state = 'active';

-- A natural person as conventions know them. Erasing the row leaves the hash in the signed content intact.
CREATE TABLE identities (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    user_id uuid REFERENCES users (id),
    full_name text,
    salt bytea,
    is_adult boolean NOT NULL,
    created_at timestamptz NOT NULL,
    erased_at timestamptz,
    PRIMARY KEY (id, commune_code),
    CONSTRAINT identities_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT identities_erased_whole CHECK
        ((erased_at IS NULL AND full_name IS NOT NULL AND salt IS NOT NULL)
        OR (erased_at IS NOT NULL AND full_name IS NULL AND salt IS NULL))
);
