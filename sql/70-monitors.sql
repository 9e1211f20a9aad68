-- Monitors: which rows to watch, in what windows, by which rules.
--
-- A monitor names a source (a table or a query), its time column and the length
-- of a window. What may be changed later is changed by alter_monitor().
--
-- A source is run with the rights of the monitor's owner and no others, whoever
-- asks for a check, and only he and those who have his rights may.

CREATE FUNCTION mlmeta_internal.is_window_length(length interval) RETURNS boolean
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN length > '0'::interval
	AND (pg_catalog.date_trunc('month', length) = length
		OR (pg_catalog.date_part('year', length) = 0
			AND pg_catalog.date_part('month', length) = 0));

COMMENT ON FUNCTION mlmeta_internal.is_window_length(interval) IS
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

CREATE TABLE mlmeta_internal.monitors (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	name text NOT NULL UNIQUE CHECK (mlmeta_internal.is_name(name)),
	source text NOT NULL,
	relation text,
	query text NOT NULL,
	time_column text NOT NULL,
	time_type regtype NOT NULL,
	granularity interval NOT NULL CHECK (mlmeta_internal.is_window_length(granularity)),
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
		CHECK (mlmeta_internal.is_window_length(roll_up_to)),
	schedule text,
	is_enabled boolean NOT NULL DEFAULT true,
	model text,
	project text,
	owner text NOT NULL DEFAULT mlmeta_internal.caller(),
	owner_id bigint NOT NULL
		DEFAULT mlmeta_internal.principal(mlmeta_internal.caller()),
	created_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	CHECK (alert_k > 0 AND alert_k <= alert_n)
);

COMMENT ON TABLE mlmeta_internal.monitors IS
	'what is watched, made by create_monitor(); alter_monitor() changes it; people read the view mlmeta.monitors';
COMMENT ON COLUMN mlmeta_internal.monitors.source IS
	'the table or query as given to create_monitor()';
COMMENT ON COLUMN mlmeta_internal.monitors.relation IS
	'the table, with its schema, when the source is one';
COMMENT ON COLUMN mlmeta_internal.monitors.query IS
	'the query with every name qualified: it means the same under any search_path';
COMMENT ON COLUMN mlmeta_internal.monitors.granularity IS
	'length of a window';
COMMENT ON COLUMN mlmeta_internal.monitors.time_zone IS
	'the time zone whose days and months the windows follow; windows shorter than a day are counted in UTC';
COMMENT ON COLUMN mlmeta_internal.monitors.features IS
	'columns of the source that are profiled';
COMMENT ON COLUMN mlmeta_internal.monitors.all_features IS
	'columns that a table gets later are profiled too';
COMMENT ON COLUMN mlmeta_internal.monitors.label_column IS
	'what turned out to be true, NULL as long as it is not known';
COMMENT ON COLUMN mlmeta_internal.monitors.score_column IS
	'the model''s probability of a positive label';
COMMENT ON COLUMN mlmeta_internal.monitors.prediction_column IS
	'the number that the model predicted; without a score its quality is that of a regression';
COMMENT ON COLUMN mlmeta_internal.monitors.key_columns IS
	'columns that name a row; explain_alert() lists them';
COMMENT ON COLUMN mlmeta_internal.monitors.threshold IS
	'scores from here on predict a positive label';
COMMENT ON COLUMN mlmeta_internal.monitors.segment_sets IS
	'which segments are judged: names from monitor_segments, several combined with commas';
COMMENT ON COLUMN mlmeta_internal.monitors.tolerance IS
	'drift up to this Kolmogorov or total variation distance wakes nobody up; rules of monitor_rules go first';
COMMENT ON COLUMN mlmeta_internal.monitors.q IS
	'false discovery rate over the features and segments of a window';
COMMENT ON COLUMN mlmeta_internal.monitors.correction IS
	'bh: Benjamini and Hochberg; by: Benjamini and Yekutieli, for any dependence';
COMMENT ON COLUMN mlmeta_internal.monitors.alpha IS
	'level of the confidence bounds of effects';
COMMENT ON COLUMN mlmeta_internal.monitors.look_back IS
	'windows this far before the newest are profiled again, for rows that come late';
