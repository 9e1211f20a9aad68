-- Monitors: which rows to watch, in what windows, by which rules.
--
-- A monitor names a source (a table or a query), its time column and the length
-- of a window. Its rows, rules and segments are ordinary table rows: to change
-- a tolerance, update it.
--
-- A source is run with the rights of whoever checks, who must be the monitor's
-- owner: nobody runs a query that somebody else stored.

CREATE FUNCTION mlmeta.is_window_length(length interval) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN length > '0'::interval
	AND (pg_catalog.date_trunc('month', length) = length
		OR (pg_catalog.date_part('year', length) = 0
			AND pg_catalog.date_part('month', length) = 0));

COMMENT ON FUNCTION mlmeta.is_window_length(interval) IS
	'whether windows can have this length: whole months, or days and smaller units';

-- Not STRICT, which would keep it from being inlined: with the length a constant,
-- a scan is left with the one call that its rows need.
CREATE FUNCTION mlmeta.window_start(at timestamp, length interval)
RETURNS timestamp
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN length = '1 month'::interval
			AND pg_catalog.date_part('month', length) = 1 THEN
		pg_catalog.date_trunc('month', at)
	WHEN length >= '1 month'::interval
			AND pg_catalog.date_trunc('month', length) = length THEN
		'2000-01-01'::timestamp + pg_catalog.make_interval(months => (
			pg_catalog.floor(
				((pg_catalog.date_part('year', at) - 2000) * 12
					+ pg_catalog.date_part('month', at) - 1)
				/ (pg_catalog.date_part('year', length) * 12
					+ pg_catalog.date_part('month', length)))
			* (pg_catalog.date_part('year', length) * 12
				+ pg_catalog.date_part('month', length)))::integer)
	ELSE pg_catalog.date_bin(length, at, '2000-01-03'::timestamp)
END;

COMMENT ON FUNCTION mlmeta.window_start(timestamp, interval) IS
	'start of the window that a time lies in: calendar months from January 2000, other lengths from Monday, 3 January 2000';

-- Tables ------------------------------------------------------------------------

CREATE TABLE mlmeta.monitors (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL UNIQUE CHECK (mlmeta.is_name(name)),
	source text NOT NULL,
	relation text,
	query text NOT NULL,
	time_column text NOT NULL,
	time_type regtype NOT NULL,
	granularity interval NOT NULL CHECK (mlmeta.is_window_length(granularity)),
	time_zone text NOT NULL,
	features text[] NOT NULL,
	all_features boolean NOT NULL DEFAULT false,
	label_column text,
	score_column text,
	prediction_column text,
	key_columns text[] NOT NULL DEFAULT '{}',
	threshold float8 NOT NULL DEFAULT 0.5,
	segment_sets text[] NOT NULL DEFAULT '{}',
	tolerance float8 NOT NULL DEFAULT 0.05 CHECK (tolerance >= 0),
	q float8 NOT NULL DEFAULT 0.02 CHECK (q > 0 AND q < 1),
	correction text NOT NULL DEFAULT 'bh' CHECK (correction IN ('bh', 'by')),
	alpha float8 NOT NULL DEFAULT 0.05 CHECK (alpha > 0 AND alpha < 1),
	look_back interval NOT NULL DEFAULT '0' CHECK (look_back >= '0'),
	label_delay interval NOT NULL DEFAULT '0' CHECK (label_delay >= '0'),
	label_coverage float8 NOT NULL DEFAULT 0.5
		CHECK (label_coverage >= 0 AND label_coverage <= 1),
	freshness interval CHECK (freshness > '0'),
	alert_k integer NOT NULL DEFAULT 1,
	alert_n integer NOT NULL DEFAULT 1,
	resolve_after integer CHECK (resolve_after > 0),
	cool_down interval NOT NULL DEFAULT '0' CHECK (cool_down >= '0'),
	keep interval CHECK (keep > '0'),
	roll_up_after interval CHECK (roll_up_after > '0'),
	roll_up_to interval NOT NULL DEFAULT '1 month'
		CHECK (mlmeta.is_window_length(roll_up_to)),
	schedule text,
	is_enabled boolean NOT NULL DEFAULT true,
	model text,
	project text REFERENCES mlmeta.projects ON UPDATE CASCADE,
	owner text NOT NULL DEFAULT CURRENT_USER,
	created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	CHECK (alert_k > 0 AND alert_k <= alert_n)
);

