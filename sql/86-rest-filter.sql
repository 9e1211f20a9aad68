-- The language of MLflow's filters and orders: read as MLflow reads it, then
-- made into conditions of SQL, in which nothing of a client is more than a
-- quoted literal.

-- What can be named -------------------------------------------------------------

-- Each search has its words for kinds of things, and its attributes.
CREATE VIEW mlmeta_internal.rest_filter_words WITH (security_invoker = true) AS
SELECT w.search, w.type, pg_catalog.unnest(w.words) AS word
FROM (VALUES
	('runs', 'metric', ARRAY['metric', 'metrics']),
	('runs', 'parameter', ARRAY['parameter', 'parameters', 'param', 'params']),
	('runs', 'tag', ARRAY['tag', 'tags']),
	('runs', 'attribute', ARRAY['attribute', 'attributes', 'attr', 'run']),
	('runs', 'dataset', ARRAY['dataset', 'datasets']),
	('experiments', 'attribute', ARRAY['attribute']),
	('experiments', 'tag', ARRAY['tag', 'tags']),
	('models', 'attribute', ARRAY['attribute']),
	('models', 'tag', ARRAY['tag', 'tags']),
	('versions', 'attribute', ARRAY['attribute']),
	('versions', 'tag', ARRAY['tag', 'tags']),
	('logged_models', 'metric', ARRAY['metric', 'metrics']),
	('logged_models', 'parameter', ARRAY['parameter', 'parameters', 'param', 'params']),
	('logged_models', 'tag', ARRAY['tag', 'tags']),
	('logged_models', 'attribute', ARRAY['attribute', 'attributes', 'attr'])
) AS w (search, type, words);

COMMENT ON VIEW mlmeta_internal.rest_filter_words IS
	'the words that stand before the dot in filters of each search, and what they mean';

