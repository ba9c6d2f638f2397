-- Light curves: one row per epoch (objectId, jd, fid) of an object, whatever brought it. Precedence: alert,
-- history, limit, forced, and of two detections at one epoch the larger candid. Forced photometry of the same
-- epoch stands beside the row in flux, flux_error and magzpsci. Name the objects as literals, with objectId = or IN:
-- for a statement parameter (?), a join or a subquery MariaDB makes the light curves of all objects first.
--
-- That is since it pushes conditions into the branches of a UNION, but only literals. Outer joins and IS NULL, not
-- NOT EXISTS: the optimizer may turn the latter into a materialized subquery over a whole table, while a join looks
-- up one key.
-- Public: only rows of programid 1 take part, so that a partnership row neither shows nor hides a public one.
CREATE OR REPLACE DEFINER = alertdb_definer@localhost SQL SECURITY DEFINER VIEW lightcurve AS
SELECT a.objectId AS objectId, a.jd AS jd, a.fid AS fid, 'alert' AS kind, a.candid AS candid,
       a.magpsf AS magpsf, a.sigmapsf AS sigmapsf, a.isdiffpos AS isdiffpos, a.diffmaglim AS diffmaglim,
       f.forcediffimflux AS flux, f.forcediffimfluxunc AS flux_error, f.magzpsci AS magzpsci,
       a.rb AS rb, a.programid AS programid
FROM ztf.alerts AS a
LEFT JOIN ztf.alerts AS later
       ON later.objectId = a.objectId AND later.jd = a.jd AND later.fid = a.fid AND later.programid = 1
      AND later.candid > a.candid
LEFT JOIN ztf.alerts_forced AS f
       ON f.objectId = a.objectId AND f.jd = a.jd AND f.fid = a.fid AND f.programid = 1
WHERE a.programid = 1 AND later.objectId IS NULL
UNION ALL
SELECT p.objectId, p.jd, p.fid, 'history', p.candid,
       p.magpsf, p.sigmapsf, p.isdiffpos, p.diffmaglim,
       f.forcediffimflux, f.forcediffimfluxunc, f.magzpsci,
       p.rb, p.programid
FROM ztf.alerts_prv AS p
LEFT JOIN ztf.alerts AS a
       ON a.objectId = p.objectId AND a.jd = p.jd AND a.fid = p.fid AND a.programid = 1
LEFT JOIN ztf.alerts_prv AS later
       ON later.objectId = p.objectId AND later.jd = p.jd AND later.fid = p.fid AND later.programid = 1
      AND later.candid > p.candid
LEFT JOIN ztf.alerts_forced AS f
       ON f.objectId = p.objectId AND f.jd = p.jd AND f.fid = p.fid AND f.programid = 1
WHERE p.programid = 1 AND a.objectId IS NULL AND later.objectId IS NULL
UNION ALL
SELECT l.objectId, l.jd, l.fid, 'limit', NULL,
       NULL, NULL, NULL, l.diffmaglim,
       f.forcediffimflux, f.forcediffimfluxunc, f.magzpsci,
       NULL, l.programid
FROM ztf.alerts_limmag AS l
LEFT JOIN ztf.alerts AS a
       ON a.objectId = l.objectId AND a.jd = l.jd AND a.fid = l.fid AND a.programid = 1
LEFT JOIN ztf.alerts_prv AS p
       ON p.objectId = l.objectId AND p.jd = l.jd AND p.fid = l.fid AND p.programid = 1
LEFT JOIN ztf.alerts_forced AS f
       ON f.objectId = l.objectId AND f.jd = l.jd AND f.fid = l.fid AND f.programid = 1
WHERE l.programid = 1 AND a.objectId IS NULL AND p.objectId IS NULL
UNION ALL
SELECT f.objectId, f.jd, f.fid, 'forced', NULL,
       NULL, NULL, NULL, f.diffmaglim,
       f.forcediffimflux, f.forcediffimfluxunc, f.magzpsci,
       NULL, f.programid
FROM ztf.alerts_forced AS f
LEFT JOIN ztf.alerts AS a
       ON a.objectId = f.objectId AND a.jd = f.jd AND a.fid = f.fid AND a.programid = 1
LEFT JOIN ztf.alerts_prv AS p
       ON p.objectId = f.objectId AND p.jd = f.jd AND p.fid = f.fid AND p.programid = 1
LEFT JOIN ztf.alerts_limmag AS l
       ON l.objectId = f.objectId AND l.jd = f.jd AND l.fid = f.fid AND l.programid = 1
WHERE f.programid = 1 AND a.objectId IS NULL AND p.objectId IS NULL AND l.objectId IS NULL;
