-- The acts that let a commune commit. Deliberations have the fields of the national schema (SCDL deliberations 2.1.5).
CREATE TABLE authorities (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    kind text NOT NULL CONSTRAINT authorities_kind CHECK
        (kind IN ('deliberation', 'framework_deliberation', 'delegated_decision', 'mayor_order')),
    number text NOT NULL,
    adopted_on date NOT NULL,
    object text NOT NULL,
    -- the matter in the national nomenclature "Actes", to its second level
    subject_code text CONSTRAINT authorities_subject_code CHECK
        (subject_code ~ '^(1\.[1-7]|2\.[1-3]|3\.[1-6]|4\.[1-5]|5\.[1-8]|6\.[1-5]|7\.([1-9]|10)|8\.[1-9]|9\.[1-4])$'),
    subject_name text,
    -- one year, or two with a slash
    budget_year text CONSTRAINT authorities_budget_year CHECK
        (budget_year ~ '^\d{4}(/\d{4})?$' AND left(budget_year, 4) <= right(budget_year, 4)),
    budget_name text,
    prefecture_reference text CONSTRAINT authorities_prefecture_reference CHECK
        (prefecture_reference ~ '^(PREF\d\d[0-9AB]|SPREF\d\d[0-9AB]\d|SGAR\d{3})$'),
    sent_to_prefecture_on date,
    published_on date,
    -- null as long as it is not executory
    executory_on date,
    council_members integer,
    votes_cast integer,
    votes_for integer,
    votes_against integer,
    votes_abstained integer,
    url text,
    recorded_by uuid NOT NULL REFERENCES users (id),
    created_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (id, commune_code),
    CONSTRAINT authorities_id_carries_commune CHECK (commune_of(id) = commune_code),
    -- of two who record the same act one does
    CONSTRAINT authorities_recorded_once UNIQUE (commune_code, kind, number, adopted_on),
    CONSTRAINT authorities_subject_whole CHECK (num_nulls(subject_code, subject_name) IN (0, 2)),
    -- the national schema needs it
    CONSTRAINT authorities_subject_of_deliberations CHECK
        (subject_code IS NOT NULL OR kind NOT IN ('deliberation', 'framework_deliberation')),
    CONSTRAINT authorities_budget_whole CHECK (num_nulls(budget_year, budget_name) IN (0, 2)),
    -- An act is executory once it is sent and published (article L2131-1 of the code of local government).
    CONSTRAINT authorities_dates CHECK
        (sent_to_prefecture_on >= adopted_on AND published_on >= adopted_on AND executory_on >= adopted_on
        AND executory_on >= sent_to_prefecture_on AND executory_on >= published_on),
    CONSTRAINT authorities_votes_of_the_council CHECK
        (votes_cast IS NULL OR kind IN ('deliberation', 'framework_deliberation')),
    CONSTRAINT authorities_votes_whole CHECK
        (num_nulls(council_members, votes_cast, votes_for, votes_against, votes_abstained) IN (0, 5)),
    CONSTRAINT authorities_votes CHECK
        (votes_cast = votes_for + votes_against + votes_abstained AND votes_cast <= council_members
        AND least(votes_for, votes_against, votes_abstained) >= 0)
);
CREATE INDEX authorities_by_commune ON authorities (commune_code, adopted_on DESC, id DESC);

-- The yearly budget for supporting initiatives. A year without a row has nothing to give.
CREATE TABLE envelopes (
    commune_code text NOT NULL REFERENCES communes (code),
    year integer NOT NULL CONSTRAINT envelopes_year CHECK (year BETWEEN 1990 AND 2100),
    amount_cents bigint NOT NULL CONSTRAINT envelopes_amount CHECK (amount_cents >= 0),
    -- kept by a trigger on commitments
    reserved_cents bigint NOT NULL DEFAULT 0,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (commune_code, year),
    CONSTRAINT envelopes_not_exceeded CHECK (reserved_cents BETWEEN 0 AND amount_cents)
);

-- A rule by which an upkeep comes again.
CREATE FUNCTION is_recurrence(rule jsonb) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(
        rule ->> 'frequency' IN ('weekly', 'monthly', 'seasonal', 'yearly')
        AND rule ->> 'interval' ~ '^[1-9][0-9]?$'
        AND (NOT rule ? 'weekday' OR rule ->> 'frequency' = 'weekly' AND rule ->> 'weekday' IN
            ('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'))
        AND (NOT rule ? 'months' OR rule ->> 'frequency' IN ('weekly', 'monthly')
            AND jsonb_array_length(rule -> 'months') BETWEEN 1 AND 12
            AND rule -> 'months' <@ '["january", "february", "march", "april", "may", "june", "july", "august",
                "september", "october", "november", "december"]'),
        false)
$$;

