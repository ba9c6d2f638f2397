-- The rejects of tarballs that are public as a whole: a packet that cannot be read cannot prove that it is public.
CREATE OR REPLACE ALGORITHM = MERGE DEFINER = alertdb_definer@localhost SQL SECURITY DEFINER VIEW rejects AS
SELECT r.tarball, r.position, r.member, r.packet, r.reason
FROM ztf.rejects AS r
JOIN ztf.tarballs AS t
  ON t.id = r.tarball
WHERE t.partnership = 0
  AND LEFT(t.name, 16) <> 'ztf_partnership_'
  AND (t.alerts + t.duplicates > 0 OR LEFT(t.name, 11) = 'ztf_public_');