COMMENT ON TABLE mlmeta.monitors IS
	'what is watched, made by create_monitor(); columns from tolerance on may be updated at any time and hold from the next check';
COMMENT ON COLUMN mlmeta.monitors.source IS
	'the table or query as given to create_monitor()';
COMMENT ON COLUMN mlmeta.monitors.relation IS
	'the table, with its schema, when the source is one';
COMMENT ON COLUMN mlmeta.monitors.query IS
	'the query with every name qualified: it means the same under any search_path';
COMMENT ON COLUMN mlmeta.monitors.granularity IS
	'length of a window';
COMMENT ON COLUMN mlmeta.monitors.time_zone IS
	'the time zone whose days and months the windows follow; windows shorter than a day are counted in UTC';
COMMENT ON COLUMN mlmeta.monitors.features IS
	'columns of the source that are profiled';
COMMENT ON COLUMN mlmeta.monitors.all_features IS
	'columns that a table gets later are profiled too';
COMMENT ON COLUMN mlmeta.monitors.label_column IS
	'what turned out to be true, NULL as long as it is not known';
COMMENT ON COLUMN mlmeta.monitors.score_column IS
	'the model''s probability of a positive label';
COMMENT ON COLUMN mlmeta.monitors.prediction_column IS
	'the number that the model predicted; without a score its quality is that of a regression';
COMMENT ON COLUMN mlmeta.monitors.key_columns IS
	'columns that name a row; explain_alert() lists them';
COMMENT ON COLUMN mlmeta.monitors.threshold IS
	'scores from here on predict a positive label';
COMMENT ON COLUMN mlmeta.monitors.segment_sets IS
	'which segments are judged: names from monitor_segments, several combined with commas';
COMMENT ON COLUMN mlmeta.monitors.tolerance IS
	'drift up to this Kolmogorov or total variation distance wakes nobody up; rules of monitor_rules go first';
COMMENT ON COLUMN mlmeta.monitors.q IS
	'false discovery rate over the features and segments of a window';
COMMENT ON COLUMN mlmeta.monitors.correction IS
	'bh: Benjamini and Hochberg; by: Benjamini and Yekutieli, for any dependence';
COMMENT ON COLUMN mlmeta.monitors.alpha IS
	'level of the confidence bounds of effects';
COMMENT ON COLUMN mlmeta.monitors.look_back IS
	'windows this far before the newest are profiled again, for rows that come late';
COMMENT ON COLUMN mlmeta.monitors.label_delay IS
	'labels of a window are complete this long after its end; quality is not judged before';
COMMENT ON COLUMN mlmeta.monitors.label_coverage IS
	'quality is judged when at least this share of the rows has a label';
COMMENT ON COLUMN mlmeta.monitors.freshness IS
	'the newest row may be this old; NULL: not asked';
COMMENT ON COLUMN mlmeta.monitors.alert_k IS
	'an alert opens when k of the last n windows drifted';
COMMENT ON COLUMN mlmeta.monitors.alert_n IS
	'see alert_k';
COMMENT ON COLUMN mlmeta.monitors.resolve_after IS
	'alerts resolve themselves after so many windows without drift; NULL: people do';
COMMENT ON COLUMN mlmeta.monitors.cool_down IS
	'nothing is reopened for this long after it was resolved';
COMMENT ON COLUMN mlmeta.monitors.keep IS
	'windows and results older than this are removed; NULL: kept';
COMMENT ON COLUMN mlmeta.monitors.roll_up_after IS
	'windows older than this are merged into longer ones; NULL: kept as they are';
COMMENT ON COLUMN mlmeta.monitors.roll_up_to IS
	'how long those are';
COMMENT ON COLUMN mlmeta.monitors.schedule IS
	'cron schedule of schedule_monitor()';
COMMENT ON COLUMN mlmeta.monitors.is_enabled IS
	'whether check_due() and run_due() check it';
COMMENT ON COLUMN mlmeta.monitors.model IS
	'reference to the registered model that made the predictions, such as churn@champion';
COMMENT ON COLUMN mlmeta.monitors.project IS
	'whose members see it, and whose writers handle its alerts; NULL: whoever sees its model, or all';
COMMENT ON COLUMN mlmeta.monitors.owner IS
	'the role that checks the monitor, with its own rights';

