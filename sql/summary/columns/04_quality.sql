-- How real: the scores of the survey's classifiers.
AVG(a.rb)  AS rb_mean  DOUBLE NULL COMMENT 'Mean real-bogus score, 0 to 1. NULL: no alert has one.'
MIN(a.rb)  AS rb_min   FLOAT  NULL COMMENT 'Smallest real-bogus score, 0 to 1. NULL: no alert has one.'
MAX(a.rb)  AS rb_max   FLOAT  NULL COMMENT 'Largest real-bogus score, 0 to 1. NULL: no alert has one.'
AVG(a.drb) AS drb_mean DOUBLE NULL COMMENT 'Mean deep-learning real-bogus score, 0 to 1. NULL: no alert has one (schema before 3.3).'
