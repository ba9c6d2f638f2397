-- The rejects of tarballs that are public as a whole: a packet that cannot be read cannot prove that it is public.
-- LIMIT, which is beyond any number of rows, keeps the server from trying the condition of a reader on hidden rows.
CREATE OR REPLACE ALGORITHM = TEMPTABLE DEFINER = alertdb_definer@localhost SQL SECURITY DEFINER VIEW rejects AS
SELECT r.tarball, r.position, r.member, r.packet, r.reason
FROM ztf.rejects AS r
JOIN ztf.tarballs AS t
  ON t.id = r.tarball
WHERE t.partnership = 0
  AND LEFT(t.name, 16) <> 'ztf_partnership_'
  AND (t.alerts + t.duplicates > 0 OR LEFT(t.name, 11) = 'ztf_public_')
LIMIT 1000000000;
