-- Windows: rows become one profile a window and segment, and nothing reads rows
-- after that.
--
-- Data's path: rows -> profiles on the baseline's bins, grouped once by the
-- finest combination of segments and rolled up by merging -> stored detached ->
-- drift() against the baseline -> verdicts (part 72) -> alerts (part 73).

CREATE AGGREGATE mlmeta_internal.expected_quality(
	score float8, threshold float8, probability float8) (
	SFUNC = mlmeta_internal.classification_expected_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.classification_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta_internal.expected_quality(score float8, threshold float8, probability float8) IS
	'the classification to expect of scores with calibrated probabilities, without labels: its accessors give the estimates, and it merges';

CREATE TABLE mlmeta.monitor_baselines (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	monitor bigint NOT NULL,
	dataset mlmeta.artifact,
	period_start timestamptz,
	period_end timestamptz,
	trailing_windows integer CHECK (trailing_windows > 0),
	query text NOT NULL,
	profile mlmeta.profile NOT NULL,
	quality mlmeta.classification,
	set_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	user_name text NOT NULL DEFAULT mlmeta_internal.actor()
);

CREATE INDEX monitor_baselines_monitor ON mlmeta.monitor_baselines
	(monitor, id);

COMMENT ON TABLE mlmeta.monitor_baselines IS
	'the baselines of monitors, the newest in force; see set_baseline()';
COMMENT ON COLUMN mlmeta.monitor_baselines.dataset IS
	'the data version it was made from';
COMMENT ON COLUMN mlmeta.monitor_baselines.period_end IS
	'the first window checked against it begins here';
COMMENT ON COLUMN mlmeta.monitor_baselines.trailing_windows IS
	'windows are compared with so many windows before them, on the bins of this one; NULL: with this one';
COMMENT ON COLUMN mlmeta.monitor_baselines.query IS
	'its rows, from which undecided verdicts are settled';
COMMENT ON COLUMN mlmeta.monitor_baselines.quality IS
	'quality of the model over the baseline; estimates are calibrated on it';

CREATE TABLE mlmeta.monitor_baseline_segments (
	baseline bigint NOT NULL,
	segment text NOT NULL,
	row_count bigint NOT NULL,
	profile mlmeta.profile,
	quality mlmeta.classification,
	errors mlmeta.regression,
	window_quality float8[],
	window_rows float8[],
	PRIMARY KEY (baseline, segment)
);

COMMENT ON TABLE mlmeta.monitor_baseline_segments IS
	'baselines by segment; the empty one is all rows';
COMMENT ON COLUMN mlmeta.monitor_baseline_segments.profile IS
	'detached: attach(profile, baseline''s profile) gives the edges back';
COMMENT ON COLUMN mlmeta.monitor_baseline_segments.window_quality IS
	'ROC AUC, or mean absolute error, of the baseline''s own windows: what is usual';
COMMENT ON COLUMN mlmeta.monitor_baseline_segments.window_rows IS
	'rows a day in the baseline''s own whole windows';

CREATE TABLE mlmeta.monitor_windows (
	monitor bigint NOT NULL,
	segment text NOT NULL DEFAULT '',
	window_start timestamptz NOT NULL,
	window_end timestamptz NOT NULL,
	baseline bigint NOT NULL,
	row_count bigint NOT NULL,
	profile mlmeta.profile,
	quality mlmeta.classification,
	errors mlmeta.regression,
	estimated_roc_auc float8,
	estimated_accuracy float8,
	checked_at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
	merged_windows integer NOT NULL DEFAULT 1,
	PRIMARY KEY (monitor, window_start, segment)
);

COMMENT ON TABLE mlmeta.monitor_windows IS
	'the checked windows, as profiles and quality summaries from which any comparison can be made again';
COMMENT ON COLUMN mlmeta.monitor_windows.merged_windows IS
	'so many windows were rolled up into this one; its estimates are their means, weighted with the rows';
COMMENT ON COLUMN mlmeta.monitor_windows.segment IS
	'empty: all rows of the window';
COMMENT ON COLUMN mlmeta.monitor_windows.profile IS
	'detached: attach(profile, baseline''s profile) gives the edges back; NULL without rows';
COMMENT ON COLUMN mlmeta.monitor_windows.quality IS
	'of a classifier';
COMMENT ON COLUMN mlmeta.monitor_windows.errors IS
	'of a regression';
COMMENT ON COLUMN mlmeta.monitor_windows.estimated_roc_auc IS
	'ROC AUC to expect of the scores, without labels';
COMMENT ON COLUMN mlmeta.monitor_windows.estimated_accuracy IS
	'accuracy to expect of the scores, without labels';

-- Reading rows -------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.live_columns(monitor mlmeta_internal.monitors) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT pg_catalog.array_agg(a.attname::text ORDER BY a.attnum)
	FROM pg_catalog.pg_attribute AS a
	WHERE a.attrelid = pg_catalog.to_regclass((monitor).relation)
		AND a.attnum > 0 AND NOT a.attisdropped
);

