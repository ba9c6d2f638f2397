-- Lock a person's account and note that the hub knows the person no more.
CREATE OR REPLACE DEFINER = alertdb_keeper@localhost PROCEDURE alertdb_people.note_leaving(IN person BIGINT UNSIGNED)
SQL SECURITY DEFINER
BEGIN
    CALL close_account(person);
    UPDATE people SET left_at = UTC_TIMESTAMP(6) WHERE id = person AND left_at IS NULL;
END
