-- What of the scratch databases needs more than a look at the sizes of files: tables that another engine than InnoDB
-- keeps, with their sizes, and foreign keys that point out of the database: with such a key, a person's row would
-- keep a row of the archive from being deleted.
CREATE OR REPLACE DEFINER = alertdb_keeper@localhost PROCEDURE alertdb_people.irregular_tables()
SQL SECURITY DEFINER
SELECT engine AS kind, table_schema AS home, table_name AS name, NULL AS foreign_key,
       COALESCE(data_length, 0) + COALESCE(index_length, 0) AS bytes
FROM information_schema.tables
WHERE table_schema REGEXP '^my_[0-9]+$' AND engine <> 'InnoDB' AND table_type <> 'VIEW'
UNION ALL
SELECT 'foreign key', constraint_schema, table_name, constraint_name, 0
FROM information_schema.referential_constraints
WHERE constraint_schema REGEXP '^my_[0-9]+$' AND unique_constraint_schema <> constraint_schema
