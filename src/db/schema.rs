// @generated automatically by Diesel CLI.

pub mod sql_types {
    #[derive(diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "tsvector", schema = "pg_catalog"))]
    pub struct Tsvector;
}

diesel::table! {
    authorities (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        kind -> Text,
        number -> Text,
        adopted_on -> Date,
        object -> Text,
        subject_code -> Nullable<Text>,
        subject_name -> Nullable<Text>,
        budget_year -> Nullable<Text>,
        budget_name -> Nullable<Text>,
        prefecture_reference -> Nullable<Text>,
        sent_to_prefecture_on -> Nullable<Date>,
        published_on -> Nullable<Date>,
        executory_on -> Nullable<Date>,
        council_members -> Nullable<Int4>,
        votes_cast -> Nullable<Int4>,
        votes_for -> Nullable<Int4>,
        votes_against -> Nullable<Int4>,
        votes_abstained -> Nullable<Int4>,
        url -> Nullable<Text>,
        recorded_by -> Uuid,
        created_at -> Timestamptz,
        version -> Int4,
    }
}

diesel::table! {
    changes (number) {
        number -> Int8,
        position -> Nullable<Int8>,
        commune_code -> Text,
        kind -> Text,
        subject_id -> Uuid,
        was_public -> Bool,
        transaction -> Int8,
        at -> Timestamptz,
    }
}

diesel::table! {
    client_usage (client_id, commune_code, day, tag, outcome) {
        client_id -> Uuid,
        commune_code -> Text,
        day -> Date,
        tag -> Text,
        outcome -> Text,
        requests -> Int8,
        last_at -> Timestamptz,
    }
}

diesel::table! {
    clients (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        user_id -> Uuid,
        name -> Text,
        contact -> Text,
        scopes -> Array<Nullable<Text>>,
        address_ranges -> Array<Nullable<Cidr>>,
        state -> Text,
        state_changed_at -> Timestamptz,
        expires_at -> Nullable<Timestamptz>,
        secret_number -> Int4,
        secret_hash -> Bytea,
        secret_made_at -> Timestamptz,
        previous_secret_hash -> Nullable<Bytea>,
        previous_secret_until -> Nullable<Timestamptz>,
        created_by -> Uuid,
        created_at -> Timestamptz,
        version -> Int4,
    }
}

diesel::table! {
    commitments (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        initiative_id -> Uuid,
        side -> Text,
        kind -> Text,
        state -> Text,
        title -> Text,
        description -> Nullable<Text>,
        third_party_name -> Nullable<Text>,
        route -> Nullable<Text>,
        amount_cents -> Nullable<Int8>,
        quantity -> Nullable<Numeric>,
        unit -> Nullable<Text>,
        unit_value_cents -> Nullable<Int8>,
        valuation_method -> Nullable<Text>,
        valuation_source -> Nullable<Text>,
        value_cents -> Int8,
        budget_year -> Nullable<Int4>,
        due_on -> Nullable<Date>,
        upkeep_starts_on -> Nullable<Date>,
        upkeep_ends_on -> Nullable<Date>,
        upkeep_recurrence -> Nullable<Jsonb>,
        upkeep_ended_on -> Nullable<Date>,
        proposed_side -> Text,
        proposed_by -> Uuid,
        answered_by -> Nullable<Uuid>,
        reason -> Nullable<Text>,
        external_id -> Nullable<Text>,
        imported_at -> Nullable<Timestamptz>,
        state_changed_at -> Timestamptz,
        created_at -> Timestamptz,
        version -> Int4,
    }
}

diesel::table! {
    commune_cells (commune_code, unit, indicator) {
        commune_code -> Text,
        unit -> Text,
        indicator -> Text,
        starts_on -> Array<Nullable<Date>>,
        themes -> Array<Nullable<Text>>,
        holder_kinds -> Array<Nullable<Text>>,
        parts -> Array<Nullable<Text>>,
        middles -> Array<Nullable<Numeric>>,
        sums -> Array<Nullable<Numeric>>,
        bases -> Array<Nullable<Numeric>>,
        counts -> Array<Nullable<Int8>>,
    }
}

