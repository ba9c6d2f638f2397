-- What the watchdog told the account that asks.
CREATE OR REPLACE DEFINER = alertdb_keeper@localhost SQL SECURITY DEFINER VIEW alertdb_people.my_notices AS
SELECT n.at, n.connection, n.reason, n.message, n.statement
FROM alertdb_people.notices AS n
WHERE n.account = SUBSTRING_INDEX(USER(), '@', 1);
