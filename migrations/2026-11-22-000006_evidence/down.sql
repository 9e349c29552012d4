DROP TABLE measures, meetings, evaluations;
DROP FUNCTION guard_evaluation;
