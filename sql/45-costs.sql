-- What runs cost: prices of devices, budgets, spend.

CREATE TABLE mlmeta.prices (
	device text NOT NULL CHECK (mlmeta_internal.is_name(device)),
	valid_from timestamptz NOT NULL,
	per_hour numeric CHECK (per_hour >= 0 AND per_hour < 'Infinity'),
	currency text NOT NULL DEFAULT 'USD' CHECK (mlmeta_internal.is_name(currency)),
	PRIMARY KEY (device, valid_from)
);

COMMENT ON TABLE mlmeta.prices IS
	'prices of devices; each is valid until the next of the same device, so that they cannot overlap';
COMMENT ON COLUMN mlmeta.prices.per_hour IS
	'price of one device for an hour; NULL: from here on there is none';

CREATE VIEW mlmeta.price_ranges WITH (security_invoker = true) AS
SELECT p.device, pg_catalog.tstzrange(p.valid_from,
		pg_catalog.lead(p.valid_from) OVER (
			PARTITION BY p.device ORDER BY p.valid_from)) AS valid,
	p.per_hour, p.currency
FROM mlmeta.prices AS p;

COMMENT ON VIEW mlmeta.price_ranges IS
	'prices of devices with the time they are valid';
COMMENT ON COLUMN mlmeta.price_ranges.device IS 'the device';
COMMENT ON COLUMN mlmeta.price_ranges.valid IS 'when the price holds';
COMMENT ON COLUMN mlmeta.price_ranges.per_hour IS 'price of one device for one hour; NULL: none from then on';
COMMENT ON COLUMN mlmeta.price_ranges.currency IS 'currency of the amounts';

CREATE FUNCTION mlmeta_internal.set_price(
	device text,
	per_hour numeric,
	valid_from timestamptz DEFAULT pg_catalog.now(),
	currency text DEFAULT 'USD'
) RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	PERFORM mlmeta_internal.check_writable();
	PERFORM mlmeta_internal.check_name('device', device);
	PERFORM mlmeta_internal.check_name('currency', currency);
	IF valid_from IS NULL THEN
		RAISE EXCEPTION 'start of the price of device "%" must not be null',
				device
			USING ERRCODE = 'null_value_not_allowed';
	ELSIF per_hour < 0 OR per_hour IN ('NaN', 'Infinity') THEN
		RAISE EXCEPTION 'price of device "%" must be a number of 0 or more',
				device
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('It is %s.', per_hour),
				HINT = 'NULL ends the price.';
	END IF;
	INSERT INTO mlmeta.prices AS p (device, valid_from, per_hour, currency)
	VALUES (set_price.device, set_price.valid_from, set_price.per_hour,
		set_price.currency)
	ON CONFLICT ON CONSTRAINT prices_pkey DO UPDATE
	SET per_hour = excluded.per_hour, currency = excluded.currency;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.set_price(text, numeric, timestamptz, text) IS
	'sets the price of a device for an hour from a time on; NULL ends it';

CREATE FUNCTION mlmeta_internal.hours_in(times tstzmultirange) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
	SELECT pg_catalog.sum(extract(epoch FROM pg_catalog.upper(t.part)
		- pg_catalog.lower(t.part))) / 3600
	FROM pg_catalog.unnest(times) AS t (part)
);

COMMENT ON FUNCTION mlmeta_internal.hours_in(tstzmultirange) IS
	'how many hours some times are together; NULL for none';

-- Ranges of time are quicker than several of them, and nearly no run has pauses.
CREATE VIEW mlmeta.run_costs WITH (security_invoker = true) AS
SELECT g.run, g.device, g.currency,
	pg_catalog.round(g.hours, 6) AS device_hours,
	pg_catalog.round(g.cost, 6) AS cost,
	-- In the first row of a device.
	CASE WHEN g.currency IS NOT DISTINCT FROM pg_catalog.min(g.currency)
			OVER of_device
		THEN nullif(pg_catalog.round(g.all_hours - coalesce(
			pg_catalog.sum(g.hours) OVER of_device, 0), 6), 0)
		END AS unpriced_hours
