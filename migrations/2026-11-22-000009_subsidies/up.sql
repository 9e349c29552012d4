-- What the town hall has done about what a body received in a year. The figures themselves are counted from commitments
-- and fulfilments.
CREATE TABLE subsidy_records (
    holder_id uuid NOT NULL,
    commune_code text NOT NULL,
    year integer NOT NULL CONSTRAINT subsidy_records_year CHECK (year BETWEEN 1990 AND 2200),
    -- the essential data of the convention
    published_on date,
    -- the financial report of the year
    report_received_on date CONSTRAINT subsidy_records_report CHECK (report_received_on >= make_date(year, 1, 1)),
    -- who changed it last
    recorded_by uuid NOT NULL REFERENCES users (id),
    version integer NOT NULL DEFAULT 0,
    PRIMARY KEY (holder_id, commune_code, year),
    FOREIGN KEY (holder_id, commune_code) REFERENCES holders (id, commune_code)
);
CREATE INDEX subsidy_records_by_commune ON subsidy_records (commune_code);
