-- One page about a monitor, whole in itself.

CREATE FUNCTION mlmeta_internal.report_head(monitor mlmeta_internal.monitors) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m CONSTANT mlmeta_internal.monitors := monitor;
	latest record;
BEGIN
	SELECT count(*) AS windows, max(w.window_end) AS until, sum(w.row_count) AS rows
	INTO latest FROM mlmeta.segments AS s
		JOIN mlmeta.monitor_windows AS w ON w.monitor = s.monitor AND w.segment = s.id
	WHERE s.monitor = m.id AND s.label = '';
	RETURN format(
'<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>Monitor %1$s</title>
<style>
:root{--ink:#1f2933;--soft:#52606d;--paper:#fff;--card:#f5f7fa;--line:#cbd2d9;--bad:#b93815;--good:#17643b}
@media(prefers-color-scheme:dark){:root{--ink:#e4e7eb;--soft:#9aa5b1;--paper:#12181f;--card:#1b232c;--line:#3e4c59;--bad:#ffa679;--good:#7bd8a5}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:64rem;padding:1rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
h1,h2,h3{line-height:1.2}h3{margin:.2rem 0;overflow-wrap:anywhere}p{margin:.3rem 0;color:var(--soft);overflow-wrap:anywhere}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:1rem;background:var(--paper);padding:.5rem}
a{color:inherit}:focus-visible{outline:3px solid #2563eb;outline-offset:2px}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem;margin:.8rem 0}
.plots{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;flex:0 1 auto;min-width:0;max-width:23rem}figcaption{color:var(--soft);font-size:.85rem}#alerts+.table td:last-child{min-width:22rem}td.d{white-space:nowrap}
.verdict{font-size:.8em;font-weight:600;white-space:nowrap}.bad{color:var(--bad)}.good{color:var(--good)}.unknown{color:var(--soft)}
.table{overflow-x:auto}table{border-collapse:collapse;width:100%%;font-size:.9rem}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}td.n{text-align:right;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);padding:.3rem 0}
</style></head><body>
<a class="skip" href="#features">Skip to the features</a>
<header><h1>Monitor %1$s</h1><p>%2$s windows of %3$s up to %4$s, %5$s rows. Made %6$s.</p></header><main>',
		mlmeta_internal.html_escape(m.name), latest.windows, m.granularity,
		coalesce(to_char(latest.until AT TIME ZONE m.time_zone, 'YYYY-MM-DD HH24:MI'), '-'),
		coalesce(latest.rows, 0),
		to_char(now() AT TIME ZONE m.time_zone, 'YYYY-MM-DD HH24:MI'));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.report_head(mlmeta_internal.monitors) IS
	'the beginning of the report: how it looks, and of what it is';

CREATE FUNCTION mlmeta_internal.report_alerts(monitor mlmeta_internal.monitors) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m CONSTANT mlmeta_internal.monitors := monitor;
BEGIN
	RETURN format('<section aria-labelledby="alerts"><h2 id="alerts">Open alerts</h2>%s</section>',
		coalesce((
			SELECT '<div class="table" tabindex="0" role="region" aria-label="Open alerts"><table><caption>Those that are not resolved, the worst first</caption><thead><tr><th scope="col">Severity</th><th scope="col">Feature</th><th scope="col">Segment</th><th scope="col">Measure</th><th scope="col">Since</th><th scope="col">Windows</th><th scope="col">Reason</th></tr></thead><tbody>'
				|| string_agg(format('<tr><td class="%s">%s</td><td>%s</td><td>%s</td><td>%s</td><td class="d">%s</td><td class="n">%s</td><td>%s</td></tr>',
					CASE a.severity WHEN 'critical' THEN 'bad' ELSE '' END,
					mlmeta_internal.html_escape(a.severity),
					mlmeta_internal.html_escape(coalesce(nullif(a.feature, ''), 'rows')),
					mlmeta_internal.html_escape(coalesce(nullif(g.label, ''), 'all')),
					mlmeta_internal.html_escape(a.measure),
					(a.first_window AT TIME ZONE m.time_zone)::date, a.windows,
					mlmeta_internal.html_escape(a.reason)), ''
					ORDER BY array_position(ARRAY['critical', 'warning', 'info'], a.severity), a.id)
				|| '</tbody></table></div>'
			FROM mlmeta.alert_states AS a
				JOIN mlmeta.segments AS g ON g.id = a.segment
			WHERE a.monitor = m.id AND a.state <> 'resolved'
			HAVING count(*) > 0), '<p>None.</p>'));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.report_alerts(mlmeta_internal.monitors) IS
	'the part of the report about open alerts';

-- The lines of levels of the monitor as a whole, each with its estimate beside it.
CREATE FUNCTION mlmeta_internal.report_quality(monitor mlmeta_internal.monitors) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m CONSTANT mlmeta_internal.monitors := monitor;
	quality mlmeta.classification;
	lines text;
BEGIN
	IF m.label_column IS NULL THEN
		RETURN '';
	END IF;
	SELECT mlmeta.merge(w.quality) INTO quality FROM (
		SELECT x.quality FROM mlmeta.segments AS s
			JOIN mlmeta.monitor_windows AS x ON x.monitor = s.monitor AND x.segment = s.id
		WHERE s.monitor = m.id AND s.label = '' AND x.quality IS NOT NULL
		ORDER BY x.window_start DESC LIMIT 30) AS w;
	WITH levels AS (
		SELECT r.window_start, a.measure, a.description, a.position, a.law, a.expression, a.usual_expression, x.statistic, x.tolerance, x.verdict
		FROM mlmeta.segments AS s
			JOIN mlmeta.monitor_results AS r ON r.monitor = s.monitor AND r.segment = s.id,
			unnest(r.features) AS f, unnest(f.results) AS x
			JOIN mlmeta_internal.all_measures AS a ON a.monitor IS NULL AND a.measure = x.measure
		WHERE s.monitor = m.id AND s.label = '' AND a.judged = 'level' AND a.expression IS NOT NULL
			AND (m.task = ANY (a.judged_for))
	)
	SELECT string_agg(mlmeta_internal.html_figure(t.line, t.caption), '' ORDER BY t.position) INTO lines
	FROM (
		SELECT l.position, mlmeta.svg_timeline(array_agg(l.window_start ORDER BY l.window_start),
				array_agg(l.statistic ORDER BY l.window_start), initcap(left(l.description, 1)) || substr(l.description, 2) || ' over time',
				(array_agg(l.tolerance ORDER BY l.window_start DESC) FILTER (WHERE l.tolerance IS NOT NULL))[1],
				NULL, NULL, array_agg(l.verdict = 'drift' ORDER BY l.window_start),
				array_agg(e.statistic ORDER BY l.window_start)) AS line,
			l.description || CASE WHEN count(e.statistic) > 0 THEN ', and in grey what scores promise without labels' ELSE '' END
				|| '; dashed: the limit of what is usual' AS caption
		FROM levels AS l
			LEFT JOIN levels AS e ON e.law = 'estimate' AND e.window_start = l.window_start
				AND e.usual_expression = l.expression
		WHERE l.law = 'label'
		GROUP BY l.position, l.measure, l.description
	) AS t;
	RETURN format('<section aria-labelledby="quality"><h2 id="quality">Quality</h2><div class="plots">%s%s%s</div></section>',
		lines, mlmeta_internal.html_figure(mlmeta.svg_roc(quality), 'ROC curve, last 30 windows'),
		mlmeta_internal.html_figure(mlmeta.svg_calibration(quality), 'calibration, last 30 windows'));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.report_quality(mlmeta_internal.monitors) IS
	'the part of the report about the quality of the model';

CREATE FUNCTION mlmeta_internal.report_rows(monitor mlmeta_internal.monitors) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT pg_catalog.format('<section aria-labelledby="rows"><h2 id="rows">Rows</h2><div class="plots">%s</div></section>',
		mlmeta_internal.html_figure(mlmeta.svg_timeline(pg_catalog.array_agg(w.window_start ORDER BY w.window_start),
			pg_catalog.array_agg(w.row_count::float8 ORDER BY w.window_start), 'Rows a window', NULL, NULL, NULL,
			pg_catalog.array_agg(EXISTS (SELECT FROM mlmeta.monitor_alarms AS x
				WHERE x.monitor = w.monitor AND x.segment = w.segment AND x.feature = '' AND x.family = 'rows'
					AND x.window_start = w.window_start) ORDER BY w.window_start)), 'rows a window'))
	FROM mlmeta.segments AS s
		JOIN mlmeta.monitor_windows AS w ON w.monitor = s.monitor AND w.segment = s.id
	WHERE s.monitor = (report_rows.monitor).id AND s.label = '';
END;

COMMENT ON FUNCTION mlmeta_internal.report_rows(mlmeta_internal.monitors) IS
	'the part of the report about how many rows there were';

CREATE FUNCTION mlmeta_internal.report_feature(
	feature text,
	reference mlmeta.profile,
	latest mlmeta.profile,
	verdict text,
	reason text,
	timeline text
) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	title text := feature || ': baseline and latest window';
	picture text;
BEGIN
	IF EXISTS (SELECT FROM mlmeta.columns(reference) AS c WHERE c.feature = report_feature.feature) THEN
		IF latest IS NOT NULL AND NOT EXISTS (SELECT FROM mlmeta.columns(latest) AS c
				WHERE c.feature = report_feature.feature) THEN
			latest := NULL;
		END IF;
		picture := coalesce(
			mlmeta.svg(mlmeta.histogram_of(reference, feature), CASE WHEN latest IS NOT NULL THEN mlmeta.histogram_of(latest, feature) END, title),
			mlmeta.svg(mlmeta.frequencies_of(reference, feature), CASE WHEN latest IS NOT NULL THEN mlmeta.frequencies_of(latest, feature) END, title));
	END IF;
	RETURN format('<section class="card" aria-label="%1$s"><h3>%1$s <span class="verdict %2$s">%3$s</span></h3>'
			'<p>%4$s</p><div class="plots">%5$s%6$s</div></section>',
		mlmeta_internal.html_escape(feature),
		CASE verdict WHEN 'drift' THEN 'bad' WHEN 'no drift' THEN 'good' ELSE 'unknown' END,
		mlmeta_internal.html_escape(coalesce(verdict, 'no data')),
		coalesce(mlmeta_internal.html_escape(reason), ''),
		mlmeta_internal.html_figure(picture, 'baseline (grey) and latest window'),
		mlmeta_internal.html_figure(timeline, 'distance from the baseline; dashed: tolerated; orange: drift'));
END
$$;

COMMENT ON FUNCTION mlmeta_internal.report_feature(text, mlmeta.profile, mlmeta.profile, text, text, text) IS
	'the part of the report about one feature';

-- The results of the newest windows are unpacked once, for all features.
-- Not parsed at installation, as stored_lineage() is not.
CREATE FUNCTION mlmeta_internal.report_features(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baselines
) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN (
		WITH latest AS MATERIALIZED (
			SELECT mlmeta.attach(w.profile, (report_features.baseline).profile) AS profile
			FROM mlmeta.segments AS s
				JOIN mlmeta.monitor_windows AS w ON w.monitor = s.monitor AND w.segment = s.id
			WHERE s.monitor = (report_features.monitor).id AND s.label = ''
				AND w.baseline = (report_features.baseline).id AND w.profile IS NOT NULL
			ORDER BY w.window_start DESC LIMIT 1
		), lines AS MATERIALIZED (
			SELECT f.feature, mlmeta.svg_timeline(pg_catalog.array_agg(r.window_start ORDER BY r.window_start),
				pg_catalog.array_agg(pg_catalog.abs(x.effect) ORDER BY r.window_start),
				f.feature || ': distance from the baseline over time',
				(pg_catalog.array_agg(x.tolerance ORDER BY r.window_start DESC))[1],
				pg_catalog.array_agg(CASE WHEN x.statistic_low IS NOT NULL THEN x.statistic_low ELSE pg_catalog.abs(x.effect) END ORDER BY r.window_start),
				pg_catalog.array_agg(CASE WHEN x.statistic_high IS NOT NULL THEN x.statistic_high ELSE pg_catalog.abs(x.effect) END ORDER BY r.window_start),
				pg_catalog.array_agg(x.verdict = 'drift' ORDER BY r.window_start)) AS timeline
			FROM (
					SELECT y.window_start, y.features
					FROM mlmeta.segments AS s
						JOIN mlmeta.monitor_results AS y ON y.monitor = s.monitor AND y.segment = s.id
					WHERE s.monitor = (report_features.monitor).id AND s.label = ''
					ORDER BY y.window_start DESC LIMIT 120
				) AS r,
				LATERAL pg_catalog.unnest(r.features) AS f,
				LATERAL pg_catalog.unnest(f.results) AS x
				JOIN mlmeta_internal.all_measures AS a ON a.monitor IS NULL AND a.measure = x.measure
					AND a.law = 'distance' AND a.family = 'distribution'
			GROUP BY f.feature
		), health AS MATERIALIZED (
			SELECT h.* FROM mlmeta.feature_health AS h
			WHERE h.monitor = (report_features.monitor).name
		)
		SELECT '<section aria-labelledby="features"><h2 id="features" tabindex="-1">Features</h2>'
			|| coalesce(pg_catalog.string_agg(mlmeta_internal.report_feature(h.feature, (report_features.baseline).profile,
				(SELECT l.profile FROM latest AS l), h.verdict, h.reason, t.timeline), '' ORDER BY h.position, h.feature), '')
			|| '</section>'
		FROM health AS h
			LEFT JOIN lines AS t ON t.feature = h.feature
	);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.report_features(mlmeta_internal.monitors, mlmeta.monitor_baselines) IS
	'the part of the report about the features';

CREATE FUNCTION mlmeta_internal.report_segments(monitor mlmeta_internal.monitors) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m CONSTANT mlmeta_internal.monitors := monitor;
BEGIN
	RETURN coalesce((
		SELECT '<section aria-labelledby="segments"><h2 id="segments">Segments that drifted most</h2><div class="table" tabindex="0" role="region" aria-label="Segments"><table><caption>Latest window, by what is surely there</caption><thead><tr><th scope="col">Segment</th><th scope="col">Feature</th><th scope="col">At least</th><th scope="col">Rows</th><th scope="col">Verdict</th></tr></thead><tbody>'
			|| string_agg(format('<tr><td>%s</td><td>%s</td><td class="n">%s</td><td class="n">%s</td><td class="%s">%s</td></tr>',
				mlmeta_internal.html_escape(s.segment), mlmeta_internal.html_escape(s.feature),
				mlmeta_internal.svg_number(s.bound_low), s.n_current,
				CASE s.verdict WHEN 'drift' THEN 'bad' ELSE '' END,
				mlmeta_internal.html_escape(s.verdict)), ''
				ORDER BY s.bound_low DESC, s.segment, s.feature)
			|| '</tbody></table></div></section>'
		FROM (
			SELECT g.label AS segment, f.feature, x.effect_low AS bound_low, x.n_current, x.verdict
			FROM (SELECT y.window_start FROM mlmeta.monitor_results AS y
					WHERE y.monitor = m.id ORDER BY y.window_start DESC LIMIT 1) AS l
				JOIN mlmeta.monitor_results AS r ON r.monitor = m.id AND r.window_start = l.window_start
				JOIN mlmeta.segments AS g ON g.id = r.segment,
				unnest(r.features) AS f, unnest(f.results) AS x
				JOIN mlmeta_internal.all_measures AS a ON a.monitor IS NULL AND a.measure = x.measure
			WHERE g.label <> '' AND x.effect_low IS NOT NULL
				AND a.law = 'distance' AND a.family = 'distribution'
			ORDER BY x.effect_low DESC LIMIT 20) AS s
		HAVING count(*) > 0), '');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.report_segments(mlmeta_internal.monitors) IS
	'the part of the report about segments';

CREATE FUNCTION mlmeta.report(monitor text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
SET search_path = pg_catalog, pg_temp
SET extra_float_digits = 1
SET datestyle = 'ISO, MDY'
AS $$
DECLARE
	m mlmeta_internal.monitors := mlmeta_internal.find_monitor(monitor);
	b mlmeta.monitor_baselines;
BEGIN
	SELECT x.* INTO b FROM mlmeta.monitor_baselines AS x
	WHERE x.monitor = m.id ORDER BY x.id DESC LIMIT 1;
	RETURN concat_ws(E'\n', mlmeta_internal.report_head(m), mlmeta_internal.report_alerts(m),
		mlmeta_internal.report_quality(m), mlmeta_internal.report_rows(m),
		mlmeta_internal.report_features(m, b), mlmeta_internal.report_segments(m),
		'</main></body></html>');
END
$$;

COMMENT ON FUNCTION mlmeta.report(text) IS
	'a monitor as one HTML page without anything from elsewhere: alerts, quality, rows, every feature and the segments';