COMMENT ON FUNCTION mlmeta_internal.live_columns(mlmeta_internal.monitors) IS
	'columns that the monitor''s table has now; NULL when its source is a query, whose columns are fixed, or is gone';

CREATE FUNCTION mlmeta_internal.live_features(monitor mlmeta_internal.monitors) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT coalesce(pg_catalog.array_agg(f.name ORDER BY f.n), '{}')
	FROM (
		SELECT u.name, u.n FROM pg_catalog.unnest((monitor).features)
			WITH ORDINALITY AS u (name, n)
		WHERE u.name = ANY (mlmeta_internal.live_columns(monitor)) IS NOT FALSE
		UNION ALL
		SELECT u.name, 10000 + u.n FROM pg_catalog.unnest(mlmeta_internal.live_columns(monitor))
			WITH ORDINALITY AS u (name, n)
		WHERE (monitor).all_features
			AND (u.name = ANY ((monitor).features || (monitor).key_columns
				|| (monitor).time_column || (monitor).label_column)) IS NOT TRUE
	) AS f
);

COMMENT ON FUNCTION mlmeta_internal.live_features(mlmeta_internal.monitors) IS
	'features that can be read now: without columns that vanished, with those that came';

-- What a check can go on without: a segment, a feature, the quality.
CREATE FUNCTION mlmeta_internal.part_name(kind text, name text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN kind || ' ' || name;

COMMENT ON FUNCTION mlmeta_internal.part_name(text, text) IS
	'how a part of a scan is called that may be left out: segment NAME, feature NAME, quality of the model';

CREATE FUNCTION mlmeta_internal.time_condition(
	monitor mlmeta_internal.monitors,
	first_time text DEFAULT '$1',
	end_time text DEFAULT '$2'
) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE WHEN (monitor).time_type = 'timestamptz'::regtype
	THEN pg_catalog.format(
		's.%1$I >= coalesce(%2$s, ''-infinity'')
			AND s.%1$I < coalesce(%3$s, ''infinity'')
			AND pg_catalog.isfinite(s.%1$I)',
		(monitor).time_column, first_time, end_time)
	ELSE pg_catalog.format(
		's.%1$I >= coalesce(%2$s AT TIME ZONE %4$L, ''-infinity'')
			AND s.%1$I < coalesce(%3$s AT TIME ZONE %4$L, ''infinity'')
			AND pg_catalog.isfinite(s.%1$I)',
		(monitor).time_column, first_time, end_time, (monitor).time_zone)
	END;

COMMENT ON FUNCTION mlmeta_internal.time_condition(mlmeta_internal.monitors, text, text) IS
	'condition for rows between two times, given as expressions of type timestamptz, the parameters $1 and $2 by default; an index on the time column serves it';

CREATE FUNCTION mlmeta_internal.feature_expression(
	monitor mlmeta_internal.monitors,
	feature text,
	kind text
) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT CASE
		WHEN n.suffix = 'length' THEN pg_catalog.format('pg_catalog.cardinality(s.%I)::float8', n.name)
		WHEN n.suffix = 'norm' THEN pg_catalog.format(
			'(SELECT pg_catalog.sqrt(pg_catalog.sum(e::float8 ^ 2)) FROM pg_catalog.unnest(s.%I) AS e)', n.name)
		WHEN kind = 'timestamp' THEN pg_catalog.format('extract(epoch FROM s.%I)::float8', n.name)
		WHEN t.category = 'N' THEN pg_catalog.format('s.%I::float8', n.name)
		ELSE pg_catalog.format(
			'(CASE WHEN pg_catalog.pg_typeof(s.%1$I) = ANY (''{interval,time}''::regtype[])
				THEN extract(epoch FROM s.%1$I::text::interval)::float8
				ELSE s.%1$I::text::float8 END)', n.name)
	END
	FROM (
			-- Of an array its length and its norm are features.
			SELECT CASE WHEN f.is_part THEN pg_catalog.substring(feature, '^(.*)\.[a-z]+$')
					ELSE feature END AS name,
				CASE WHEN f.is_part THEN pg_catalog.substring(feature, '[a-z]+$') END AS suffix
			FROM (SELECT feature ~ '\.(length|norm)$'
				AND feature <> ALL ((monitor).features) AS is_part) AS f
		) AS n
		LEFT JOIN LATERAL (
			SELECT y.typcategory::text AS category
			FROM pg_catalog.pg_attribute AS a
				JOIN pg_catalog.pg_type AS y ON y.oid = a.atttypid
			WHERE a.attrelid = pg_catalog.to_regclass((monitor).relation)
				AND a.attname = n.name AND NOT a.attisdropped
		) AS t ON true
);