FROM (
		SELECT r.run, d.key AS device, p.currency,
			pg_catalog.min(w.all_hours) AS all_hours,
			pg_catalog.sum(h.hours) AS hours,
			pg_catalog.sum(h.hours * p.per_hour) AS cost
		FROM mlmeta.runs AS r
			CROSS JOIN LATERAL pg_catalog.jsonb_each(r.devices) AS d
			CROSS JOIN LATERAL (
				SELECT tstzrange(r.started_at, coalesce(r.finished_at, greatest(
					pg_catalog.statement_timestamp(), r.started_at))) AS lasted
			) AS l
			CROSS JOIN LATERAL (
				SELECT d.value::numeric * CASE WHEN r.pauses = '{}'
					THEN extract(epoch FROM pg_catalog.upper(l.lasted)
						- r.started_at) / 3600
					ELSE mlmeta_internal.hours_in(tstzmultirange(l.lasted)
						- r.pauses) END AS all_hours
			) AS w
			LEFT JOIN mlmeta.price_ranges AS p ON p.device = d.key
				AND p.per_hour IS NOT NULL AND p.valid && l.lasted
			CROSS JOIN LATERAL (
				SELECT d.value::numeric * CASE WHEN r.pauses = '{}'
					THEN extract(epoch FROM pg_catalog.upper(p.valid * l.lasted)
						- pg_catalog.lower(p.valid * l.lasted)) / 3600
					ELSE mlmeta_internal.hours_in(tstzmultirange(l.lasted
						* p.valid) - r.pauses) END AS hours
			) AS h
		WHERE r.started_at IS NOT NULL
		GROUP BY r.run, d.key, p.currency
	) AS g
WINDOW of_device AS (PARTITION BY g.run, g.device);

COMMENT ON VIEW mlmeta.run_costs IS
	'cost of each run by device, deleted ones too: hours times devices times the prices of their time, without pauses; runs still going on up to now';
COMMENT ON COLUMN mlmeta.run_costs.run IS 'the run';
COMMENT ON COLUMN mlmeta.run_costs.device IS 'the device';
COMMENT ON COLUMN mlmeta.run_costs.currency IS 'currency of the amounts';
COMMENT ON COLUMN mlmeta.run_costs.cost IS 'what the device has cost in the currency';
COMMENT ON COLUMN mlmeta.run_costs.device_hours IS
	'hours times number of devices, as far as there was a price';
COMMENT ON COLUMN mlmeta.run_costs.unpriced_hours IS
	'hours times number of devices for which there was no price';

CREATE TABLE mlmeta.budgets (
	budget_id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
	project text,
	experiment_id bigint,
	amount numeric NOT NULL CHECK (amount > 0 AND amount < 'Infinity'),
	currency text NOT NULL DEFAULT 'USD' CHECK (mlmeta_internal.is_name(currency)),
	period tstzrange NOT NULL CHECK (NOT pg_catalog.isempty(period)),
	warn_at numeric NOT NULL DEFAULT 0.8 CHECK (warn_at BETWEEN 0 AND 1),
	announced text,
	CHECK ((project IS NULL) <> (experiment_id IS NULL))
);

COMMENT ON TABLE mlmeta.budgets IS
	'budgets of experiments or projects for a time; see budget_state';
COMMENT ON COLUMN mlmeta.budgets.announced IS
	'the state, warning or exceeded, of which check_budgets() has published an event';
COMMENT ON COLUMN mlmeta.budgets.warn_at IS
	'share of the amount from which on the state is "warning"';

