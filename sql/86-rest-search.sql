-- MLflow: searching experiments and runs.

CREATE FUNCTION mlmeta_internal.rest_view_condition(view text, expression text)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	CASE upper(coalesce(nullif(view, ''), 'ACTIVE_ONLY'))
		WHEN 'ACTIVE_ONLY', '1' THEN RETURN expression || ' IS NULL';
		WHEN 'DELETED_ONLY', '2' THEN RETURN expression || ' IS NOT NULL';
		WHEN 'ALL', '3' THEN RETURN 'true';
		ELSE PERFORM mlmeta_internal.http_wrong('view_type', to_jsonb(view));
	END CASE;
	RETURN NULL;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_view_condition(text, text) IS
	'the condition of SQL for a search of what is active, deleted, or both';

CREATE FUNCTION mlmeta_internal.rest_search_experiments(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted int := mlmeta_internal.rest_max_results(request, 1000, 50000);
	skipped bigint := mlmeta_internal.rest_offset(
		mlmeta_internal.arg_text(request, 'page_token'));
	found_ones jsonb;
BEGIN
	PERFORM mlmeta_internal.rest_default_experiment();
	EXECUTE format('SELECT jsonb_agg(mlmeta_internal.rest_experiment_json(r))
		FROM (SELECT r.* FROM mlmeta.experiments AS r
			WHERE %s AND %s ORDER BY %s OFFSET $1 LIMIT $2) AS r',
		mlmeta_internal.rest_view_condition(
			mlmeta_internal.arg_text(request, 'view_type'), 'r.deleted_at'),
		mlmeta_internal.rest_conditions(
			mlmeta_internal.arg_text(request, 'filter'), 'experiments'),
		mlmeta_internal.rest_order_by(mlmeta_internal.arg_texts(request, 'order_by'),
			'experiments', '{"name": "r.experiment", "experiment_id": "r.experiment_id",
				"creation_time": "r.created_at", "last_update_time": "r.changed_at"}',
			'r.created_at DESC, r.experiment_id'))
	INTO found_ones USING skipped, wanted + 1;
	RETURN mlmeta_internal.rest_page('experiments', found_ones, skipped, wanted);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_search_experiments(jsonb) IS
	'POST experiments/search';

CREATE FUNCTION mlmeta_internal.rest_page(
	name text,
	found_ones jsonb,
	skipped bigint,
	wanted int
) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF found_ones IS NULL THEN
		RETURN '{}';
	ELSIF jsonb_array_length(found_ones) > wanted THEN
		RETURN jsonb_build_object(name, found_ones - (-1), 'next_page_token',
			mlmeta_internal.rest_token(skipped + wanted));
	END IF;
	RETURN jsonb_build_object(name, found_ones);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_page(text, jsonb, bigint, int) IS
	'a page of results, of which one more than wanted was looked for, and the token of the next';

-- Runs --------------------------------------------------------------------------

-- A metric may be named by its key alone or with its context before a slash.
CREATE FUNCTION mlmeta_internal.rest_metric_keys(label text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT pg_catalog.array_agg(pg_catalog.substr(label, s.start))
	FROM (
		SELECT 1 AS start
		UNION ALL
		SELECT g.n + 1
		FROM pg_catalog.generate_series(2, pg_catalog.length(label) - 1) AS g (n)
		WHERE pg_catalog.substr(label, g.n, 1) = '/'
	) AS s
);

COMMENT ON FUNCTION mlmeta_internal.rest_metric_keys(text) IS
	'the keys that a metric of that label may have: the label, or what follows one of its slashes';

