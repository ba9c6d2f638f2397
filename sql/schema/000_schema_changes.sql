CREATE TABLE schema_changes (
    name       VARCHAR(64) NOT NULL COMMENT 'File of sql/schema that was applied; never NULL',
    sha256     CHAR(64)    NOT NULL COMMENT 'SHA-256 of the file as it was applied; never NULL',
    applied_at DATETIME(6) NOT NULL COMMENT 'When it was applied (UTC); never NULL',
    PRIMARY KEY (name)
) ENGINE = InnoDB COMMENT = 'The schema files that this database has seen';
