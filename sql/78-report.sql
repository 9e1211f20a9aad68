-- One page about a monitor, whole in itself.

CREATE FUNCTION mlmeta_internal.report_feature(
	monitor mlmeta_internal.monitors,
	baseline mlmeta.monitor_baselines,
	feature text
) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH latest AS (
		SELECT w.profile FROM mlmeta.monitor_windows AS w
		WHERE w.monitor = (report_feature.monitor).id AND w.segment = ''
			AND w.baseline = (report_feature.baseline).id AND w.profile IS NOT NULL
		ORDER BY w.window_start DESC LIMIT 1
	), results AS (
		SELECT r.* FROM mlmeta.monitor_results AS r
		WHERE r.monitor = (report_feature.monitor).id AND r.segment = ''
			AND r.feature = report_feature.feature AND r.measure IN ('ks', 'chi2')
	), last_result AS (
		SELECT r.* FROM results AS r ORDER BY r.window_start DESC LIMIT 1
	), shown AS (
		-- Of categories the distance, not the test statistic.
		SELECT r.window_start, r.statistic, r.statistic_low, r.statistic_high,
			p.verdict = 'drift' AS drifted
		FROM results AS p
			JOIN mlmeta.monitor_results AS r ON r.monitor = p.monitor
				AND r.window_start = p.window_start AND r.segment = ''
				AND r.feature = p.feature AND r.measure
					= CASE p.measure WHEN 'ks' THEN 'ks' ELSE 'total_variation' END
	), found AS (
		SELECT true AS there FROM mlmeta.columns((report_feature.baseline).profile) AS c
		WHERE c.feature = report_feature.feature LIMIT 1
	), pictures AS (
		SELECT CASE WHEN found.there THEN coalesce(
			mlmeta.svg(mlmeta.histogram_of((report_feature.baseline).profile, feature),
				CASE WHEN EXISTS (SELECT FROM mlmeta.columns(l.profile) AS c WHERE c.feature = report_feature.feature)
					THEN mlmeta.histogram_of(mlmeta.attach(l.profile, (report_feature.baseline).profile), feature) END,
				feature || ': baseline and latest window'),
			mlmeta.svg(mlmeta.frequencies_of((report_feature.baseline).profile, feature),
				CASE WHEN EXISTS (SELECT FROM mlmeta.columns(l.profile) AS c WHERE c.feature = report_feature.feature)
					THEN mlmeta.frequencies_of(mlmeta.attach(l.profile, (report_feature.baseline).profile), feature) END,
				feature || ': baseline and latest window')) END AS distribution
		FROM (SELECT 1) AS one LEFT JOIN found ON true LEFT JOIN latest AS l ON true
	)
	SELECT format('<section class="card" aria-label="%1$s"><h3>%1$s <span class="verdict %2$s">%3$s</span></h3>'
			'<p>%4$s</p><div class="plots">%5$s%6$s</div></section>',
		mlmeta_internal.html_escape(feature),
		CASE (SELECT r.verdict FROM last_result AS r) WHEN 'drift' THEN 'bad'
			WHEN 'no drift' THEN 'good' ELSE 'unknown' END,
		mlmeta_internal.html_escape(coalesce((SELECT r.verdict FROM last_result AS r),
			'no data')),
		coalesce(mlmeta_internal.html_escape((SELECT r.reason FROM last_result AS r)), ''),
		mlmeta_internal.html_figure((SELECT p.distribution FROM pictures AS p),
			'baseline (grey) and latest window'),
		mlmeta_internal.html_figure((SELECT mlmeta.svg_timeline(array_agg(s.window_start ORDER BY s.window_start),
				array_agg(s.statistic ORDER BY s.window_start),
				feature || ': distance from the baseline over time',
				(SELECT max(r.tolerance) FROM last_result AS r),
				array_agg(s.statistic_low ORDER BY s.window_start),
				array_agg(s.statistic_high ORDER BY s.window_start),
				array_agg(s.drifted ORDER BY s.window_start))
			FROM shown AS s), 'distance from the baseline; dashed: tolerated; orange: drift'));
END;

COMMENT ON FUNCTION mlmeta_internal.report_feature(mlmeta_internal.monitors, mlmeta.monitor_baselines, text) IS
	'the part of the report about one feature';

