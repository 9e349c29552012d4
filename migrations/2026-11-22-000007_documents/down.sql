DROP TRIGGER initiatives_scan ON initiatives;
DROP TRIGGER signatures_scan ON signatures;
ALTER TABLE initiatives DROP COLUMN paper_document_id;
ALTER TABLE signatures DROP COLUMN document_id;
DROP TABLE documents;
DROP FUNCTION guard_scan, guard_document, count_document_bytes;
ALTER TABLE communes
    DROP COLUMN document_quota_bytes,
    DROP COLUMN document_bytes;
