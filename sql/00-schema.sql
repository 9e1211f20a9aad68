-- mlmeta: ML metadata and drift analytics.
--
-- The install script is made of the numbered parts of sql/, in order. This
-- part makes the schema. It fails when a schema of that name exists: nobody
-- else's objects may stand in the way of ours. When the extension is installed
-- by a database owner who is no superuser, the schema is the owner's.

\echo Use "CREATE EXTENSION mlmeta" to load this file. \quit

CREATE SCHEMA mlmeta AUTHORIZATION @extowner@;

COMMENT ON SCHEMA mlmeta IS
	'ML metadata and drift analytics: runs, artifacts, lineage, registry, statistics, monitoring';
