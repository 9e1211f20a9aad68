-- The alarm rule's tests: what is usual between windows, spread, takeover.

CREATE FUNCTION mlmeta.usual_p_value(
		effect float8, scale float8, effects float8[],
		scales float8[] DEFAULT NULL, windows float8 DEFAULT NULL,
		law text DEFAULT 'distance')
	RETURNS float8 LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_usual_p_value';
COMMENT ON FUNCTION mlmeta.usual_p_value(
		float8, float8, float8[], float8[], float8, text) IS
	'p-value of a window''s effect against the effects of ordinary windows; scale and scales: their sampling errors sqrt(1/n + 1/m), by which small windows are allowed more; windows: the effective number of these; law: distance, or maximum for the largest of many effects; NULL with fewer than two windows';

CREATE FUNCTION mlmeta.usual_effect(
		p float8, scale float8, effects float8[],
		scales float8[] DEFAULT NULL, windows float8 DEFAULT NULL,
		law text DEFAULT 'distance')
	RETURNS float8 LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_usual_effect';
COMMENT ON FUNCTION mlmeta.usual_effect(
		float8, float8, float8[], float8[], float8, text) IS
	'the effect with that usual_p_value(): the line that a dashboard draws';

CREATE FUNCTION mlmeta.window_autocorrelation(effects float8[])
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_window_autocorrelation';
COMMENT ON FUNCTION mlmeta.window_autocorrelation(float8[]) IS
	'lag-one autocorrelation of the signed effects of windows in their order; NULL with fewer than three';

CREATE FUNCTION mlmeta.effective_windows(windows float8, autocorrelation float8)
	RETURNS float8 LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_effective_windows';
COMMENT ON FUNCTION mlmeta.effective_windows(float8, float8) IS
	'how many independent windows say as much as so many with that lag-one autocorrelation, which is corrected for its bias of 1/windows and taken from 0 to 1/2';

CREATE FUNCTION mlmeta.two_in_a_row(p float8, previous float8)
	RETURNS float8 LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_two_in_a_row';
COMMENT ON FUNCTION mlmeta.two_in_a_row(float8, float8) IS
	'p-value of "now, or now and in the window before": the smaller of p and of the square of the larger of both, twice; previous NULL: there is none';

CREATE FUNCTION mlmeta.spread_test(
		log_spread float8, n bigint, log_spreads float8[], sizes float8[],
		windows float8 DEFAULT NULL, alpha float8 DEFAULT 0.05,
		OUT difference float8, OUT difference_low float8, OUT p_value float8)
	RETURNS record LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_spread_test';
COMMENT ON FUNCTION mlmeta.spread_test(
		float8, bigint, float8[], float8[], float8, float8) IS
	'logarithm of a window''s spread, of n rows, against those of ordinary windows with so many rows each: the difference from their mean, the lower bound of its absolute value at level 1 - alpha, and the p-value (Student)';

CREATE FUNCTION mlmeta.level_test(
		level float8, side integer, error float8, levels float8[],
		OUT mean float8, OUT usual_limit float8, OUT p_value float8)
	RETURNS record LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_level_test';
COMMENT ON FUNCTION mlmeta.level_test(float8, integer, float8, float8[]) IS
	'a level, such as a model''s quality, against those of ordinary windows on the side that is worse, 1 above and -1 below: their mean, the limit three standard deviations beyond it, and the p-value (Student, for one more window); error: standard error of the level itself, NULL where none is known, which must not explain it either';

CREATE FUNCTION mlmeta.takeover_test(
		reference mlmeta.histogram, current mlmeta.histogram,
		alpha float8 DEFAULT 0.05,
		OUT value text, OUT share_reference float8, OUT share_current float8,
		OUT p_value float8, OUT difference_low float8, OUT effect float8)
	RETURNS record LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_histogram_takeover_test';
COMMENT ON FUNCTION mlmeta.takeover_test(mlmeta.histogram, mlmeta.histogram, float8) IS
	'whether one bin has taken over rows, such as a default that is written in: see takeover_test(frequency_table, frequency_table); both on the same bins (22023)';
CREATE FUNCTION mlmeta.takeover_test(
		reference mlmeta.frequency_table, current mlmeta.frequency_table,
		alpha float8 DEFAULT 0.05,
		OUT value text, OUT share_reference float8, OUT share_current float8,
		OUT p_value float8, OUT difference_low float8, OUT effect float8)
	RETURNS record LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_frequencies_takeover_test';
COMMENT ON FUNCTION mlmeta.takeover_test(
		mlmeta.frequency_table, mlmeta.frequency_table, float8) IS
	'whether one value, a new one too, has taken over rows: the value with the smallest hypergeometric p-value weighted with its pooled share, exact for whatever values there are; the lower bound, at level 1 - alpha, of the difference of its shares; effect: the most that any share has moved, |2 asin sqrt q - 2 asin sqrt p|';

CREATE FUNCTION mlmeta.minus(a mlmeta.profile, b mlmeta.profile)
	RETURNS mlmeta.profile LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_profile_minus';
COMMENT ON FUNCTION mlmeta.minus(mlmeta.profile, mlmeta.profile) IS
	'a profile without one of the parts that it was merged of, on the same baseline (22023 otherwise)';

CREATE FUNCTION mlmeta.drift(
		reference mlmeta.profile, current mlmeta.profile, alpha float8,
		OUT feature text, OUT kind text, OUT measure text,
		OUT statistic float8, OUT statistic_low float8,
		OUT statistic_high float8, OUT p_value float8,
		OUT n_reference bigint, OUT n_current bigint, OUT status text,
		OUT is_primary boolean, OUT effect float8, OUT effect_low float8,
		OUT effect_high float8, OUT missing_reference float8,
		OUT missing_current float8, OUT value text)
	RETURNS SETOF record LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	COST 10000 ROWS 100
	AS 'MODULE_PATHNAME', 'mlmeta_profile_drift';
COMMENT ON FUNCTION mlmeta.drift(mlmeta.profile, mlmeta.profile, float8) IS
	'drift() with what the alarm rule needs: also the measures spread and takeover, of each primary test the effect that windows are compared by, its lower confidence bounds at level 1 - alpha when the statistic is as low and as high as it can be, and the shares of missing values';
