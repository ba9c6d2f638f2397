-- Asteroids by name; and scores, nights and places of all alerts without a look at the wide rows.
-- jd stands second: nearly all alerts have no ssnamenr, and among these new entries go to the end, as a large key must.
ALTER TABLE alerts ADD KEY asteroid (ssnamenr, jd, programid, hpx29, rb, drb);