CREATE FUNCTION mlmeta_internal.set_budget(
	amount numeric,
	experiment text DEFAULT NULL,
	project text DEFAULT NULL,
	period tstzrange DEFAULT '(,)',
	currency text DEFAULT 'USD',
	warn_at numeric DEFAULT 0.8
) RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	number bigint;
	experiment_number bigint;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	IF (experiment IS NULL) = (project IS NULL) THEN
		RAISE EXCEPTION 'a budget is for one experiment or one project'
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF amount IS NULL OR amount <= 0 OR amount IN ('NaN', 'Infinity') THEN
		RAISE EXCEPTION 'amount of a budget must be a number above 0'
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('It is %s.', coalesce(amount::text, 'NULL'));
	ELSIF period IS NULL OR isempty(period) THEN
		RAISE EXCEPTION 'period of a budget must not be empty'
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF warn_at IS NULL OR NOT warn_at BETWEEN 0 AND 1 THEN
		RAISE EXCEPTION 'share of a budget to warn at must lie between 0 and 1'
			USING ERRCODE = 'invalid_parameter_value',
				DETAIL = format('It is %s.', coalesce(warn_at::text, 'NULL'));
	END IF;
	PERFORM mlmeta_internal.check_name('currency', currency);
	IF project IS NOT NULL THEN
		PERFORM mlmeta_internal.find_project(project, 'admin');
	ELSE
		experiment_number :=
			mlmeta_internal.find_experiment(experiment, 'admin');
		PERFORM mlmeta_internal.open_experiment(experiment);
	END IF;
	INSERT INTO mlmeta.budgets (project, experiment_id, amount, currency,
		period, warn_at)
	VALUES (set_budget.project, experiment_number, set_budget.amount,
		set_budget.currency, set_budget.period, set_budget.warn_at)
	RETURNING budget_id INTO number;
	RETURN number;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.set_budget(numeric, text, text, tstzrange, text,
	numeric) IS
	'sets a budget for an experiment or a project and returns its number';

CREATE VIEW mlmeta.budget_state WITH (security_invoker = true) AS
SELECT b.budget_id, coalesce(b.project, e.project) AS project, e.experiment,
	b.period, b.amount, b.currency, s.spent,
	pg_catalog.round(s.spent / b.amount, 4) AS share,
	CASE WHEN s.spent > b.amount THEN 'exceeded'
		WHEN s.spent >= b.amount * b.warn_at THEN 'warning'
		WHEN s.unpriced_hours > 0 OR s.other_currencies IS NOT NULL
			THEN 'unknown'
		ELSE 'ok' END AS state,
	s.unpriced_hours, s.other_currencies
FROM mlmeta.budgets AS b
	LEFT JOIN mlmeta.experiments AS e ON e.experiment_id = b.experiment_id
	CROSS JOIN LATERAL (
		SELECT coalesce(pg_catalog.sum(t.cost)
				FILTER (WHERE t.currency = b.currency), 0) AS spent,
			coalesce(pg_catalog.sum(t.unpriced_hours), 0) AS unpriced_hours,
			pg_catalog.jsonb_object_agg(t.currency, t.cost)
				FILTER (WHERE t.currency <> b.currency) AS other_currencies
		FROM (
			SELECT c.currency, pg_catalog.sum(c.cost) AS cost,
				pg_catalog.sum(c.unpriced_hours) AS unpriced_hours
			FROM mlmeta.runs AS r
				JOIN mlmeta.experiments AS x
					ON x.experiment_id = r.experiment_id
				JOIN mlmeta.run_costs AS c ON c.run OPERATOR(mlmeta.=) r.run
			WHERE (x.experiment_id = b.experiment_id OR x.project = b.project)
				AND b.period @> r.started_at
			GROUP BY c.currency
		) AS t
	) AS s;

COMMENT ON VIEW mlmeta.budget_state IS
	'each budget with what was spent by runs that started in its period, deleted ones too';
COMMENT ON COLUMN mlmeta.budget_state.budget_id IS 'number of the budget';
COMMENT ON COLUMN mlmeta.budget_state.project IS 'the project it holds for; NULL: for an experiment';
COMMENT ON COLUMN mlmeta.budget_state.period IS 'the period over which is added up';
COMMENT ON COLUMN mlmeta.budget_state.amount IS 'what may be spent in a period';
COMMENT ON COLUMN mlmeta.budget_state.currency IS 'currency of the amounts';
COMMENT ON COLUMN mlmeta.budget_state.spent IS 'what was spent in the current one';
COMMENT ON COLUMN mlmeta.budget_state.experiment IS
	'the experiment; NULL: the budget is for the whole project';
