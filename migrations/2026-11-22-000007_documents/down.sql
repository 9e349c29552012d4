DROP TABLE documents;
DROP FUNCTION guard_document, count_document_bytes;
ALTER TABLE communes
    DROP COLUMN document_quota_bytes,
    DROP COLUMN document_bytes;