COMMENT ON FUNCTION mlmeta_internal.feature_expression(mlmeta_internal.monitors, text, text) IS
	'the expression over a row s for the number that a feature of that kind is, as profiles have it';

-- Days and months follow the monitor's time zone. Hours are counted in UTC: no
-- clock is put forward or back there, and every window has its full length.
CREATE FUNCTION mlmeta_internal.window_zone(monitor mlmeta_internal.monitors) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (monitor).granularity < '1 day'::interval THEN 'UTC'
	ELSE (monitor).time_zone END;

COMMENT ON FUNCTION mlmeta_internal.window_zone(mlmeta_internal.monitors) IS
	'the time zone in which a monitor''s windows are counted: UTC where they are shorter than a day';

-- Written out, because this is evaluated for every row: a function with a CASE
-- would not be inlined, and costs more than all the rest of a scan.
CREATE FUNCTION mlmeta_internal.window_expression(monitor mlmeta_internal.monitors) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
	SELECT CASE
		WHEN x.months IN (1, 3, 12) THEN pg_catalog.format('pg_catalog.date_trunc(%L, %s)',
			CASE x.months WHEN 1 THEN 'month' WHEN 3 THEN 'quarter' ELSE 'year' END, x.at)
		WHEN x.months > 0 THEN pg_catalog.format('mlmeta.window_start(%s, %L::interval)',
			x.at, (monitor).granularity)
		ELSE pg_catalog.format('pg_catalog.date_bin(%L::interval, %s, ''2000-01-03''::timestamp)',
			(monitor).granularity, x.at)
	END
	FROM (SELECT CASE WHEN (monitor).time_type = 'timestamptz'::regtype
				THEN pg_catalog.format('(s.%I AT TIME ZONE %L)', (monitor).time_column,
					mlmeta_internal.window_zone(monitor))
			WHEN mlmeta_internal.window_zone(monitor) = (monitor).time_zone
				THEN pg_catalog.format('s.%I::timestamp', (monitor).time_column)
			ELSE pg_catalog.format('(s.%I::timestamp AT TIME ZONE %L AT TIME ZONE %L)',
				(monitor).time_column, (monitor).time_zone, mlmeta_internal.window_zone(monitor))
			END AS at,
		CASE WHEN pg_catalog.date_trunc('month', (monitor).granularity) = (monitor).granularity
			THEN pg_catalog.date_part('year', (monitor).granularity) * 12
				+ pg_catalog.date_part('month', (monitor).granularity)
			ELSE 0 END AS months) AS x
);

