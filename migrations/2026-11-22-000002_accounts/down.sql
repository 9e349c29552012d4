DROP FUNCTION mandate_covers;
DROP TABLE idempotency_keys, mandates, refresh_tokens, users;
