-- Results by sample: what a run predicted for each of the user's own keys.

CREATE TABLE mlmeta.run_samples (
	run mlmeta.run NOT NULL,
	context text NOT NULL DEFAULT ''
		CHECK (context = '' OR mlmeta_internal.is_name(context)),
	sample text NOT NULL,
	prediction float8,
	label float8,
	predicted_class text,
	label_class text,
	loss float8,
	PRIMARY KEY (run, context, sample)
);

CREATE INDEX run_samples_loss ON mlmeta.run_samples (run, context, loss)
	WHERE loss <> 'NaN';
CREATE INDEX run_samples_sample ON mlmeta.run_samples (sample);

COMMENT ON TABLE mlmeta.run_samples IS
	'predictions, labels and losses of runs by sample; the sample is the user''s own key, for joins with business tables';
COMMENT ON COLUMN mlmeta.run_samples.sample IS
	'the user''s own key as text';
COMMENT ON COLUMN mlmeta.run_samples.context IS
	'what the samples are, such as validation or test; empty when not said';
COMMENT ON COLUMN mlmeta.run_samples.loss IS
	'the loss as logged, else 0 or 1 for classes, else the squared error';

CREATE TRIGGER guard_run_samples
	BEFORE UPDATE OR DELETE OR TRUNCATE ON mlmeta.run_samples
	FOR EACH STATEMENT EXECUTE FUNCTION mlmeta_internal.guard_append_only();

CREATE FUNCTION mlmeta_internal.squared_error(a float8, b float8) RETURNS float8
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
	WHEN a IS NULL OR b IS NULL THEN NULL
	WHEN a = 'NaN' OR b = 'NaN' THEN 'NaN'
	-- Halves cannot overflow.
	WHEN pg_catalog.abs(a / 2 - b / 2) < 6e153 THEN (a - b) * (a - b)
	WHEN a = b THEN 'NaN'
	ELSE 'Infinity'
END;

COMMENT ON FUNCTION mlmeta_internal.squared_error(float8, float8) IS
	'square of the difference; infinity where that is beyond float8, NaN for NaN and between equal infinities';

