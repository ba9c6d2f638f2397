-- The person whose account asks, with what its scratch database holds and may hold.
CREATE OR REPLACE DEFINER = alertdb_keeper@localhost SQL SECURITY DEFINER VIEW alertdb_people.my_account AS
SELECT p.id, p.login, p.partnership, p.opened_at, p.scratch_bytes, p.scratch_full,
       1000000 * COALESCE(p.scratch_limit, l.value) AS scratch_limit_bytes
FROM alertdb_people.people AS p
JOIN alertdb_people.limits AS l
  ON l.name = 'scratch_MB'
WHERE CONCAT('gh', p.id) = SUBSTRING_INDEX(USER(), '@', 1);
