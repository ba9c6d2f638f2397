-- The alerts of the public programme. Views of ztf_public run with the rights of alertdb_definer, a locked
-- account that may only read ztf: public readers have no rights there.
CREATE OR REPLACE ALGORITHM = MERGE DEFINER = alertdb_definer@localhost SQL SECURITY DEFINER VIEW alerts AS
SELECT *
FROM ztf.alerts
WHERE programid = 1;
