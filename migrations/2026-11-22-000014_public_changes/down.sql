ALTER TABLE communes DROP COLUMN siret;
DROP FUNCTION count_public_change CASCADE;
DROP TABLE public_changes;
