-- Give a person's account what its row in people says, and take everything else.
CREATE OR REPLACE DEFINER = alertdb_keeper@localhost PROCEDURE alertdb_people.give_rights(IN person BIGINT UNSIGNED)
SQL SECURITY DEFINER
BEGIN
    DECLARE account VARCHAR(80) DEFAULT CONCAT('gh', person, '@''%''');
    DECLARE in_partnership, is_full BOOLEAN;
    SELECT partnership, scratch_full INTO in_partnership, is_full FROM people WHERE id = person;
    EXECUTE IMMEDIATE CONCAT('REVOKE ALL PRIVILEGES, GRANT OPTION FROM ', account);
    FOR survey IN (SELECT name FROM surveys) DO
        EXECUTE IMMEDIATE CONCAT('GRANT SELECT, SHOW VIEW ON ', survey.name, '_public.* TO ', account);
        IF in_partnership THEN
            EXECUTE IMMEDIATE CONCAT('GRANT SELECT, SHOW VIEW ON ', survey.name, '.* TO ', account);
        END IF;
    END FOR;
    -- The underscore is escaped: else my_1 would stand for myx1 as well.
    EXECUTE IMMEDIATE CONCAT(
        'GRANT SELECT, DELETE, DROP, SHOW VIEW',
        IF(is_full, '', ', INSERT, UPDATE, CREATE, ALTER, INDEX, CREATE VIEW'),
        ' ON `my\\_', person, '`.* TO ', account);
    EXECUTE IMMEDIATE CONCAT('GRANT SELECT ON alertdb_people.my_notices TO ', account);
    EXECUTE IMMEDIATE CONCAT('GRANT SELECT ON alertdb_people.my_account TO ', account);
    EXECUTE IMMEDIATE CONCAT('GRANT SELECT ON alertdb_people.my_limits TO ', account);
END
