-- Quality of predicted numbers: the type regression.
SET search_path = public, mlmeta;
SET extra_float_digits = 0;
\pset null '(null)'

-- ---------------------------------------------------------------------------
-- Golden figures: scikit-learn 1.2.1 (test/data/quality.json.gz)
-- ---------------------------------------------------------------------------

CREATE TEMP TABLE golden_file (body jsonb);
\copy golden_file FROM PROGRAM 'gzip -dc test/data/quality.json.gz | sed "s/\bNaN\b/null/g"' WITH (FORMAT csv, DELIMITER E'\x01', QUOTE E'\x02')

CREATE TEMP TABLE golden AS
SELECT g ->> 'name' AS name, g
FROM golden_file, jsonb_array_elements(body -> 'cases') AS g
WHERE g ->> 'kind' = 'regression';

CREATE TEMP TABLE built AS
SELECT name, regression(y.value::float8, p.value::float8) AS r
FROM golden,
	jsonb_array_elements_text(g -> 'y') WITH ORDINALITY AS y(value, i)
	JOIN LATERAL jsonb_array_elements_text(g -> 'pred')
		WITH ORDINALITY AS p(value, i) USING (i)
GROUP BY name;

SELECT count(*) AS cases FROM built;

-- The one deviation: with_zero_truth has an actual value of 0. scikit-learn
-- divides by 2^-52 there and answers 1.5e14; ours is NULL, and zero_actuals
-- counts such rows. r2 of one row is NULL on both sides. Not offered, because
-- they do not merge or are not in the type: medae, spearman, d2_absolute
-- (order statistics), msle, pinball, Poisson deviance.
CREATE TEMP TABLE compared AS
SELECT name, m.metric, m.value AS ours, g -> 'expected' -> m.metric AS theirs
FROM built JOIN golden USING (name), LATERAL (VALUES
	('mae', mae(r)), ('mse', mse(r)), ('rmse', rmse(r)), ('r2', r2(r)),
	('mape_fraction', mape(r)), ('smape', smape(r)), ('mean_bias', bias(r)),
	('max_error', max_error(r)),
	('explained_variance', explained_variance(r)),
	('pearson', pearson(r))) AS m(metric, value);

SELECT count(*) AS compared FROM compared;
SELECT name, metric, ours, theirs FROM compared
WHERE (CASE WHEN jsonb_typeof(theirs) = 'number'
		THEN abs(ours - theirs::float8) <= 1e-12 * abs(theirs::float8) + 1e-15
		ELSE ours IS NULL END) IS NOT TRUE
ORDER BY name, metric;

SELECT zero_actuals(r) FROM built WHERE name = 'with_zero_truth';
