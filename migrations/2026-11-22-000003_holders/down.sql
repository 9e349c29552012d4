DROP TABLE identities, holder_members, holders;
DROP FUNCTION is_siret;
DROP FUNCTION luhn;