CREATE FUNCTION mlmeta_internal.log_samples(
	run mlmeta.run,
	samples text[],
	predictions float8[] DEFAULT NULL,
	labels float8[] DEFAULT NULL,
	losses float8[] DEFAULT NULL,
	predicted_classes text[] DEFAULT NULL,
	label_classes text[] DEFAULT NULL,
	context text DEFAULT ''
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	size bigint := coalesce(cardinality(samples), 0);
	part text := coalesce(context, '');
	stored bigint;
	other text;
BEGIN
	PERFORM mlmeta_internal.accept_facts(run);
	IF part <> '' THEN
		PERFORM mlmeta_internal.check_name('context', part);
	END IF;
	IF size <> cardinality(predictions) OR size <> cardinality(labels)
			OR size <> cardinality(losses)
			OR size <> cardinality(predicted_classes)
			OR size <> cardinality(label_classes) THEN
		RAISE EXCEPTION 'arrays of samples of run "%" must have the same length',
				run
			USING ERRCODE = 'array_subscript_error',
				DETAIL = format('There are %s samples.', size);
	END IF;
	IF array_ndims(samples) > 1 OR array_ndims(predictions) > 1
			OR array_ndims(labels) > 1 OR array_ndims(losses) > 1
			OR array_ndims(predicted_classes) > 1
			OR array_ndims(label_classes) > 1 THEN
		RAISE EXCEPTION 'arrays of samples of run "%" must have one dimension',
				run
			USING ERRCODE = 'array_subscript_error';
	END IF;
	IF array_position(samples, NULL) IS NOT NULL THEN
		RAISE EXCEPTION 'sample at position % of run "%" has no key',
				array_position(samples, NULL), run
			USING ERRCODE = 'null_value_not_allowed';
	END IF;

	INSERT INTO mlmeta.run_samples (run, context, sample, prediction, label,
		predicted_class, label_class, loss)
	SELECT log_samples.run, part, s.sample, s.prediction, s.label,
		s.predicted_class, s.label_class,
		coalesce(s.loss, (s.predicted_class <> s.label_class)::int,
			mlmeta_internal.squared_error(s.prediction, s.label))
	FROM unnest(samples, predictions, labels, predicted_classes, label_classes,
		losses) AS s (sample, prediction, label, predicted_class, label_class,
			loss)
	ORDER BY s.sample
	ON CONFLICT DO NOTHING;
	GET DIAGNOSTICS stored = ROW_COUNT;
	IF stored = size THEN
		RETURN size;
	END IF;

	-- The same once more is nothing; something else must not get lost.
	SELECT s.sample INTO other
	FROM unnest(samples, predictions, labels, predicted_classes, label_classes,
			losses) AS s (sample, prediction, label, predicted_class,
				label_class, loss)
		JOIN mlmeta.run_samples AS t ON t.run OPERATOR(mlmeta.=) log_samples.run
			AND t.context = part AND t.sample = s.sample
	WHERE (s.prediction, s.label, s.predicted_class, s.label_class)
			IS DISTINCT FROM
			(t.prediction, t.label, t.predicted_class, t.label_class)
		OR s.loss <> t.loss
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'sample "%" of run "%" is logged already with other values',
				other, run
			USING ERRCODE = 'unique_violation',
				HINT = 'Log another look at the same samples in another context.';
	END IF;
	RETURN stored;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.log_samples(mlmeta.run, text[], float8[], float8[],
	float8[], text[], text[], text) IS
	'logs predictions, labels and losses by sample and returns how many are new; without a loss it is 0 or 1 for classes, else the squared error';

CREATE FUNCTION mlmeta.worst_samples(
	run mlmeta.run,
	n int DEFAULT 20,
	context text DEFAULT ''
) RETURNS TABLE (sample text, loss float8, prediction float8, label float8,
	predicted_class text, label_class text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 20
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_known(run);
	IF n < 0 THEN
		RAISE EXCEPTION 'number of worst samples must not be negative'
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('It is %s.', n);
	END IF;
	RETURN QUERY
	SELECT s.sample, s.loss, s.prediction, s.label, s.predicted_class,
		s.label_class
	FROM mlmeta.run_samples AS s
	WHERE s.run OPERATOR(mlmeta.=) worst_samples.run
		AND s.context = coalesce(worst_samples.context, '') AND s.loss <> 'NaN'
	ORDER BY s.loss DESC
	LIMIT n;
END
$$;

COMMENT ON FUNCTION mlmeta.worst_samples(mlmeta.run, int, text) IS
	'the samples of a run with the greatest losses, by index';

CREATE FUNCTION mlmeta.compare_samples(
	run_a mlmeta.run,
	run_b mlmeta.run,
	context text DEFAULT ''
) RETURNS TABLE (sample text, loss_a float8, loss_b float8, change float8,
	prediction_a float8, prediction_b float8, label float8,
	predicted_class_a text, predicted_class_b text, label_class text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_known(run_a);
	PERFORM mlmeta_internal.check_known(run_b);
	RETURN QUERY
	SELECT s.sample, s.loss, t.loss, t.loss - s.loss, s.prediction,
		t.prediction, coalesce(t.label, s.label), s.predicted_class,
		t.predicted_class, coalesce(t.label_class, s.label_class)
	FROM mlmeta.run_samples AS s
		JOIN mlmeta.run_samples AS t ON t.sample = s.sample
			AND t.context = s.context
	WHERE s.run OPERATOR(mlmeta.=) run_a AND t.run OPERATOR(mlmeta.=) run_b
		AND s.context = coalesce(compare_samples.context, '')
	ORDER BY t.loss - s.loss DESC NULLS LAST, s.sample;
END
$$;

COMMENT ON FUNCTION mlmeta.compare_samples(mlmeta.run, mlmeta.run, text) IS
	'the samples that both runs have, those that got worse from the first to the second first: change is the loss of the second less that of the first';
