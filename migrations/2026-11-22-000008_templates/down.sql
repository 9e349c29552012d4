ALTER TABLE conventions DROP COLUMN template_id;
DROP TABLE convention_templates;
DROP FUNCTION guard_convention_template;
