-- In which direction a metric is better, by its name: every metric of
-- scikit-learn, torchmetrics, Keras, LightGBM and XGBoost, and names as people
-- write them (see test/data/metric_names_README.txt).
SET search_path = public, mlmeta, mlmeta_internal;

CREATE TEMPORARY TABLE names (library text, name text, higher boolean);
\copy names FROM 'test/data/metric_names.csv' WITH (FORMAT csv, HEADER)
SELECT library, count(*), count(*) FILTER (WHERE higher) AS higher
FROM names GROUP BY library ORDER BY library COLLATE "C";

-- None is wrong.
SELECT library, name, higher FROM names
WHERE higher_by_name(name) IS DISTINCT FROM higher
ORDER BY library, name COLLATE "C";

-- The relation holds each row once, and words as names are cut into.
SELECT meaning, count(*) > 2 AS some FROM metric_directions
GROUP BY meaning ORDER BY meaning;
SELECT words FROM metric_directions
WHERE words !~ '^[a-z0-9]+( [a-z0-9]+){0,2}$';

-- A row alone is what it says.
SELECT words, meaning FROM metric_directions
WHERE meaning IN ('lower', 'higher')
	AND higher_by_name(words) <> (meaning = 'higher')
ORDER BY words;

-- Names without words, of odd characters, and none.
SELECT left(name, 8) AS name, higher_by_name(name)
FROM unnest(ARRAY['', '@', '-', '123', 'äöü',
	'ERREUR', repeat('loss', 60), NULL]) AS n (name);

-- set_metric() overrules the name, in every rank.
SELECT set_metric('odd_loss', true);
SELECT higher_by_name('odd_loss'), higher_is_better('odd_loss');
SELECT start_run('directions', 'good') AS good \gset
SELECT start_run('directions', 'bad') AS bad \gset
SELECT log_metrics(:'good', '{"neg_log_loss": -0.1, "odd_loss": 2}');
SELECT log_metrics(:'bad', '{"neg_log_loss": -5, "odd_loss": 1}');
SELECT finish_run(:'good'), finish_run(:'bad');
SELECT rank, name, best FROM best_runs('directions', 'neg_log_loss');
SELECT key, rank, name, best FROM leaderboard WHERE experiment = 'directions'
ORDER BY key, rank;
