-- Lock a person's account, then end what it still has open. May be called again.
CREATE OR REPLACE DEFINER = alertdb_keeper@localhost PROCEDURE alertdb_people.close_account(IN person BIGINT UNSIGNED)
SQL SECURITY DEFINER
BEGIN
    EXECUTE IMMEDIATE CONCAT('ALTER USER IF EXISTS gh', person, '@''%'' ACCOUNT LOCK');
    EXECUTE IMMEDIATE CONCAT('KILL HARD USER gh', person);
    UPDATE people SET closed_at = UTC_TIMESTAMP(6) WHERE id = person AND closed_at IS NULL;
END
