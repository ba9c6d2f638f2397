-- Leave a person's scratch database to be read and deleted from. The person's connections are ended, since one that
-- has it as its database keeps the rights that it came with.
CREATE OR REPLACE DEFINER = alertdb_keeper@localhost PROCEDURE alertdb_people.close_scratch(IN person BIGINT UNSIGNED)
SQL SECURITY DEFINER
BEGIN
    EXECUTE IMMEDIATE CONCAT(
        'REVOKE INSERT, UPDATE, CREATE, ALTER, INDEX, CREATE VIEW ON `my\\_', person, '`.* FROM gh', person, '@''%''');
    EXECUTE IMMEDIATE CONCAT('KILL HARD USER gh', person);
    UPDATE people SET scratch_full = 1 WHERE id = person;
END
