-- Let a person add to the scratch database again.
CREATE OR REPLACE DEFINER = alertdb_keeper@localhost PROCEDURE alertdb_people.reopen_scratch(IN person BIGINT UNSIGNED)
SQL SECURITY DEFINER
BEGIN
    UPDATE people SET scratch_full = 0 WHERE id = person;
    EXECUTE IMMEDIATE CONCAT(
        'GRANT INSERT, UPDATE, CREATE, ALTER, INDEX, CREATE VIEW ON `my\\_', person, '`.* TO gh', person, '@''%''');
END
