-- What the server knows of the people who use the archive. Only the accounts of grants.sql read these tables: people
-- see what concerns them through the views beside this file.
CREATE DATABASE IF NOT EXISTS alertdb_people CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin;

CREATE TABLE IF NOT EXISTS alertdb_people.surveys (
    name VARCHAR(32) NOT NULL COMMENT 'Survey, and name of its database. What is public of it is in <name>_public. Never NULL.',
    PRIMARY KEY (name)
) ENGINE = InnoDB COMMENT = 'The surveys that people are given rights to';

CREATE TABLE IF NOT EXISTS alertdb_people.people (
    id            BIGINT UNSIGNED NOT NULL COMMENT 'Numeric id at GitHub. The account is gh<id>, the scratch database my_<id>. Never NULL.',
    login         VARCHAR(64) NOT NULL     COMMENT 'Login at GitHub when the account was last opened. Never NULL.',
    partnership   BOOLEAN NOT NULL         COMMENT 'Whether the account reads partnership alerts. Never NULL.',
    opened_at     DATETIME(6) NOT NULL     COMMENT 'When the account was last opened, UTC. Never NULL.',
    closed_at     DATETIME(6)              COMMENT 'When it was locked, UTC. NULL: it is open.',
    left_at       DATETIME(6)              COMMENT 'When the hub was first seen without this person, UTC. NULL: the hub knows the person.',
    scratch_limit BIGINT UNSIGNED          COMMENT 'Largest size of the scratch database for this person. NULL: as for all. [MB]',
    scratch_bytes BIGINT UNSIGNED NOT NULL DEFAULT 0 COMMENT 'Its size when the watchdog last looked. Never NULL. [byte]',
    scratch_full  BOOLEAN NOT NULL DEFAULT 0 COMMENT 'Whether it is over the limit: to read and to delete only. Never NULL.',
    PRIMARY KEY (id)
) ENGINE = InnoDB COMMENT = 'People with an account of their own';

CREATE TABLE IF NOT EXISTS alertdb_people.limits (
    name    VARCHAR(32) NOT NULL     COMMENT 'Name of the limit. Never NULL.',
    value   BIGINT UNSIGNED NOT NULL COMMENT 'Its value, in the unit that the name ends with. Never NULL.',
    meaning VARCHAR(200) NOT NULL    COMMENT 'What happens at it. Never NULL.',
    PRIMARY KEY (name)
) ENGINE = InnoDB COMMENT = 'Limits of people''s accounts';

INSERT IGNORE INTO alertdb_people.limits VALUES
    ('connections', 8, 'A further connection is refused.'),
    ('statement_seconds', 600, 'A statement that runs longer is ended.'),
    ('idle_transaction_seconds', 60, 'A connection with an open transaction that does nothing for longer is ended.'),
    ('transaction_seconds', 3600, 'A connection whose transaction is open for longer is ended.'),
    ('scratch_MB', 10000, 'A scratch database that is larger can be read and deleted from, not added to.');

CREATE TABLE IF NOT EXISTS alertdb_people.notices (
    id         BIGINT UNSIGNED NOT NULL AUTO_INCREMENT COMMENT 'Grows with time. Never NULL.',
    at         DATETIME(6) NOT NULL  COMMENT 'When it happened, UTC. Never NULL.',
    account    VARCHAR(80) NOT NULL  COMMENT 'Account whom it happened to. Never NULL.',
    connection BIGINT UNSIGNED       COMMENT 'Id of the connection that was ended. NULL: it concerns the account as a whole.',
    reason     VARCHAR(32) NOT NULL  COMMENT 'Name of the limit, or what was blocked. Never NULL.',
    message    VARCHAR(500) NOT NULL COMMENT 'What was found, what is allowed, what to do. Never NULL.',
    statement  VARCHAR(200)          COMMENT 'Beginning of the statement that was running. NULL: none was.',
    PRIMARY KEY (id),
    KEY account (account, id),
    KEY at (at)
) ENGINE = InnoDB COMMENT = 'What the watchdog ended, and why';

CREATE TABLE IF NOT EXISTS alertdb_people.looks (
    one BOOLEAN NOT NULL DEFAULT 1 COMMENT 'Always 1: there is one row. Never NULL.',
    at  DATETIME(6) NOT NULL       COMMENT 'When the watchdog last looked, to some seconds, UTC. Never NULL.',
    PRIMARY KEY (one)
) ENGINE = InnoDB COMMENT = 'By which alertdb doctor sees that the watchdog runs';