COMMENT ON COLUMN mlmeta_internal.monitors.label_delay IS
	'labels of a window are complete this long after its end; quality is not judged before';
COMMENT ON COLUMN mlmeta_internal.monitors.label_coverage IS
	'quality is judged when at least this share of the rows has a label';
COMMENT ON COLUMN mlmeta_internal.monitors.freshness IS
	'the newest row may be this old; NULL: not asked';
COMMENT ON COLUMN mlmeta_internal.monitors.alert_k IS
	'an alert opens when k of the last n windows drifted';
COMMENT ON COLUMN mlmeta_internal.monitors.alert_n IS
	'see alert_k';
COMMENT ON COLUMN mlmeta_internal.monitors.resolve_after IS
	'alerts resolve themselves after so many windows without drift; NULL: people do';
COMMENT ON COLUMN mlmeta_internal.monitors.cool_down IS
	'nothing is reopened for this long after it was resolved';
COMMENT ON COLUMN mlmeta_internal.monitors.keep IS
	'windows and results older than this are removed; NULL: kept';
COMMENT ON COLUMN mlmeta_internal.monitors.roll_up_after IS
	'windows older than this are merged into longer ones; NULL: kept as they are';
COMMENT ON COLUMN mlmeta_internal.monitors.roll_up_to IS
	'how long those are';
COMMENT ON COLUMN mlmeta_internal.monitors.schedule IS
	'cron schedule of schedule_monitor()';
COMMENT ON COLUMN mlmeta_internal.monitors.is_enabled IS
	'whether check_due() and run_due() check it';
COMMENT ON COLUMN mlmeta_internal.monitors.model IS
	'reference to the registered model that made the predictions, such as churn@champion';
COMMENT ON COLUMN mlmeta_internal.monitors.project IS
	'whose members see it, and whose writers handle its alerts; NULL: whoever sees its model, or all';
COMMENT ON COLUMN mlmeta_internal.monitors.owner IS
	'what the role was called with whose rights the source is read';
COMMENT ON COLUMN mlmeta_internal.monitors.owner_id IS
	'the role itself, whatever it is called now';