CREATE TABLE mlmeta.monitor_segments (
	monitor bigint NOT NULL REFERENCES mlmeta.monitors ON DELETE CASCADE,
	name text NOT NULL CHECK (mlmeta.is_name(name)
		AND name !~ '[,=&]'),
	position integer NOT NULL,
	expression text NOT NULL,
	PRIMARY KEY (monitor, name)
);

COMMENT ON TABLE mlmeta.monitor_segments IS
	'how rows are divided: SQL expressions over the source''s columns; see set_segments()';
COMMENT ON COLUMN mlmeta.monitor_segments.expression IS
	'the expression with every name qualified; s is a row of the source';

CREATE TABLE mlmeta.monitor_rules (
	monitor bigint NOT NULL REFERENCES mlmeta.monitors ON DELETE CASCADE,
	feature text NOT NULL DEFAULT '*',
	measure text NOT NULL DEFAULT '*',
	segment text NOT NULL DEFAULT '*',
	tolerance float8 CHECK (tolerance >= 0),
	is_muted boolean,
	severity text CHECK (severity IN ('info', 'warning', 'critical')),
	PRIMARY KEY (monitor, feature, measure, segment)
);

COMMENT ON TABLE mlmeta.monitor_rules IS
	'exceptions from the monitor''s defaults, for a feature, a measure, a segment or any combination; * is all. The more specific rule wins: feature before measure before segment';
COMMENT ON COLUMN mlmeta.monitor_rules.tolerance IS
	'ks, chi2, missing_share: distance; row_count: relative change; NULL: the default';
COMMENT ON COLUMN mlmeta.monitor_rules.is_muted IS
	'judged, but opens no alert';
COMMENT ON COLUMN mlmeta.monitor_rules.severity IS
	'severity of its alerts; NULL: from the effect';

-- Finding and making monitors -----------------------------------------------------

CREATE FUNCTION mlmeta.find_monitor(monitor text) RETURNS mlmeta.monitors
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_one mlmeta.monitors;
BEGIN
	IF monitor IS NULL THEN
		RAISE EXCEPTION 'monitor must not be null'
			USING ERRCODE = 'null_value_not_allowed',
				HINT = 'Give its name; the table mlmeta.monitors lists what there is.';
	END IF;
	SELECT * INTO found_one FROM mlmeta.monitors AS m WHERE m.name = monitor;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'monitor "%" does not exist', monitor
			USING ERRCODE = 'undefined_object',
				HINT = 'Make it with create_monitor(); the table mlmeta.monitors lists what there is.';
	END IF;
	RETURN found_one;
END
$$;

COMMENT ON FUNCTION mlmeta.find_monitor(text) IS
	'the monitor of that name, or an error';

CREATE FUNCTION mlmeta.check_monitor_owner(monitor mlmeta.monitors) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF monitor.owner <> current_user THEN
		RAISE EXCEPTION 'monitor "%" belongs to "%"', monitor.name, monitor.owner
			USING ERRCODE = 'insufficient_privilege',
				HINT = 'Only its owner runs its source.';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta.check_monitor_owner(mlmeta.monitors) IS
	'raises 42501 unless the current user owns the monitor';

