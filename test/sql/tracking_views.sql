-- What people look at: comparison, duplicates, who tried what, cost, samples.
SET search_path = public, mlmeta;
SET timezone = 'UTC';
\set a '00000000-0000-7000-8003-000000000001'
\set b '00000000-0000-7000-8003-000000000002'
\set c '00000000-0000-7000-8003-000000000003'

-- What a statement raises: SQLSTATE, message, detail, hint.
CREATE FUNCTION error_of(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	code text; message text; detail text; hint text;
BEGIN
	EXECUTE statement;
	RETURN 'none';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
		detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN concat_ws(E'\n', code || ' ' || message, regexp_replace(nullif(detail, ''), 'Near are: .*', 'Near are: ...'),
		regexp_replace(nullif(hint, ''), 'Near are: .*', 'Near are: ...'));
END $$;

-- Two runs that differ in one parameter, the data, a package and the outcome.
SELECT start_run('views', 'a', '{"lr": 0.1, "model": "xgb", "depth": 6}', '{"team": "x"}',
	source => '{"commit": "abc", "entry_point": "train.py", "ticket": 1,
		"environment": {"packages": {"xgboost": "1.7", "numpy": "1.26"}, "host": "h1"},
		"devices": {"a100": 2}}', id => :'a') IS NOT NULL AS started;
SELECT start_run('views', 'b', '{"lr": 0.2, "model": "xgb", "depth": 6.0}', '{"team": "x"}',
	source => '{"commit": "abc", "entry_point": "train.py", "ticket": 1,
		"environment": {"packages": {"xgboost": "2.0", "numpy": "1.26"}, "host": "h1"},
		"devices": {"a100": 2}}', id => :'b') IS NOT NULL AS started;
SELECT use_artifact(:'a', 'dataset:views:v1', 'training'),
	use_artifact(:'b', 'dataset:views:v2', 'training');
SELECT log_metrics(:'a', '{"auc": 0.8}'), log_metrics(:'b', '{"auc": 0.85}');
SELECT finish_run(:'a'), finish_run(:'b');
SELECT kind, key, a, b FROM compare_runs(:'a', :'b')
WHERE changed AND key <> 'duration';
SELECT kind, count(*) FROM compare_runs(:'a', :'b') WHERE NOT changed
GROUP BY kind ORDER BY kind;
SELECT count(*) FROM compare_runs(:'a', :'a') WHERE changed;
SELECT kind, key, a, b FROM compare_to_previous(:'b') WHERE kind = 'param'
ORDER BY key;
SELECT count(*) FROM compare_to_previous(:'a');
SELECT error_of($$SELECT compare_runs('00000000-0000-7000-8003-000000000001',
	'00000000-0000-7000-8003-0000000000ff')$$);
SELECT error_of($$SELECT compare_to_previous('00000000-0000-7000-8003-0000000000ff')$$);

-- The same code, parameters and data as a: running first, then ended.
SELECT start_run('views', 'c', '{"lr": 0.10, "model": "xgb", "depth": 6}',
	source => '{"commit": "abc", "entry_point": "train.py"}', id => :'c')
	IS NOT NULL AS started;
SELECT count(*) FROM duplicates_of(:'a');
SELECT use_artifact(:'c', 'dataset:views:v1', 'training');
SELECT name, status FROM duplicates_of(:'a');
SELECT finish_run(:'c', 'killed');
SELECT name, status FROM duplicates_of(:'a');
SELECT name, status FROM duplicates_of(:'c');
SELECT count(*) FROM duplicates_of(:'b');
SELECT error_of($$SELECT duplicates_of('00000000-0000-7000-8003-0000000000ff')$$);

-- Who has tried this already?
SELECT key, value, runs, users = ARRAY[session_user::text] AS me,
	first_tried <= last_tried AS in_order
FROM who_tried_what WHERE experiment = 'views' ORDER BY key, value;

-- Parameter importance against Spearman's rho by its definition: metric =
-- 2 * x with one exchange, y the reverse of x, z a constant, k categories.
SELECT start_run('importance', params => jsonb_build_object('x', i, 'y', -i,
	'z', 1, 'k', CASE WHEN i <= 5 THEN 'low' ELSE 'high' END, 'noise',
	(i * 7) % 10)) AS run, i
INTO TEMP tried FROM generate_series(1, 10) AS i;
SELECT count(log_metrics(run, jsonb_build_object('auc',
	CASE i WHEN 1 THEN 4 WHEN 2 THEN 2 ELSE 2 * i END))) FROM tried;
SELECT count(finish_run(run)) FROM tried;
SELECT param, kind, n, distinct_values, round(correlation::numeric, 6) AS correlation,
	round(importance::numeric, 6) AS importance
FROM parameter_importance('importance', 'auc');
-- 1 - 6 * sum(d^2) / (n (n^2 - 1)) holds without ties: d is 1, -1, 0, ...
SELECT round(1 - 6 * 2 / (10.0 * 99), 6) AS rho_of_x;
SELECT error_of($$SELECT parameter_importance('importance', 'no such')$$);
-- What only some runs have is ranked among these: x is 1, 2, 3, 4 where the
-- metric is 1, 1, 2, 2, whose rho by average ranks is 2 / sqrt(5).
SELECT start_run('partly', params => CASE WHEN i <= 4 THEN jsonb_build_object('x', i, 'y', i)
	ELSE jsonb_build_object('y', i) END) AS run, i
INTO TEMP partly FROM generate_series(1, 8) AS i;
SELECT count(log_metrics(run, jsonb_build_object('auc', CASE WHEN i <= 4 THEN (i + 1) / 2 ELSE 20 - i END)))
FROM partly;
SELECT count(finish_run(run)) FROM partly;
SELECT param, n, round(correlation::numeric, 6) AS correlation FROM parameter_importance('partly', 'auc')
ORDER BY param;
SELECT round((2 / sqrt(5))::numeric, 6) AS rho_of_x;

-- Cost: 3 hours on 2 devices, the price doubling after the first hour, and one
-- more device without a price.
SELECT set_price('t4', 1.5, '2024-01-01', 'EUR');
SELECT set_price('t4', 3, '2024-03-01 11:00+00', 'EUR');
SELECT set_price('t4', 99, '2024-03-02', 'EUR');
SELECT set_price('t4', NULL, '2024-04-01', 'EUR');
SELECT device, valid, per_hour, currency FROM price_ranges
WHERE device = 't4' ORDER BY valid;
SELECT start_run('money', 'r1', source => '{"devices": {"t4": 2, "abacus": 1}}') AS r1 \gset
SELECT log_metrics(:'r1', '{"auc": 0.7}');
SELECT finish_run(:'r1');
UPDATE runs SET started_at = '2024-03-01 10:00+00', finished_at = '2024-03-01 13:00+00'
WHERE run = :'r1';
SELECT device, device_hours, cost, currency, unpriced_hours FROM run_costs
WHERE run = :'r1' ORDER BY currency NULLS LAST, device;
SELECT cost, currency, duration FROM run_overview WHERE run = :'r1';
-- Pauses cost nothing, at the prices of the time when they were: half an hour
-- of the old price and one of the new are left.
UPDATE runs SET pauses = '{[2024-03-01 10:30+00,2024-03-01 12:00+00)}'
WHERE run = :'r1';
SELECT device_hours, cost, unpriced_hours FROM run_costs WHERE run = :'r1'
ORDER BY currency NULLS LAST, device;
UPDATE runs SET pauses = '{}' WHERE run = :'r1';
-- After the price ended there is none.
SELECT start_run('money', 'r2', source => '{"devices": {"t4": 1}}') AS r2 \gset
SELECT log_metrics(:'r2', '{"auc": 0.75}');
SELECT finish_run(:'r2');
SELECT cost, currency FROM run_overview WHERE run = :'r2';
UPDATE runs SET started_at = '2024-03-01 20:00+00', finished_at = '2024-03-01 22:00+00'
WHERE run = :'r2';
SELECT experiment, month, device, currency, runs, device_hours, cost,
	unpriced_hours FROM spend
WHERE experiment = 'money' ORDER BY currency NULLS LAST, device;
SELECT set_budget(20, experiment => 'money', currency => 'EUR') IS NOT NULL AS set;
SELECT set_budget(25, experiment => 'money', currency => 'EUR',
	period => '[2024-03-01,2024-04-01)') IS NOT NULL AS set;
SELECT set_budget(1000, project => 'default', currency => 'EUR') IS NOT NULL AS set;
SELECT project, experiment, amount, spent, share, state, unpriced_hours > 0 AS unpriced
FROM budget_state
WHERE currency = 'EUR' ORDER BY amount;
SELECT cost, total_cost, value, best_so_far, round(gain::numeric, 6) AS gain
FROM spend_gain('money', 'auc');
SELECT error_of($$SELECT set_budget(10)$$);
SELECT left(error_of($$SELECT set_budget(-1, project => 'default')$$), 5) AS error;
SELECT error_of($$SELECT set_budget(1, experiment => 'nowhere')$$);
SELECT error_of($$SELECT set_price('t4', -1, '2024-01-01')$$);
SELECT error_of($$SELECT set_price('', 1)$$);

-- Samples by the user's own key, joined with the business's table.
SELECT resume_run(:'a'), resume_run(:'b');
SELECT log_samples(:'a', '{1,2,3,4}', '{10,20,30,NaN}', '{11,20,33,1}');
SELECT log_samples(:'b', '{1,2,3,5}', '{11,25,30,1}', '{11,20,33,1}');
SELECT log_samples(:'a', '{x,y}', predicted_classes => '{cat,dog}',
	label_classes => '{cat,cat}', context => 'classes');
SELECT log_samples(:'a', '{x}', losses => '{0.5}', context => 'losses');
SELECT log_samples(:'a', '{big,same}', '{-1e308,Infinity}', '{1e308,Infinity}', context => 'edge');
SELECT context, sample, loss FROM run_samples WHERE run = :'a'
ORDER BY context, sample;
SELECT sample, loss FROM worst_samples(:'a', 2);
SELECT sample, loss_a, loss_b, change, label FROM compare_samples(:'a', :'b');
CREATE TABLE customers (id int PRIMARY KEY, segment text);
INSERT INTO customers VALUES (1, 'new'), (2, 'old'), (3, 'old');
SELECT segment, count(*), avg(change) AS worse
FROM compare_samples(:'a', :'b') AS s JOIN customers AS c ON c.id::text = s.sample
GROUP BY segment ORDER BY segment;
DROP TABLE customers;
-- The same again is nothing, something else is refused, nothing gets lost.
SELECT log_samples(:'a', '{1,2}', '{10,20}', '{11,20}');
SELECT error_of($$SELECT log_samples('00000000-0000-7000-8003-000000000001',
	'{9,2}', '{1,21}', '{1,20}')$$);
SELECT count(*) FROM run_samples WHERE run = :'a' AND sample = '9';
SELECT error_of($$SELECT log_samples('00000000-0000-7000-8003-000000000001',
	'{1,2}', '{1}')$$);
SELECT error_of($$SELECT log_samples('00000000-0000-7000-8003-000000000001',
	'{1,NULL}', '{1,2}')$$);
SELECT error_of($$SELECT log_samples('00000000-0000-7000-8003-000000000003',
	'{1}', '{1}')$$);
SELECT log_samples(:'a', '{}');

-- Odd questions and odd entries are refused by what is wrong with them.
SELECT error_of($$SELECT worst_samples(NULL)$$);
SELECT error_of($$SELECT worst_samples('00000000-0000-7000-8003-000000000001', -1)$$);
SELECT error_of($$SELECT worst_samples('00000000-0000-7000-8003-0000000000ff')$$);
SELECT error_of($$SELECT compare_samples('00000000-0000-7000-8003-000000000001',
	'00000000-0000-7000-8003-0000000000ff')$$);
SELECT error_of($$SELECT log_samples('00000000-0000-7000-8003-000000000001', '{{1}}')$$);
SELECT error_of($$SELECT set_price('t4', 'NaN')$$);
SELECT error_of($$SELECT set_price('t4', 1, NULL)$$);
SELECT error_of($$SELECT set_budget(NULL, 'views')$$);
SELECT error_of($$SELECT set_budget('Infinity', 'views')$$);
SELECT error_of($$SELECT set_budget(1, 'views', period => 'empty')$$);
SELECT error_of($$SELECT set_budget(1, 'views', warn_at => 2)$$);
SELECT error_of($$SELECT set_budget(1, project => 'nowhere')$$);
SELECT error_of($$SELECT mlmeta_internal.store_chunk(NULL, '{1}', '{now}', '{1}')$$);
SELECT error_of($$SELECT mlmeta_internal.store_chunk(-1, '{1}', '{now}', '{1}')$$);
SELECT error_of($$SELECT mlmeta_internal.store_chunk(1, '{}', '{}', '{}')$$);
SELECT error_of($$SELECT create_project('default')$$);

DROP FUNCTION error_of(text);
