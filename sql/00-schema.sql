-- mlmeta: ML metadata and drift analytics.
--
-- The install script is made of the numbered parts of sql/, in order. This
-- part makes the schemas: mlmeta holds what people call and read, and nothing
-- that no page of doc/ names; mlmeta_internal all else. It fails when a schema
-- of one of these names exists: nobody else's objects may stand in the way of
-- ours. When the extension is installed by a database owner who is no
-- superuser, the schemas are the owner's.

\echo Use "CREATE EXTENSION mlmeta" to load this file. \quit

CREATE SCHEMA mlmeta AUTHORIZATION @extowner@;

COMMENT ON SCHEMA mlmeta IS
	'ML metadata and drift analytics: runs, artifacts, lineage, registry, statistics, monitoring';

CREATE SCHEMA mlmeta_internal AUTHORIZATION @extowner@;

COMMENT ON SCHEMA mlmeta_internal IS
	'what mlmeta is made of: nothing here is meant to be called or read by people, and names change without notice';
