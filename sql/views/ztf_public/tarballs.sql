-- The ledger as the public may see it. A tarball shows when what it holds is known and either
--   all its alerts are public (at least one is, or its name is that of a public night, which may be empty), or
--   it is mixed: then only what identifies it shows, for every count, sum, size and checksum would tell how much
--   partnership data a night has.
-- A tarball without public alerts, or whose alerts nobody counted (partnership is NULL), does not show at all.
-- LIMIT, which is beyond any number of rows, keeps the server from trying the condition of a reader on hidden rows.
CREATE OR REPLACE ALGORITHM = TEMPTABLE DEFINER = alertdb_definer@localhost SQL SECURITY DEFINER VIEW tarballs AS
SELECT t.id,
       t.name,
       IF(t.partnership = 0, t.sha256, NULL) AS sha256,
       IF(t.partnership = 0, t.bytes, NULL) AS bytes,
       IF(t.partnership = 0, t.modified, NULL) AS modified,
       t.survey,
       t.night,
       t.state,
       IF(t.partnership = 0, t.damage, NULL) AS damage,
       IF(t.partnership = 0, t.members, NULL) AS members,
       IF(t.partnership = 0, t.alerts, NULL) AS alerts,
       IF(t.partnership = 0, t.duplicates, NULL) AS duplicates,
       IF(t.partnership = 0, t.partnership, NULL) AS partnership,
       IF(t.partnership = 0, t.objects, NULL) AS objects,
       IF(t.partnership = 0, t.limits, NULL) AS limits,
       IF(t.partnership = 0, t.history, NULL) AS history,
       IF(t.partnership = 0, t.forced, NULL) AS forced,
       IF(t.partnership = 0, t.rejects, NULL) AS rejects,
       IF(t.partnership = 0, t.candid_sum, NULL) AS candid_sum,
       IF(t.partnership = 0, t.candid_first, NULL) AS candid_first,
       IF(t.partnership = 0, t.candid_last, NULL) AS candid_last,
       IF(t.partnership = 0, t.jd_first, NULL) AS jd_first,
       IF(t.partnership = 0, t.jd_last, NULL) AS jd_last,
       IF(t.partnership = 0, t.alerts_checksum, NULL) AS alerts_checksum,
       IF(t.partnership = 0, t.limits_checksum, NULL) AS limits_checksum,
       IF(t.partnership = 0, t.history_checksum, NULL) AS history_checksum,
       IF(t.partnership = 0, t.forced_checksum, NULL) AS forced_checksum,
       t.`schemas`,
       IF(t.partnership = 0, t.unknown_fields, NULL) AS unknown_fields,
       IF(t.partnership = 0, t.thumbnails, NULL) AS thumbnails,
       t.version,
       t.loaded_at,
       IF(t.partnership = 0, t.seconds, NULL) AS seconds
FROM ztf.tarballs AS t
WHERE LEFT(t.name, 16) <> 'ztf_partnership_'
  AND (t.alerts + t.duplicates > t.partnership
       OR (t.partnership = 0 AND LEFT(t.name, 11) = 'ztf_public_'))
LIMIT 1000000000;