CREATE TABLE commitments (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    initiative_id uuid NOT NULL,
    side text NOT NULL CONSTRAINT commitments_side CHECK (side IN ('commune', 'holder', 'host', 'third_party')),
    kind text NOT NULL CONSTRAINT commitments_kind CHECK
        (kind IN ('financial', 'material', 'technical', 'labour', 'premises', 'advice')),
    state text NOT NULL CONSTRAINT commitments_state CHECK
        (state IN ('proposed', 'accepted', 'declined', 'withdrawn', 'binding', 'fulfilled', 'partially_fulfilled', 'unfulfilled')),
    title text NOT NULL,
    description text,
    -- who gives, where a third party does
    third_party_name text,
    -- how the commune's money goes out
    route text CONSTRAINT commitments_route CHECK (route IN ('purchase', 'subsidy', 'in_kind')),
    -- money is an amount; everything else a quantity at a unit value
    amount_cents bigint CONSTRAINT commitments_amount CHECK (amount_cents > 0),
    quantity numeric(12, 3) CONSTRAINT commitments_quantity CHECK (quantity > 0),
    unit text,
    unit_value_cents bigint CONSTRAINT commitments_unit_value CHECK (unit_value_cents >= 0),
    valuation_method text CONSTRAINT commitments_valuation_method CHECK
        (valuation_method IN ('real_cost', 'replacement_cost', 'hourly_rate')),
    valuation_source text,
    value_cents bigint NOT NULL GENERATED ALWAYS AS
        (coalesce(amount_cents, round(quantity * unit_value_cents)::bigint)) STORED,
    budget_year integer,
    -- one-off with a due date, or upkeep between two dates
    due_on date,
    upkeep_starts_on date,
    upkeep_ends_on date,
    -- how it comes again; once a season where nothing is said
    upkeep_recurrence jsonb CONSTRAINT commitments_upkeep_recurrence CHECK
        (upkeep_recurrence IS NULL OR (upkeep_starts_on IS NOT NULL AND is_recurrence(upkeep_recurrence))),
    -- the day on which somebody ended the upkeep before its time
    upkeep_ended_on date,
    -- the side that put it on the table: the other one accepts it
    proposed_side text NOT NULL CONSTRAINT commitments_proposed_side CHECK (proposed_side IN ('commune', 'holder')),
    proposed_by uuid NOT NULL REFERENCES users (id),
    -- who accepted or declined it
    answered_by uuid REFERENCES users (id),
    -- why it was declined, withdrawn or left unfulfilled
    reason text,
    -- the name that a partner's system gives it
    external_id text,
    -- of what was promised and settled before this system was there
    imported_at timestamptz,
    state_changed_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (id, commune_code),
    FOREIGN KEY (initiative_id, commune_code) REFERENCES initiatives (id, commune_code),
    CONSTRAINT commitments_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT commitments_external_id_unique UNIQUE (commune_code, external_id),
    CONSTRAINT commitments_money_or_quantity CHECK
        ((kind = 'financial' AND amount_cents IS NOT NULL AND quantity IS NULL AND unit_value_cents IS NULL)
        OR (kind <> 'financial' AND amount_cents IS NULL AND quantity IS NOT NULL AND unit IS NOT NULL
            AND unit_value_cents IS NOT NULL AND valuation_method IS NOT NULL)),
    CONSTRAINT commitments_communes_money CHECK
        ((side = 'commune' AND kind = 'financial') = (budget_year IS NOT NULL)
        AND (side = 'commune') = (route IS NOT NULL)
        AND (route IS NULL OR (kind = 'financial') = (route <> 'in_kind'))),
    CONSTRAINT commitments_third_party_named CHECK ((side = 'third_party') = (third_party_name IS NOT NULL)),
    CONSTRAINT commitments_once_or_upkeep CHECK
        ((due_on IS NULL) = (upkeep_starts_on IS NOT NULL) AND (upkeep_starts_on IS NULL) = (upkeep_ends_on IS NULL)),
    CONSTRAINT commitments_answered_by_another CHECK (answered_by <> proposed_by),
    CONSTRAINT commitments_upkeep_dates CHECK (upkeep_ends_on >= upkeep_starts_on AND upkeep_ended_on >= upkeep_starts_on)
);
CREATE INDEX commitments_by_initiative ON commitments (initiative_id, commune_code, created_at, id)
    INCLUDE (side, state, value_cents);
-- what a commune gives to somebody
CREATE INDEX commitments_given ON commitments (commune_code) WHERE route IN ('subsidy', 'in_kind');
CREATE INDEX commitments_by_budget_year ON commitments (commune_code, budget_year) WHERE budget_year IS NOT NULL;
CREATE INDEX commitments_bound ON commitments (commune_code, created_at DESC, id DESC)
    WHERE state IN ('binding', 'fulfilled', 'partially_fulfilled', 'unfulfilled');
CREATE INDEX commitments_by_upkeep_start ON commitments (upkeep_starts_on) WHERE upkeep_starts_on IS NOT NULL;
CREATE TRIGGER commitments_follow_lifecycle BEFORE INSERT OR UPDATE OF state ON commitments
    FOR EACH ROW EXECUTE FUNCTION follow_lifecycle('commitment', 'proposed');

-- What is imported is settled, of an initiative that was imported as completed, and never binds anybody.
CREATE FUNCTION guard_imported_commitment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.imported_at IS DISTINCT FROM NEW.imported_at OR OLD.imported_at IS NOT NULL AND OLD.state <> NEW.state THEN
            RAISE EXCEPTION 'what was imported stays so'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'commitments_imported_once';
        END IF;
    ELSIF NEW.state NOT IN ('fulfilled', 'partially_fulfilled', 'unfulfilled') OR NEW.due_on IS NULL OR NOT EXISTS (
        SELECT FROM initiatives
        WHERE (id, commune_code) = (NEW.initiative_id, NEW.commune_code) AND past_state IN ('completed', 'closed')
    ) THEN
        RAISE EXCEPTION 'only what is settled, of what was imported as completed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'commitments_imported_settled';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER commitments_imported BEFORE INSERT ON commitments
    FOR EACH ROW WHEN (NEW.imported_at IS NOT NULL) EXECUTE FUNCTION guard_imported_commitment();
CREATE TRIGGER commitments_imported_once BEFORE UPDATE OF imported_at, state ON commitments
    FOR EACH ROW EXECUTE FUNCTION guard_imported_commitment();

-- Reserves in the envelope what the commune has accepted to pay, and frees what it will not pay.
CREATE FUNCTION reserve_in_envelope() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before bigint := 0;
    after bigint := 0;
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.state IN ('accepted', 'binding', 'partially_fulfilled', 'fulfilled') THEN
        before := coalesce(OLD.amount_cents, 0);
    END IF;
    IF NEW.state IN ('accepted', 'binding', 'partially_fulfilled', 'fulfilled') THEN
        after := coalesce(NEW.amount_cents, 0);
    ELSIF NEW.state = 'unfulfilled' THEN
        SELECT coalesce(sum(amount_cents), 0) INTO after FROM fulfilments
        WHERE (commitment_id, commune_code) = (NEW.id, NEW.commune_code)
            AND state IN ('recorded', 'acknowledged', 'disputed');
        IF TG_OP <> 'INSERT' AND OLD.state = 'unfulfilled' THEN
            before := after;
        END IF;
    END IF;
    IF TG_OP <> 'INSERT' AND before > 0 AND OLD.budget_year <> NEW.budget_year THEN
        UPDATE envelopes SET reserved_cents = reserved_cents - before
        WHERE commune_code = OLD.commune_code AND year = OLD.budget_year;
        before := 0;
    END IF;
    IF after <> before THEN
        UPDATE envelopes SET reserved_cents = reserved_cents + after - before
        WHERE commune_code = NEW.commune_code AND year = NEW.budget_year;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no envelope for %', NEW.budget_year
                USING ERRCODE = 'check_violation', CONSTRAINT = 'envelopes_not_exceeded';
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER commitments_reserve AFTER INSERT OR UPDATE ON commitments
    FOR EACH ROW WHEN (NEW.budget_year IS NOT NULL AND NEW.imported_at IS NULL) EXECUTE FUNCTION reserve_in_envelope();

