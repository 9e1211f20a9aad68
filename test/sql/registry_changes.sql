-- Models and versions that are renamed, hidden and brought back; names that are
-- reserved.
SET search_path = public, mlmeta;
SET client_min_messages = warning;

CREATE FUNCTION error_of(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	detail text;
	hint text;
BEGIN
	EXECUTE command;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', SQLSTATE || ' ' || SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

SELECT create_model('changing') = create_model('changing', if_not_exists => true) AS same;
SELECT error_of($$SELECT create_model('changing')$$);
SELECT create_model('changing/other') IS NOT NULL AS made;
SELECT create_model_version('changing', NULL, NULL, 's3://' || n) FROM generate_series(1, 3) AS n;
SELECT set_policy('changing', 'production', 0, alias => 'champion');
SELECT request_transition('changing', 1, 'production') > 0 AS moved;
SELECT set_alias('changing', 'challenger', 2);

-- What reads as a version is no alias.
SELECT error_of(format($$SELECT set_alias('changing', %L, 2)$$, a)) AS error FROM unnest(ARRAY['latest', 'LATEST', 'v1', 'V22']) AS a;
SELECT set_alias('changing', 'v1a', 2), set_alias('changing', 'latest-good', 2), drop_alias('changing', 'v1a'), drop_alias('changing', 'latest-good');

-- What is in use cannot go.
SELECT error_of($$SELECT delete_version('changing', 1)$$);
SELECT error_of($$SELECT delete_version('changing', 2)$$);
SELECT error_of($$SELECT delete_model('changing')$$);
SELECT error_of($$SELECT delete_version('changing', 4)$$);

-- A version goes, with its number, and comes back.
SELECT delete_version('changing', 3), delete_version('changing', 3);
SELECT latest_version, stages FROM model_overview WHERE model = 'changing';
SELECT version FROM version_overview WHERE model = 'changing' ORDER BY version;
SELECT error_of($$SELECT resolve_model('changing:3', 'test')$$);
SELECT error_of($$SELECT set_alias('changing', 'x', 3)$$);
SELECT error_of($$SELECT request_transition('changing', 3, 'staging')$$);
SELECT create_model_version('changing', NULL, NULL, 's3://4');
SELECT version FROM resolve_model('changing/none', 'test');
SELECT restore_version('changing', 3);
SELECT uri FROM resolve_model('changing:3', 'test');

-- A new name; references of monitors follow, those of another model do not.
CREATE TABLE scored (at timestamptz, x float8);
SELECT create_monitor('of changing', 'scored', 'at', '1 day', model => 'changing@champion') > 0 AS made,
	create_monitor('of other', 'scored', 'at', '1 day', model => 'changing/other') > 0 AS made;
SELECT rename_model('changing', 'changed');
SELECT name, model FROM monitors WHERE name LIKE 'of %' ORDER BY name;
SELECT version FROM resolve_model('changed@champion', 'test');
SELECT error_of($$SELECT resolve_model('changing@champion', 'test')$$) LIKE '42704%' AS gone;
SELECT error_of($$SELECT rename_model('changed', 'changing/other')$$);
SELECT error_of($$SELECT rename_model('changed', 'a@b')$$);

-- A whole model.
SELECT drop_monitor('of other');
SELECT create_model_version('changing/other', NULL, NULL, 's3://o');
SELECT delete_model('changing/other');
SELECT count(*) FROM model_overview WHERE model = 'changing/other';
SELECT error_of($$SELECT resolve_model('changing/other:1', 'test')$$);
SELECT error_of($$SELECT create_model_version('changing/other', NULL, NULL, 's3://p')$$);
SELECT error_of($$SELECT create_model('changing/other')$$);
SELECT restore_model('changing/other');
SELECT version FROM resolve_model('changing/other:1', 'test');

-- Where a version lies, when several said so: who was believed, and how many
-- others there were.
SELECT create_model('placed') > 0 AS made;
SELECT start_run('placed') AS r1 \gset
SELECT log_artifact(:'r1', 'model:placed', 's3://m/first'), finish_run(:'r1'), create_model_version('placed', :'r1', 'model:placed');
SELECT start_run('placed') AS r2 \gset
SELECT log_artifact(:'r2', 'model:placed', 's3://m/second'), finish_run(:'r2'), create_model_version('placed', :'r2', 'model:placed');
SELECT create_model_version('placed', NULL, 'model:placed', 's3://m/third');
SELECT create_model_version('placed', NULL, 'model:placed');
SELECT create_model_version('placed', NULL, 'model:elsewhere', 's3://m/e');
SELECT create_model('placed again') > 0 AS made;
SELECT create_model_version('placed again', NULL, 'model:elsewhere');
SELECT create_model_version('placed', NULL, 'model:nowhere');
SELECT version, uri, place_from FROM generate_series(1, 6) AS n, resolve_model('placed:' || n, 'test') ORDER BY 1;
SELECT uri, place_from FROM resolve_model('placed again:1', 'test');
SELECT version, place_from, other_places, training_record('placed', version, false) -> 'place' AS place
FROM version_overview WHERE model = 'placed' ORDER BY version;

-- All of it is on record, and the record is whole.
SELECT model, version, action FROM audit_trail
WHERE action IN ('renamed', 'deleted', 'restored') AND model IN ('changed', 'changing/other') ORDER BY at;
SELECT count(*) FROM verify_audit();
SELECT drop_monitor('of changing');
DROP TABLE scored;
DROP FUNCTION error_of(text);