CREATE TABLE mlmeta.monitor_segments (
	monitor bigint NOT NULL,
	name text NOT NULL CHECK (mlmeta_internal.is_name(name)
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
	monitor bigint NOT NULL,
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

CREATE FUNCTION mlmeta_internal.sees_monitor(monitor mlmeta_internal.monitors)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(mlmeta_internal.acts_for((monitor).owner_id), false)
	OR CASE WHEN (monitor).project IS NOT NULL
			THEN mlmeta_internal.permits_project('reader', (monitor).project)
		ELSE (monitor).model IS NULL
			OR mlmeta_internal.permits_reference('reader', (monitor).model) END;

COMMENT ON FUNCTION mlmeta_internal.sees_monitor(mlmeta_internal.monitors) IS
	'whether the caller may see a monitor: it is his, or he sees its project or model, or it has neither';

CREATE FUNCTION mlmeta_internal.find_monitor(monitor text) RETURNS mlmeta_internal.monitors
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_one mlmeta_internal.monitors;
BEGIN
	IF monitor IS NULL THEN
		RAISE EXCEPTION 'monitor must not be null'
			USING ERRCODE = 'null_value_not_allowed',
				HINT = 'Give its name; the view mlmeta.monitors lists what there is.';
	END IF;
	SELECT * INTO found_one FROM mlmeta_internal.monitors AS m WHERE m.name = monitor;
	IF NOT FOUND OR NOT mlmeta_internal.sees_monitor(found_one) THEN
		RAISE EXCEPTION 'monitor "%" does not exist', monitor
			USING ERRCODE = 'undefined_object',
				HINT = 'Make it with create_monitor(); the view mlmeta.monitors lists what there is.';
	END IF;
	RETURN found_one;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.find_monitor(text) IS
	'the monitor of that name, or an error';

CREATE FUNCTION mlmeta_internal.check_monitor_owner(monitor mlmeta_internal.monitors) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF mlmeta_internal.acts_for(monitor.owner_id) IS NOT TRUE THEN
		RAISE EXCEPTION 'monitor "%" belongs to "%"', monitor.name, monitor.owner
			USING ERRCODE = 'insufficient_privilege',
				HINT = 'Only its owner has its source read, and changes it.';
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_monitor_owner(mlmeta_internal.monitors) IS
	'raises 42501 unless the caller has the rights of the monitor''s owner';

CREATE FUNCTION mlmeta_internal.lock_monitor(monitor text)
RETURNS mlmeta_internal.monitors
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	found_one mlmeta_internal.monitors;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM FROM mlmeta_internal.monitors AS m
	WHERE m.name = monitor
	FOR KEY SHARE;
	found_one := mlmeta_internal.find_monitor(monitor);
	PERFORM mlmeta_internal.check_monitor_owner(found_one);
	RETURN found_one;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.lock_monitor(text) IS
	'the monitor of that name, which cannot be dropped until the transaction ends; raises an error unless it is the caller''s';

CREATE FUNCTION mlmeta_internal.create_monitor(
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
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	resolved record;
	missing text;
	wrong text;
	time_type regtype;
	result bigint;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_name('monitor', name);
	IF NOT coalesce(mlmeta_internal.is_window_length(granularity), false) THEN
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
	IF project IS NOT NULL THEN
		PERFORM mlmeta_internal.find_project(project, 'writer');
	END IF;
	IF wrong IS NOT NULL THEN
		RAISE EXCEPTION 'monitor "%": %', name, wrong
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	PERFORM pg_catalog.timezone(time_zone, '2000-01-01'::timestamp);
	keys := coalesce(keys, '{}');

	SELECT * INTO resolved FROM mlmeta_internal.resolve_source('monitor', name, source);

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

	INSERT INTO mlmeta_internal.monitors (name, source, relation, query, time_column,
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
	ON CONFLICT ON CONSTRAINT monitors_name_key DO NOTHING
	RETURNING id INTO result;
	IF result IS NULL THEN
		RAISE EXCEPTION 'monitor "%" exists already', name
			USING ERRCODE = 'duplicate_object';
	END IF;
	IF segments OPERATOR(pg_catalog.<>) '{}' THEN
		PERFORM mlmeta_internal.set_segments(name, segments, segment_sets);
	END IF;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.create_monitor(text, text, text, interval, text[],
	text, text, float8, float8, float8, text, text, text[], jsonb, text[],
	interval, interval, interval, text, text) IS
	'watches a table or query in windows of its time column; features: columns to profile, all but time, label and keys by default; label with score: quality of a binary classifier, label with prediction: of a regression; segments: names and SQL expressions; returns the monitor''s number';

CREATE FUNCTION mlmeta_internal.drop_monitor(monitor text) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta_internal.monitors := mlmeta_internal.find_monitor(monitor);
	owned text;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	-- Of a role that is gone, and of anybody, by the extension's owner.
	IF NOT mlmeta_internal.holds_role(mlmeta_internal.caller(), current_user)
			THEN
		PERFORM mlmeta_internal.check_monitor_owner(m);
	END IF;
	IF m.schedule IS NOT NULL AND mlmeta_internal.acts_for(m.owner_id) THEN
		PERFORM mlmeta_internal.unschedule_monitor(monitor);
	END IF;
	PERFORM FROM mlmeta_internal.monitors AS x WHERE x.id = m.id FOR UPDATE;
	PERFORM mlmeta_internal.lift_guards();
	DELETE FROM mlmeta.monitor_baseline_segments AS s
	USING mlmeta.monitor_baselines AS b
	WHERE b.id = s.baseline AND b.monitor = m.id;
	DELETE FROM mlmeta.alert_deliveries AS d
	USING mlmeta.alert_events AS e, mlmeta.alerts AS a
	WHERE e.id = d.event AND a.id = e.alert AND a.monitor = m.id;
	DELETE FROM mlmeta.alert_events AS e
	USING mlmeta.alerts AS a
	WHERE a.id = e.alert AND a.monitor = m.id;
	FOREACH owned IN ARRAY ARRAY['alerts', 'monitor_checks', 'monitor_results',
		'monitor_windows', 'monitor_baselines', 'monitor_rules',
		'monitor_segments']
	LOOP
		EXECUTE format('DELETE FROM mlmeta.%I AS o WHERE o.monitor = $1', owned)
		USING m.id;
	END LOOP;
	DELETE FROM mlmeta_internal.monitors AS x WHERE x.id = m.id;
	PERFORM mlmeta_internal.restore_guards();
END
$$;

COMMENT ON FUNCTION mlmeta_internal.drop_monitor(text) IS
	'removes a monitor with its windows, results and alerts; for its owner, and for the extension''s when he is gone';

-- Segments ------------------------------------------------------------------------------

-- The expression with every name qualified: that of a query whose only source
-- is a row of these columns, less what the query of a constant has around it.
CREATE FUNCTION mlmeta_internal.resolve_expression(
	owner text,
	name text,
	expression text,
	columns jsonb
) RETURNS text
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	source text;
	resolved record;
	around text;
	result text;
BEGIN
	-- With a second source, every version writes s before a column.
	SELECT format(' FROM (SELECT %s OFFSET 0) AS s, (SELECT) AS mlmeta_none',
		string_agg(format('NULL::%s AS %I', c.value ->> 'type',
			c.value ->> 'name'), ', ' ORDER BY c.n))
	INTO source
	FROM jsonb_array_elements(columns) WITH ORDINALITY AS c (value, n);
	BEGIN
		SELECT q.query, q.names INTO resolved
		FROM mlmeta_internal.qualify_query(format(
			E'SELECT (\n%s\n)::text AS mlmeta_value', expression) || source) AS q;
	EXCEPTION WHEN OTHERS THEN
		RAISE EXCEPTION '%: "%" is not a valid expression', owner, name
			USING ERRCODE = SQLSTATE, DETAIL = SQLERRM,
				HINT = 'Write one SQL expression over the columns of the source; a subquery calls them s.column.';
	END;
	IF cardinality(resolved.names) <> 1 THEN
		RAISE EXCEPTION '%: "%" is more than one expression', owner, name
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT substr(q.query, strpos(q.query, ' AS mlmeta_value')) INTO around
	FROM mlmeta_internal.qualify_query('SELECT 1 AS mlmeta_value' || source)
		AS q;
	result := substr(resolved.query, length('SELECT ') + 1);
	IF right(result, length(around)) <> around THEN
		RAISE EXCEPTION '%: "%" is not an expression', owner, name
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN btrim(left(result, -length(around)), E' \n');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.resolve_expression(text, text, text, jsonb) IS
	'an expression over columns, as text, with every name qualified as who acts means it; errors name what it belongs to and itself';

CREATE FUNCTION mlmeta_internal.set_segments(
	monitor text,
	segments jsonb,
	segment_sets text[] DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta_internal.monitors := mlmeta_internal.lock_monitor(monitor);
	resolved record;
	unknown text;
BEGIN
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
	SELECT * INTO resolved FROM mlmeta_internal.resolve_source('monitor', monitor,
		coalesce(m.relation, m.query));
	SELECT e.key INTO unknown
	FROM pg_catalog.jsonb_each_text(segments) AS e
	WHERE NOT mlmeta_internal.is_name(e.key) OR e.key OPERATOR(pg_catalog.~) '[,=&]'
		OR e.value IS NULL
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'monitor "%": "%" is no segment', monitor, unknown
			USING ERRCODE = 'invalid_parameter_value',
				HINT = 'Give a name without comma, = and &, and an SQL expression.';
	END IF;
	DELETE FROM mlmeta.monitor_segments AS s WHERE s.monitor = m.id;
	INSERT INTO mlmeta.monitor_segments (monitor, name, position, expression)
	SELECT m.id, e.key, e.n, mlmeta_internal.resolve_expression(
		pg_catalog.format('segment of monitor "%s"', monitor), e.key, e.value,
		resolved.columns)
	FROM pg_catalog.jsonb_each_text(segments) WITH ORDINALITY AS e (key, value, n);
	UPDATE mlmeta_internal.monitors AS x
	SET segment_sets = coalesce(set_segments.segment_sets, ARRAY(
		SELECT s.name FROM mlmeta.monitor_segments AS s
		WHERE s.monitor = m.id ORDER BY s.position))
	WHERE x.id = m.id;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.set_segments(text, jsonb, text[]) IS
	'how a monitor''s rows are divided: names and SQL expressions, which may hold subqueries; segment_sets: which are judged, several combined with commas, each alone by default. Set a baseline again afterwards';

CREATE FUNCTION mlmeta_internal.segment_label(names text[], parts text[]) RETURNS text
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

COMMENT ON FUNCTION mlmeta_internal.segment_label(text[], text[]) IS
	'how a segment is called: region=north & plan=pro';

CREATE FUNCTION mlmeta_internal.set_rule(
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
	m mlmeta_internal.monitors := mlmeta_internal.lock_monitor(monitor);
BEGIN
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

COMMENT ON FUNCTION mlmeta_internal.set_rule(text, text, text, text, float8, boolean, text) IS
	'sets a tolerance, silence or severity for a feature, measure or segment of a monitor; * is all';

CREATE FUNCTION mlmeta_internal.rule_of(
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

COMMENT ON FUNCTION mlmeta_internal.rule_of(bigint, text, text, text) IS
	'what the rules of a monitor say of a feature, measure and segment, each from the most specific rule that says it';

-- What people read, with the owner as he is called now.
CREATE VIEW mlmeta.monitors WITH (security_invoker = true) AS
SELECT m.id, m.name, m.source, m.relation, m.query, m.time_column, m.time_type,
	m.granularity, m.time_zone, m.features, m.all_features, m.label_column,
	m.score_column, m.prediction_column, m.key_columns, m.threshold,
	m.segment_sets, m.tolerance, m.q, m.correction, m.alpha, m.look_back,
	m.label_delay, m.label_coverage, m.freshness, m.alert_k, m.alert_n,
	m.resolve_after, m.cool_down, m.keep, m.roll_up_after, m.roll_up_to,
	m.schedule, m.is_enabled, m.model, m.project,
	mlmeta_internal.principal_name(m.owner_id) AS owner, m.created_at
FROM mlmeta_internal.monitors AS m;

COMMENT ON VIEW mlmeta.monitors IS
	'what is watched and how; alter_monitor() changes it';
COMMENT ON COLUMN mlmeta.monitors.id IS 'its number';
COMMENT ON COLUMN mlmeta.monitors.name IS 'its name';
COMMENT ON COLUMN mlmeta.monitors.source IS 'table or query that it watches, as given';
COMMENT ON COLUMN mlmeta.monitors.relation IS 'the table, where the source is one';
COMMENT ON COLUMN mlmeta.monitors.query IS 'the query that is run';
COMMENT ON COLUMN mlmeta.monitors.time_column IS 'column by which rows fall into windows';
COMMENT ON COLUMN mlmeta.monitors.time_type IS 'type of that column';
COMMENT ON COLUMN mlmeta.monitors.granularity IS 'length of a window';
COMMENT ON COLUMN mlmeta.monitors.time_zone IS 'zone in which windows of days and more begin';
COMMENT ON COLUMN mlmeta.monitors.features IS 'features that it watches';
COMMENT ON COLUMN mlmeta.monitors.all_features IS 'whether it watches all columns of the source';
COMMENT ON COLUMN mlmeta.monitors.label_column IS 'column with the true outcome';
COMMENT ON COLUMN mlmeta.monitors.score_column IS 'column with the predicted probability';
COMMENT ON COLUMN mlmeta.monitors.prediction_column IS 'column with the prediction';
COMMENT ON COLUMN mlmeta.monitors.key_columns IS 'columns that tell rows apart';
COMMENT ON COLUMN mlmeta.monitors.threshold IS 'score from which a row counts as positive';
COMMENT ON COLUMN mlmeta.monitors.segment_sets IS 'sets of columns by which rows are split';
COMMENT ON COLUMN mlmeta.monitors.tolerance IS 'what is tolerated unless a rule says otherwise';
COMMENT ON COLUMN mlmeta.monitors.q IS 'share of false alarms among alarms that is accepted';
COMMENT ON COLUMN mlmeta.monitors.correction IS 'how p-values are adjusted for the number of features';
COMMENT ON COLUMN mlmeta.monitors.alpha IS 'level of single tests';
COMMENT ON COLUMN mlmeta.monitors.look_back IS 'how far back a check goes';
COMMENT ON COLUMN mlmeta.monitors.label_delay IS 'how long labels take to come';
COMMENT ON COLUMN mlmeta.monitors.label_coverage IS 'share of rows with labels from which quality is judged';
COMMENT ON COLUMN mlmeta.monitors.freshness IS 'after how long without rows it is an alarm';
COMMENT ON COLUMN mlmeta.monitors.alert_k IS 'windows with drift that open an alert';
COMMENT ON COLUMN mlmeta.monitors.alert_n IS 'out of so many';
COMMENT ON COLUMN mlmeta.monitors.resolve_after IS 'quiet windows that resolve an alert';
COMMENT ON COLUMN mlmeta.monitors.cool_down IS 'how long no alert is opened after one was resolved';
COMMENT ON COLUMN mlmeta.monitors.keep IS 'how long windows are kept';
COMMENT ON COLUMN mlmeta.monitors.roll_up_after IS 'after how long windows are put together';
COMMENT ON COLUMN mlmeta.monitors.roll_up_to IS 'into windows of that length';
COMMENT ON COLUMN mlmeta.monitors.schedule IS 'when it is checked, as cron has it';
COMMENT ON COLUMN mlmeta.monitors.is_enabled IS 'whether scheduled checks check it';
COMMENT ON COLUMN mlmeta.monitors.model IS 'the model that it is about, a reference';
COMMENT ON COLUMN mlmeta.monitors.project IS 'the project that it belongs to; NULL: by its model';
COMMENT ON COLUMN mlmeta.monitors.created_at IS 'when it was made';
COMMENT ON COLUMN mlmeta.monitors.owner IS
	'the role with whose rights the source is read; NULL: it is no role any more';

CREATE FUNCTION mlmeta_internal.alter_monitor(monitor text, settings jsonb)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	known CONSTANT text[] := ARRAY['tolerance', 'q', 'correction', 'alpha',
		'look_back', 'label_delay', 'label_coverage', 'freshness', 'alert_k',
		'alert_n', 'resolve_after', 'cool_down', 'keep', 'roll_up_after',
		'roll_up_to', 'is_enabled', 'model', 'project', 'threshold'];
	m mlmeta_internal.monitors := mlmeta_internal.lock_monitor(monitor);
	unknown text;
BEGIN
	IF jsonb_typeof(settings) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION 'monitor "%": settings must be a JSON object', m.name
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	SELECT k.key INTO unknown
	FROM jsonb_object_keys(settings) AS k (key)
	WHERE k.key <> ALL (known)
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'monitor "%" has no setting "%"', m.name, unknown
			USING ERRCODE = 'undefined_object', HINT = format('Settings are: %s.',
				array_to_string(known, ', '));
	END IF;
	m := jsonb_populate_record(m, settings);
	IF settings ? 'project' AND m.project IS NOT NULL THEN
		PERFORM mlmeta_internal.find_project(m.project, 'writer');
	END IF;
	UPDATE mlmeta_internal.monitors AS x
	SET tolerance = m.tolerance, q = m.q, correction = m.correction,
		alpha = m.alpha, look_back = m.look_back, label_delay = m.label_delay,
		label_coverage = m.label_coverage, freshness = m.freshness,
		alert_k = m.alert_k, alert_n = m.alert_n,
		resolve_after = m.resolve_after, cool_down = m.cool_down,
		keep = m.keep, roll_up_after = m.roll_up_after,
		roll_up_to = m.roll_up_to, is_enabled = m.is_enabled, model = m.model,
		project = m.project, threshold = m.threshold
	WHERE x.id = m.id;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.alter_monitor(text, jsonb) IS
	'changes settings of a monitor, a JSON object of names and values; they hold from the next check';