CREATE FUNCTION mlmeta.report(monitor text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	m mlmeta_internal.monitors := mlmeta_internal.find_monitor(monitor);
	b mlmeta.monitor_baselines;
	parts text[];
	latest record;
	quality mlmeta.classification;
	figure text;
BEGIN
	SELECT x.* INTO b FROM mlmeta.monitor_baselines AS x
	WHERE x.monitor = m.id ORDER BY x.id DESC LIMIT 1;
	SELECT count(*) AS windows, max(w.window_end) AS until, sum(w.row_count) AS rows
	INTO latest FROM mlmeta.monitor_windows AS w
	WHERE w.monitor = m.id AND w.segment = '';

	parts := ARRAY[format(
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
		to_char(now() AT TIME ZONE m.time_zone, 'YYYY-MM-DD HH24:MI'))];

	parts := parts || format('<section aria-labelledby="alerts"><h2 id="alerts">Open alerts</h2>%s</section>',
		coalesce((
			SELECT '<div class="table" tabindex="0" role="region" aria-label="Open alerts"><table><caption>Those that are not resolved, the worst first</caption><thead><tr><th scope="col">Severity</th><th scope="col">Feature</th><th scope="col">Segment</th><th scope="col">Measure</th><th scope="col">Since</th><th scope="col">Windows</th><th scope="col">Reason</th></tr></thead><tbody>'
				|| string_agg(format('<tr><td class="%s">%s</td><td>%s</td><td>%s</td><td>%s</td><td class="d">%s</td><td class="n">%s</td><td>%s</td></tr>',
					CASE a.severity WHEN 'critical' THEN 'bad' ELSE '' END,
					mlmeta_internal.html_escape(a.severity),
					mlmeta_internal.html_escape(coalesce(nullif(a.feature, ''), 'rows')),
					mlmeta_internal.html_escape(coalesce(nullif(a.segment, ''), 'all')),
					mlmeta_internal.html_escape(a.measure),
					(a.first_window AT TIME ZONE m.time_zone)::date, a.windows,
					mlmeta_internal.html_escape(a.reason)), ''
					ORDER BY array_position(ARRAY['critical', 'warning', 'info'], a.severity), a.id)
				|| '</tbody></table></div>'
			FROM mlmeta.alerts AS a WHERE a.monitor = m.id AND a.state <> 'resolved'
			HAVING count(*) > 0), '<p>None.</p>'));

	IF m.label_column IS NOT NULL THEN
		figure := CASE WHEN m.score_column IS NULL THEN 'mae' ELSE 'roc_auc' END;
		SELECT mlmeta.merge(w.quality) INTO quality FROM (
			SELECT x.quality FROM mlmeta.monitor_windows AS x
			WHERE x.monitor = m.id AND x.segment = '' AND x.quality IS NOT NULL
			ORDER BY x.window_start DESC LIMIT 30) AS w;
		parts := parts || format('<section aria-labelledby="quality"><h2 id="quality">Quality</h2><div class="plots">%s%s%s</div></section>', mlmeta_internal.html_figure((
			SELECT mlmeta.svg_timeline(array_agg(r.window_start ORDER BY r.window_start),
				array_agg(r.statistic ORDER BY r.window_start),
				CASE figure WHEN 'mae' THEN 'Mean absolute error' ELSE 'ROC AUC' END || ' over time',
				(array_agg(r.tolerance ORDER BY r.window_start DESC)
					FILTER (WHERE r.tolerance IS NOT NULL))[1],
				NULL, NULL, array_agg(r.verdict = 'drift' ORDER BY r.window_start),
				array_agg(e.statistic ORDER BY r.window_start))
			FROM mlmeta.monitor_results AS r
				LEFT JOIN mlmeta.monitor_results AS e ON e.monitor = r.monitor
					AND e.window_start = r.window_start AND e.segment = ''
					AND e.measure = 'estimated_' || figure
			WHERE r.monitor = m.id AND r.segment = '' AND r.measure = figure),
			CASE figure WHEN 'mae' THEN 'mean absolute error'
				ELSE 'ROC AUC, and in grey what scores promise without labels' END
				|| '; dashed: the limit of what is usual'),
			mlmeta_internal.html_figure(mlmeta.svg_roc(quality), 'ROC curve, last 30 windows'),
			mlmeta_internal.html_figure(mlmeta.svg_calibration(quality),
				'calibration, last 30 windows'));
	END IF;

	parts := parts || format('<section aria-labelledby="rows"><h2 id="rows">Rows</h2><div class="plots">%s</div></section>', mlmeta_internal.html_figure((
		SELECT mlmeta.svg_timeline(array_agg(r.window_start ORDER BY r.window_start),
			array_agg(r.statistic ORDER BY r.window_start), 'Rows a window', NULL, NULL, NULL,
			array_agg(r.verdict IN ('drift', 'no data') ORDER BY r.window_start))
		FROM mlmeta.monitor_results AS r
		WHERE r.monitor = m.id AND r.segment = '' AND r.measure = 'row_count'), 'rows a window'));

	parts := parts || '<section aria-labelledby="features"><h2 id="features" tabindex="-1">Features</h2>'::text;
	IF b.id IS NOT NULL THEN
		parts := parts || ARRAY(
			SELECT mlmeta_internal.report_feature(m, b, c.feature)
			FROM mlmeta.columns(b.profile) WITH ORDINALITY AS c
			ORDER BY c.ordinality);
	END IF;
	parts := parts || '</section>'::text;

	parts := parts || coalesce((
		SELECT '<section aria-labelledby="segments"><h2 id="segments">Segments that drifted most</h2><div class="table" tabindex="0" role="region" aria-label="Segments"><table><caption>Latest window, by what is surely there</caption><thead><tr><th scope="col">Segment</th><th scope="col">Feature</th><th scope="col">At least</th><th scope="col">Rows</th><th scope="col">Verdict</th></tr></thead><tbody>'
			|| string_agg(format('<tr><td>%s</td><td>%s</td><td class="n">%s</td><td class="n">%s</td><td class="%s">%s</td></tr>',
				mlmeta_internal.html_escape(s.segment), mlmeta_internal.html_escape(s.feature),
				mlmeta_internal.svg_number(s.bound_low), s.n_current,
				CASE s.verdict WHEN 'drift' THEN 'bad' ELSE '' END,
				mlmeta_internal.html_escape(s.verdict)), ''
				ORDER BY s.bound_low DESC, s.segment, s.feature)
			|| '</tbody></table></div></section>'
		FROM (
			SELECT r.* FROM mlmeta.monitor_results AS r
			WHERE r.monitor = m.id AND r.segment <> '' AND r.bound_low IS NOT NULL
				AND r.measure IN ('ks', 'chi2')
				AND r.window_start = (SELECT max(x.window_start)
					FROM mlmeta.monitor_windows AS x WHERE x.monitor = m.id)
			ORDER BY r.bound_low DESC LIMIT 20) AS s
		HAVING count(*) > 0), '');
	RETURN array_to_string(parts || '</main></body></html>'::text, E'\n');
END
$$;

COMMENT ON FUNCTION mlmeta.report(text) IS
	'a monitor as one HTML page without anything from elsewhere: alerts, quality, rows, every feature and the segments';