COMMENT ON FUNCTION mlmeta_internal.window_expression(mlmeta_internal.monitors) IS
	'the expression for the start of a row''s window, in the monitor''s time zone: as window_start()';

CREATE FUNCTION mlmeta_internal.monitor_rows(
	monitor mlmeta_internal.monitors,
	query text,
	first_parameter integer DEFAULT 1,
	without text[] DEFAULT '{}'
) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN pg_catalog.format(
	'(SELECT %1$s AS mlmeta_window, s.*%2$s
		FROM (%3$s
		) AS s
		WHERE %4$s) AS s
	CROSS JOIN LATERAL (SELECT %5$s) AS mlmeta_features',
	mlmeta_internal.window_expression(monitor),
	(SELECT coalesce(pg_catalog.string_agg(pg_catalog.format(
		E',\n\t\t\t(%s) AS %I', g.expression, 'mlmeta_' || g.name), '' ORDER BY g.position), '')
		FROM mlmeta.monitor_segments AS g
		WHERE g.monitor = (monitor_rows.monitor).id
			AND mlmeta_internal.part_name('segment', g.name) <> ALL (without)),
	query,
	mlmeta_internal.time_condition(monitor, '$' || first_parameter, '$' || first_parameter + 1),
	(SELECT pg_catalog.string_agg(pg_catalog.format('s.%I', c.name), ', ' ORDER BY c.n)
		FROM pg_catalog.unnest(mlmeta_internal.live_features(monitor))
			WITH ORDINALITY AS c (name, n)
		WHERE mlmeta_internal.part_name('feature', c.name) <> ALL (without)));

COMMENT ON FUNCTION mlmeta_internal.monitor_rows(mlmeta_internal.monitors, text, integer, text[]) IS
	'FROM item of the monitored rows between two parameters, $1 and $2 by default: s has the window, all columns and the segments'' values, mlmeta_features the features; without: parts that cannot be read, see part_name()';

CREATE FUNCTION mlmeta_internal.segment_sets_without(
	monitor mlmeta_internal.monitors,
	without text[]
) RETURNS TABLE (names text[], n bigint)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT p.names, t.n
	FROM pg_catalog.unnest((monitor).segment_sets) WITH ORDINALITY AS t (set, n),
		LATERAL (SELECT pg_catalog.regexp_split_to_array(t.set, '\s*,\s*') AS names) AS p
	WHERE NOT EXISTS (
		SELECT FROM pg_catalog.unnest(p.names) AS u (name)
		WHERE mlmeta_internal.part_name('segment', u.name) = ANY (without));
END;

COMMENT ON FUNCTION mlmeta_internal.segment_sets_without(mlmeta_internal.monitors, text[]) IS
	'the names of segments that are judged together, set by set, less the sets with a segment that is left out';

CREATE FUNCTION mlmeta_internal.scan_query(
	monitor mlmeta_internal.monitors,
	query text,
	without text[] DEFAULT '{}'
) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	divided text[] := ARRAY(
		SELECT s.name FROM mlmeta.monitor_segments AS s
		WHERE s.monitor = monitor.id AND EXISTS (
			SELECT FROM mlmeta_internal.segment_sets_without(scan_query.monitor, without) AS t
			WHERE s.name = ANY (t.names))
		ORDER BY s.position);
	finest text := (SELECT string_agg(format(', s.%I', 'mlmeta_' || d.name), '')
		FROM unnest(divided) AS d (name));
	has_quality boolean := monitor.label_column IS NOT NULL
		AND mlmeta_internal.part_name('quality', 'of the model') <> ALL (without);
	has_score boolean := has_quality AND monitor.score_column IS NOT NULL;
	has_prediction boolean := has_quality AND monitor.score_column IS NULL
		AND monitor.prediction_column IS NOT NULL;
	merged text := 'sum(n.row_count)::bigint, mlmeta.detach(mlmeta.merge(n.profile)),
	mlmeta.merge(n.quality), mlmeta.merge(n.expected), mlmeta.merge(n.errors)';
