-- Drawings: plain SVG that follows the reader's dark or light setting, names
-- itself to screen readers and needs no script.

CREATE FUNCTION mlmeta_internal.html_escape(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN replace(replace(replace(replace(replace(value, '&', '&amp;'),
	'<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;');

COMMENT ON FUNCTION mlmeta_internal.html_escape(text) IS
	'text for HTML and XML, also inside attributes';

CREATE FUNCTION mlmeta_internal.svg_number(value float8, span float8 DEFAULT NULL)
RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN value = 0 THEN '0'
	WHEN value IN ('NaN', 'Infinity', '-Infinity') THEN value::text
	WHEN span > 0 AND abs(value) BETWEEN 100 * span AND 1e15
		THEN trim_scale(round(value::numeric,
			greatest(0, 2 - floor(log(span))::integer)))::text
	WHEN abs(value) >= 1e6 OR abs(value) < 1e-4
		THEN btrim(to_char(value, '9.99EEEE'))
	ELSE trim_scale(round(value::numeric,
		greatest(0, 3 - floor(log(abs(value)))::integer)))::text
END;

COMMENT ON FUNCTION mlmeta_internal.svg_number(float8, float8) IS
	'a number for people, four digits, and as many more as tell it from others that lie so far apart';

CREATE FUNCTION mlmeta_internal.svg_frame(
	title text,
	description text,
	width integer,
	height integer,
	content text
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN format('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %3$s %4$s" width="%3$s" height="%4$s" role="img" class="mlmeta" style="max-width:100%%;height:auto">'
	'<title>%1$s</title><desc>%2$s</desc><style>'
	'.mlmeta{font:12px system-ui,sans-serif;--ink:#1f2933;--faint:#cbd2d9;--ref:#9aa5b1;--now:#2563eb;--bad:#c2410c}'
	'@media(prefers-color-scheme:dark){.mlmeta{--ink:#e4e7eb;--faint:#3e4c59;--ref:#7b8794;--now:#7cb2ff;--bad:#fb923c}}'
	'.mlmeta text{fill:var(--ink)}.mlmeta .axis{stroke:var(--faint);fill:none}'
	'.mlmeta .ref{fill:var(--ref);fill-opacity:.55}.mlmeta .now{fill:none;stroke:var(--now);stroke-width:2}'
	'.mlmeta .bar{fill:var(--now);fill-opacity:.75}.mlmeta .band{fill:var(--now);fill-opacity:.18}'
	'.mlmeta .limit{stroke:var(--bad);stroke-dasharray:5 4;fill:none}.mlmeta .other{fill:none;stroke:var(--ref);stroke-width:2}.mlmeta .dot{fill:var(--now)}'
	'.mlmeta .drift{fill:var(--bad)}</style>%5$s</svg>',
	mlmeta_internal.html_escape(coalesce(title, '')),
	mlmeta_internal.html_escape(coalesce(description, '')), width, height, coalesce(content, ''));

COMMENT ON FUNCTION mlmeta_internal.svg_frame(text, text, integer, integer, text) IS
	'a drawing with a title and a description for screen readers, in colours for light and dark';

-- Both histograms are brought to equal cells of the axis, each bin spread evenly
-- over its width. The outer one percent of the reference on each side is drawn
-- in the outer cells, so that one far value does not flatten all others.
CREATE FUNCTION mlmeta_internal.svg_cells(
	h mlmeta.histogram,
	lowest float8,
	highest float8,
	cells integer
) RETURNS float8[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	WITH bounded AS (
		SELECT b.share,
			least(greatest(CASE WHEN b.lower = '-Infinity' THEN least(mlmeta.minimum(h), b.upper)
				ELSE b.lower END, lowest), highest) AS a,
			least(greatest(CASE WHEN b.upper = 'Infinity' THEN greatest(mlmeta.maximum(h), b.lower)
				ELSE b.upper END, lowest), highest) AS z
		FROM mlmeta.bins(h) AS b
		WHERE b.count > 0
	), spread AS (
		SELECT c.i, CASE
				WHEN b.z <= b.a THEN CASE WHEN c.i = least(cells - 1, floor(
					(b.a - lowest) / (highest - lowest) * cells)) THEN b.share ELSE 0 END
				ELSE b.share * (greatest(0, least(b.z, lowest + (c.i + 1) * (highest - lowest) / cells)
					- greatest(b.a, lowest + c.i * (highest - lowest) / cells)) / (b.z - b.a))
			END AS share
		FROM bounded AS b, generate_series(0, cells - 1) AS c (i)
	)
	SELECT array_agg(s.share ORDER BY s.i)
	FROM (SELECT p.i, sum(p.share) AS share FROM spread AS p GROUP BY p.i) AS s;
END;

COMMENT ON FUNCTION mlmeta_internal.svg_cells(mlmeta.histogram, float8, float8, integer) IS
	'shares of a histogram in equal cells from lowest to highest; what is outside is in the outer cells';

CREATE FUNCTION mlmeta.svg(
	reference mlmeta.histogram,
	current mlmeta.histogram,
	title text DEFAULT 'Distribution: reference and current'
) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	cells CONSTANT integer := 40;
	lowest float8;
	highest float8;
	before float8[];
	now float8[];
	tallest float8;
	content text;
BEGIN
	IF reference IS NULL THEN
		RETURN NULL;
	END IF;
	lowest := least(mlmeta.quantile(reference, 0.01), mlmeta.quantile(current, 0.01));
	highest := greatest(mlmeta.quantile(reference, 0.99), mlmeta.quantile(current, 0.99));
	IF lowest IS NULL OR lowest IN ('-Infinity', 'Infinity') OR highest IN ('-Infinity', 'Infinity') THEN
		RETURN mlmeta_internal.svg_frame(title, 'There are no finite values.', 360, 60,
			'<text x="8" y="34">no finite values</text>');
	END IF;
	IF highest <= lowest THEN
		lowest := lowest - greatest(abs(lowest) * 0.01, 0.5);
		highest := highest + greatest(abs(highest) * 0.01, 0.5);
	END IF;
	before := mlmeta_internal.svg_cells(reference, lowest, highest, cells);
	now := mlmeta_internal.svg_cells(current, lowest, highest, cells);
	tallest := greatest((SELECT max(v) FROM unnest(before) AS v),
		(SELECT max(v) FROM unnest(now) AS v), 1e-9);
	SELECT string_agg(format('<rect class="ref" x="%s" y="%s" width="8" height="%s"/>',
			20 + (u.n - 1) * 8, round((110 - 95 * u.v / tallest)::numeric, 1),
			round((95 * u.v / tallest)::numeric, 1)), '' ORDER BY u.n)
	INTO content
	FROM unnest(before) WITH ORDINALITY AS u (v, n);
	IF now IS NOT NULL THEN
		content := content || (
			SELECT format('<path class="now" d="M20 110%sV110"/>', string_agg(
				format('V%sH%s', round((110 - 95 * u.v / tallest)::numeric, 1),
					20 + u.n * 8), '' ORDER BY u.n))
			FROM unnest(now) WITH ORDINALITY AS u (v, n));
	END IF;
	content := content || format('<path class="axis" d="M20 110H340"/>'
		'<text x="20" y="126">%s</text><text x="340" y="126" text-anchor="end">%s</text>',
		mlmeta_internal.svg_number(lowest, highest - lowest),
		mlmeta_internal.svg_number(highest, highest - lowest));
	RETURN mlmeta_internal.svg_frame(title, format(
		'Reference: %s values, median %s. %s', mlmeta.n(reference),
		mlmeta_internal.svg_number(mlmeta.quantile(reference, 0.5)),
		coalesce(format('Current: %s values, median %s.', mlmeta.n(current),
			mlmeta_internal.svg_number(mlmeta.quantile(current, 0.5))), '')), 360, 134, content);
END
$$;

COMMENT ON FUNCTION mlmeta.svg(mlmeta.histogram, mlmeta.histogram, text) IS
	'two histograms over one axis: the reference filled, the current as a line; current may be NULL';

CREATE FUNCTION mlmeta.svg(h mlmeta.histogram) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN mlmeta.svg(h, NULL::mlmeta.histogram, 'Distribution');

COMMENT ON FUNCTION mlmeta.svg(mlmeta.histogram) IS
	'a histogram as a drawing';

CREATE FUNCTION mlmeta.svg(
	reference mlmeta.frequency_table,
	current mlmeta.frequency_table DEFAULT NULL,
	title text DEFAULT 'Categories: reference and current'
) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH listed AS (
		SELECT coalesce(r.value, c.value) AS value, coalesce(r.share, 0) AS p,
			c.share AS q, row_number() OVER (ORDER BY greatest(coalesce(r.share, 0),
				coalesce(c.share, 0)) DESC, coalesce(r.value, c.value)) - 1 AS n
		FROM mlmeta.categories(reference) AS r
			FULL JOIN mlmeta.categories(current) AS c ON c.value = r.value
	)
	SELECT mlmeta_internal.svg_frame(title, format('%s categories.', count(*)), 360,
		(least(count(*), 10) * 24 + 14)::integer,
		coalesce(string_agg(format('<text x="0" y="%s">%s</text>'
			'<rect class="ref" x="130" y="%s" width="%s" height="9"/>'
			'<rect class="bar" x="130" y="%s" width="%s" height="9"/>'
			'<text x="%s" y="%s">%s</text>',
			l.n * 24 + 18, mlmeta_internal.html_escape(CASE WHEN length(l.value) > 18
				THEN left(l.value, 15) || '...' ELSE l.value END),
			l.n * 24 + 6, round((120 * l.p)::numeric, 1),
			l.n * 24 + 15, round((120 * coalesce(l.q, 0))::numeric, 1),
			round((136 + 120 * greatest(l.p, coalesce(l.q, 0)))::numeric, 1), l.n * 24 + 19,
			concat_ws(' to ', round((100 * l.p)::numeric, 1) || ' %',
				CASE WHEN current IS NOT NULL THEN round((100 * coalesce(l.q, 0))::numeric, 1) || ' %' END)), ''
			ORDER BY l.n) FILTER (WHERE l.n < 10), ''))
	FROM listed AS l
	WHERE reference IS NOT NULL;
END;

COMMENT ON FUNCTION mlmeta.svg(mlmeta.frequency_table, mlmeta.frequency_table, text) IS
	'the ten largest categories with their shares, reference above current';

CREATE FUNCTION mlmeta.svg_timeline(
	at timestamptz[],
	points float8[],
	title text,
	bound float8 DEFAULT NULL,
	low float8[] DEFAULT NULL,
	high float8[] DEFAULT NULL,
	is_alert boolean[] DEFAULT NULL,
	other float8[] DEFAULT NULL
) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
	WITH given AS (
		SELECT u.n, u.at, f.v, coalesce(f.l, f.v) AS l, coalesce(f.h, f.v) AS h, f.o,
			coalesce(u.a, false) AND f.v IS NOT NULL AS a
		FROM ROWS FROM (unnest(svg_timeline.at), unnest(points), unnest(low),
				unnest(high), unnest(is_alert), unnest(other))
				WITH ORDINALITY AS u (at, v, l, h, a, o, n),
			-- What is not finite has no place.
			LATERAL (SELECT
				CASE WHEN abs(u.v) < 'Infinity' THEN u.v END AS v,
				CASE WHEN abs(u.l) < 'Infinity' THEN u.l END AS l,
				CASE WHEN abs(u.h) < 'Infinity' THEN u.h END AS h,
				CASE WHEN abs(u.o) < 'Infinity' THEN u.o END AS o) AS f
		WHERE isfinite(u.at) AND coalesce(f.v, f.o) IS NOT NULL
	), extent AS (
		SELECT least(min(g.l), min(g.o), bound) AS lowest,
			greatest(max(g.h), max(g.o), bound) AS highest,
			least(min(g.l), min(g.o)) AS least_seen, greatest(max(g.h), max(g.o)) AS most_seen,
			min(extract(epoch FROM g.at)) AS first, max(extract(epoch FROM g.at)) AS last
		FROM given AS g
	), framed AS (
		SELECT e.*, e.lowest - 0.08 * p.pad AS bottom, 1.16 * p.pad
				+ (e.highest - e.lowest - p.pad) AS height
		FROM extent AS e, LATERAL (SELECT CASE WHEN e.highest > e.lowest
			THEN e.highest - e.lowest ELSE greatest(abs(e.highest), 1) END AS pad) AS p
	), placed AS (
		SELECT g.n, g.at, g.v, g.a, g.o,
			round((64 + 282 * CASE WHEN f.last > f.first
				THEN (extract(epoch FROM g.at) - f.first) / (f.last - f.first)
				ELSE 0.5 END)::numeric, 1) AS x,
			round((120 - 104 * (g.v - f.bottom) / f.height)::numeric, 1) AS y,
			round((120 - 104 * (g.l - f.bottom) / f.height)::numeric, 1) AS yl,
			round((120 - 104 * (g.h - f.bottom) / f.height)::numeric, 1) AS yh,
			round((120 - 104 * (g.o - f.bottom) / f.height)::numeric, 1) AS yo
		FROM given AS g, framed AS f
	), labels AS (
		-- The limit, and of the ends what does not run into another label.
		SELECT string_agg(format('<text x="60" y="%s" text-anchor="end">%s</text>',
			round((l.y + 4)::numeric, 1), mlmeta_internal.svg_number(l.value, f.highest - f.lowest)), ''
			ORDER BY l.rank) AS texts
		FROM framed AS f, LATERAL (
			SELECT v.*, 120 - 104 * (v.value - f.bottom) / f.height AS y
			FROM (VALUES (1, bound), (2, f.most_seen), (3, f.least_seen)) AS v (rank, value)
			WHERE v.value IS NOT NULL) AS l
		WHERE l.rank = 1 OR abs(120 - 104 * (bound - f.bottom) / f.height - l.y) >= 13 IS NOT FALSE
			AND (l.rank = 2 OR 104 * (f.most_seen - f.least_seen) / f.height >= 13)
	)
	SELECT mlmeta_internal.svg_frame(title, coalesce(format(
			'%s points from %s to %s; from %s to %s. %s', count(p.v),
			min(p.at)::date, max(p.at)::date, mlmeta_internal.svg_number(min(p.v)),
			mlmeta_internal.svg_number(max(p.v)), CASE WHEN count(*) FILTER (WHERE p.a) > 0
				THEN format('%s of them alarm.', count(*) FILTER (WHERE p.a)) ELSE '' END),
			'There are no points.'), 360, 142,
		CASE WHEN count(*) = 0 THEN '<text x="8" y="40">no data</text>' ELSE
			coalesce(format('<polygon class="band" points="%s %s"/>',
				string_agg(p.x || ',' || p.yh, ' ' ORDER BY p.n),
				string_agg(p.x || ',' || p.yl, ' ' ORDER BY p.n DESC)), '')
			|| coalesce(format('<polyline class="other" points="%s"/>',
				string_agg(p.x || ',' || p.yo, ' ' ORDER BY p.n)), '')
			|| coalesce(format('<polyline class="now" points="%s"/>',
				string_agg(p.x || ',' || p.y, ' ' ORDER BY p.n)), '')
			|| coalesce((SELECT format('<path class="limit" d="M64 %sH346"/>',
					round((120 - 104 * (bound - f.bottom) / f.height)::numeric, 1))
				FROM framed AS f WHERE bound IS NOT NULL), '')
			|| coalesce(string_agg(format('<circle class="%s" cx="%s" cy="%s" r="%s"><title>%s: %s</title></circle>',
				CASE WHEN p.a THEN 'drift' ELSE 'dot' END, p.x, p.y,
				CASE WHEN p.a THEN 4.5 ELSE 2.5 END, p.at::date,
				mlmeta_internal.svg_number(p.v)), '' ORDER BY p.n) FILTER (WHERE p.v IS NOT NULL), '')
			|| format('<path class="axis" d="M64 16V120H346"/>%s'
				'<text x="64" y="136">%s</text><text x="346" y="136" text-anchor="end">%s</text>',
				(SELECT l.texts FROM labels AS l), min(p.at)::date,
				CASE WHEN max(p.at)::date > min(p.at)::date THEN max(p.at)::date::text END)
		END)
	FROM placed AS p;
END;

COMMENT ON FUNCTION mlmeta.svg_timeline(timestamptz[], float8[], text, float8,
	float8[], float8[], boolean[], float8[]) IS
	'a measure over time with its bounds, its limit, the points that alarm, and another line such as an estimate; the dates are those of the session''s time zone';

CREATE FUNCTION mlmeta_internal.svg_curve(
	x float8[],
	y float8[],
	title text,
	x_label text,
	y_label text
) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT mlmeta_internal.svg_frame(title, format('%s points.', count(*)), 250, 240,
		'<path class="axis" d="M40 10V200H230M40 200L230 10"/>'
		|| coalesce(format('<polyline class="now" points="%s"/>', string_agg(format('%s,%s',
			round((40 + 190 * u.x)::numeric, 1), round((200 - 190 * u.y)::numeric, 1)),
			' ' ORDER BY u.n)), '')
		|| format('<text x="135" y="222" text-anchor="middle">%s</text>'
			'<text x="16" y="105" text-anchor="middle" transform="rotate(-90 16 105)">%s</text>'
			'<text x="36" y="212" text-anchor="end">0</text><text x="230" y="214" text-anchor="end">1</text>'
			'<text x="36" y="16" text-anchor="end">1</text>',
			mlmeta_internal.html_escape(x_label), mlmeta_internal.html_escape(y_label)))
	FROM ROWS FROM (unnest(x), unnest(y)) WITH ORDINALITY AS u (x, y, n)
	WHERE u.x IS NOT NULL AND u.y IS NOT NULL;
END;

COMMENT ON FUNCTION mlmeta_internal.svg_curve(float8[], float8[], text, text, text) IS
	'a curve in the unit square with its diagonal';

CREATE FUNCTION mlmeta.svg_roc(c mlmeta.classification) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	-- At most some 200 points: one a cell of the way along the curve.
	WITH curve AS (
		SELECT r.fpr, r.tpr, row_number() OVER (ORDER BY r.fpr, r.tpr) AS n,
			floor((r.fpr + r.tpr) * 100) AS cell
		FROM mlmeta.roc(c) AS r
	), thinned AS (
		SELECT min(k.n) AS n, (array_agg(k.fpr ORDER BY k.n))[1] AS x,
			(array_agg(k.tpr ORDER BY k.n))[1] AS y
		FROM curve AS k GROUP BY k.cell
		UNION ALL SELECT k.n + 1, k.fpr, k.tpr FROM curve AS k
		WHERE k.n = (SELECT max(o.n) FROM curve AS o)
	)
	SELECT mlmeta_internal.svg_curve(array_agg(t.x ORDER BY t.n), array_agg(t.y ORDER BY t.n),
		'ROC curve, area ' || coalesce(mlmeta_internal.svg_number(mlmeta.roc_auc(c)), 'unknown'),
		'false positive rate', 'true positive rate')
	FROM thinned AS t;
END;

COMMENT ON FUNCTION mlmeta.svg_roc(mlmeta.classification) IS
	'the ROC curve as a drawing';

CREATE FUNCTION mlmeta.svg_calibration(c mlmeta.classification) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
BEGIN ATOMIC
	SELECT mlmeta_internal.svg_curve(array_agg(k.mean_score ORDER BY k.bin),
		array_agg(k.positive_rate ORDER BY k.bin),
		'Calibration, expected error ' || coalesce(mlmeta_internal.svg_number(mlmeta.ece(c)), 'unknown'),
		'mean score', 'share of positives')
	FROM mlmeta.calibration(c) AS k
	WHERE k.n > 0;
END;

COMMENT ON FUNCTION mlmeta.svg_calibration(mlmeta.classification) IS
	'the calibration curve as a drawing: on the diagonal, scores are probabilities';

CREATE FUNCTION mlmeta_internal.html_figure(picture text, caption text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN picture IS NULL THEN '' ELSE format(
	'<figure>%s<figcaption>%s</figcaption></figure>', picture,
	mlmeta_internal.html_escape(caption)) END;

COMMENT ON FUNCTION mlmeta_internal.html_figure(text, text) IS
	'a drawing with its caption for an HTML page; nothing without a drawing';
