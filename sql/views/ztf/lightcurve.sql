-- Light curves: one row per epoch (objectId, jd, fid) of an object, whatever brought it. Precedence: alert,
-- history, limit, forced, and of two detections at one epoch the larger candid. Forced photometry of the same
-- epoch stands beside the row in flux, flux_error and magzpsci. Name the objects as literals, with objectId = or IN:
-- for a statement parameter (?), a join or a subquery MariaDB makes the light curves of all objects first.
--
-- That is since it pushes conditions into the branches of a UNION, but only literals. Outer joins and IS NULL, not
-- NOT EXISTS: the optimizer may turn the latter into a materialized subquery over a whole table, while a join looks
-- up one key.
--
-- MariaDB keeps no comments on the columns of a view, so they stand here, for docs/tables.md:
--   objectId    Name of the object. Never NULL.
--   jd          Start of the exposure, Julian date, UTC. Never NULL. [d]
--   fid         Filter: 1 = g, 2 = r, 3 = i. Never NULL.
--   kind        What the epoch is known from: alert, history (of another alert), limit or forced. Never NULL.
--   candid      Identifier of the detection. NULL: kind is limit or forced.
--   magpsf      Magnitude of the difference by PSF fit. NULL: kind is limit or forced, or no value in the packet. [mag]
--   sigmapsf    1-sigma uncertainty of magpsf. NULL: as magpsf. [mag]
--   isdiffpos   Sign of the difference: t = brighter than the reference, f = fainter. NULL: as magpsf.
--   diffmaglim  Expected 5-sigma limiting magnitude of the difference image. NULL: no value in the packet. [mag]
--   flux        Forced PSF-fit flux in the difference image. NULL: no forced photometry at this epoch. [DN]
--   flux_error  1-sigma uncertainty of flux. NULL: as flux. [DN]
--   magzpsci    Zero point of the forced photometry: magnitude = magzpsci - 2.5 log10(flux). NULL: as flux. [mag]
--   rb          Real-bogus score by random forest, 0 bogus to 1 real. NULL: as magpsf.
--   programid   Programme that took the exposure: 1 public, 2 partnership, 3 Caltech. NULL: no value in the packet.
CREATE OR REPLACE SQL SECURITY INVOKER VIEW lightcurve AS
SELECT a.objectId AS objectId, a.jd AS jd, a.fid AS fid, 'alert' AS kind, a.candid AS candid,
       a.magpsf AS magpsf, a.sigmapsf AS sigmapsf, a.isdiffpos AS isdiffpos, a.diffmaglim AS diffmaglim,
       f.forcediffimflux AS flux, f.forcediffimfluxunc AS flux_error, f.magzpsci AS magzpsci,
       a.rb AS rb, a.programid AS programid
FROM alerts AS a
LEFT JOIN alerts AS later
       ON later.objectId = a.objectId AND later.jd = a.jd AND later.fid = a.fid
      AND later.candid > a.candid
LEFT JOIN alerts_forced AS f
       ON f.objectId = a.objectId AND f.jd = a.jd AND f.fid = a.fid
WHERE later.objectId IS NULL
UNION ALL
SELECT p.objectId, p.jd, p.fid, 'history', p.candid,
       p.magpsf, p.sigmapsf, p.isdiffpos, p.diffmaglim,
       f.forcediffimflux, f.forcediffimfluxunc, f.magzpsci,
       p.rb, p.programid
FROM alerts_prv AS p
LEFT JOIN alerts AS a
       ON a.objectId = p.objectId AND a.jd = p.jd AND a.fid = p.fid
LEFT JOIN alerts_prv AS later
       ON later.objectId = p.objectId AND later.jd = p.jd AND later.fid = p.fid
      AND later.candid > p.candid
LEFT JOIN alerts_forced AS f
       ON f.objectId = p.objectId AND f.jd = p.jd AND f.fid = p.fid
WHERE a.objectId IS NULL AND later.objectId IS NULL
UNION ALL
SELECT l.objectId, l.jd, l.fid, 'limit', NULL,
       NULL, NULL, NULL, l.diffmaglim,
       f.forcediffimflux, f.forcediffimfluxunc, f.magzpsci,
       NULL, l.programid
FROM alerts_limmag AS l
LEFT JOIN alerts AS a
       ON a.objectId = l.objectId AND a.jd = l.jd AND a.fid = l.fid
LEFT JOIN alerts_prv AS p
       ON p.objectId = l.objectId AND p.jd = l.jd AND p.fid = l.fid
LEFT JOIN alerts_forced AS f
       ON f.objectId = l.objectId AND f.jd = l.jd AND f.fid = l.fid
WHERE a.objectId IS NULL AND p.objectId IS NULL
UNION ALL
SELECT f.objectId, f.jd, f.fid, 'forced', NULL,
       NULL, NULL, NULL, f.diffmaglim,
       f.forcediffimflux, f.forcediffimfluxunc, f.magzpsci,
       NULL, f.programid
FROM alerts_forced AS f
LEFT JOIN alerts AS a
       ON a.objectId = f.objectId AND a.jd = f.jd AND a.fid = f.fid
LEFT JOIN alerts_prv AS p
       ON p.objectId = f.objectId AND p.jd = f.jd AND p.fid = f.fid
LEFT JOIN alerts_limmag AS l
       ON l.objectId = f.objectId AND l.jd = f.jd AND l.fid = f.fid
WHERE a.objectId IS NULL AND p.objectId IS NULL AND l.objectId IS NULL;