BEGIN
	RETURN format(
'WITH finest AS MATERIALIZED (
	SELECT s.mlmeta_window%s, count(*) AS row_count,
		mlmeta.profile(mlmeta_features, $3) AS profile,
		%s AS quality,
		%s AS expected,
		%s AS errors
	FROM %s
	GROUP BY s.mlmeta_window%1$s
)
SELECT n.mlmeta_window, '''' AS segment, %6$s
FROM finest AS n GROUP BY n.mlmeta_window',
		coalesce(finest, ''),
		CASE WHEN has_score THEN format('mlmeta.classification(s.%I::integer, s.%I::float8, %L)',
				monitor.label_column, monitor.score_column, monitor.threshold)
			ELSE 'NULL::mlmeta.classification' END,
		CASE WHEN has_score THEN format('mlmeta_internal.expected_quality(s.%1$I::float8, %2$L,
			mlmeta.calibrate($4, s.%1$I::float8))', monitor.score_column, monitor.threshold)
			ELSE 'NULL::mlmeta.classification' END,
		CASE WHEN has_prediction THEN format('mlmeta.regression(s.%I::float8, s.%I::float8)',
				monitor.label_column, monitor.prediction_column)
			ELSE 'NULL::mlmeta.regression' END,
		mlmeta_internal.monitor_rows(monitor, query, 1, without),
		merged)
	|| coalesce((
		SELECT string_agg(format(E'\nUNION ALL\nSELECT n.mlmeta_window, mlmeta_internal.segment_label(%L, ARRAY[%s]), %s
FROM finest AS n GROUP BY n.mlmeta_window, %2$s',
			p.names, (SELECT string_agg(format('n.%I', 'mlmeta_' || u.name), ', ' ORDER BY u.n)
				FROM unnest(p.names) WITH ORDINALITY AS u (name, n)),
			merged), '' ORDER BY p.n)
		FROM mlmeta_internal.segment_sets_without(monitor, without) AS p
		), '');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.scan_query(mlmeta_internal.monitors, text, text[]) IS
	'the one query that reads the rows from $1 to $2, on the bins of $3, scores calibrated by $4: a row a window and segment; without the parts that cannot be read';

CREATE FUNCTION mlmeta_internal.scan_windows(
	monitor mlmeta_internal.monitors,
	query text,
	period_start timestamptz,
	period_end timestamptz,
	reference mlmeta.profile,
	quality mlmeta.classification,
	without text[] DEFAULT '{}'
) RETURNS SETOF mlmeta.monitor_windows
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
-- Windows and segments are expressions, of which the planner expects as many
-- values as there are times. They are few: hashing them costs less than sorting
-- the rows, and their profiles (some 5 kB a feature) are to stay in memory.
SET enable_sort = off
SET hash_mem_multiplier = 16
AS $$
DECLARE
	zone text := mlmeta_internal.window_zone(monitor);
BEGIN
	RETURN QUERY
	SELECT monitor.id, f.segment, f.start AT TIME ZONE zone,
		(f.start + monitor.granularity) AT TIME ZONE zone, NULL::bigint,
		f.row_count, f.profile, f.quality, f.errors, mlmeta.roc_auc(f.expected),
		mlmeta.accuracy(f.expected), clock_timestamp(), 1
	FROM mlmeta_internal.run_query(monitor.owner_id, 'pg_catalog',
		mlmeta_internal.scan_query(monitor, query, without), period_start,
		period_end, reference, quality)
		AS f (start timestamp, segment text, row_count bigint,
			profile mlmeta.profile, quality mlmeta.classification,
			expected mlmeta.classification, errors mlmeta.regression);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.scan_windows(mlmeta_internal.monitors, text, timestamptz,
	timestamptz, mlmeta.profile, mlmeta.classification, text[]) IS
	'the windows of rows from start to before end, by segment; one scan';

CREATE FUNCTION mlmeta.preview_monitor(monitor text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta_internal.monitors := mlmeta_internal.find_monitor(monitor);
BEGIN
	RETURN format(
'-- What check_monitor(%L) will run, as role %I.
-- $1, $2: from and to; $3: profile of the baseline; $4: its quality
', m.name, m.owner) || mlmeta_internal.scan_query(m, m.query);
END
$$;

COMMENT ON FUNCTION mlmeta.preview_monitor(text) IS
	'dry run: the query by which a check reads the source';

-- Baselines ----------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.window_figure(
	quality mlmeta.classification,
	errors mlmeta.regression
) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(mlmeta.roc_auc(quality), mlmeta.mae(errors));

COMMENT ON FUNCTION mlmeta_internal.window_figure(mlmeta.classification, mlmeta.regression) IS
	'the figure that quality is judged by: ROC AUC of a classifier, mean absolute error of a regression';

CREATE FUNCTION mlmeta_internal.store_baseline(
	monitor mlmeta_internal.monitors,
	query text,
	period_start timestamptz,
	period_end timestamptz,
	dataset mlmeta.artifact,
	trailing_windows integer
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	reference mlmeta.profile;
	result bigint;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_monitor_owner(monitor);

	SELECT r.profile INTO reference
	FROM mlmeta_internal.run_query(monitor.owner_id, 'pg_catalog',
		format('SELECT mlmeta.profile(mlmeta_features) FROM %s',
			mlmeta_internal.monitor_rows(monitor, query)), period_start,
		period_end) AS r (profile mlmeta.profile);
	IF reference IS NULL THEN
		RAISE EXCEPTION 'monitor "%": the baseline has no rows', monitor.name
			USING ERRCODE = 'no_data_found',
				HINT = 'Name a period, or a data version, that holds rows.';
	END IF;

	INSERT INTO mlmeta.monitor_baselines (monitor, dataset, period_start,
		period_end, trailing_windows, query, profile)
	VALUES (monitor.id, dataset, period_start, period_end, trailing_windows,
		query, reference)
	RETURNING id INTO result;

	WITH scanned AS (
		SELECT s.*, s.window_start >= store_baseline.period_start
				AND s.window_end <= store_baseline.period_end AS is_whole,
			row_number() OVER (PARTITION BY s.segment ORDER BY s.window_start) AS n,
			count(*) OVER (PARTITION BY s.segment) AS windows
		FROM mlmeta_internal.scan_windows(monitor, query, store_baseline.period_start,
			store_baseline.period_end, reference, NULL) AS s
	), summed AS (
		INSERT INTO mlmeta.monitor_baseline_segments (baseline, segment,
			row_count, profile, quality, errors, window_quality, window_rows)
		SELECT result, s.segment, sum(s.row_count), mlmeta.merge(s.profile),
			mlmeta.merge(s.quality), mlmeta.merge(s.errors),
			array_agg(f.figure ORDER BY s.window_start)
				FILTER (WHERE f.figure IS NOT NULL),
			-- Of a data version nobody knows where it was cut.
			array_agg(s.row_count * 86400.0 / extract(epoch FROM s.window_end - s.window_start)
				ORDER BY s.window_start)
				FILTER (WHERE coalesce(s.is_whole, s.n NOT IN (1, s.windows) OR s.windows < 5))
		FROM scanned AS s,
			LATERAL (SELECT mlmeta_internal.window_figure(s.quality, s.errors) AS figure) AS f
		GROUP BY s.segment
		RETURNING segment, quality
	)
	UPDATE mlmeta.monitor_baselines AS b
	SET quality = (SELECT s.quality FROM summed AS s WHERE s.segment = ''),
		period_end = coalesce(store_baseline.period_end,
			(SELECT max(s.window_end) FROM scanned AS s))
	WHERE b.id = result;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.store_baseline(mlmeta_internal.monitors, text, timestamptz,
	timestamptz, mlmeta.artifact, integer) IS
	'profiles the rows of a query and stores them as the monitor''s newest baseline';

CREATE FUNCTION mlmeta_internal.set_baseline(
	monitor text,
	period_start timestamptz,
	period_end timestamptz
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta_internal.monitors := mlmeta_internal.lock_monitor(monitor);
BEGIN
	IF NOT coalesce(period_start < period_end, false) THEN
		RAISE EXCEPTION 'monitor "%": the period of a baseline must end after it starts', monitor
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN mlmeta_internal.store_baseline(m, m.query, period_start, period_end, NULL, NULL);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.set_baseline(text, timestamptz, timestamptz) IS
	'makes a period of the monitor''s own source its baseline, from start to before end; returns the baseline''s number';

CREATE FUNCTION mlmeta_internal.set_baseline(
	monitor text,
	period_start timestamptz,
	period_end timestamptz,
	trailing_windows integer
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta_internal.monitors := mlmeta_internal.lock_monitor(monitor);
BEGIN
	IF NOT coalesce(period_start < period_end, false)
			OR NOT coalesce(trailing_windows > 0, false) THEN
		RAISE EXCEPTION 'monitor "%": the period must end after it starts, and there must be windows before', monitor
			USING ERRCODE = 'invalid_parameter_value',
				HINT = '1 compares each window with the one before, 7 with the seven before.';
	END IF;
	RETURN mlmeta_internal.store_baseline(m, m.query, period_start, period_end, NULL,
		trailing_windows);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.set_baseline(text, timestamptz, timestamptz, integer) IS
	'compares each window with so many windows before it, merged from their stored profiles; the period gives the bins, the first windows'' reference and what quality and row counts are usual';

CREATE FUNCTION mlmeta_internal.set_baseline(monitor text, dataset mlmeta.artifact)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta_internal.monitors := mlmeta_internal.lock_monitor(monitor);
	snapshot mlmeta.dataset_snapshots;
BEGIN
	IF dataset IS NULL THEN
		RAISE EXCEPTION 'monitor "%": the data version must not be null', m.name
			USING ERRCODE = 'null_value_not_allowed';
	END IF;
	SELECT * INTO snapshot FROM mlmeta.dataset_snapshots AS d
	WHERE d.artifact OPERATOR(mlmeta.=) dataset
		AND mlmeta_internal.sees_snapshot(d)
	ORDER BY mlmeta_internal.principal_role(d.owner_id)
		= mlmeta_internal.principal_role(m.owner_id) DESC NULLS LAST,
		d.taken_at DESC LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'there is no snapshot of dataset "%"', dataset
			USING ERRCODE = 'undefined_object',
				HINT = 'Take one with snapshot_dataset().';
	END IF;
	IF mlmeta_internal.principal_role(snapshot.owner_id) IS DISTINCT FROM
			mlmeta_internal.principal_role(m.owner_id) THEN
		RAISE EXCEPTION 'the snapshot of dataset "%" belongs to "%"', dataset,
				snapshot.owner
			USING ERRCODE = 'insufficient_privilege',
				HINT = 'Take one of your own: only its owner runs its query.';
	END IF;
	RETURN mlmeta_internal.store_baseline(m, CASE WHEN snapshot.copy_table IS NULL
		THEN snapshot.query ELSE 'SELECT * FROM ' || snapshot.copy_table END,
		NULL, NULL, dataset, NULL);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.set_baseline(text, mlmeta.artifact) IS
	'makes the data version that a model was trained on the monitor''s baseline; its query must have the monitor''s columns; returns the baseline''s number';

-- Names of their own: a literal must not be ambiguous between the overloads.
CREATE FUNCTION mlmeta_internal.set_baseline_of_run(monitor text, run mlmeta.run)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	used mlmeta.artifact[];
BEGIN
	PERFORM mlmeta_internal.check_known(run);
	SELECT array_agg(a.artifact) INTO used
	FROM mlmeta.run_artifacts AS a
	WHERE a.run OPERATOR(mlmeta.=) set_baseline_of_run.run AND a.direction = 'used'
		AND EXISTS (SELECT FROM mlmeta.dataset_snapshots AS d
			WHERE d.artifact OPERATOR(mlmeta.=) a.artifact);
	IF coalesce(cardinality(used), 0) <> 1 THEN
		RAISE EXCEPTION 'run "%" used % datasets with a snapshot', run,
				coalesce(cardinality(used), 0)
			USING ERRCODE = 'object_not_in_prerequisite_state',
				HINT = 'Give set_baseline() the data version itself.';
	END IF;
	RETURN mlmeta_internal.set_baseline(monitor, used[1]);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.set_baseline_of_run(text, mlmeta.run) IS
	'makes the one data version that a training run used the monitor''s baseline';

CREATE FUNCTION mlmeta_internal.set_baseline_of_model(
	monitor text,
	model text,
	version integer
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta_internal.monitors := mlmeta_internal.lock_monitor(monitor);
	v record;
	reference mlmeta.profile;
	first_at timestamptz;
	result bigint;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_monitor_owner(m);
	SELECT n.run, n.training_data, n.profile INTO v
	FROM mlmeta.model_versions AS n
		JOIN mlmeta.models AS o ON o.model_id = n.model_id
	WHERE o.model = set_baseline_of_model.model
		AND n.version = set_baseline_of_model.version
		AND mlmeta_internal.permits_project('reader', o.project);
	IF NOT FOUND THEN
		RAISE EXCEPTION 'model "%" has no version %', model, version
			USING ERRCODE = 'undefined_object';
	ELSIF v.profile IS NULL AND v.training_data IS NOT NULL THEN
		RETURN mlmeta_internal.set_baseline(monitor, v.training_data);
	ELSIF v.profile IS NULL AND v.run IS NOT NULL THEN
		RETURN mlmeta_internal.set_baseline_of_run(monitor, v.run);
	ELSIF v.profile IS NULL THEN
		RAISE EXCEPTION 'version % of model "%" has neither profile nor data nor run',
				version, model
			USING ERRCODE = 'undefined_object',
				HINT = 'Give create_model_version() the profile of the training data.';
	END IF;

	-- What was summed up at the training, whatever became of the data since.
	reference := mlmeta.select_columns(v.profile, m.features);
	-- All windows of the source are judged: nobody knows which of them a profile
	-- was made of. It has no rows to be read again: where bins leave a verdict
	-- open, it stays open.
	SELECT r.at INTO first_at
	FROM mlmeta_internal.run_query(m.owner_id, 'pg_catalog', format(
		CASE WHEN m.time_type = 'timestamptz'::regtype
			THEN 'SELECT min(s.%1$I) FROM (%2$s) AS s'
			ELSE 'SELECT min(s.%1$I)::timestamp AT TIME ZONE %3$L FROM (%2$s) AS s' END,
		m.time_column, m.query, m.time_zone)) AS r (at timestamptz);
	INSERT INTO mlmeta.monitor_baselines (monitor, dataset, period_end, query,
		profile)
	VALUES (m.id, v.training_data, coalesce(first_at, clock_timestamp()),
		format('SELECT * FROM (%s) AS s WHERE false', m.query), reference)
	RETURNING id INTO result;
	INSERT INTO mlmeta.monitor_baseline_segments (baseline, segment, row_count)
	VALUES (result, '', mlmeta.row_count(reference));
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.set_baseline_of_model(text, text, integer) IS
	'makes what a registered model version was trained on the monitor''s baseline: the profile that was stored with it, else its data version, else that of its run';
