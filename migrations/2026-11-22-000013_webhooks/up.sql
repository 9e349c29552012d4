-- Addresses that are told what changes in a commune.
CREATE TABLE webhooks (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    url text NOT NULL,
    kinds text[] NOT NULL CONSTRAINT webhooks_kinds CHECK
        (cardinality(kinds) > 0 AND kinds <@ ARRAY['initiative', 'convention', 'commitment', 'fulfilment', 'evaluation',
            'meeting', 'measure', 'holder', 'practice']),
    description text,
    state text NOT NULL CONSTRAINT webhooks_state CHECK (state IN ('active', 'disabled')),
    disabled_by text CONSTRAINT webhooks_disabled_by CHECK (disabled_by IN ('by_hand', 'failing')),
    state_changed_at timestamptz NOT NULL,
    failing_since timestamptz,
    -- what requests are signed with, as it is: a hash signs nothing
    secret text NOT NULL CONSTRAINT webhooks_secret CHECK (secret ~ '^whsec_[A-Za-z0-9+/]{43}=$'),
    -- the one before, which the receiver may still go by
    previous_secret text,
    previous_secret_until timestamptz,
    -- the place in the feed up to which there are deliveries
    position bigint NOT NULL,
    created_by uuid NOT NULL REFERENCES users (id),
    created_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (id, commune_code),
    CONSTRAINT webhooks_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT webhooks_disabled_whole CHECK ((state = 'disabled') = (disabled_by IS NOT NULL)),
    CONSTRAINT webhooks_previous_whole CHECK (num_nulls(previous_secret, previous_secret_until) IN (0, 2))
);
CREATE INDEX webhooks_by_commune ON webhooks (commune_code, created_at DESC, id DESC);

-- One change, or a test, for one webhook. The feed is the outbox: a delivery is made of a change that has its place there.
CREATE TABLE webhook_deliveries (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    webhook_id uuid NOT NULL,
    -- null for a test
    change_position bigint REFERENCES changes (position),
    state text NOT NULL CONSTRAINT webhook_deliveries_state CHECK (state IN ('pending', 'delivered', 'failed', 'void')),
    attempts integer NOT NULL CONSTRAINT webhook_deliveries_attempts CHECK (attempts >= 0),
    -- of what is pending; while it is under way, when the lease of whoever sends it ends
    next_attempt_at timestamptz,
    last_attempt_at timestamptz,
    last_status smallint,
    last_fault text CONSTRAINT webhook_deliveries_last_fault CHECK
        (last_fault IN ('status', 'timeout', 'connection', 'address')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (id, commune_code),
    FOREIGN KEY (webhook_id, commune_code) REFERENCES webhooks (id, commune_code) ON DELETE CASCADE,
    CONSTRAINT webhook_deliveries_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT webhook_deliveries_once UNIQUE (webhook_id, commune_code, change_position),
    CONSTRAINT webhook_deliveries_pending_are_due CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL))
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, commune_code, next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_by_webhook ON webhook_deliveries (webhook_id, commune_code, created_at DESC, id DESC);
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (last_attempt_at) WHERE state <> 'pending';
