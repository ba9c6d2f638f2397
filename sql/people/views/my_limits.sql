-- The limits, for everybody to read.
CREATE OR REPLACE DEFINER = alertdb_keeper@localhost SQL SECURITY DEFINER VIEW alertdb_people.my_limits AS
SELECT name, value, meaning
FROM alertdb_people.limits;