COMMENT ON COLUMN mlmeta.budget_state.share IS
	'spent by amount';
COMMENT ON COLUMN mlmeta.budget_state.state IS
	'exceeded or warning by what is known to be spent; else unknown when there is more that cannot be counted in, and ok when not';
COMMENT ON COLUMN mlmeta.budget_state.unpriced_hours IS
	'device hours without a price, which are not in what was spent';
COMMENT ON COLUMN mlmeta.budget_state.other_currencies IS
	'what was spent in other currencies, which is not counted, a JSON object; NULL: nothing';

CREATE FUNCTION mlmeta_internal.check_budgets()
RETURNS TABLE (budget_id bigint, state text)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 10
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $$
DECLARE
	passed record;
BEGIN
	PERFORM mlmeta_internal.check_writable();
	FOR passed IN
		SELECT b.budget_id, s.state, s.project, s.experiment, s.amount,
			s.currency, s.spent
		FROM mlmeta.budgets AS b
			JOIN mlmeta.budget_state AS s ON s.budget_id = b.budget_id
		WHERE s.state IN ('warning', 'exceeded')
			AND s.state IS DISTINCT FROM b.announced
			-- What was exceeded does not become a warning again.
			AND b.announced IS DISTINCT FROM 'exceeded'
			AND mlmeta_internal.permits_project('writer', s.project)
		ORDER BY b.budget_id
		FOR NO KEY UPDATE OF b SKIP LOCKED
	LOOP
		UPDATE mlmeta.budgets AS b
		SET announced = passed.state
		WHERE b.budget_id = passed.budget_id;
		PERFORM mlmeta_internal.publish_event('budget:' || passed.budget_id,
			passed.project, NULL, NULL, 'budget_' || passed.state,
			jsonb_build_object('budget', passed.budget_id, 'project',
				passed.project, 'experiment', passed.experiment, 'amount',
				passed.amount, 'currency', passed.currency, 'spent',
				passed.spent), clock_timestamp());
		budget_id := passed.budget_id;
		state := passed.state;
		RETURN NEXT;
	END LOOP;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.check_budgets() IS
	'publishes an event of each budget that has come to its warning or its end since the last call, and returns them';

CREATE VIEW mlmeta.spend WITH (security_invoker = true) AS
SELECT e.project, e.experiment, r.user_name,
	pg_catalog.date_trunc('month', r.started_at) AS month, c.device,
	c.currency, pg_catalog.count(*) AS runs,
	pg_catalog.sum(c.device_hours) AS device_hours,
	pg_catalog.sum(c.cost) AS cost,
	pg_catalog.sum(c.unpriced_hours) AS unpriced_hours
FROM mlmeta.runs AS r
	JOIN mlmeta.experiments AS e ON e.experiment_id = r.experiment_id
	JOIN mlmeta.run_costs AS c ON c.run OPERATOR(mlmeta.=) r.run
GROUP BY e.project, e.experiment, r.user_name,
	pg_catalog.date_trunc('month', r.started_at), c.device, c.currency;

COMMENT ON VIEW mlmeta.spend IS
	'what was spent, by experiment, user, month and device; deleted runs cost as well; what had no price at all has no currency';
COMMENT ON COLUMN mlmeta.spend.project IS 'the project that it belongs to';
COMMENT ON COLUMN mlmeta.spend.experiment IS 'name of its experiment';
COMMENT ON COLUMN mlmeta.spend.user_name IS 'who started the runs';
COMMENT ON COLUMN mlmeta.spend.device IS 'the device';
COMMENT ON COLUMN mlmeta.spend.currency IS 'currency of the amounts';
COMMENT ON COLUMN mlmeta.spend.runs IS 'number of runs';
COMMENT ON COLUMN mlmeta.spend.device_hours IS 'hours of the device';
COMMENT ON COLUMN mlmeta.spend.cost IS 'what it cost, in the currency';
COMMENT ON COLUMN mlmeta.spend.unpriced_hours IS
	'device hours for which there was no price';
COMMENT ON COLUMN mlmeta.spend.month IS
	'month in which the runs started, in the time zone of the session';
