-- The alerts of the public programme. Views of ztf_public run with the rights of alertdb_definer, a locked
-- account that may only read ztf: public readers have no rights there.
--
-- A condition that a reader adds may do more than choose rows: it can count in a variable, sleep or fail. So it must
-- never be tried on a row that the view hides. What makes sure of that: the server tries column = constant, as
-- programid = 1, before any other condition, and each key of the tables holds programid, so that this holds already
-- where it tries conditions on an entry of a key. Anything else than column = constant would come too late.
CREATE OR REPLACE ALGORITHM = MERGE DEFINER = alertdb_definer@localhost SQL SECURITY DEFINER VIEW alerts AS
SELECT *
FROM ztf.alerts
WHERE programid = 1;
