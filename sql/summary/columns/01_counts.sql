-- How often, and when. One column a line: expression AS name type COMMENT 'meaning. Null rule. [unit]'.
-- The expressions see `a`, the alerts of one object, and `o`, its row of sql/summary/objects.sql.
a.objectId            AS objectId VARCHAR(32)  NOT NULL COMMENT 'Name of the object, objects with two or more alerts only. Never NULL.'
COUNT(*)              AS nobs     INT UNSIGNED NOT NULL COMMENT 'Number of alerts. Never NULL.'
COUNT(IF(a.fid = 1, 1, NULL)) AS nobs_g INT UNSIGNED NOT NULL COMMENT 'Number of alerts in g. Never NULL.'
COUNT(IF(a.fid = 2, 1, NULL)) AS nobs_r INT UNSIGNED NOT NULL COMMENT 'Number of alerts in r. Never NULL.'
COUNT(IF(a.fid = 3, 1, NULL)) AS nobs_i INT UNSIGNED NOT NULL COMMENT 'Number of alerts in i. Never NULL.'
COUNT(IF(a.isdiffpos = 't', 1, NULL)) AS npos INT UNSIGNED NOT NULL COMMENT 'Number of alerts brighter than the reference. Never NULL.'
COUNT(IF(a.isdiffpos = 'f', 1, NULL)) AS nneg INT UNSIGNED NOT NULL COMMENT 'Number of alerts fainter than the reference. Never NULL.'
COUNT(DISTINCT a.nid) AS nnights  INT UNSIGNED NOT NULL COMMENT 'Number of distinct nights (nid) with an alert. Never NULL.'
MIN(a.jd)             AS jd_first DOUBLE NOT NULL COMMENT 'Time of the first alert, Julian date, UTC. Never NULL. [d]'
MAX(a.jd)             AS jd_last  DOUBLE NOT NULL COMMENT 'Time of the last alert, Julian date, UTC. Never NULL. [d]'