-- In expressions, r is the row of the search.
CREATE VIEW mlmeta_internal.rest_filter_keys WITH (security_invoker = true) AS
SELECT k.search, k.type, k.key, k.kind, k.expression
FROM (VALUES
	('runs', 'attribute', 'run_id', 'list', 'mlmeta_internal.run_hex(r.run)'),
	('runs', 'attribute', 'run_name', 'text', 'r.name'),
	('runs', 'attribute', 'run name', 'text', 'r.name'),
	('runs', 'attribute', 'Run name', 'text', 'r.name'),
	('runs', 'attribute', 'Run Name', 'text', 'r.name'),
	('runs', 'attribute', 'status', 'text', 'mlmeta_internal.rest_status(r.status)'),
	('runs', 'attribute', 'user_id', 'text', 'mlmeta_internal.rest_user(r)'),
	('runs', 'attribute', 'artifact_uri', 'text', 'mlmeta_internal.rest_artifact_uri(r, (SELECT e.artifact_uri FROM mlmeta.experiments AS e WHERE e.experiment_id = r.experiment_id))'),
	('runs', 'attribute', 'start_time', 'number', 'mlmeta_internal.rest_ms(coalesce(r.started_at, r.created_at))'),
	('runs', 'attribute', 'created', 'number', 'mlmeta_internal.rest_ms(coalesce(r.started_at, r.created_at))'),
	('runs', 'attribute', 'Created', 'number', 'mlmeta_internal.rest_ms(coalesce(r.started_at, r.created_at))'),
	('runs', 'attribute', 'end_time', 'number', 'mlmeta_internal.rest_ms(r.finished_at)'),
	('runs', 'dataset', 'name', 'list', 'mlmeta.name(a.artifact)'),
	('runs', 'dataset', 'digest', 'list', 'mlmeta.version(a.artifact)'),
	('runs', 'dataset', 'context', 'list', 'a.role'),
	('experiments', 'attribute', 'name', 'text', 'r.experiment'),
	('experiments', 'attribute', 'creation_time', 'number', 'mlmeta_internal.rest_ms(r.created_at)'),
	('experiments', 'attribute', 'last_update_time', 'number', 'mlmeta_internal.rest_ms(r.changed_at)'),
	('models', 'attribute', 'name', 'text', 'r.model'),
	('versions', 'attribute', 'name', 'text', 'm.model'),
	('versions', 'attribute', 'run_id', 'list', 'mlmeta_internal.run_hex(r.run)'),
	('versions', 'attribute', 'source_path', 'text', 'mlmeta_internal.rest_version_source(m.model, r.model_id, r.version)'),
	('versions', 'attribute', 'version_number', 'number', 'r.version'),
	('logged_models', 'attribute', 'name', 'list', 'r.name'),
	('logged_models', 'attribute', 'model_id', 'list', 'r.id'),
	('logged_models', 'attribute', 'model_type', 'list', 'coalesce(r.model_type, '''')'),
	('logged_models', 'attribute', 'status', 'list', 'pg_catalog.upper(r.status)'),
	('logged_models', 'attribute', 'source_run_id', 'list', 'mlmeta_internal.run_hex(r.run)'),
	('logged_models', 'attribute', 'experiment_id', 'list', 'r.experiment_id::text'),
	('logged_models', 'attribute', 'creation_time', 'number', 'mlmeta_internal.rest_ms(r.created_at)'),
	('logged_models', 'attribute', 'creation_timestamp', 'number', 'mlmeta_internal.rest_ms(r.created_at)'),
	('logged_models', 'attribute', 'last_updated_timestamp', 'number', 'mlmeta_internal.rest_ms(r.changed_at)')
) AS k (search, type, key, kind, expression);

COMMENT ON VIEW mlmeta_internal.rest_filter_keys IS
	'the attributes that filters of each search may name: number, text, or list for a text that IN takes too; and where they are found';

-- Reading -----------------------------------------------------------------------

-- The longest match at each place counts, as POSIX has it: so 1and is one word,
-- and metrics.`a b` one name.
CREATE FUNCTION mlmeta_internal.rest_tokens(filter text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	single CONSTANT text := $re$'(?:''|\\'|[^'])*'$re$;
	double CONSTANT text := $re$"(?:""|\\"|[^"])*"$re$;
	ticks CONSTANT text := $re$`(?:``|[^`])*`$re$;
	word CONSTANT text := '[[:alnum:]_$]+';
	quoted CONSTANT text := '(?:' || single || '|' || double || '|' || ticks || ')';
	pattern CONSTANT text := concat('([[:space:]]+|', single, '|',
		'(?:', word, '|', double, '|', ticks, ')(?:\.(?:', word, '|', quoted, '))*',
		'|-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?',
		'|--.*|/\*.*|[<>=!~]+|\((?:[^()''"]|', single, '|', double, ')*\)|.)');
BEGIN
	IF length(filter) > 100000 THEN
		RAISE EXCEPTION 'The filter has % characters, more than are read.', length(filter)
			USING ERRCODE = 'program_limit_exceeded';
	END IF;
	RETURN ARRAY(
		SELECT m.found[1]
		FROM regexp_matches(filter, pattern, 'g') WITH ORDINALITY AS m (found, n)
		WHERE m.found[1] !~ '^[[:space:]]+$'
		ORDER BY m.n
	);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_tokens(text) IS
	'a filter cut into names, operators, numbers, strings and lists';

CREATE FUNCTION mlmeta_internal.rest_is_number(token text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN token COLLATE "C" ~ '^-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$';

COMMENT ON FUNCTION mlmeta_internal.rest_is_number(text) IS
	'whether a token of a filter is a number';

CREATE FUNCTION mlmeta_internal.rest_is_string(token text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN token ~ $re$^('(''|\\'|[^'])*'|"(""|\\"|[^"])*")$$re$;

COMMENT ON FUNCTION mlmeta_internal.rest_is_string(text) IS
	'whether a token of a filter is a string';

CREATE FUNCTION mlmeta_internal.rest_unquote(token text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN pg_catalog.length(token) >= 2
		AND pg_catalog.left(token, 1) = pg_catalog.right(token, 1)
		AND pg_catalog.left(token, 1) = ANY (ARRAY['''', '"', '`'])
	THEN pg_catalog.substr(token, 2, pg_catalog.length(token) - 2) ELSE token END;

COMMENT ON FUNCTION mlmeta_internal.rest_unquote(text) IS
	'a token without the quotes around it; a quote doubled inside stays doubled';

CREATE FUNCTION mlmeta_internal.rest_no_clause(tokens text[]) RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION 'Invalid clause(s) in filter string: %', (
			SELECT string_agg('''' || t.token || '''', ', ' ORDER BY t.n)
			FROM unnest(tokens[:8]) WITH ORDINALITY AS t (token, n))
		USING ERRCODE = 'invalid_parameter_value';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_no_clause(text[]) IS
	'raises the error for what is no comparison';

-- What a name of a filter or an order means: its type and its key.
CREATE FUNCTION mlmeta_internal.rest_identifier(
	token text,
	search text,
	OUT type text,
	OUT key text
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	-- Not that of a name in quotes
	dot int := CASE WHEN left(token, 1) IN ('"', '`') THEN 0
		ELSE strpos(token, '.') END;
	said text := left(token, greatest(dot - 1, 0));
BEGIN
	IF dot = 0 THEN
		type := 'attribute';
		key := mlmeta_internal.rest_unquote(token);
	ELSE
		key := mlmeta_internal.rest_unquote(substr(token, dot + 1));
		SELECT w.type INTO type
		FROM mlmeta_internal.rest_filter_words AS w
		WHERE w.search = rest_identifier.search AND w.word = said;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'Invalid entity type ''%''. Valid entity types are (%)',
					said, (SELECT string_agg(DISTINCT '''' || w.word || '''', ', ')
						FROM mlmeta_internal.rest_filter_words AS w
						WHERE w.search = rest_identifier.search)
				USING ERRCODE = 'invalid_parameter_value';
		END IF;
	END IF;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_identifier(text, text) IS
	'the type and the key that a name means in a search';

CREATE FUNCTION mlmeta_internal.rest_strings(token text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	result text[] := '{}';
	fresh boolean := true;
	item text;
BEGIN
	FOREACH item IN ARRAY mlmeta_internal.rest_tokens(
			substr(token, 2, length(token) - 2)) LOOP
		IF item = ',' THEN
			fresh := true;
		ELSIF NOT mlmeta_internal.rest_is_string(item) THEN
			RAISE EXCEPTION 'While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: %',
					left(token, 200)
				USING ERRCODE = 'invalid_parameter_value';
		ELSIF fresh THEN
			result := result || mlmeta_internal.rest_unquote(item);
			fresh := false;
		ELSE
			-- Strings side by side are one, as in Python.
			result[cardinality(result)] := result[cardinality(result)]
				|| mlmeta_internal.rest_unquote(item);
		END IF;
	END LOOP;
	IF cardinality(result) = 0 THEN
		RAISE EXCEPTION 'While parsing a list in the query, expected a non-empty list of string values, but got empty list'
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN to_jsonb(result);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_strings(text) IS
	'a list of strings in parentheses';

CREATE FUNCTION mlmeta_internal.rest_number_value(token text, what text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF NOT mlmeta_internal.rest_is_number(token) THEN
		RAISE EXCEPTION 'Expected numeric value type for %. Found %', what, left(token, 200)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RETURN to_jsonb(token);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_number_value(text, text) IS
	'a token that must be a number';

CREATE FUNCTION mlmeta_internal.rest_string_value(token text, what text) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	IF mlmeta_internal.rest_is_string(token) THEN
		RETURN to_jsonb(mlmeta_internal.rest_unquote(token));
	ELSIF mlmeta_internal.rest_is_number(token) OR left(token, 1) = '('
			OR upper(token) = 'NULL' THEN
		RAISE EXCEPTION 'Expected a quoted string value for %. Got value %', what, left(token, 200)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	RAISE EXCEPTION 'Parameter value is either not quoted or unidentified quote types used for string value %. Use either single or double quotes.', left(token, 200)
		USING ERRCODE = 'invalid_parameter_value';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_string_value(text, text) IS
	'a token that must be a string';

CREATE FUNCTION mlmeta_internal.rest_value(
	token text,
	type text,
	key text,
	search text
) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	kind text;
BEGIN
	IF type = 'metric' THEN
		RETURN mlmeta_internal.rest_number_value(token, 'metric');
	ELSIF type IN ('parameter', 'tag') THEN
		RETURN mlmeta_internal.rest_string_value(token,
			type || ' (e.g. ''my-value'')');
	END IF;
	SELECT k.kind INTO kind
	FROM mlmeta_internal.rest_filter_keys AS k
	WHERE k.search = rest_value.search AND k.type = rest_value.type
		AND k.key = rest_value.key;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'Invalid % key ''%'' specified. Valid keys are ''{%}''', type,
				key, (SELECT string_agg('''' || k.key || '''', ', ' ORDER BY k.key)
					FROM mlmeta_internal.rest_filter_keys AS k
					WHERE k.search = rest_value.search AND k.type = rest_value.type)
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF kind = 'number' THEN
		RETURN mlmeta_internal.rest_number_value(token, 'numeric attribute: ' || key);
	ELSIF left(token, 1) = '(' THEN
		IF kind <> 'list' THEN
			RAISE EXCEPTION 'Only the ''run_id'' attribute supports comparison with a list of quoted string values.'
				USING ERRCODE = 'invalid_parameter_value';
		END IF;
		RETURN mlmeta_internal.rest_strings(token);
	END IF;
	RETURN mlmeta_internal.rest_string_value(token, CASE type
		WHEN 'dataset' THEN 'dataset attributes' ELSE 'attributes' END);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_value(text, text, text, text) IS
	'the value that a token means for what it is compared with';

CREATE FUNCTION mlmeta_internal.rest_filter(filter text, search text) RETURNS jsonb
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tokens text[] := mlmeta_internal.rest_tokens(filter);
	n int := cardinality(tokens);
	at int := 1;
	operator text;
	name record;
	result jsonb := '[]';
BEGIN
	IF n = 0 AND filter <> '' THEN
		RAISE EXCEPTION 'Invalid filter ''%''. Could not be parsed.', filter
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	WHILE at <= n LOOP
		-- Where MLflow does not mind an AND too many or too few, nor do we.
		IF upper(tokens[at]) = 'AND' THEN
			at := at + 1;
			CONTINUE;
		END IF;
		operator := upper(tokens[at + 1]);
		IF operator = 'NOT' AND upper(tokens[at + 2]) = 'IN' THEN
			tokens := tokens[:at] || (tokens[at + 1] || ' ' || tokens[at + 2])
				|| tokens[at + 3:];
			operator := 'NOT IN';
		END IF;
		IF at + 2 > cardinality(tokens) OR (operator ~ '^([<>=!~]+|LIKE|ILIKE|RLIKE|IN|NOT IN)$') IS NOT TRUE
				OR (operator IN ('IN', 'NOT IN') AND left(tokens[at + 2], 1) <> '(')
				OR tokens[at] !~ '^[[:alnum:]_"`]' OR upper(tokens[at]) IN ('OR', 'NOT')
				OR tokens[at + 2] !~ '^([[:alnum:]_"`''(.]|-[0-9.])' THEN
			PERFORM mlmeta_internal.rest_no_clause(tokens[at:]);
		ELSIF mlmeta_internal.rest_is_number(tokens[at]) THEN
			RAISE EXCEPTION 'Invalid comparison clause. Expected ''Identifier'' found ''%''', tokens[at]
				USING ERRCODE = 'invalid_parameter_value';
		END IF;
		name := mlmeta_internal.rest_identifier(tokens[at], search);
		result := result || jsonb_build_object('type', name.type, 'key', name.key,
			'comparator', tokens[at + 1], 'value', mlmeta_internal.rest_value(
				tokens[at + 2], name.type, name.key, search));
		at := at + 3;
		n := cardinality(tokens);
	END LOOP;
	RETURN result;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_filter(text, text) IS
	'a filter as a list of comparisons, each with type, key, comparator and value';

-- Conditions --------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.rest_float(number text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	value numeric := number::numeric;
BEGIN
	RETURN format('%L::float8', CASE
		WHEN value > 1.7976931348623157e308 THEN 'Infinity'
		WHEN value < -1.7976931348623157e308 THEN '-Infinity'
		WHEN abs(value) < 5e-324 THEN '0' ELSE value::text END);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_float(text) IS
	'the number of a filter as a literal of SQL; one that is too large is infinite';

CREATE FUNCTION mlmeta_internal.rest_no_comparator(comparator text, valid text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RAISE EXCEPTION 'Invalid comparator ''%'' not one of ''%''', comparator, valid
		USING ERRCODE = 'invalid_parameter_value';
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_no_comparator(text, text) IS
	'raises the error for a comparator that does not go with what is compared';

CREATE FUNCTION mlmeta_internal.rest_number_condition(expression text, comparison jsonb)
RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	comparator text := comparison ->> 'comparator';
BEGIN
	IF comparator NOT IN ('=', '!=', '>', '>=', '<', '<=') THEN
		PERFORM mlmeta_internal.rest_no_comparator(comparator, '=, !=, >, >=, <, <=');
	END IF;
	-- SQL puts NaN above all numbers; here it is none of them.
	RETURN format('(%s %s %s%s)', expression, comparator,
		mlmeta_internal.rest_float(comparison ->> 'value'),
		CASE WHEN comparison ->> 'type' = 'metric' AND comparator LIKE '>%'
			THEN format(' AND %s <> ''NaN''::float8', expression) ELSE '' END);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_number_condition(text, jsonb) IS
	'the condition of SQL for a comparison with a number';

CREATE FUNCTION mlmeta_internal.rest_text_condition(
	expression text,
	comparison jsonb,
	lists boolean DEFAULT false
) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	comparator text := upper(comparison ->> 'comparator');
	value jsonb := comparison -> 'value';
	is_list boolean := jsonb_typeof(value) = 'array';
	items text[];
BEGIN
	IF comparator IN ('IN', 'NOT IN') AND lists AND is_list THEN
		items := ARRAY(SELECT v.item FROM jsonb_array_elements_text(value) AS v (item));
		RETURN format('(%s %s (%L::text[]))', expression, CASE comparator
			WHEN 'IN' THEN '= ANY' ELSE '<> ALL' END, items);
	ELSIF comparator NOT IN ('=', '!=', 'LIKE', 'ILIKE') OR is_list THEN
		PERFORM mlmeta_internal.rest_no_comparator(comparison ->> 'comparator',
			'=, !=, LIKE, ILIKE' || CASE WHEN lists THEN ', IN, NOT IN' ELSE '' END);
	END IF;
	RETURN format('(%s %s %L)', expression, comparator, value #>> '{}');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_text_condition(text, jsonb, boolean) IS
	'the condition of SQL for a comparison with a text, or with a list of them';

CREATE FUNCTION mlmeta_internal.rest_attribute_condition(comparison jsonb, search text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	attribute record;
BEGIN
	SELECT k.kind, k.expression INTO STRICT attribute
	FROM mlmeta_internal.rest_filter_keys AS k
	WHERE k.search = rest_attribute_condition.search
		AND k.type = comparison ->> 'type' AND k.key = comparison ->> 'key';
	RETURN CASE attribute.kind WHEN 'number'
		THEN mlmeta_internal.rest_number_condition(attribute.expression, comparison)
		ELSE mlmeta_internal.rest_text_condition(attribute.expression, comparison,
			attribute.kind = 'list') END;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_attribute_condition(jsonb, text) IS
	'the condition of SQL for a comparison of an attribute';

-- Of tags that are a JSON object in the row itself
CREATE FUNCTION mlmeta_internal.rest_conditions(filter text, search text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN coalesce((
		SELECT string_agg(CASE WHEN c.comparison ->> 'type' = 'attribute'
			THEN mlmeta_internal.rest_attribute_condition(c.comparison, search)
			ELSE mlmeta_internal.rest_text_condition(format('(r.%s ->> %L)',
				CASE c.comparison ->> 'type' WHEN 'parameter' THEN 'params' ELSE 'tags' END,
				c.comparison ->> 'key'), c.comparison) END, ' AND ' ORDER BY c.n)
		FROM jsonb_array_elements(mlmeta_internal.rest_filter(coalesce(filter, ''),
			search)) WITH ORDINALITY AS c (comparison, n)
		WHERE c.comparison ->> 'type' <> 'metric'
	), 'true');
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_conditions(text, text) IS
	'the condition of SQL for a filter over rows that hold their tags';

-- Orders ------------------------------------------------------------------------

CREATE FUNCTION mlmeta_internal.rest_order(
	clause text,
	search text,
	OUT type text,
	OUT key text,
	OUT ascending boolean
) RETURNS record
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tokens text[] := mlmeta_internal.rest_tokens(clause);
	name record;
BEGIN
	IF cardinality(tokens) NOT IN (1, 2) OR clause <> btrim(clause)
			OR tokens[1] !~ '^[[:alnum:]_"`]' THEN
		RAISE EXCEPTION 'Invalid order_by clause ''%''. Could not be parsed.', left(clause, 200)
			USING ERRCODE = 'invalid_parameter_value';
	ELSIF upper(tokens[2]) NOT IN ('ASC', 'DESC') THEN
		RAISE EXCEPTION 'Invalid ordering key in order_by clause ''%''.', left(clause, 200)
			USING ERRCODE = 'invalid_parameter_value';
	END IF;
	name := mlmeta_internal.rest_identifier(tokens[1], search);
	type := name.type;
	key := name.key;
	ascending := coalesce(upper(tokens[2]) = 'ASC', true);
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_order(text, text) IS
	'what a clause of order_by names, and in which direction';

-- The order of searches that know a few keys only
CREATE FUNCTION mlmeta_internal.rest_order_by(
	clauses text[],
	search text,
	known jsonb,
	usual text
) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	clause text;
	wanted record;
	result text := '';
	seen text[] := '{}';
BEGIN
	FOREACH clause IN ARRAY coalesce(clauses, '{}') LOOP
		wanted := mlmeta_internal.rest_order(clause, search);
		IF wanted.type <> 'attribute' OR NOT known ? wanted.key THEN
			RAISE EXCEPTION 'Invalid order by key ''%'' specified. Valid keys are ''{%}''',
					wanted.key, (SELECT string_agg('''' || k.key || '''', ', ')
						FROM jsonb_object_keys(known) AS k (key))
				USING ERRCODE = 'invalid_parameter_value';
		ELSIF wanted.key = ANY (seen) THEN
			RAISE EXCEPTION '`order_by` contains duplicate fields: %', wanted.key
				USING ERRCODE = 'invalid_parameter_value';
		END IF;
		seen := seen || wanted.key;
		result := result || format('%s %s, ', known ->> wanted.key,
			CASE WHEN wanted.ascending THEN 'ASC' ELSE 'DESC' END);
	END LOOP;
	RETURN result || usual;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.rest_order_by(text[], text, jsonb, text) IS
	'the ORDER BY of SQL for a list of clauses, with what decides ties';