diesel::table! {
    commune_figures (year, indicator, commune_code) {
        commune_code -> Text,
        year -> Int4,
        indicator -> Text,
        value -> Numeric,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Tsvector;

    communes (code) {
        code -> Text,
        name -> Text,
        folded_name -> Text,
        department_code -> Text,
        region_code -> Text,
        epci_siren -> Nullable<Text>,
        siren -> Nullable<Text>,
        population -> Nullable<Int4>,
        postal_codes -> Array<Nullable<Text>>,
        enrolled_at -> Nullable<Timestamptz>,
        reply_delay_days -> Int4,
        small_project_ceiling_cents -> Int8,
        convention_max_months -> Int4,
        council_dates -> Array<Nullable<Date>>,
        version -> Int4,
        name_words -> Tsvector,
        document_quota_bytes -> Int8,
        document_bytes -> Int8,
        siret -> Nullable<Text>,
    }
}

diesel::table! {
    convention_commitments (convention_id, commitment_id, commune_code) {
        convention_id -> Uuid,
        commitment_id -> Uuid,
        commune_code -> Text,
        amount_cents -> Nullable<Int8>,
        quantity -> Nullable<Numeric>,
        unit_value_cents -> Nullable<Int8>,
        budget_year -> Nullable<Int4>,
        due_on -> Nullable<Date>,
        upkeep_starts_on -> Nullable<Date>,
        upkeep_ends_on -> Nullable<Date>,
        upkeep_recurrence -> Nullable<Jsonb>,
    }
}

diesel::table! {
    convention_parties (convention_id, commune_code, party) {
        convention_id -> Uuid,
        commune_code -> Text,
        party -> Text,
        identity_id -> Uuid,
        user_id -> Nullable<Uuid>,
        mandate_id -> Nullable<Uuid>,
        capacity -> Text,
        delegation_reference -> Nullable<Text>,
        delegation_on -> Nullable<Date>,
    }
}

diesel::table! {
    convention_templates (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        version -> Int4,
        articles -> Jsonb,
        saved_by -> Uuid,
        saved_at -> Timestamptz,
    }
}

diesel::table! {
    conventions (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        root_id -> Uuid,
        number -> Int4,
        initiative_id -> Uuid,
        holder_id -> Uuid,
        host_id -> Nullable<Uuid>,
        state -> Text,
        object -> Text,
        starts_on -> Date,
        ends_on -> Date,
        long_duration_reason -> Nullable<Text>,
        land -> Text,
        land_description -> Nullable<Text>,
        land_fee_cents -> Nullable<Int8>,
        land_fee_exemption -> Nullable<Text>,
        tacit_renewal -> Bool,
        clergy_agreement -> Nullable<Text>,
        works_ownership -> Text,
        contributor_status -> Text,
        commune_insurance -> Nullable<Text>,
        holder_insurance -> Nullable<Text>,
        forbidden_tasks -> Nullable<Text>,
        supervision_of_minors -> Nullable<Text>,
        image_consent -> Nullable<Text>,
        no_upkeep_reason -> Nullable<Text>,
        notice_days -> Int4,
        evaluation_terms -> Nullable<Text>,
        supersedes_id -> Nullable<Uuid>,
        amendment_kind -> Nullable<Text>,
        amendment_reason -> Nullable<Text>,
        authority_id -> Nullable<Uuid>,
        content -> Nullable<Text>,
        content_sha256 -> Nullable<Text>,
        opened_at -> Nullable<Timestamptz>,
        activated_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
        effective_on -> Nullable<Date>,
        reason -> Nullable<Text>,
        practical_information -> Nullable<Text>,
        created_by -> Uuid,
        state_changed_at -> Timestamptz,
        created_at -> Timestamptz,
        version -> Int4,
        template_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    decisions (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        initiative_id -> Uuid,
        outcome -> Text,
        reason -> Text,
        mandate_id -> Uuid,
        decided_by -> Uuid,
        decided_on -> Date,
        decided_at -> Timestamptz,
        capacity -> Text,
        recorded_by -> Nullable<Uuid>,
        paper_reference -> Nullable<Text>,
        contested_at -> Nullable<Timestamptz>,
        contested_by -> Nullable<Uuid>,
        contest_reason -> Nullable<Text>,
    }
}

diesel::table! {
    departments (code) {
        code -> Text,
        name -> Text,
        region_code -> Text,
    }
}

diesel::table! {
    documents (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        initiative_id -> Nullable<Uuid>,
        meeting_id -> Nullable<Uuid>,
        convention_id -> Nullable<Uuid>,
        fulfilment_id -> Nullable<Uuid>,
        evaluation_id -> Nullable<Uuid>,
        state -> Text,
        name -> Nullable<Text>,
        purpose -> Text,
        internal -> Bool,
        media_type -> Nullable<Text>,
        size_bytes -> Nullable<Int8>,
        sha256 -> Nullable<Text>,
        uploaded_by -> Uuid,
        created_at -> Timestamptz,
        erased_by -> Nullable<Uuid>,
        erased_at -> Nullable<Timestamptz>,
        emptied_at -> Nullable<Timestamptz>,
        version -> Int4,
    }
}

diesel::table! {
    endorsements (initiative_id, commune_code, user_id) {
        initiative_id -> Uuid,
        commune_code -> Text,
        user_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    envelopes (commune_code, year) {
        commune_code -> Text,
        year -> Int4,
        amount_cents -> Int8,
        reserved_cents -> Int8,
        version -> Int4,
    }
}

diesel::table! {
    evaluation_people (evaluation_id, commune_code, age_band) {
        evaluation_id -> Uuid,
        commune_code -> Text,
        age_band -> Text,
        people -> Int4,
    }
}

diesel::table! {
    evaluations (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        initiative_id -> Uuid,
        summary -> Text,
        reference_cost_cents -> Int8,
        expected_cost_cents -> Nullable<Int8>,
        municipal_cost_cents -> Int8,
        staff_minutes -> Int4,
        staff_cost_cents -> Int8,
        official_minutes -> Int4,
        savings_cents -> Int8,
        method -> Text,
        source -> Text,
        what_worked -> Nullable<Text>,
        obstacles -> Nullable<Text>,
        advice -> Nullable<Text>,
        created_by -> Uuid,
        created_at -> Timestamptz,
        worded_at -> Timestamptz,
        agreed_by -> Nullable<Uuid>,
        agreed_at -> Nullable<Timestamptz>,
        validated_by -> Nullable<Uuid>,
        validated_at -> Nullable<Timestamptz>,
        version -> Int4,
    }
}

diesel::table! {
    events (id, commune_code) {
        id -> Uuid,
        number -> Int8,
        commune_code -> Text,
        initiative_id -> Nullable<Uuid>,
        subject -> Text,
        subject_id -> Uuid,
        action -> Text,
        from_state -> Nullable<Text>,
        to_state -> Nullable<Text>,
        reason -> Nullable<Text>,
        actor_id -> Nullable<Uuid>,
        actor_role -> Text,
        on_behalf -> Bool,
        visibility -> Text,
        at -> Timestamptz,
    }
}

diesel::table! {
    fulfilments (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        commitment_id -> Uuid,
        state -> Text,
        done_on -> Date,
        amount_cents -> Nullable<Int8>,
        quantity -> Nullable<Numeric>,
        timesheet -> Nullable<Jsonb>,
        value_cents -> Int8,
        evidence -> Text,
        payment_reference -> Nullable<Text>,
        recorded_by -> Uuid,
        recorded_side -> Text,
        on_behalf -> Bool,
        recorded_at -> Timestamptz,
        answered_by -> Nullable<Uuid>,
        answered_at -> Nullable<Timestamptz>,
        dispute_reason -> Nullable<Text>,
        settlement_reason -> Nullable<Text>,
        version -> Int4,
    }
}

diesel::table! {
    headcounts (initiative_id, commune_code, counted_on, age_band) {
        initiative_id -> Uuid,
        commune_code -> Text,
        counted_on -> Date,
        age_band -> Text,
        people -> Int4,
        recorded_by -> Uuid,
    }
}

diesel::table! {
    holder_members (holder_id, commune_code, user_id) {
        holder_id -> Uuid,
        commune_code -> Text,
        user_id -> Uuid,
        state -> Text,
        role -> Text,
        may_sign -> Bool,
        since -> Timestamptz,
    }
}

diesel::table! {
    holders (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        kind -> Text,
        name -> Text,
        description -> Nullable<Text>,
        siret -> Nullable<Text>,
        address -> Nullable<Text>,
        rna -> Nullable<Text>,
        republican_commitment_on -> Nullable<Date>,
        contact_email -> Nullable<Text>,
        contact_phone -> Nullable<Text>,
        entered_by -> Nullable<Uuid>,
        external_id -> Nullable<Text>,
        created_at -> Timestamptz,
        version -> Int4,
    }
}

diesel::table! {
    idempotency_keys (user_id, operation, key) {
        user_id -> Uuid,
        operation -> Text,
        key -> Text,
        body_digest -> Bytea,
        status -> Int2,
        body -> Nullable<Text>,
        etag -> Nullable<Text>,
        location -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    identities (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        user_id -> Nullable<Uuid>,
        full_name -> Nullable<Text>,
        salt -> Nullable<Bytea>,
        is_adult -> Bool,
        created_at -> Timestamptz,
        erased_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    import_mappings (commune_code, name) {
        commune_code -> Text,
        name -> Text,
        resource -> Text,
        fields -> Jsonb,
        constants -> Jsonb,
        words -> Jsonb,
        changed_by -> Uuid,
        changed_at -> Timestamptz,
        version -> Int4,
    }
}

diesel::table! {
    import_refusals (import_id, commune_code, row_number) {
        import_id -> Uuid,
        commune_code -> Text,
        row_number -> Int8,
        cells -> Jsonb,
        faults -> Jsonb,
    }
}

diesel::table! {
    imports (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        resource -> Text,
        file_type -> Text,
        mapping -> Nullable<Jsonb>,
        validate_only -> Bool,
        state -> Text,
        fault -> Nullable<Text>,
        fault_line -> Nullable<Int8>,
        size_bytes -> Nullable<Int8>,
        titles -> Nullable<Jsonb>,
        rows_total -> Nullable<Int8>,
        rows_read -> Int8,
        rows_created -> Int8,
        rows_updated -> Int8,
        rows_unchanged -> Int8,
        rows_refused -> Int8,
        leased_until -> Nullable<Timestamptz>,
        created_by -> Uuid,
        created_at -> Timestamptz,
        started_at -> Nullable<Timestamptz>,
        ended_at -> Nullable<Timestamptz>,
        emptied_at -> Nullable<Timestamptz>,
        version -> Int4,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Tsvector;

    initiatives (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        state -> Text,
        origin -> Text,
        delivery -> Text,
        title -> Text,
        description -> Nullable<Text>,
        theme -> Nullable<Text>,
        needs -> Nullable<Text>,
        place -> Nullable<Text>,
        latitude -> Nullable<Float8>,
        longitude -> Nullable<Float8>,
        starts_on -> Nullable<Date>,
        ends_on -> Nullable<Date>,
        building_work -> Bool,
        land -> Text,
        requests_money -> Bool,
        holder_id -> Nullable<Uuid>,
        host_id -> Nullable<Uuid>,
        follows_id -> Nullable<Uuid>,
        inspired_by_practice_id -> Nullable<Uuid>,
        author_id -> Uuid,
        channel -> Text,
        entered_by -> Nullable<Uuid>,
        paper_reference -> Nullable<Text>,
        published_at -> Nullable<Timestamptz>,
        publication_withheld_reason -> Nullable<Text>,
        submitted_at -> Nullable<Timestamptz>,
        submission_number -> Int4,
        reply_due_on -> Nullable<Date>,
        reply_paused_on -> Nullable<Date>,
        first_reply_at -> Nullable<Timestamptz>,
        implicit_decision_on -> Nullable<Date>,
        decided_at -> Nullable<Timestamptz>,
        opinion_id -> Nullable<Uuid>,
        decision_id -> Nullable<Uuid>,
        redirected_to -> Nullable<Text>,
        external_id -> Nullable<Text>,
        imported_at -> Nullable<Timestamptz>,
        past_state -> Nullable<Text>,
        past_decided_on -> Nullable<Date>,
        past_completed_on -> Nullable<Date>,
        past_ended_on -> Nullable<Date>,
        state_changed_at -> Timestamptz,
        created_at -> Timestamptz,
        version -> Int4,
        endorsement_count -> Int4,
        participant_count -> Int4,
        folded_text -> Text,
        words -> Tsvector,
        paper_document_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    intercommunalities (siren) {
        siren -> Text,
        name -> Text,
        kind -> Text,
    }
}

diesel::table! {
    lifecycle_transitions (lifecycle, from_state, to_state) {
        lifecycle -> Text,
        from_state -> Text,
        to_state -> Text,
    }
}

diesel::table! {
    mandates (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        user_id -> Uuid,
        role -> Text,
        capacity -> Text,
        may_sign -> Bool,
        delegation_reference -> Nullable<Text>,
        delegation_on -> Nullable<Date>,
        starts_on -> Date,
        ends_on -> Nullable<Date>,
        granted_by -> Uuid,
        created_at -> Timestamptz,
        version -> Int4,
    }
}

diesel::table! {
    measures (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        indicator -> Text,
        year -> Int4,
        value -> Numeric,
        unit -> Text,
        source -> Text,
        recorded_by -> Uuid,
        external_id -> Nullable<Text>,
        created_at -> Timestamptz,
        version -> Int4,
    }
}

diesel::table! {
    meetings (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        initiative_id -> Nullable<Uuid>,
        title -> Text,
        place -> Nullable<Text>,
        held_on -> Date,
        attendance -> Nullable<Int4>,
        recorded_by -> Uuid,
        external_id -> Nullable<Text>,
        created_at -> Timestamptz,
        version -> Int4,
    }
}

diesel::table! {
    metric_cells (territory_kind, territory_code, unit, grouping, indicator, starts_on, grp, part) {
        territory_kind -> Text,
        territory_code -> Text,
        unit -> Text,
        grouping -> Text,
        indicator -> Text,
        starts_on -> Date,
        grp -> Text,
        part -> Text,
        value -> Numeric,
        base -> Numeric,
        n -> Int8,
        spread -> Nullable<Jsonb>,
    }
}

diesel::table! {
    metric_editions (territory_kind, territory_code, year) {
        territory_kind -> Text,
        territory_code -> Text,
        year -> Int4,
        revision -> Int4,
    }
}

diesel::table! {
    metric_marks (transaction, commune_code) {
        transaction -> Int8,
        commune_code -> Text,
    }
}

diesel::table! {
    metric_revisions (id) {
        id -> Int8,
        commune_code -> Text,
        year -> Int4,
        number -> Int4,
        indicator -> Text,
        before -> Nullable<Numeric>,
        after -> Nullable<Numeric>,
        seen_at -> Timestamptz,
    }
}

diesel::table! {
    metric_state (only_row) {
        only_row -> Bool,
        as_of -> Nullable<Timestamptz>,
        day -> Nullable<Date>,
        is_stale -> Bool,
    }
}

diesel::table! {
    notes (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        initiative_id -> Uuid,
        author_id -> Uuid,
        text -> Text,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    opinions (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        initiative_id -> Uuid,
        submission_number -> Int4,
        outcome -> Text,
        text -> Text,
        estimated_cost_cents -> Nullable<Int8>,
        given_by -> Uuid,
        given_at -> Timestamptz,
    }
}

diesel::table! {
    participations (initiative_id, commune_code, user_id, started_at) {
        initiative_id -> Uuid,
        commune_code -> Text,
        user_id -> Uuid,
        started_at -> Timestamptz,
        ended_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    practice_initiatives (practice_id, commune_code, initiative_id) {
        practice_id -> Uuid,
        commune_code -> Text,
        initiative_id -> Uuid,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::sql_types::Tsvector;

    practices (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        state -> Text,
        title -> Text,
        theme -> Nullable<Text>,
        participation_level -> Nullable<Text>,
        tags -> Array<Nullable<Text>>,
        context -> Nullable<Text>,
        objectives -> Nullable<Text>,
        approach -> Nullable<Text>,
        results -> Nullable<Text>,
        tips -> Nullable<Text>,
        satisfactions -> Nullable<Text>,
        obstacles -> Nullable<Text>,
        contact_service -> Nullable<Text>,
        contact_address -> Nullable<Text>,
        latitude -> Nullable<Float8>,
        longitude -> Nullable<Float8>,
        inspired_by_practice_id -> Nullable<Uuid>,
        created_by -> Uuid,
        published_at -> Nullable<Timestamptz>,
        state_changed_at -> Timestamptz,
        created_at -> Timestamptz,
        version -> Int4,
        folded_text -> Text,
        words -> Tsvector,
    }
}

diesel::table! {
    public_changes (number) {
        number -> Int8,
        source -> Text,
        commune_code -> Text,
        changes -> Int8,
        changed_at -> Timestamptz,
    }
}

diesel::table! {
    recusals (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        initiative_id -> Uuid,
        user_id -> Uuid,
        grounds -> Text,
        text -> Nullable<Text>,
        recorded_by -> Nullable<Uuid>,
        recused_at -> Timestamptz,
        contested_at -> Nullable<Timestamptz>,
        contest_reason -> Nullable<Text>,
    }
}

diesel::table! {
    reference_data (name) {
        name -> Text,
        sha256 -> Text,
    }
}

diesel::table! {
    refresh_tokens (token_hash) {
        token_hash -> Bytea,
        family_id -> Uuid,
        user_id -> Uuid,
        issued_at -> Timestamptz,
        expires_at -> Timestamptz,
        used_at -> Nullable<Timestamptz>,
        revoked_at -> Nullable<Timestamptz>,
    }
}

diesel::table! {
    regions (code) {
        code -> Text,
        name -> Text,
    }
}

diesel::table! {
    reminders (subject_id, commune_code, kind, waits_for, due_on, stage) {
        commune_code -> Text,
        initiative_id -> Uuid,
        kind -> Text,
        subject -> Text,
        subject_id -> Uuid,
        waits_for -> Text,
        due_on -> Date,
        stage -> Text,
        said_on -> Date,
    }
}

diesel::table! {
    signatures (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        convention_id -> Uuid,
        party -> Text,
        method -> Text,
        content_sha256 -> Text,
        identity_id -> Uuid,
        user_id -> Nullable<Uuid>,
        mandate_id -> Nullable<Uuid>,
        capacity -> Text,
        signed_on -> Date,
        signed_at -> Timestamptz,
        recorded_by -> Nullable<Uuid>,
        paper_reference -> Nullable<Text>,
        voided_at -> Nullable<Timestamptz>,
        void_reason -> Nullable<Text>,
        contested_at -> Nullable<Timestamptz>,
        contested_by -> Nullable<Uuid>,
        contest_reason -> Nullable<Text>,
        document_id -> Nullable<Uuid>,
    }
}

diesel::table! {
    subsidy_records (holder_id, commune_code, year) {
        holder_id -> Uuid,
        commune_code -> Text,
        year -> Int4,
        published_on -> Nullable<Date>,
        report_received_on -> Nullable<Date>,
        recorded_by -> Uuid,
        version -> Int4,
    }
}

diesel::table! {
    upkeep_checks (commitment_id, commune_code, occurs_on, outcome) {
        commitment_id -> Uuid,
        commune_code -> Text,
        occurs_on -> Date,
        outcome -> Text,
        remark -> Nullable<Text>,
        checked_by -> Uuid,
        checked_at -> Timestamptz,
    }
}

diesel::table! {
    upkeep_hand_overs (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        commitment_id -> Uuid,
        holder_id -> Uuid,
        starts_on -> Date,
        state -> Text,
        reason -> Text,
        offered_by -> Uuid,
        on_behalf -> Bool,
        offered_at -> Timestamptz,
        answered_by -> Nullable<Uuid>,
        answered_at -> Nullable<Timestamptz>,
        answer_reason -> Nullable<Text>,
        version -> Int4,
    }
}

diesel::table! {
    users (id) {
        id -> Uuid,
        kind -> Text,
        email -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        display_name -> Text,
        full_name -> Nullable<Text>,
        birth_on -> Nullable<Date>,
        is_admin -> Bool,
        locale -> Text,
        created_at -> Timestamptz,
        erased_at -> Nullable<Timestamptz>,
        version -> Int4,
    }
}

diesel::table! {
    webhook_deliveries (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        webhook_id -> Uuid,
        change_position -> Nullable<Int8>,
        state -> Text,
        attempts -> Int4,
        next_attempt_at -> Nullable<Timestamptz>,
        last_attempt_at -> Nullable<Timestamptz>,
        last_status -> Nullable<Int2>,
        last_fault -> Nullable<Text>,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    webhooks (id, commune_code) {
        id -> Uuid,
        commune_code -> Text,
        url -> Text,
        kinds -> Array<Nullable<Text>>,
        description -> Nullable<Text>,
        state -> Text,
        disabled_by -> Nullable<Text>,
        state_changed_at -> Timestamptz,
        failing_since -> Nullable<Timestamptz>,
        secret -> Text,
        previous_secret -> Nullable<Text>,
        previous_secret_until -> Nullable<Timestamptz>,
        position -> Int8,
        created_by -> Uuid,
        created_at -> Timestamptz,
        version -> Int4,
    }
}

diesel::joinable!(authorities -> communes (commune_code));
diesel::joinable!(authorities -> users (recorded_by));
diesel::joinable!(changes -> communes (commune_code));
diesel::joinable!(client_usage -> communes (commune_code));
diesel::joinable!(clients -> communes (commune_code));
diesel::joinable!(commitments -> communes (commune_code));
diesel::joinable!(commune_cells -> communes (commune_code));
diesel::joinable!(commune_figures -> communes (commune_code));
diesel::joinable!(communes -> departments (department_code));
diesel::joinable!(communes -> intercommunalities (epci_siren));
diesel::joinable!(communes -> regions (region_code));
diesel::joinable!(convention_parties -> users (user_id));
diesel::joinable!(convention_templates -> communes (commune_code));
diesel::joinable!(convention_templates -> users (saved_by));
diesel::joinable!(conventions -> communes (commune_code));
diesel::joinable!(conventions -> users (created_by));
diesel::joinable!(decisions -> communes (commune_code));
diesel::joinable!(departments -> regions (region_code));
diesel::joinable!(documents -> communes (commune_code));
diesel::joinable!(endorsements -> users (user_id));
diesel::joinable!(envelopes -> communes (commune_code));
diesel::joinable!(evaluation_people -> communes (commune_code));
diesel::joinable!(evaluations -> communes (commune_code));
diesel::joinable!(events -> communes (commune_code));
diesel::joinable!(events -> users (actor_id));
diesel::joinable!(fulfilments -> communes (commune_code));
diesel::joinable!(headcounts -> users (recorded_by));
diesel::joinable!(holder_members -> users (user_id));
diesel::joinable!(holders -> communes (commune_code));
diesel::joinable!(holders -> users (entered_by));
diesel::joinable!(identities -> communes (commune_code));
diesel::joinable!(identities -> users (user_id));
diesel::joinable!(import_mappings -> communes (commune_code));
diesel::joinable!(import_mappings -> users (changed_by));
diesel::joinable!(imports -> communes (commune_code));
diesel::joinable!(imports -> users (created_by));
diesel::joinable!(initiatives -> communes (commune_code));
diesel::joinable!(mandates -> communes (commune_code));
diesel::joinable!(measures -> communes (commune_code));
diesel::joinable!(measures -> users (recorded_by));
diesel::joinable!(meetings -> communes (commune_code));
diesel::joinable!(meetings -> users (recorded_by));
diesel::joinable!(metric_revisions -> communes (commune_code));
diesel::joinable!(notes -> communes (commune_code));
diesel::joinable!(notes -> users (author_id));
diesel::joinable!(opinions -> communes (commune_code));
diesel::joinable!(opinions -> users (given_by));
diesel::joinable!(participations -> users (user_id));
diesel::joinable!(practice_initiatives -> communes (commune_code));
diesel::joinable!(practices -> communes (commune_code));
diesel::joinable!(practices -> users (created_by));
diesel::joinable!(recusals -> communes (commune_code));
diesel::joinable!(refresh_tokens -> users (user_id));
diesel::joinable!(reminders -> communes (commune_code));
diesel::joinable!(signatures -> communes (commune_code));
diesel::joinable!(subsidy_records -> users (recorded_by));
diesel::joinable!(upkeep_checks -> users (checked_by));
diesel::joinable!(upkeep_hand_overs -> communes (commune_code));
diesel::joinable!(webhook_deliveries -> communes (commune_code));
diesel::joinable!(webhooks -> communes (commune_code));
diesel::joinable!(webhooks -> users (created_by));

diesel::allow_tables_to_appear_in_same_query!(
    authorities,
    changes,
    client_usage,
    clients,
    commitments,
    commune_cells,
    commune_figures,
    communes,
    convention_commitments,
    convention_parties,
    convention_templates,
    conventions,
    decisions,
    departments,
    documents,
    endorsements,
    envelopes,
    evaluation_people,
    evaluations,
    events,
    fulfilments,
    headcounts,
    holder_members,
    holders,
    idempotency_keys,
    identities,
    import_mappings,
    import_refusals,
    imports,
    initiatives,
    intercommunalities,
    lifecycle_transitions,
    mandates,
    measures,
    meetings,
    metric_cells,
    metric_editions,
    metric_marks,
    metric_revisions,
    metric_state,
    notes,
    opinions,
    participations,
    practice_initiatives,
    practices,
    public_changes,
    recusals,
    reference_data,
    refresh_tokens,
    regions,
    reminders,
    signatures,
    subsidy_records,
    upkeep_checks,
    upkeep_hand_overs,
    users,
    webhook_deliveries,
    webhooks,
);
