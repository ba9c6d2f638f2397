-- Drop a foreign key of a scratch database, or (without one) a table of it.
CREATE OR REPLACE DEFINER = alertdb_keeper@localhost PROCEDURE alertdb_people.drop_irregular(
    IN home VARCHAR(64), IN table_name VARCHAR(64), IN foreign_key VARCHAR(64))
SQL SECURITY DEFINER
BEGIN
    DECLARE quoted VARCHAR(300);
    IF home NOT REGEXP '^my_[0-9]+$' THEN
        SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Only of scratch databases.';
    END IF;
    SET quoted = CONCAT(home, '.`', REPLACE(table_name, '`', '``'), '`');
    IF foreign_key IS NULL THEN
        EXECUTE IMMEDIATE CONCAT('DROP TABLE IF EXISTS ', quoted);
    ELSE
        EXECUTE IMMEDIATE CONCAT(
            'ALTER TABLE ', quoted, ' DROP FOREIGN KEY IF EXISTS `', REPLACE(foreign_key, '`', '``'), '`');
    END IF;
END