-- What a convention binds keeps its terms; and money for those who cannot receive it goes through a host.
CREATE FUNCTION guard_commitment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    holder_siret text;
    host_siret text;
BEGIN
    -- What is open for signature is bound already: the signatures are on these terms.
    IF TG_OP = 'UPDATE' AND (OLD.state NOT IN ('proposed', 'accepted') OR EXISTS (
            SELECT FROM convention_commitments AS b
            JOIN conventions AS v ON (v.id, v.commune_code) = (b.convention_id, b.commune_code)
            WHERE (b.commitment_id, b.commune_code) = (OLD.id, OLD.commune_code) AND v.state = 'open_for_signature'
        )) AND
        (OLD.side, OLD.kind, OLD.title, OLD.description, OLD.third_party_name, OLD.route, OLD.amount_cents, OLD.quantity,
            OLD.unit, OLD.unit_value_cents, OLD.valuation_method, OLD.budget_year, OLD.due_on, OLD.upkeep_starts_on,
            OLD.upkeep_ends_on, OLD.upkeep_recurrence, OLD.initiative_id) IS DISTINCT FROM
        (NEW.side, NEW.kind, NEW.title, NEW.description, NEW.third_party_name, NEW.route, NEW.amount_cents, NEW.quantity,
            NEW.unit, NEW.unit_value_cents, NEW.valuation_method, NEW.budget_year, NEW.due_on, NEW.upkeep_starts_on,
            NEW.upkeep_ends_on, NEW.upkeep_recurrence, NEW.initiative_id)
        -- An amendment that all have signed changes them to what it says.
        AND NOT EXISTS (
            SELECT FROM convention_commitments AS b
            JOIN conventions AS v ON (v.id, v.commune_code) = (b.convention_id, b.commune_code)
            WHERE (b.commitment_id, b.commune_code) = (OLD.id, OLD.commune_code) AND v.state = 'active' AND v.number > 1
                AND (NEW.side, NEW.kind, NEW.title, NEW.description, NEW.third_party_name, NEW.route, NEW.unit,
                    NEW.valuation_method, NEW.initiative_id)
                IS NOT DISTINCT FROM (OLD.side, OLD.kind, OLD.title, OLD.description, OLD.third_party_name, OLD.route,
                    OLD.unit, OLD.valuation_method, OLD.initiative_id)
                AND (NEW.amount_cents, NEW.quantity, NEW.unit_value_cents, NEW.budget_year, NEW.due_on,
                    NEW.upkeep_starts_on, NEW.upkeep_ends_on, NEW.upkeep_recurrence)
                IS NOT DISTINCT FROM (coalesce(b.amount_cents, OLD.amount_cents), coalesce(b.quantity, OLD.quantity),
                    coalesce(b.unit_value_cents, OLD.unit_value_cents), coalesce(b.budget_year, OLD.budget_year),
                    coalesce(b.due_on, OLD.due_on), coalesce(b.upkeep_starts_on, OLD.upkeep_starts_on),
                    coalesce(b.upkeep_ends_on, OLD.upkeep_ends_on),
                    coalesce(b.upkeep_recurrence, OLD.upkeep_recurrence))
        ) THEN
        RAISE EXCEPTION 'the terms of a bound commitment do not change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'commitments_terms_are_bound';
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.amount_cents < OLD.amount_cents AND NEW.amount_cents < (
        SELECT coalesce(sum(amount_cents), 0) FROM fulfilments
        WHERE (commitment_id, commune_code) = (NEW.id, NEW.commune_code)
            AND state IN ('recorded', 'acknowledged', 'disputed')
    ) THEN
        RAISE EXCEPTION 'payments exceed the commitment'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fulfilments_payments_within_commitment';
    END IF;
    IF NEW.route = 'subsidy' AND NEW.state IN ('accepted', 'binding') THEN
        SELECT h.siret, o.siret INTO holder_siret, host_siret
        FROM initiatives AS i
        LEFT JOIN holders AS h ON (h.id, h.commune_code) = (i.holder_id, i.commune_code)
        LEFT JOIN holders AS o ON (o.id, o.commune_code) = (i.host_id, i.commune_code)
        WHERE (i.id, i.commune_code) = (NEW.initiative_id, NEW.commune_code);
        IF holder_siret IS NULL AND host_siret IS NULL THEN
            RAISE EXCEPTION 'a subsidy needs a beneficiary with a SIRET'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'commitments_subsidy_needs_siret';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER commitments_guarded BEFORE INSERT OR UPDATE ON commitments
    FOR EACH ROW EXECUTE FUNCTION guard_commitment();

