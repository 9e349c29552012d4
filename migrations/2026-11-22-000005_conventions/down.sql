DROP TABLE signatures, convention_parties, convention_commitments, conventions, fulfilments, commitments, envelopes,
    authorities;
DROP FUNCTION guard_convention_part;
DROP FUNCTION guard_authority;
DROP FUNCTION guard_convention;
DROP FUNCTION guard_signature;
DROP FUNCTION guard_fulfilment;
DROP FUNCTION guard_imported_commitment, guard_commitment;
DROP FUNCTION reserve_in_envelope;
DROP FUNCTION is_recurrence;
DROP FUNCTION timesheet_minutes;
DROP FUNCTION is_hour;
