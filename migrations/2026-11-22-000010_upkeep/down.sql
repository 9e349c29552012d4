DROP TABLE upkeep_checks;
DROP FUNCTION guard_upkeep_check;
