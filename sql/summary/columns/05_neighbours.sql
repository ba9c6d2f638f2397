-- What lies beside it, and how to go on from here.
AVG(a.sgscore1)  AS sgscore1_mean DOUBLE NULL COMMENT 'Mean star-galaxy score of the nearest PS1 source, 0 galaxy to 1 star. NULL: no PS1 source.'
MIN(a.distpsnr1) AS distpsnr1_min FLOAT NULL COMMENT 'Smallest distance to the nearest PS1 source. NULL: no PS1 source. [arcsec]'
MIN(a.ssdistnr)  AS ssdistnr_min FLOAT NULL COMMENT 'Smallest distance to a known solar-system object. NULL: none near. [arcsec]'
MAX(IF(a.jd = o.jd_named, a.ssnamenr, NULL)) AS ssnamenr VARCHAR(64) NULL COMMENT 'Name of the nearest known solar-system object in the last alert that has one. NULL: none near.'
MAX(a.ndethist)  AS ndethist_max INT NULL COMMENT 'Largest number of detections in the history of the survey at this position. NULL: not given.'
MAX(o.nlimmag)   AS nlimmag INT UNSIGNED NOT NULL COMMENT 'Number of upper limits (alerts_limmag). Never NULL.'
MAX(IF(a.jd = o.jd_last, a.candid, NULL)) AS candid_last BIGINT NOT NULL COMMENT 'candid of the last alert, the key to its thumbnails. Never NULL.'