-- The latest value of a metric for each run: written for those that have ended,
-- looked up for those that go on, have a mark or are deleted. $1 are experiments.
CREATE FUNCTION mlmeta_internal.rest_metric_relation(label text, deleted boolean)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN format('(SELECT s.run, s.last_value AS value
			FROM mlmeta.run_metric_summaries AS s
			WHERE s.experiment_id = ANY ($1) AND %s
				AND NOT EXISTS (SELECT FROM mlmeta_internal.live_runs AS l
					WHERE l.run OPERATOR(mlmeta.=) s.run)
			UNION ALL
			SELECT l.run, x.value
			FROM mlmeta_internal.live_runs AS l
				CROSS JOIN LATERAL mlmeta_internal.rest_latest(l.run, %L) AS x
			WHERE l.experiment_id = ANY ($1)',
		CASE WHEN strpos(label, '/') = 0 THEN format('s.key = %L AND s.context = ''''', label)
			ELSE format('s.key = ANY (%L::text[]) AND mlmeta_internal.metric_label(s.key, s.context) = %L',
				mlmeta_internal.rest_metric_keys(label), label) END, label)
		|| CASE WHEN deleted THEN format('
			UNION ALL
			SELECT d.run, x.value
			FROM mlmeta.runs AS d
				CROSS JOIN LATERAL mlmeta_internal.rest_latest(d.run, %L) AS x
			WHERE d.experiment_id = ANY ($1) AND d.deleted_at IS NOT NULL', label)
			ELSE '' END || ')';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_metric_relation(text, boolean) IS
	'SQL for the latest value of a metric for each run of the experiments $1';

CREATE FUNCTION mlmeta_internal.rest_run_condition(comparison jsonb) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	key text := comparison ->> 'key';
	value text := comparison ->> 'value';
	equal boolean := comparison ->> 'comparator' = '=';
BEGIN
	CASE comparison ->> 'type'
		WHEN 'parameter' THEN
			RETURN format('EXISTS (SELECT FROM mlmeta.run_params AS p
				WHERE p.run OPERATOR(mlmeta.=) r.run AND p.key = %L AND %s)', key,
				mlmeta_internal.rest_text_condition('(p.value #>> ''{}'')', comparison));
		WHEN 'tag' THEN
			IF key = 'mlflow.runName' THEN
				RETURN mlmeta_internal.rest_text_condition('r.name', comparison);
			END IF;
			RETURN format('EXISTS (SELECT FROM mlmeta.run_tags AS t
				WHERE t.run OPERATOR(mlmeta.=) r.run AND t.key = %L AND %s%s)', key,
				mlmeta_internal.rest_text_condition('t.value', comparison),
				CASE WHEN equal THEN format(' AND md5(t.value) = %L', md5(value))
					ELSE '' END);
		WHEN 'dataset' THEN
			RETURN format('EXISTS (SELECT FROM mlmeta.run_artifacts AS a
				WHERE a.run OPERATOR(mlmeta.=) r.run AND a.direction = ''used''
					AND mlmeta.kind(a.artifact) = ''dataset'' AND %s)',
				mlmeta_internal.rest_attribute_condition(comparison, 'runs'));
		ELSE
			RETURN mlmeta_internal.rest_attribute_condition(comparison, 'runs')
				-- So that the index is used
				|| CASE WHEN key = 'run_id' AND (equal OR upper(comparison ->> 'comparator') = 'IN')
					THEN format(' AND r.run OPERATOR(mlmeta.=) ANY (%L::mlmeta.run[])', ARRAY(
						SELECT lower(i.id)
						FROM jsonb_array_elements_text(CASE jsonb_typeof(comparison -> 'value')
							WHEN 'array' THEN comparison -> 'value'
							ELSE jsonb_build_array(comparison -> 'value') END) AS i (id)
						WHERE i.id COLLATE "C" ~ '^[0-9a-f]{32}$')) ELSE '' END;
	END CASE;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_run_condition(jsonb) IS
	'the condition of SQL for a comparison of a run, but of its metrics';

CREATE FUNCTION mlmeta_internal.rest_run_order(
	clauses text[],
	deleted boolean,
	OUT joins text,
	OUT sorting text
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted record;
	seen text[] := '{}';
	expression text;
BEGIN
	joins := '';
	sorting := '';
	FOR n IN 1 .. cardinality(clauses) LOOP
		wanted := mlmeta_internal.rest_order(clauses[n], 'runs');
		IF wanted.type || '.' || wanted.key = ANY (seen) THEN
			RAISE EXCEPTION '`order_by` contains duplicate fields: %', clauses[n]
				USING ERRCODE = 'invalid_parameter_value';
		END IF;
		seen := seen || (wanted.type || '.' || wanted.key);
		IF wanted.type = 'metric' THEN
			joins := joins || format(' LEFT JOIN %s AS o%s ON o%s.run OPERATOR(mlmeta.=) r.run',
				mlmeta_internal.rest_metric_relation(wanted.key, deleted), n, n);
			sorting := sorting || format('CASE WHEN o%s.value IS NULL THEN 2
				WHEN o%s.value = ''NaN'' THEN 1 ELSE 0 END, ', n, n);
			expression := format('o%s.value', n);
		ELSE
			expression := mlmeta_internal.rest_run_expression(wanted.type, wanted.key);
		END IF;
		sorting := sorting || format('%s %s NULLS LAST, ', expression,
			CASE WHEN wanted.ascending THEN 'ASC' ELSE 'DESC' END);
	END LOOP;
	sorting := sorting || 'coalesce(r.started_at, r.created_at) DESC, r.run';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_run_order(text[], boolean) IS
	'joins and ORDER BY of SQL for clauses of order_by over runs';

CREATE FUNCTION mlmeta_internal.rest_run_expression(type text, key text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result text;
BEGIN
	IF type = 'parameter' THEN
		RETURN format('(SELECT p.value #>> ''{}'' FROM mlmeta.run_params AS p
			WHERE p.run OPERATOR(mlmeta.=) r.run AND p.key = %L)', key);
	ELSIF type = 'tag' AND key = 'mlflow.runName' THEN
		RETURN 'r.name';
	ELSIF type = 'tag' THEN
		RETURN format('(SELECT t.value FROM mlmeta.run_tags AS t
			WHERE t.run OPERATOR(mlmeta.=) r.run AND t.key = %L)', key);
	END IF;
	SELECT k.expression INTO result
	FROM mlmeta_internal.rest_filter_keys AS k
	WHERE k.search = 'runs' AND k.type = 'attribute'
		AND k.key = rest_run_expression.key AND k.key !~* 'run name'
		AND rest_run_expression.type = 'attribute';
	IF NOT FOUND THEN
		RAISE EXCEPTION 'Invalid % key ''%'' specified. Valid keys are ''{%}''', type,
				key, (SELECT string_agg('''' || k.key || '''', ', ' ORDER BY k.key)
					FROM mlmeta_internal.rest_filter_keys AS k
					WHERE k.search = 'runs' AND k.type = 'attribute'
						AND k.key !~* 'run name')
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_run_expression(text, text) IS
	'where SQL finds what a clause of order_by names';

CREATE FUNCTION mlmeta_internal.rest_run_query(
	filter text,
	clauses text[],
	view text
) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	comparison jsonb;
	joins text := '';
	conditions text := 'r.experiment_id = ANY ($1) AND '
		|| mlmeta_internal.rest_view_condition(view, 'r.deleted_at');
	deleted boolean := upper(view) IN ('DELETED_ONLY', 'ALL', '2', '3');
	ordering record;
	n int := 0;
BEGIN
	FOR comparison IN SELECT c.value
		FROM jsonb_array_elements(mlmeta_internal.rest_filter(filter, 'runs')) AS c
	LOOP
		n := n + 1;
		IF comparison ->> 'type' = 'metric' THEN
			joins := joins || format(' JOIN %s AS m%s ON m%s.run OPERATOR(mlmeta.=) r.run AND %s',
				mlmeta_internal.rest_metric_relation(comparison ->> 'key',
					coalesce(deleted, false)), n, n,
				mlmeta_internal.rest_number_condition(format('m%s.value', n), comparison));
		ELSE
			conditions := conditions || ' AND '
				|| mlmeta_internal.rest_run_condition(comparison);
		END IF;
	END LOOP;
	ordering := mlmeta_internal.rest_run_order(clauses, coalesce(deleted, false));
	RETURN format('SELECT r.* FROM mlmeta.runs AS r%s%s WHERE %s ORDER BY %s',
		joins, ordering.joins, conditions, ordering.sorting);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_run_query(text, text[], text) IS
	'SQL that finds runs of the experiments $1 by a filter and an order of MLflow';

CREATE FUNCTION mlmeta_internal.rest_search_runs(request jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wanted int := mlmeta_internal.rest_max_results(request, 1000, 50000);
	skipped bigint := mlmeta_internal.rest_offset(
		mlmeta_internal.arg_text(request, 'page_token'));
	view text := coalesce(mlmeta_internal.arg_text(request, 'run_view_type'), '');
	query text := mlmeta_internal.rest_run_query(
		coalesce(mlmeta_internal.arg_text(request, 'filter'), ''),
		mlmeta_internal.arg_texts(request, 'order_by'), view);
	ids bigint[];
	found_ones jsonb;
BEGIN
	SELECT coalesce(array_agg(e.id::bigint), '{}') INTO ids
	FROM unnest(mlmeta_internal.arg_texts(request, 'experiment_ids')) AS e (id)
	WHERE e.id COLLATE "C" ~ '^[0-9]{1,18}$';
	EXECUTE format('SELECT jsonb_agg(mlmeta_internal.rest_run_json(r) #- ''{inputs,model_inputs}'') FROM (%s OFFSET $2 LIMIT $3) AS r',
		query)
	INTO found_ones USING ids, skipped, wanted + 1;
	RETURN mlmeta_internal.rest_page('runs', found_ones, skipped, wanted);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_search_runs(jsonb) IS
	'POST runs/search';

CREATE FUNCTION mlmeta_internal.rest_search_datasets(request jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	ids text[] := mlmeta_internal.arg_texts(request, 'experiment_ids');
	result jsonb;
BEGIN
	SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
		'experiment_id', d.experiment_id::text, 'name', d.name, 'digest', d.digest,
		'context', nullif(d.role, ''))))
	INTO result
	FROM (
		SELECT DISTINCT r.experiment_id, mlmeta.name(a.artifact) AS name,
			coalesce(mlmeta.version(a.artifact),
				left(mlmeta.digest(a.artifact), 8)) AS digest, a.role
		FROM mlmeta.runs AS r
			JOIN mlmeta.run_artifacts AS a ON a.run OPERATOR(mlmeta.=) r.run
		WHERE r.experiment_id::text = ANY (ids) AND r.deleted_at IS NULL
			AND a.direction = 'used' AND mlmeta.kind(a.artifact) = 'dataset'
		ORDER BY r.experiment_id, name, digest, a.role
		LIMIT 1000
	) AS d;
	RETURN jsonb_strip_nulls(jsonb_build_object('dataset_summaries', result));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_search_datasets(jsonb) IS
	'POST experiments/search-datasets';
