-- Make a person's account and scratch database, unless they are there, and open the account with a new password,
-- which comes as the hash that the server keeps. Who is in with the old password is out.
CREATE OR REPLACE DEFINER = alertdb_keeper@localhost PROCEDURE alertdb_people.open_account(
    IN person BIGINT UNSIGNED, IN person_login VARCHAR(64), IN in_partnership BOOLEAN, IN password_hash VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
    DECLARE account VARCHAR(80) DEFAULT CONCAT('gh', person, '@''%''');
    DECLARE most_connections, most_seconds BIGINT UNSIGNED;
    IF password_hash NOT REGEXP '^[*][0-9A-F]{40}$' THEN -- it becomes part of a statement
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'A password comes as *, then 40 hexadecimal digits.';
    END IF;
    SELECT value INTO most_connections FROM limits WHERE name = 'connections';
    SELECT value INTO most_seconds FROM limits WHERE name = 'statement_seconds';
    CALL close_account(person);
    EXECUTE IMMEDIATE CONCAT(
        'CREATE DATABASE IF NOT EXISTS my_', person, ' CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin');
    EXECUTE IMMEDIATE CONCAT('CREATE USER IF NOT EXISTS ', account, ' ACCOUNT LOCK');
    INSERT INTO people (id, login, partnership, opened_at)
        VALUES (person, person_login, in_partnership, UTC_TIMESTAMP(6))
        ON DUPLICATE KEY UPDATE login = person_login, partnership = in_partnership, opened_at = UTC_TIMESTAMP(6),
                                closed_at = NULL, left_at = NULL;
    CALL give_rights(person);
    EXECUTE IMMEDIATE CONCAT(
        'ALTER USER ', account, ' IDENTIFIED BY PASSWORD ''', password_hash, ''' WITH MAX_USER_CONNECTIONS ',
        most_connections, ' MAX_STATEMENT_TIME ', most_seconds, ' ACCOUNT UNLOCK');
END
