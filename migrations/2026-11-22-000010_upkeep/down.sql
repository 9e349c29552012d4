DROP TABLE upkeep_hand_overs, upkeep_checks;
DROP FUNCTION guard_upkeep_hand_over;
DROP FUNCTION guard_upkeep_check;
DELETE FROM lifecycle_transitions WHERE lifecycle = 'hand_over';