-- Whether a unit is the hour.
CREATE FUNCTION is_hour(unit text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower(unit) IN ('heure', 'heures', 'h', 'hour', 'hours')
$$;

-- The minutes of all people on a timesheet; nothing when a line is none.
CREATE FUNCTION timesheet_minutes(sheet jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN bool_and((line ->> 'minutes')::integer BETWEEN 1 AND 1440 AND (line ->> 'people')::integer BETWEEN 1 AND 1000
            AND line ->> 'worked_on' IS NOT NULL)
        THEN sum((line ->> 'minutes')::bigint * (line ->> 'people')::bigint)::bigint END
    FROM jsonb_array_elements(sheet) AS line
$$;

CREATE TABLE fulfilments (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    commitment_id uuid NOT NULL,
    state text NOT NULL CONSTRAINT fulfilments_state CHECK
        (state IN ('recorded', 'acknowledged', 'disputed', 'rejected', 'withdrawn')),
    done_on date NOT NULL,
    -- of a financial commitment an amount, of others a quantity in the commitment's unit
    amount_cents bigint CONSTRAINT fulfilments_amount CHECK (amount_cents > 0),
    quantity numeric(12, 3) CONSTRAINT fulfilments_quantity CHECK (quantity > 0),
    -- of labour in hours: who worked when and how long; the quantity is what it adds up to
    timesheet jsonb CONSTRAINT fulfilments_timesheet CHECK
        (timesheet IS NULL OR (quantity = round(timesheet_minutes(timesheet) / 60.0, 3)) IS TRUE),
    value_cents bigint NOT NULL CONSTRAINT fulfilments_value CHECK (value_cents >= 0),
    evidence text NOT NULL,
    -- of money: under which the treasury knows the payment; it was paid on the day on which it is done
    payment_reference text CONSTRAINT fulfilments_payment_reference CHECK
        (payment_reference IS NULL OR amount_cents IS NOT NULL),
    recorded_by uuid NOT NULL REFERENCES users (id),
    recorded_side text NOT NULL CONSTRAINT fulfilments_recorded_side CHECK
        (recorded_side IN ('commune', 'holder', 'host', 'third_party')),
    -- the side that owes: an agent who records for a resident records for that side
    on_behalf boolean NOT NULL DEFAULT false,
    recorded_at timestamptz NOT NULL,
    answered_by uuid REFERENCES users (id),
    answered_at timestamptz,
    dispute_reason text,
    settlement_reason text,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (id, commune_code),
    FOREIGN KEY (commitment_id, commune_code) REFERENCES commitments (id, commune_code),
    CONSTRAINT fulfilments_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT fulfilments_money_or_quantity CHECK ((amount_cents IS NULL) <> (quantity IS NULL)),
    -- silence acknowledges too: then there is a time and nobody
    CONSTRAINT fulfilments_nobody_acknowledges_themselves CHECK (answered_by <> recorded_by)
);
CREATE INDEX fulfilments_by_commitment ON fulfilments (commitment_id, commune_code, done_on, id)
    INCLUDE (state, value_cents, amount_cents);
CREATE INDEX fulfilments_unanswered ON fulfilments (recorded_at) WHERE state = 'recorded';
CREATE TRIGGER fulfilments_follow_lifecycle BEFORE INSERT OR UPDATE OF state ON fulfilments
    FOR EACH ROW EXECUTE FUNCTION follow_lifecycle('fulfilment', 'recorded');

CREATE FUNCTION guard_fulfilment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    promised commitments;
    paid bigint;
    in_force boolean;
    since date;
BEGIN
    SELECT * INTO promised FROM commitments
    WHERE (id, commune_code) = (NEW.commitment_id, NEW.commune_code) FOR UPDATE;
    IF promised.state NOT IN ('binding', 'partially_fulfilled', 'fulfilled') AND TG_OP = 'INSERT' THEN
        RAISE EXCEPTION 'only what a convention binds is fulfilled'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fulfilments_of_binding_commitments';
    END IF;
    IF TG_OP = 'INSERT' AND NEW.timesheet IS NOT NULL AND (promised.kind = 'labour' AND is_hour(promised.unit)) IS NOT TRUE THEN
        RAISE EXCEPTION 'a timesheet is of labour in hours'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fulfilments_timesheet_of_hours';
    END IF;
    -- By the unit value that was agreed when it was recorded.
    IF TG_OP = 'INSERT' AND NEW.value_cents IS DISTINCT FROM coalesce(NEW.amount_cents,
            round(timesheet_minutes(NEW.timesheet) * promised.unit_value_cents / 60.0)::bigint,
            round(NEW.quantity * promised.unit_value_cents)::bigint) THEN
        RAISE EXCEPTION 'not what it is worth'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fulfilments_value_as_agreed';
    END IF;
    -- A subsidy is paid under a convention that is in force, and not before all had signed it. Of the past there is none.
    IF promised.route = 'subsidy' AND promised.imported_at IS NULL AND TG_OP = 'INSERT' THEN
        SELECT bool_or(v.state = 'active'), min(signed.day) INTO in_force, since
        FROM convention_commitments AS b
        JOIN conventions AS v ON (v.id, v.commune_code) = (b.convention_id, b.commune_code)
        CROSS JOIN LATERAL (
            SELECT max(signed_on) AS day FROM signatures
            WHERE (convention_id, commune_code) = (v.id, v.commune_code) AND voided_at IS NULL
        ) AS signed
        WHERE (b.commitment_id, b.commune_code) = (promised.id, promised.commune_code) AND v.activated_at IS NOT NULL;
        IF in_force IS NOT TRUE OR NEW.done_on < since THEN
            RAISE EXCEPTION 'no convention is active for this payment'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'fulfilments_subsidy_under_active_convention';
        END IF;
    END IF;
    IF TG_OP = 'INSERT' AND NEW.done_on < least(
            (SELECT (coalesce(submitted_at, created_at) AT TIME ZONE 'Europe/Paris')::date FROM initiatives
                WHERE (id, commune_code) = (promised.initiative_id, promised.commune_code)),
            (SELECT min(v.starts_on) FROM convention_commitments AS b
                JOIN conventions AS v ON (v.id, v.commune_code) = (b.convention_id, b.commune_code)
                WHERE (b.commitment_id, b.commune_code) = (promised.id, promised.commune_code))) THEN
        RAISE EXCEPTION 'done before anything was promised'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fulfilments_not_before_promise';
    END IF;
    IF promised.kind = 'financial' AND NEW.state IN ('recorded', 'acknowledged', 'disputed') THEN
        SELECT coalesce(sum(amount_cents), 0) INTO paid FROM fulfilments
        WHERE (commitment_id, commune_code) = (NEW.commitment_id, NEW.commune_code) AND id <> NEW.id
            AND state IN ('recorded', 'acknowledged', 'disputed');
        IF paid + coalesce(NEW.amount_cents, 0) > promised.amount_cents THEN
            RAISE EXCEPTION 'payments exceed the commitment'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'fulfilments_payments_within_commitment';
        END IF;
    ELSIF TG_OP = 'INSERT' THEN
        -- People may do more than they promised; ten times as much is a wrong unit, or another promise.
        SELECT coalesce(sum(value_cents), 0) INTO paid FROM fulfilments
        WHERE (commitment_id, commune_code) = (NEW.commitment_id, NEW.commune_code)
            AND state IN ('recorded', 'acknowledged', 'disputed');
        IF paid + NEW.value_cents > 10 * promised.value_cents THEN
            RAISE EXCEPTION 'more than ten times what was promised'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'fulfilments_within_reach';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fulfilments_guarded BEFORE INSERT OR UPDATE ON fulfilments
    FOR EACH ROW EXECUTE FUNCTION guard_fulfilment();

-- One row is one version; root_id and number tie the versions of a convention together.
CREATE TABLE conventions (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    root_id uuid NOT NULL,
    number integer NOT NULL CONSTRAINT conventions_number CHECK (number >= 1),
    initiative_id uuid NOT NULL,
    holder_id uuid NOT NULL,
    host_id uuid,
    state text NOT NULL CONSTRAINT conventions_state CHECK
        (state IN ('draft', 'open_for_signature', 'active', 'suspended', 'terminated', 'expired', 'superseded', 'cancelled')),
    -- material: what is signed
    object text NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    long_duration_reason text,
    land text NOT NULL DEFAULT 'none' CONSTRAINT conventions_land CHECK
        (land IN ('none', 'public_domain', 'private_domain', 'rural_track', 'church')),
    land_description text,
    land_fee_cents bigint CONSTRAINT conventions_land_fee CHECK (land_fee_cents >= 0),
    land_fee_exemption text,
    tacit_renewal boolean NOT NULL DEFAULT false,
    clergy_agreement text,
    works_ownership text NOT NULL DEFAULT 'commune' CONSTRAINT conventions_works_ownership CHECK
        (works_ownership IN ('commune', 'holder', 'shared')),
    contributor_status text NOT NULL DEFAULT 'association_volunteer' CONSTRAINT conventions_contributor_status CHECK
        (contributor_status IN ('association_volunteer', 'occasional_collaborator')),
    commune_insurance text,
    holder_insurance text,
    forbidden_tasks text,
    supervision_of_minors text,
    image_consent text,
    no_upkeep_reason text,
    notice_days integer NOT NULL DEFAULT 30 CONSTRAINT conventions_notice CHECK (notice_days BETWEEN 0 AND 366),
    evaluation_terms text,
    -- the version that this one replaces once it is signed, in which way and why; nothing for the first
    supersedes_id uuid,
    amendment_kind text CONSTRAINT conventions_amendment_kind CHECK (amendment_kind IN ('amendment', 'renewal')),
    amendment_reason text,
    -- the act that lets the commune commit
    authority_id uuid,
    -- canonical JSON (RFC 8785) of the material content and its hash, from opening for signature on
    content text,
    content_sha256 text CONSTRAINT conventions_hash_form CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
    opened_at timestamptz,
    activated_at timestamptz,
    ended_at timestamptz,
    -- last day on which a terminated version counts
    effective_on date,
    reason text,
    -- not material: whom to call, where the key is; changes at any time and is not signed
    practical_information text,
    created_by uuid NOT NULL REFERENCES users (id),
    state_changed_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    PRIMARY KEY (id, commune_code),
    FOREIGN KEY (initiative_id, commune_code) REFERENCES initiatives (id, commune_code),
    FOREIGN KEY (holder_id, commune_code) REFERENCES holders (id, commune_code),
    FOREIGN KEY (host_id, commune_code) REFERENCES holders (id, commune_code),
    FOREIGN KEY (root_id, commune_code) REFERENCES conventions (id, commune_code),
    FOREIGN KEY (supersedes_id, commune_code) REFERENCES conventions (id, commune_code),
    CONSTRAINT conventions_authority FOREIGN KEY (authority_id, commune_code) REFERENCES authorities (id, commune_code),
    CONSTRAINT conventions_first_version CHECK
        ((number = 1) = (root_id = id) AND num_nulls(supersedes_id, amendment_kind, amendment_reason)
            = CASE WHEN number = 1 THEN 3 ELSE 0 END),
    CONSTRAINT conventions_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT conventions_number_unique UNIQUE (root_id, commune_code, number),
    CONSTRAINT conventions_dates CHECK (ends_on >= starts_on),
    CONSTRAINT conventions_public_domain CHECK
        (land <> 'public_domain' OR state IN ('draft', 'cancelled')
        OR (NOT tacit_renewal AND (coalesce(land_fee_cents, 0) > 0 OR land_fee_exemption IS NOT NULL))),
    CONSTRAINT conventions_clergy CHECK (land <> 'church' OR state IN ('draft', 'cancelled') OR clergy_agreement IS NOT NULL),
    CONSTRAINT conventions_content_when_open CHECK
        (state IN ('draft', 'cancelled') OR (content IS NOT NULL AND content_sha256 IS NOT NULL))
);
CREATE UNIQUE INDEX conventions_one_active ON conventions (root_id, commune_code)
    WHERE state IN ('active', 'suspended');
CREATE UNIQUE INDEX conventions_one_unsigned ON conventions (root_id, commune_code)
    WHERE state IN ('draft', 'open_for_signature');
CREATE INDEX conventions_by_initiative ON conventions (initiative_id, commune_code, number);
CREATE INDEX conventions_by_commune ON conventions (commune_code, created_at DESC, id DESC) INCLUDE (state);
CREATE INDEX conventions_public ON conventions (created_at DESC, id DESC) WHERE activated_at IS NOT NULL;
CREATE INDEX conventions_by_activation ON conventions (commune_code, activated_at) WHERE activated_at IS NOT NULL;
CREATE INDEX conventions_by_authority ON conventions (authority_id, commune_code) WHERE authority_id IS NOT NULL;
CREATE INDEX conventions_by_end ON conventions (ends_on) WHERE state IN ('active', 'suspended');
CREATE INDEX conventions_by_effect ON conventions (effective_on) WHERE effective_on IS NOT NULL;
CREATE TRIGGER conventions_follow_lifecycle BEFORE INSERT OR UPDATE OF state ON conventions
    FOR EACH ROW EXECUTE FUNCTION follow_lifecycle('convention', 'draft');

-- The commitments that a version binds; an amendment may give new terms to those that are bound already, where null
-- leaves the old one.
CREATE TABLE convention_commitments (
    convention_id uuid NOT NULL,
    commitment_id uuid NOT NULL,
    commune_code text NOT NULL,
    amount_cents bigint CONSTRAINT convention_commitments_amount CHECK (amount_cents > 0),
    quantity numeric(12, 3) CONSTRAINT convention_commitments_quantity CHECK (quantity > 0),
    unit_value_cents bigint CONSTRAINT convention_commitments_unit_value CHECK (unit_value_cents >= 0),
    budget_year integer,
    due_on date,
    upkeep_starts_on date,
    upkeep_ends_on date,
    upkeep_recurrence jsonb CONSTRAINT convention_commitments_upkeep_recurrence CHECK
        (upkeep_recurrence IS NULL OR is_recurrence(upkeep_recurrence)),
    PRIMARY KEY (convention_id, commitment_id, commune_code),
    FOREIGN KEY (convention_id, commune_code) REFERENCES conventions (id, commune_code),
    FOREIGN KEY (commitment_id, commune_code) REFERENCES commitments (id, commune_code)
);
CREATE INDEX convention_commitments_by_commitment ON convention_commitments (commitment_id, commune_code);

-- Who signs for whom: one row a party.
CREATE TABLE convention_parties (
    convention_id uuid NOT NULL,
    commune_code text NOT NULL,
    party text NOT NULL CONSTRAINT convention_parties_party CHECK (party IN ('commune', 'holder', 'host')),
    identity_id uuid NOT NULL,
    -- the signatory's account; null for somebody who signs on paper only
    user_id uuid REFERENCES users (id),
    -- for the commune
    mandate_id uuid,
    capacity text NOT NULL,
    -- the act of the mandate, as it stood when the signatory was named
    delegation_reference text,
    delegation_on date,
    PRIMARY KEY (convention_id, commune_code, party),
    FOREIGN KEY (convention_id, commune_code) REFERENCES conventions (id, commune_code),
    FOREIGN KEY (identity_id, commune_code) REFERENCES identities (id, commune_code),
    FOREIGN KEY (mandate_id, commune_code) REFERENCES mandates (id, commune_code),
    CONSTRAINT convention_parties_commune_by_mandate CHECK ((party = 'commune') = (mandate_id IS NOT NULL)),
    CONSTRAINT convention_parties_mandate_by_delegation CHECK
        (num_nonnulls(delegation_reference, delegation_on) = CASE WHEN mandate_id IS NULL THEN 0 ELSE 2 END)
);
-- Nobody signs for two parties.
CREATE UNIQUE INDEX convention_parties_one_hat ON convention_parties (convention_id, commune_code, user_id);
CREATE INDEX convention_parties_by_user ON convention_parties (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE signatures (
    id uuid NOT NULL,
    commune_code text NOT NULL REFERENCES communes (code),
    convention_id uuid NOT NULL,
    party text NOT NULL CONSTRAINT signatures_party CHECK (party IN ('commune', 'holder', 'host')),
    method text NOT NULL CONSTRAINT signatures_method CHECK (method IN ('paper', 'simple', 'advanced', 'qualified')),
    content_sha256 text NOT NULL,
    identity_id uuid NOT NULL,
    user_id uuid REFERENCES users (id),
    mandate_id uuid,
    capacity text NOT NULL,
    signed_on date NOT NULL,
    signed_at timestamptz NOT NULL,
    -- the agent who recorded a signature given on paper
    recorded_by uuid REFERENCES users (id),
    paper_reference text,
    voided_at timestamptz,
    void_reason text,
    -- the commune's signatory says of what was recorded, at signed_at, in their name that it is not theirs
    contested_at timestamptz,
    contested_by uuid REFERENCES users (id),
    contest_reason text,
    PRIMARY KEY (id, commune_code),
    FOREIGN KEY (convention_id, commune_code) REFERENCES conventions (id, commune_code),
    FOREIGN KEY (convention_id, commune_code, party) REFERENCES convention_parties (convention_id, commune_code, party),
    FOREIGN KEY (identity_id, commune_code) REFERENCES identities (id, commune_code),
    FOREIGN KEY (mandate_id, commune_code) REFERENCES mandates (id, commune_code),
    CONSTRAINT signatures_id_carries_commune CHECK (commune_of(id) = commune_code),
    CONSTRAINT signatures_paper CHECK ((method = 'paper') = (recorded_by IS NOT NULL AND paper_reference IS NOT NULL)),
    CONSTRAINT signatures_voided_whole CHECK ((voided_at IS NULL) = (void_reason IS NULL)),
    CONSTRAINT signatures_commune_by_mandate CHECK ((party = 'commune') = (mandate_id IS NOT NULL)),
    CONSTRAINT signatures_contested_whole CHECK (num_nulls(contested_at, contested_by, contest_reason) IN (0, 3)),
    CONSTRAINT signatures_contested_by_the_official CHECK (contested_by = user_id),
    CONSTRAINT signatures_contested_in_time CHECK (contested_at IS NULL OR (party = 'commune' AND recorded_by IS NOT NULL
        AND (contested_at AT TIME ZONE 'Europe/Paris')::date <= contestable_until(signed_at)))
);
-- What was recorded in somebody's name and may still be contested.
CREATE INDEX signatures_to_confirm ON signatures (commune_code, user_id, contestable_until(signed_at))
    WHERE party = 'commune' AND recorded_by IS NOT NULL AND contested_at IS NULL AND voided_at IS NULL;
CREATE UNIQUE INDEX signatures_one_valid ON signatures (convention_id, commune_code, party) WHERE voided_at IS NULL;

CREATE FUNCTION guard_signature() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    signed conventions;
    changing text[] := ARRAY['voided_at', 'void_reason', 'contested_at', 'contested_by', 'contest_reason'];
    -- who contested may stand by it after all
    confirmed boolean := TG_OP = 'UPDATE' AND OLD.contested_at IS NOT NULL AND NEW.contested_at IS NULL AND NEW.voided_at IS NULL;
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'signatures are voided, not deleted'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'signatures_append_only';
    END IF;
    SELECT * INTO signed FROM conventions
    WHERE (id, commune_code) = (NEW.convention_id, NEW.commune_code) FOR UPDATE;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.voided_at IS NOT NULL OR (OLD.contested_at IS NOT NULL AND NOT (confirmed AND signed.state = 'suspended'))
            OR to_jsonb(OLD) - changing <> to_jsonb(NEW) - changing
            OR signed.state NOT IN ('open_for_signature', 'active', 'suspended')
            OR (NEW.voided_at IS NOT NULL AND signed.state <> 'open_for_signature') THEN
            RAISE EXCEPTION 'a signature is voided before the convention is active, or contested, and nothing else'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'signatures_append_only';
        END IF;
        IF NEW.contested_at IS NOT NULL AND NEW.voided_at IS NULL AND signed.state = 'open_for_signature' THEN
            RAISE EXCEPTION 'what is contested before the convention is active is void'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'signatures_contested_are_void';
        END IF;
        RETURN NEW;
    END IF;
    IF signed.state <> 'open_for_signature' OR signed.content_sha256 <> NEW.content_sha256 THEN
        RAISE EXCEPTION 'what is signed is the content that is open for signature'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'signatures_on_current_content';
    END IF;
    IF NEW.signed_on < (SELECT executory_on FROM authorities
            WHERE (id, commune_code) = (signed.authority_id, signed.commune_code)) THEN
        RAISE EXCEPTION 'signed before the authority was executory'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'signatures_after_authority';
    END IF;
    IF NOT EXISTS (
        SELECT FROM convention_parties
        WHERE (convention_id, commune_code, party, identity_id) = (NEW.convention_id, NEW.commune_code, NEW.party, NEW.identity_id)
            AND user_id IS NOT DISTINCT FROM NEW.user_id
    ) THEN
        RAISE EXCEPTION 'not the signatory of that party'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'signatures_by_the_signatory';
    END IF;
    IF NOT (SELECT is_adult FROM identities WHERE (id, commune_code) = (NEW.identity_id, NEW.commune_code))
        OR EXISTS (SELECT FROM users WHERE id = NEW.user_id AND birth_on > NEW.signed_on - interval '18 years') THEN
        RAISE EXCEPTION 'signatories are adults'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'signatures_by_adults';
    END IF;
    IF NEW.party = 'commune' AND (NOT mandate_covers(NEW.mandate_id, NEW.commune_code, NEW.signed_on, true)
        OR NOT EXISTS (SELECT FROM mandates WHERE id = NEW.mandate_id AND user_id = NEW.user_id)) THEN
        RAISE EXCEPTION 'no mandate to sign on that day'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'signatures_by_mandate';
    END IF;
    IF NEW.party = 'commune' AND stands_aside(NEW.user_id, signed.initiative_id, NEW.commune_code) THEN
        RAISE EXCEPTION 'a member of the holder or host, or who was recused, does not sign for the commune'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'signatures_conflict_of_interest';
    END IF;
    IF NEW.recorded_by = NEW.user_id THEN
        RAISE EXCEPTION 'nobody records their own paper'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'signatures_recorded_by_another';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER signatures_guarded BEFORE INSERT OR UPDATE OR DELETE ON signatures
    FOR EACH ROW EXECUTE FUNCTION guard_signature();

CREATE TRIGGER signatures_kept BEFORE TRUNCATE ON signatures
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION guard_convention() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    act authorities;
    subsidised boolean;
    money boolean;
    by_commune boolean;
    by_others boolean;
    by_host boolean;
    kept_up boolean;
    all_accepted boolean;
BEGIN
    IF OLD.state <> 'draft' AND NEW.state <> 'draft' AND
        (to_jsonb(OLD) - ARRAY['state', 'activated_at', 'ended_at', 'effective_on', 'reason', 'state_changed_at', 'version',
            'practical_information'])
        <> (to_jsonb(NEW) - ARRAY['state', 'activated_at', 'ended_at', 'effective_on', 'reason', 'state_changed_at', 'version',
            'practical_information'])
    THEN
        RAISE EXCEPTION 'the content of a convention changes only while it is a draft'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'conventions_content_is_frozen';
    END IF;
    IF NEW.state = 'draft' AND OLD.state = 'open_for_signature' AND EXISTS (
        SELECT FROM signatures WHERE (convention_id, commune_code) = (NEW.id, NEW.commune_code) AND voided_at IS NULL
    ) THEN
        RAISE EXCEPTION 'reopening voids the signatures first'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'conventions_reopened_without_signatures';
    END IF;
    SELECT coalesce(bool_or(c.route = 'subsidy'), false), coalesce(bool_or(c.side = 'commune' AND c.kind = 'financial'), false),
        coalesce(bool_or(c.side = 'commune'), false), coalesce(bool_or(c.side <> 'commune'), false),
        coalesce(bool_or(c.side = 'host'), false),
        coalesce(bool_or(c.side IN ('holder', 'host') AND c.upkeep_starts_on IS NOT NULL), false),
        coalesce(bool_and(c.state = 'accepted' OR (NEW.number > 1
            AND c.state IN ('binding', 'fulfilled', 'partially_fulfilled', 'unfulfilled'))), false)
    INTO subsidised, money, by_commune, by_others, by_host, kept_up, all_accepted
    FROM convention_commitments AS b JOIN commitments AS c ON (c.id, c.commune_code) = (b.commitment_id, b.commune_code)
    WHERE (b.convention_id, b.commune_code) = (NEW.id, NEW.commune_code);
    IF NEW.state = 'open_for_signature' AND OLD.state = 'draft' THEN
        IF NOT (by_commune AND by_others AND all_accepted) OR (by_host AND NEW.host_id IS NULL) THEN
            RAISE EXCEPTION 'each side commits, and the other one has accepted'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'conventions_two_sided';
        END IF;
        IF NOT kept_up AND NEW.no_upkeep_reason IS NULL THEN
            RAISE EXCEPTION 'an upkeep, or why there is none'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'conventions_upkeep';
        END IF;
        IF (SELECT count(*) FROM convention_parties AS p
                JOIN identities AS i ON (i.id, i.commune_code) = (p.identity_id, p.commune_code)
                WHERE (p.convention_id, p.commune_code) = (NEW.id, NEW.commune_code) AND i.is_adult
                    AND (p.party <> 'host' OR NEW.host_id IS NOT NULL))
            <> 2 + num_nonnulls(NEW.host_id) THEN
            RAISE EXCEPTION 'each party has an adult signatory'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'conventions_parties_complete';
        END IF;
        -- Held, so that it is not changed while the content with its date is frozen.
        SELECT * INTO act FROM authorities WHERE (id, commune_code) = (NEW.authority_id, NEW.commune_code) FOR SHARE;
        IF (money OR NEW.land IN ('public_domain', 'private_domain', 'rural_track', 'church')) AND act.id IS NULL THEN
            RAISE EXCEPTION 'money and public land need an authority'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'conventions_authority_needed';
        END IF;
        IF act.id IS NOT NULL AND act.executory_on IS NULL THEN
            RAISE EXCEPTION 'the day on which the authority is executory is part of what is signed'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'conventions_authority_executory';
        END IF;
        IF act.votes_for < act.votes_against THEN
            RAISE EXCEPTION 'the council has rejected this act'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'conventions_authority_adopted';
        END IF;
        IF subsidised AND act.kind NOT IN ('deliberation', 'framework_deliberation') THEN
            RAISE EXCEPTION 'a subsidy needs a deliberation'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'conventions_subsidy_needs_deliberation';
        END IF;
        IF NEW.ends_on > NEW.starts_on + make_interval(months => (SELECT convention_max_months FROM communes WHERE code = NEW.commune_code))
            AND NEW.long_duration_reason IS NULL THEN
            RAISE EXCEPTION 'longer than the commune allows, without a reason'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'conventions_duration';
        END IF;
        IF EXISTS (
            SELECT FROM holders AS h
            WHERE h.commune_code = NEW.commune_code AND h.id IN (NEW.holder_id, NEW.host_id) AND h.kind = 'association'
                AND (h.republican_commitment_on IS NULL OR h.republican_commitment_on > NEW.starts_on)
                AND EXISTS (
                    SELECT FROM convention_commitments AS b
                    JOIN commitments AS c ON (c.id, c.commune_code) = (b.commitment_id, b.commune_code)
                    WHERE (b.convention_id, b.commune_code) = (NEW.id, NEW.commune_code) AND c.side = 'commune'
                        AND c.route IN ('subsidy', 'in_kind')
                )
        ) THEN
            RAISE EXCEPTION 'an association that is helped has subscribed to the republican commitment'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'conventions_republican_commitment';
        END IF;
    END IF;
    IF NEW.state = 'active' AND OLD.state = 'open_for_signature' AND EXISTS (
        SELECT FROM convention_parties AS p
        LEFT JOIN signatures AS s ON (s.convention_id, s.commune_code, s.party) = (p.convention_id, p.commune_code, p.party)
            AND s.voided_at IS NULL AND s.content_sha256 = NEW.content_sha256
        WHERE (p.convention_id, p.commune_code) = (NEW.id, NEW.commune_code) AND s.id IS NULL
    ) THEN
        RAISE EXCEPTION 'a signature is missing'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'conventions_all_signed';
    END IF;
    IF NEW.state = 'active' AND OLD.state = 'open_for_signature' AND NEW.number > 1 AND NOT EXISTS (
        SELECT FROM conventions WHERE (id, commune_code) = (NEW.supersedes_id, NEW.commune_code) AND state = 'superseded'
    ) THEN
        RAISE EXCEPTION 'an amendment takes the place of the version in force'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'conventions_amend_the_active_one';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER conventions_guarded BEFORE UPDATE ON conventions
    FOR EACH ROW EXECUTE FUNCTION guard_convention();

-- What was signed under an act says what the act said. What becomes of the act afterwards stays free: where it was sent,
-- when it was published, where it can be read.
CREATE FUNCTION guard_authority() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF to_jsonb(OLD) - ARRAY['prefecture_reference', 'sent_to_prefecture_on', 'published_on', 'url', 'version']
        <> to_jsonb(NEW) - ARRAY['prefecture_reference', 'sent_to_prefecture_on', 'published_on', 'url', 'version']
        AND EXISTS (
            SELECT FROM conventions WHERE (authority_id, commune_code) = (OLD.id, OLD.commune_code)
                AND state NOT IN ('draft', 'cancelled')
        ) THEN
        RAISE EXCEPTION 'a convention that is open for signature, or was, rests on this act'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'authorities_rested_upon';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER authorities_guarded BEFORE UPDATE ON authorities
    FOR EACH ROW EXECUTE FUNCTION guard_authority();

-- What a version binds and who signs it are part of its content: they change only while it is a draft.
CREATE FUNCTION guard_convention_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM conventions
        WHERE (id, commune_code) = (coalesce(NEW.convention_id, OLD.convention_id), coalesce(NEW.commune_code, OLD.commune_code))
    ) <> 'draft' THEN
        RAISE EXCEPTION 'the content of a convention changes only while it is a draft'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'conventions_content_is_frozen';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER convention_commitments_guarded BEFORE INSERT OR UPDATE OR DELETE ON convention_commitments
    FOR EACH ROW EXECUTE FUNCTION guard_convention_part();
CREATE TRIGGER convention_parties_guarded BEFORE INSERT OR UPDATE OR DELETE ON convention_parties
    FOR EACH ROW EXECUTE FUNCTION guard_convention_part();
CREATE TRIGGER convention_commitments_kept BEFORE TRUNCATE ON convention_commitments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER convention_parties_kept BEFORE TRUNCATE ON convention_parties
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
