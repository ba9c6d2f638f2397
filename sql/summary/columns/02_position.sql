-- Where. Offsets from the mean position are taken in the plane of the sky, so that the standard deviations hold at any declination.
MAX(o.ra_mean)  AS ra_mean  DOUBLE NOT NULL COMMENT 'Right ascension of the mean unit vector, J2000. Never NULL. [deg]'
MAX(o.dec_mean) AS dec_mean DOUBLE NOT NULL COMMENT 'Declination of the mean unit vector, J2000. Never NULL. [deg]'
STDDEV_SAMP(DEGREES(COS(RADIANS(a.`dec`)) * SIN(RADIANS(a.ra - o.ra_mean))) * 3600) AS ra_std DOUBLE NOT NULL COMMENT 'Sample standard deviation in right ascension times cos dec. Never NULL. [arcsec]'
STDDEV_SAMP(DEGREES(SIN(RADIANS(a.`dec`)) * COS(RADIANS(o.dec_mean)) - COS(RADIANS(a.`dec`)) * SIN(RADIANS(o.dec_mean)) * COS(RADIANS(a.ra - o.ra_mean))) * 3600) AS dec_std DOUBLE NOT NULL COMMENT 'Sample standard deviation in declination. Never NULL. [arcsec]'
