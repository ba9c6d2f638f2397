CREATE TABLE schema_changes (
    name       VARCHAR(64) NOT NULL COMMENT 'File of sql/schema that was applied. Never NULL.',
    sha256     CHAR(64)    NOT NULL COMMENT 'SHA-256 of the file as it was applied. Never NULL.',
    applied_at DATETIME(6) NOT NULL COMMENT 'When it was applied (UTC). Never NULL.',
    PRIMARY KEY (name)
) ENGINE = InnoDB COMMENT = 'The schema files that this database has seen';
