-- Where. The mean position is subtracted first: RA differences across RA 0 are small then, and no digits are lost.
MAX(o.ra_mean)  AS ra_mean  DOUBLE NOT NULL COMMENT 'Right ascension of the mean unit vector, J2000. Never NULL. [deg]'
MAX(o.dec_mean) AS dec_mean DOUBLE NOT NULL COMMENT 'Declination of the mean unit vector, J2000. Never NULL. [deg]'
STDDEV_SAMP((a.ra - o.ra_mean - 360 * ROUND((a.ra - o.ra_mean) / 360)) * COS(RADIANS(a.`dec`)) * 3600) AS ra_std DOUBLE NOT NULL COMMENT 'Sample standard deviation (n - 1) of right ascension times cos dec. Never NULL. [arcsec]'
STDDEV_SAMP((a.`dec` - o.dec_mean) * 3600) AS dec_std DOUBLE NOT NULL COMMENT 'Sample standard deviation (n - 1) of declination. Never NULL. [arcsec]'
