DROP TABLE subsidy_records;