-- Not pinned: the source means what it means to the caller, as in
-- snapshot_dataset(). All other names are qualified.
CREATE FUNCTION mlmeta.create_monitor(
	name text,
	source text,
	time_column text,
	granularity interval,
	features text[] DEFAULT NULL,
	label text DEFAULT NULL,
	score text DEFAULT NULL,
	threshold float8 DEFAULT 0.5,
	tolerance float8 DEFAULT 0.05,
	q float8 DEFAULT 0.02,
	time_zone text DEFAULT pg_catalog.current_setting('TimeZone'),
	prediction text DEFAULT NULL,
	keys text[] DEFAULT '{}',
	segments jsonb DEFAULT '{}',
	segment_sets text[] DEFAULT NULL,
	look_back interval DEFAULT '0',
	label_delay interval DEFAULT '0',
	freshness interval DEFAULT NULL,
	model text DEFAULT NULL,
	project text DEFAULT NULL
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
	resolved record;
	missing text;
	wrong text;
	time_type regtype;
	result bigint;
BEGIN
	PERFORM mlmeta.check_writable();
	PERFORM mlmeta.check_name('monitor', name);
	IF NOT coalesce(mlmeta.is_window_length(granularity), false) THEN
		RAISE EXCEPTION 'monitor "%": windows cannot be % long', name,
				coalesce(granularity::text, 'NULL')
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Use whole months, or days and smaller units, such as ''1 day''.';
	END IF;
	IF NOT coalesce(tolerance >= 0 AND tolerance < 1, false)
			OR NOT coalesce(q > 0 AND q < 1, false) THEN
		RAISE EXCEPTION 'monitor "%": tolerance % or q % is out of range', name,
				tolerance, q
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'The tolerance is a distance from 0 to 1, 0.05 by default; q a false discovery rate between 0 and 1, 0.02 by default.';
	END IF;
	wrong := CASE
		WHEN time_zone IS NULL THEN 'time_zone must not be null'
		WHEN NOT coalesce(look_back OPERATOR(pg_catalog.>=) '0', false) THEN
			pg_catalog.format('look_back %s is no length of time', coalesce(look_back::text, 'NULL'))
		WHEN NOT coalesce(label_delay OPERATOR(pg_catalog.>=) '0', false) THEN
			pg_catalog.format('label_delay %s is no length of time', coalesce(label_delay::text, 'NULL'))
		WHEN freshness OPERATOR(pg_catalog.<=) '0' THEN
			pg_catalog.format('freshness %s is no length of time', freshness)
		WHEN threshold IS NULL THEN 'threshold must not be null'
		WHEN label IS NOT NULL AND score IS NULL AND prediction IS NULL THEN
			'a label needs a score or a prediction to be compared with'
		WHEN (SELECT pg_catalog.count(*) OPERATOR(pg_catalog.<>) pg_catalog.count(DISTINCT f.name)
				FROM pg_catalog.unnest(features) AS f (name)) THEN
			'features must be given once each, and not be null'
	END;
	IF project IS NOT NULL AND NOT EXISTS (
			SELECT FROM mlmeta.projects AS p
			WHERE p.project OPERATOR(pg_catalog.=) create_monitor.project) THEN
		RAISE EXCEPTION 'monitor "%": project "%" does not exist', name, project
			USING ERRCODE = 'undefined_object',
				HINT = 'Create it with create_project(); it may also be one you are no member of.';
	END IF;
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'monitor "%": %', name, wrong
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM pg_catalog.timezone(time_zone, '2000-01-01'::timestamp);
	keys := coalesce(keys, '{}');

	SELECT * INTO resolved FROM mlmeta.resolve_source('monitor', name, source);

	SELECT c.name INTO missing
	FROM pg_catalog.unnest(features || keys
		|| ARRAY[time_column, label, score, prediction]) AS c (name)
	WHERE c.name IS NOT NULL AND NOT EXISTS (
		SELECT FROM pg_catalog.jsonb_array_elements(resolved.columns) AS r
		WHERE r OPERATOR(pg_catalog.->>) 'name' OPERATOR(pg_catalog.=) c.name);
	IF FOUND OR time_column IS NULL THEN
		RAISE EXCEPTION 'monitor "%": the source has no column "%"', name,
				coalesce(missing, 'NULL')
			USING ERRCODE = 'undefined_column',
				HINT = pg_catalog.format('It has %s.', (
					SELECT pg_catalog.string_agg(r OPERATOR(pg_catalog.->>) 'name', ', ')
					FROM pg_catalog.jsonb_array_elements(resolved.columns) AS r));
	END IF;
	SELECT (r OPERATOR(pg_catalog.->>) 'type')::pg_catalog.regtype INTO time_type
	FROM pg_catalog.jsonb_array_elements(resolved.columns) AS r
	WHERE r OPERATOR(pg_catalog.->>) 'name' OPERATOR(pg_catalog.=) time_column;
	IF time_type OPERATOR(pg_catalog.<>) ALL (ARRAY['timestamptz', 'timestamp', 'date']::pg_catalog.regtype[]) THEN
		RAISE EXCEPTION 'monitor "%": column "%" of type % is no time', name,
				time_column, time_type
			USING ERRCODE = 'datatype_mismatch',
				HINT = 'Use a column of type timestamptz, timestamp or date; a query can convert it.';
	END IF;

	INSERT INTO mlmeta.monitors (name, source, relation, query, time_column,
		time_type, granularity, time_zone, features, all_features, label_column,
		score_column, prediction_column, key_columns, threshold, tolerance, q,
		look_back, label_delay, freshness, model, project)
	VALUES (name, source, resolved.relation_name, resolved.query, time_column,
		time_type, granularity, time_zone, coalesce(features, ARRAY(
			SELECT r.value OPERATOR(pg_catalog.->>) 'name'
			FROM pg_catalog.jsonb_array_elements(resolved.columns)
				WITH ORDINALITY AS r (value, n)
			WHERE (r.value OPERATOR(pg_catalog.->>) 'name' OPERATOR(pg_catalog.=)
				ANY (keys || ARRAY[time_column, label])) IS NOT TRUE
			ORDER BY r.n)),
		features IS NULL AND resolved.relation_name IS NOT NULL,
		label, score, prediction, keys, threshold, tolerance, q,
		look_back, label_delay, freshness, model, project)
	RETURNING id INTO result;
	IF segments OPERATOR(pg_catalog.<>) '{}' THEN
		PERFORM mlmeta.set_segments(name, segments, segment_sets);
	END IF;
	RETURN result;
EXCEPTION WHEN unique_violation THEN
	RAISE EXCEPTION 'monitor "%" exists already', name
		USING ERRCODE = 'duplicate_object';
END
$$;

COMMENT ON FUNCTION mlmeta.create_monitor(text, text, text, interval, text[],
	text, text, float8, float8, float8, text, text, text[], jsonb, text[],
	interval, interval, interval, text, text) IS
	'watches a table or query in windows of its time column; features: columns to profile, all but time, label and keys by default; label with score: quality of a binary classifier, label with prediction: of a regression; segments: names and SQL expressions; returns the monitor''s number';

CREATE FUNCTION mlmeta.drop_monitor(monitor text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta.monitors := mlmeta.find_monitor(monitor);
BEGIN
	PERFORM mlmeta.check_writable();
	PERFORM mlmeta.check_monitor_owner(m);
	IF m.schedule IS NOT NULL THEN
		PERFORM mlmeta.unschedule_monitor(monitor);
	END IF;
	-- Windows first: they refer to baselines, which go with the monitor.
	DELETE FROM mlmeta.monitor_windows AS w WHERE w.monitor = m.id;
	DELETE FROM mlmeta.monitors AS x WHERE x.id = m.id;
END
$$;

COMMENT ON FUNCTION mlmeta.drop_monitor(text) IS
	'removes a monitor with its windows, results and alerts';

-- Segments ------------------------------------------------------------------------------

-- The expression with every name qualified: that of a view whose only source
-- is a row of these columns, less what the view of a constant has around it.
-- Not pinned, as create_monitor().
CREATE FUNCTION mlmeta.resolve_expression(
	owner text,
	name text,
	expression text,
	columns jsonb
) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
	source text;
	relation regclass;
	selected text := pg_catalog.format(E'(\n%s\n)::text AS mlmeta_value', expression);
	probe refcursor;
	around text;
	result text;
BEGIN
	-- With a second source, every version writes s before a column.
	SELECT pg_catalog.format(
		' FROM (SELECT %s OFFSET 0) AS s, (SELECT) AS mlmeta_none',
		pg_catalog.string_agg(pg_catalog.format('NULL::%s AS %I',
			c.value OPERATOR(pg_catalog.->>) 'type',
			c.value OPERATOR(pg_catalog.->>) 'name'), ', ' ORDER BY c.n))
		INTO source
	FROM pg_catalog.jsonb_array_elements(columns) WITH ORDINALITY AS c (value, n);

	-- A cursor takes one query and no more.
	BEGIN
		OPEN probe FOR EXECUTE 'SELECT ' || selected || source;
		CLOSE probe;
		EXECUTE 'CREATE TEMPORARY VIEW mlmeta_source AS SELECT ' || selected
			|| source;
	EXCEPTION WHEN OTHERS THEN
		RAISE EXCEPTION '%: "%" is not a valid expression', owner, name
			USING ERRCODE = SQLSTATE, DETAIL = SQLERRM,
				HINT = 'Write one SQL expression over the columns of the source; a subquery calls them s.column.';
	END;
	relation := pg_catalog.to_regclass('pg_temp.mlmeta_source');
	result := mlmeta.view_query(relation);
	IF pg_catalog.jsonb_array_length(
			mlmeta.relation_columns(relation)) <> 1 THEN
		RAISE EXCEPTION '%: "%" is more than one expression', owner, name
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	DROP VIEW pg_temp.mlmeta_source;
	EXECUTE 'CREATE TEMPORARY VIEW mlmeta_source AS SELECT 1 AS mlmeta_value'
		|| source;
	around := mlmeta.view_query(
		pg_catalog.to_regclass('pg_temp.mlmeta_source'));
	DROP VIEW pg_temp.mlmeta_source;
	around := pg_catalog.substr(around,
		pg_catalog.strpos(around, ' AS mlmeta_value'));
	result := pg_catalog.substr(result, pg_catalog.length('SELECT ') + 1);
	IF pg_catalog.right(result, pg_catalog.length(around))
			OPERATOR(pg_catalog.<>) around THEN
		RAISE EXCEPTION '%: "%" is not an expression', owner, name
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN pg_catalog.btrim(pg_catalog.left(result,
		-pg_catalog.length(around)), E' \n');
END
$$;

COMMENT ON FUNCTION mlmeta.resolve_expression(text, text, text, jsonb) IS
	'an expression over columns, as text, with every name qualified; errors name what it belongs to and itself';

CREATE FUNCTION mlmeta.set_segments(
	monitor text,
	segments jsonb,
	segment_sets text[] DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $$
DECLARE
	m mlmeta.monitors := mlmeta.find_monitor(monitor);
	resolved record;
	unknown text;
BEGIN
	PERFORM mlmeta.check_writable();
	PERFORM mlmeta.check_monitor_owner(m);
	IF pg_catalog.jsonb_typeof(segments) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION 'monitor "%": segments must be a JSON object of names and expressions', monitor
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT t.name INTO unknown
	FROM pg_catalog.unnest(segment_sets) AS s (names),
		pg_catalog.regexp_split_to_table(s.names, '\s*,\s*') AS t (name)
	WHERE NOT segments OPERATOR(pg_catalog.?) t.name LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'monitor "%" has no segment "%"', monitor, unknown
			USING ERRCODE = 'undefined_object';
	END IF;
	SELECT * INTO resolved FROM mlmeta.resolve_source('monitor', monitor,
		coalesce(m.relation, m.query));
	SELECT e.key INTO unknown
	FROM pg_catalog.jsonb_each_text(segments) AS e
	WHERE NOT mlmeta.is_name(e.key) OR e.key OPERATOR(pg_catalog.~) '[,=&]'
		OR e.value IS NULL
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'monitor "%": "%" is no segment', monitor, unknown
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Give a name without comma, = and &, and an SQL expression.';
	END IF;
	DELETE FROM mlmeta.monitor_segments AS s WHERE s.monitor = m.id;
	INSERT INTO mlmeta.monitor_segments (monitor, name, position, expression)
	SELECT m.id, e.key, e.n, mlmeta.resolve_expression(
		pg_catalog.format('segment of monitor "%s"', monitor), e.key, e.value,
		resolved.columns)
	FROM pg_catalog.jsonb_each_text(segments) WITH ORDINALITY AS e (key, value, n);
	UPDATE mlmeta.monitors AS x
	SET segment_sets = coalesce(set_segments.segment_sets, ARRAY(
		SELECT s.name FROM mlmeta.monitor_segments AS s
		WHERE s.monitor = m.id ORDER BY s.position))
	WHERE x.id = m.id;
END
$$;

COMMENT ON FUNCTION mlmeta.set_segments(text, jsonb, text[]) IS
	'how a monitor''s rows are divided: names and SQL expressions, which may hold subqueries; segment_sets: which are judged, several combined with commas, each alone by default. Set a baseline again afterwards';

CREATE FUNCTION mlmeta.segment_label(names text[], parts text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT pg_catalog.string_agg(u.name || CASE
		WHEN u.part IS NULL THEN ' is null'
		WHEN u.part ~ '^[[:alnum:]_.:+-]([[:alnum:]_.:+ -]*[[:alnum:]_.:+-])?$'
			THEN '=' || u.part
		ELSE '=' || pg_catalog.quote_literal(u.part)
	END, ' & ' ORDER BY u.n)
	FROM ROWS FROM (pg_catalog.unnest(names), pg_catalog.unnest(parts))
		WITH ORDINALITY AS u (name, part, n)
);

COMMENT ON FUNCTION mlmeta.segment_label(text[], text[]) IS
	'how a segment is called: region=north & plan=pro';

CREATE FUNCTION mlmeta.set_rule(
	monitor text,
	feature text DEFAULT '*',
	measure text DEFAULT '*',
	segment text DEFAULT '*',
	tolerance float8 DEFAULT NULL,
	is_muted boolean DEFAULT NULL,
	severity text DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta.monitors := mlmeta.find_monitor(monitor);
BEGIN
	PERFORM mlmeta.check_writable();
	PERFORM mlmeta.check_monitor_owner(m);
	IF feature IS NULL OR measure IS NULL OR segment IS NULL THEN
		RAISE EXCEPTION 'monitor "%": feature, measure and segment of a rule must not be null',
				m.name
			USING ERRCODE = 'null_value_not_allowed',
				HINT = 'Give * for all of them, or leave it out.';
	ELSIF NOT coalesce(tolerance >= 0 AND tolerance <> 'NaN', true) THEN
		RAISE EXCEPTION 'monitor "%": tolerance % is out of range', m.name, tolerance
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Give a number from 0 on.';
	ELSIF severity NOT IN ('info', 'warning', 'critical') THEN
		RAISE EXCEPTION 'monitor "%": severity "%" is not known', m.name, severity
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Give info, warning or critical.';
	ELSIF measure <> ALL (ARRAY['*', 'ks', 'chi2', 'missing_share', 'roc_auc', 'mae',
			'row_count', 'future_rows', 'freshness', 'check', 'segment', 'rows']) THEN
		RAISE EXCEPTION 'monitor "%": measure "%" opens no alerts', m.name, measure
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Give ks, chi2, missing_share, roc_auc, mae, row_count, future_rows, freshness, check or *.';
	ELSIF (feature IN ('*', '') OR m.all_features
			OR feature = ANY (m.features || ARRAY[m.score_column, m.prediction_column, m.time_column])) IS NOT TRUE THEN
		RAISE EXCEPTION 'monitor "%" has no feature "%"', m.name, feature
			USING ERRCODE = 'undefined_column',
				HINT = format('It has %s.', array_to_string(m.features, ', '));
	END IF;
	INSERT INTO mlmeta.monitor_rules AS r (monitor, feature, measure, segment,
		tolerance, is_muted, severity)
	VALUES (m.id, set_rule.feature, set_rule.measure, set_rule.segment,
		set_rule.tolerance, set_rule.is_muted, set_rule.severity)
	ON CONFLICT ON CONSTRAINT monitor_rules_pkey DO UPDATE
	SET tolerance = excluded.tolerance, is_muted = excluded.is_muted,
		severity = excluded.severity;
END
$$;

COMMENT ON FUNCTION mlmeta.set_rule(text, text, text, text, float8, boolean, text) IS
	'sets a tolerance, silence or severity for a feature, measure or segment of a monitor; * is all';

CREATE FUNCTION mlmeta.rule_of(
	monitor bigint,
	feature text,
	measure text,
	segment text,
	OUT tolerance float8,
	OUT is_muted boolean,
	OUT severity text
) RETURNS record
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT (pg_catalog.array_agg(r.tolerance ORDER BY p.rank)
			FILTER (WHERE r.tolerance IS NOT NULL))[1],
		coalesce((pg_catalog.array_agg(r.is_muted ORDER BY p.rank)
			FILTER (WHERE r.is_muted IS NOT NULL))[1], false),
		(pg_catalog.array_agg(r.severity ORDER BY p.rank)
			FILTER (WHERE r.severity IS NOT NULL))[1]
	FROM mlmeta.monitor_rules AS r,
		LATERAL (SELECT (r.feature = '*')::integer * 4
			+ (r.measure = '*')::integer * 2 + (r.segment = '*')::integer) AS p (rank)
	WHERE r.monitor = rule_of.monitor
		AND r.feature IN ('*', rule_of.feature)
		AND r.measure IN ('*', rule_of.measure)
		AND r.segment IN ('*', rule_of.segment);
END;

COMMENT ON FUNCTION mlmeta.rule_of(bigint, text, text, text) IS
	'what the rules of a monitor say of a feature, measure and segment, each from the most specific rule that says it';
