-- What the columns of the summary need to know of each object beforehand: mean position and times of the last points.
-- `touched` (objectId) says which objects are meant, `condition` leaves out alerts `a` that do not count yet. The mean
-- position is that of the mean unit vector, which is right across RA 0 and at the poles, where a mean of angles is not.
CREATE TEMPORARY TABLE objects (PRIMARY KEY (objectId)) ENGINE = InnoDB
SELECT
    objectId, jd_last, jd_last_g, jd_last_r, jd_last_i, jd_named,
    MOD(DEGREES(ATAN2(y, x)) + 360e0, 360e0) AS ra_mean,
    DEGREES(ATAN2(z, SQRT(x * x + y * y)))   AS dec_mean,
    (SELECT COUNT(*) FROM {database}.alerts_limmag AS l WHERE l.objectId = vectors.objectId) AS nlimmag
FROM (
    SELECT
        a.objectId,
        MAX(a.jd)                                   AS jd_last,
        MAX(IF(a.fid = 1, a.jd, NULL))              AS jd_last_g,
        MAX(IF(a.fid = 2, a.jd, NULL))              AS jd_last_r,
        MAX(IF(a.fid = 3, a.jd, NULL))              AS jd_last_i,
        MAX(IF(a.ssnamenr IS NULL, NULL, a.jd))     AS jd_named,
        AVG(COS(RADIANS(a.`dec`)) * COS(RADIANS(a.ra))) AS x,
        AVG(COS(RADIANS(a.`dec`)) * SIN(RADIANS(a.ra))) AS y,
        AVG(SIN(RADIANS(a.`dec`)))                  AS z
    FROM touched AS t STRAIGHT_JOIN {database}.alerts AS a ON a.objectId = t.objectId {condition}
    GROUP BY a.objectId
    HAVING COUNT(*) >= 2
) AS vectors;
