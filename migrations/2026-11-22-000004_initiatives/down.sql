ALTER TABLE initiatives DROP COLUMN opinion_id, DROP COLUMN decision_id;
DROP TABLE events, headcounts, participations, endorsements, notes, decisions, recusals, opinions, initiatives,
    lifecycle_transitions;
DROP FUNCTION refuse_change;
DROP FUNCTION count_participants;
DROP FUNCTION count_endorsements;
DROP FUNCTION stands_aside;
DROP FUNCTION guard_imported_initiative, guard_recusal;
DROP FUNCTION guard_decision;
DROP FUNCTION contestable_until;
DROP FUNCTION follow_lifecycle;
