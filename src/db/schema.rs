// @generated automatically by Diesel CLI.

pub mod sql_types {
    #[derive(diesel::query_builder::QueryId, diesel::sql_types::SqlType)]
    #[diesel(postgres_type(name = "tsvector", schema = "pg_catalog"))]
    pub struct Tsvector;
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
        version -> Int4,
        name_words -> Tsvector,
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
    endorsements (initiative_id, commune_code, user_id) {
        initiative_id -> Uuid,
        commune_code -> Text,
        user_id -> Uuid,
        created_at -> Timestamptz,
    }
}

diesel::table! {
    events (id, commune_code) {
        id -> Uuid,
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
        rna -> Nullable<Text>,
        republican_commitment_on -> Nullable<Date>,
        contact_email -> Nullable<Text>,
        contact_phone -> Nullable<Text>,
        entered_by -> Nullable<Uuid>,
        created_at -> Timestamptz,
        version -> Int4,
    }
}

diesel::table! {
    idempotency_keys (user_id, operation, key) {
        user_id -> Uuid,
        operation -> Text,
        key -> Text,
        body_sha256 -> Bytea,
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
        redirected_to -> Nullable<Text>,
        state_changed_at -> Timestamptz,
        created_at -> Timestamptz,
        version -> Int4,
        endorsement_count -> Int4,
        participant_count -> Int4,
        folded_text -> Text,
        words -> Tsvector,
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
        starts_on -> Date,
        ends_on -> Nullable<Date>,
        granted_by -> Uuid,
        created_at -> Timestamptz,
        version -> Int4,
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
    users (id) {
        id -> Uuid,
        email -> Text,
        password_hash -> Text,
        display_name -> Text,
        full_name -> Text,
        birth_on -> Date,
        is_admin -> Bool,
        locale -> Text,
        created_at -> Timestamptz,
        erased_at -> Nullable<Timestamptz>,
        version -> Int4,
    }
}

diesel::joinable!(communes -> departments (department_code));
diesel::joinable!(communes -> intercommunalities (epci_siren));
diesel::joinable!(communes -> regions (region_code));
diesel::joinable!(decisions -> communes (commune_code));
diesel::joinable!(decisions -> users (decided_by));
diesel::joinable!(departments -> regions (region_code));
diesel::joinable!(endorsements -> users (user_id));
diesel::joinable!(events -> communes (commune_code));
diesel::joinable!(events -> users (actor_id));
diesel::joinable!(headcounts -> users (recorded_by));
diesel::joinable!(holder_members -> users (user_id));
diesel::joinable!(holders -> communes (commune_code));
diesel::joinable!(holders -> users (entered_by));
diesel::joinable!(idempotency_keys -> users (user_id));
diesel::joinable!(identities -> communes (commune_code));
diesel::joinable!(identities -> users (user_id));
diesel::joinable!(initiatives -> communes (commune_code));
diesel::joinable!(mandates -> communes (commune_code));
diesel::joinable!(notes -> communes (commune_code));
diesel::joinable!(notes -> users (author_id));
diesel::joinable!(opinions -> communes (commune_code));
diesel::joinable!(opinions -> users (given_by));
diesel::joinable!(participations -> users (user_id));
diesel::joinable!(refresh_tokens -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    communes,
    decisions,
    departments,
    endorsements,
    events,
    headcounts,
    holder_members,
    holders,
    idempotency_keys,
    identities,
    initiatives,
    intercommunalities,
    lifecycle_transitions,
    mandates,
    notes,
    opinions,
    participations,
    reference_data,
    refresh_tokens,
    regions,
    users,
);
