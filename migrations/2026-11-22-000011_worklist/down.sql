DROP TABLE reminders;
DROP VIEW work_items;
DROP INDEX conventions_open;
DROP INDEX upkeep_hand_overs_open;
DROP INDEX fulfilments_open;
DROP INDEX commitments_open;
