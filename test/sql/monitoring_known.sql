-- Monitoring against data whose drift is known.
SET search_path = public, mlmeta;
SET TIME ZONE 'UTC';
SET extra_float_digits = 0;
SET datestyle = 'ISO';
SET client_min_messages = warning;
\set SHOW_CONTEXT never

-- 3,000 rows a year, 2007 to 2021 (example data of MITRE menelaus, Apache-2.0,
-- see test/data/known_drift_LICENSE). Known: b, mean in 2009 only; c and d,
-- variance in 2012 only; e and f, correlation in 2015; h, mean and variance, and
-- confidence, range, from 2019 on; j, mean and variance in 2021; a, g, i and cat
-- never. A correlation shows in no column alone: the product is one more feature.
CREATE TABLE known (year int, a float8, b float8, c float8, d float8, e float8,
	f float8, g float8, h float8, i float8, j float8, cat text,
	confidence float8, drift text);
\copy known FROM PROGRAM 'gzip -dc test/data/known_drift_per_year.csv.gz' WITH (FORMAT csv, HEADER)
SELECT create_monitor('known', 'SELECT make_date(year, 1, 1) AS at, a, b, c, d, e, f, e * f AS e_times_f, g, h, i, j, cat, confidence FROM known',
	'at', '1 year', tolerance => 0.02) > 0 AS created;
SELECT set_baseline('known', '2007-01-01', '2008-01-01') > 0 AS baseline;
SELECT count(DISTINCT window_start) AS windows FROM check_monitor('known', '2022-01-01');
SELECT feature, string_agg(DISTINCT to_char(window_start, 'YYYY'), ' ') AS drifted
FROM drift_history WHERE verdict = 'drift' GROUP BY feature ORDER BY feature;
SELECT count(*) AS judged, count(*) FILTER (WHERE verdict = 'undecided') AS undecided
FROM drift_history WHERE measure IN ('ks', 'chi2');
-- With the default tolerance of 0.05, c in 2012 is significant, but no alarm:
-- the distance is about 0.06, and surely only 0.027.
SELECT h.statistic_low < 0.07 AND h.adjusted_p < 0.001 AS significant,
	ks_lower_bound(h.statistic_low, h.n_reference, h.n_current) BETWEEN 0.02 AND 0.05 AS surely_little
FROM drift_history AS h WHERE feature = 'c' AND measure = 'ks' AND window_start = '2012-01-01';
SELECT drop_monitor('known');
DROP TABLE known;

-- Hourly bike demand of 2011 and 2012 (UCI 275, Fanaee-T and Gama 2013, CC BY
-- 4.0, see test/data/bike_sharing_README.txt). The model, the mean of the hour on
-- working and other days of 1 to 28 January 2011, degrades from February on.
CREATE TABLE bikes (instant int, dteday date, season int, yr int, mnth int,
	hr int, holiday int, weekday int, workingday int, weathersit int,
	temp float8, atemp float8, hum float8, windspeed float8, casual int,
	registered int, cnt int);
\copy bikes FROM PROGRAM 'gzip -dc test/data/bike_sharing_hour.csv.gz' WITH (FORMAT csv, HEADER)
CREATE TABLE rides AS
SELECT b.dteday + make_interval(hours => b.hr) AS at, b.temp, b.hum, b.windspeed,
	b.weathersit::text AS weather, b.cnt AS rented, m.predicted
FROM bikes AS b LEFT JOIN (
		SELECT hr, workingday, avg(cnt) AS predicted FROM bikes
		WHERE dteday <= '2011-01-28' GROUP BY hr, workingday
	) AS m USING (hr, workingday);
SELECT create_monitor('bikes', 'rides', 'at', '1 week',
	features => '{temp,hum,windspeed,weather,predicted}', label => 'rented', prediction => 'predicted') > 0 AS created;
SELECT set_baseline('bikes', '2011-01-03', '2011-01-31') > 0 AS baseline;
SELECT count(DISTINCT window_start) AS weeks FROM check_monitor('bikes', '2013-01-01');
SELECT to_char(window_start, 'YYYY "Q"Q') AS quarter, count(*) AS weeks,
	count(*) FILTER (WHERE verdict = 'drift') AS fallen, round(avg(mae)::numeric) AS mae, round(avg(bias)::numeric) AS bias
FROM quality_history GROUP BY 1 ORDER BY 1;
SELECT min(window_start)::date AS first_fallen_week FROM quality_history WHERE verdict = 'drift';
SELECT feature, count(*) FILTER (WHERE verdict = 'drift') AS drifted, (min(window_start) FILTER (WHERE verdict = 'drift'))::date AS first
FROM drift_history WHERE measure IN ('ks', 'chi2') GROUP BY feature, position ORDER BY position;
SELECT drop_monitor('bikes');
DROP TABLE bikes, rides;
