DROP TABLE measures, meetings, evaluation_people, evaluations;
DROP FUNCTION guard_evaluation_people;
DROP FUNCTION guard_evaluation;
