DROP TABLE import_refusals;
DROP TABLE imports;
DROP FUNCTION guard_import;
DROP TABLE import_mappings;
