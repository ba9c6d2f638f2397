-- Given once the procedures are there.
GRANT EXECUTE ON PROCEDURE alertdb_people.open_account TO alertdb_hub@'%';
GRANT EXECUTE ON PROCEDURE alertdb_people.close_account TO alertdb_hub@'%';
GRANT EXECUTE ON PROCEDURE alertdb_people.note_leaving TO alertdb_hub@'%';
GRANT EXECUTE ON PROCEDURE alertdb_people.close_scratch TO alertdb_watchdog@'%';
GRANT EXECUTE ON PROCEDURE alertdb_people.reopen_scratch TO alertdb_watchdog@'%';
GRANT EXECUTE ON PROCEDURE alertdb_people.irregular_tables TO alertdb_watchdog@'%';
GRANT EXECUTE ON PROCEDURE alertdb_people.drop_irregular TO alertdb_watchdog@'%';
