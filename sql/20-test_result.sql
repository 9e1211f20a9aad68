-- What every statistical test returns.

CREATE TYPE mlmeta.test_result AS (
	statistic float8,
	statistic_low float8,
	statistic_high float8,
	p_value float8,
	p_low float8,
	p_high float8,
	n_reference bigint,
	n_current bigint,
	method text
);

COMMENT ON TYPE mlmeta.test_result IS
	'result of a two-sample test: statistic and p-value, each with the bounds that hold for the rows, and how they were found';
COMMENT ON COLUMN mlmeta.test_result.statistic IS
	'the test''s statistic; over summaries the best certain value, see the bounds';
COMMENT ON COLUMN mlmeta.test_result.statistic_low IS
	'the statistic of the rows is at least this';
COMMENT ON COLUMN mlmeta.test_result.statistic_high IS
	'the statistic of the rows is at most this';
COMMENT ON COLUMN mlmeta.test_result.p_value IS
	'p-value; over summaries the upper bound: the test can only be more significant on the rows';
COMMENT ON COLUMN mlmeta.test_result.p_low IS
	'the p-value of the rows is at least this';
COMMENT ON COLUMN mlmeta.test_result.p_high IS
	'the p-value of the rows is at most this';
COMMENT ON COLUMN mlmeta.test_result.n_reference IS
	'values of the reference that took part (no NULL, no NaN)';
COMMENT ON COLUMN mlmeta.test_result.n_current IS
	'values of the current sample that took part (no NULL, no NaN)';
COMMENT ON COLUMN mlmeta.test_result.method IS
	'how the p-value was found, or why there is none';
