/*-------------------------------------------------------------------------
 *
 * facts.c
 *		Facts as lines, gathered into batches for the spool.
 *
 * A line is a JSON object or a list of key=value. Keys step, time and context
 * say something about the others:
 *
 *		{"loss": 0.25, "acc": "NaN", "step": 7, "context": "train"}
 *		{"metrics": {...}, "params": {...}, "tags": {...}, "step": 7}
 *		step=7 loss=0.25 acc=nan
 *
 *-------------------------------------------------------------------------
 */
#include "facts.h"

#include <float.h>
#include <math.h>

#include "common/shortest_dec.h"

/* Most series in one batch: each is a few parameters of one statement */
#define SERIES_AT_ONCE	100

Facts *
facts_begin(Spool *spool, const char *run)
{
	Facts	   *facts = pg_malloc0(sizeof(Facts));

	facts->spool = spool;
	facts->lasting = true;
	strlcpy(facts->run, run, sizeof(facts->run));
	return facts;
}

static uint64
hash_name(const char *key, const char *context)
{
	uint64		hash = UINT64CONST(14695981039346656037);

	for (const char *c = key; *c != '\0'; c++)
		hash = (hash ^ (unsigned char) *c) * UINT64CONST(1099511628211);
	hash = (hash ^ 0xFF) * UINT64CONST(1099511628211);
	for (const char *c = context; *c != '\0'; c++)
		hash = (hash ^ (unsigned char) *c) * UINT64CONST(1099511628211);
	return hash;
}

/* The series of that name; a new one when there is none. */
static Series *
find_series(Facts *facts, const char *key, const char *context)
{
	uint64		hash = hash_name(key, context);
	Series	   *series;

	/* As a rule metrics come in the same order again and again */
	for (int i = 1; i <= facts->n_series; i++)
	{
		int			at = (facts->last + i) % facts->n_series;

		series = &facts->series[at];
		if (series->hash == hash && strcmp(series->key, key) == 0
			&& strcmp(series->context, context) == 0)
		{
			facts->last = at;
			return series;
		}
	}
	if (facts->n_series == facts->room)
	{
		facts->room = Max(16, 2 * facts->room);
		facts->series = pg_realloc(facts->series,
								   sizeof(Series) * facts->room);
	}
	facts->last = facts->n_series;
	series = &facts->series[facts->n_series++];
	memset(series, 0, sizeof(Series));
	series->key = pg_strdup(key);
	series->context = pg_strdup(context);
	series->hash = hash;
	return series;
}

/*
 * Gather one point; without a step it gets the one after the series' highest.
 * False when the server would take the name for none.
 */
bool
facts_add_point(Facts *facts, const char *key, const char *context,
				const int64 *step, int64 at, double value)
{
	Series	   *series;

	if (!is_name(key) || (*context != '\0' && !is_name(context)))
		return false;
	series = find_series(facts, key, context);
	if (series->n == series->room)
	{
		series->room = Max(16, 2 * series->room);
		series->steps = pg_realloc(series->steps,
								   sizeof(int64) * series->room);
		series->times = pg_realloc(series->times,
								   sizeof(int64) * series->room);
		series->values = pg_realloc(series->values,
									sizeof(double) * series->room);
	}
	series->steps[series->n] = step == NULL ? series->next_step : *step;
	series->times[series->n] = at;
	series->values[series->n] = value;
	if (series->steps[series->n] >= series->next_step
		&& series->steps[series->n] < PG_INT64_MAX)
		series->next_step = series->steps[series->n] + 1;
	series->n++;
	facts->n_points++;
	if (facts->n_points >= POINTS_AT_ONCE)
		facts_flush(facts);
	return true;
}

/* Batches ----------------------------------------------------------------- */

/* One series as log_series() takes it, in array literals; empties it. */
static json_t *
pack_series(Series *series)
{
	PQExpBufferData steps;
	PQExpBufferData times;
	PQExpBufferData values;
	json_t	   *result = json_object();
	char		number[DOUBLE_SHORTEST_DECIMAL_LEN];

	initPQExpBuffer(&steps);
	initPQExpBuffer(&times);
	initPQExpBuffer(&values);
	for (int i = 0; i < series->n; i++)
	{
		const char *mark = i == 0 ? "{" : ",";
		char	   *at = time_text(series->times[i]);

		appendPQExpBuffer(&steps, "%s" INT64_FORMAT, mark, series->steps[i]);
		appendPQExpBuffer(&times, "%s%s", mark, at);
		double_to_shortest_decimal_buf(series->values[i], number);
		appendPQExpBuffer(&values, "%s%s", mark, number);
		pg_free(at);
	}
	appendPQExpBufferChar(&steps, '}');
	appendPQExpBufferChar(&times, '}');
	appendPQExpBufferChar(&values, '}');
	json_object_set_new(result, "key", json_string(series->key));
	json_object_set_new(result, "context", json_string(series->context));
	json_object_set_new(result, "steps", json_string(steps.data));
	json_object_set_new(result, "points", json_string(values.data));
	json_object_set_new(result, "times", json_string(times.data));
	termPQExpBuffer(&steps);
	termPQExpBuffer(&times);
	termPQExpBuffer(&values);
	series->n = 0;
	return result;
}

static void
put(Facts *facts, const char *kind, json_t *body)
{
	if (!spool_append(facts->spool, facts->run, kind, body))
		facts->lasting = false;
	json_decref(body);
}

/* Put what was gathered into the spool. */
void
facts_flush(Facts *facts)
{
	json_t	   *list = NULL;

	for (int i = 0; i < facts->n_series; i++)
	{
		if (facts->series[i].n == 0)
			continue;
		if (list == NULL)
			list = json_array();
		json_array_append_new(list, pack_series(&facts->series[i]));
		if (json_array_size(list) == SERIES_AT_ONCE)
		{
			put(facts, FACT_POINTS, list);
			list = NULL;
		}
	}
	if (list != NULL)
		put(facts, FACT_POINTS, list);
	facts->n_points = 0;
}

/* Put a fact into the spool, behind what was gathered; takes the body. */
void
facts_add(Facts *facts, const char *kind, json_t *body)
{
	facts_flush(facts);
	put(facts, kind, body);
}

/* Numbers and names ------------------------------------------------------- */

/* A number as C and SQL write it; NaN and infinities in any case. */
bool
parse_number(const char *text, double *value)
{
	char	   *end;

	/* strtod() would also take hexadecimal and leading blanks */
	if (*text == '\0' || isspace((unsigned char) *text)
		|| strpbrk(text, "xXpP(") != NULL)
		return false;
	errno = 0;
	*value = strtod(text, &end);
	if (*end != '\0' || (errno == ERANGE && fabs(*value) > 1))
		return false;
	return true;
}

/* A parameter's value: a number, true, false or null as such, else a string */
json_t *
parse_value(const char *text)
{
	json_t	   *value = NULL;

	if (*text != '"')
		value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES,
						   NULL);
	return value == NULL ? json_text(text) : value;
}

/*
 * KEY=VALUE: the key, which the caller frees, and where the value begins;
 * false when there is no key that can be one.
 */
bool
split_assignment(const char *text, char **key, const char **value)
{
	const char *sign = strchr(text, '=');

	if (sign == NULL)
		return false;
	*key = psprintf("%.*s", (int) (sign - text), text);
	*value = sign + 1;
	if (is_name(*key))
		return true;
	pg_free(*key);
	return false;
}

/* A time: seconds since 1970, or milliseconds when it is that large */
static bool
parse_time(double value, int64 *at)
{
	if (!isfinite(value) || value < 0 || value > 1e14)
		return false;
	*at = value > 1e11 ? (int64) (value * 1000) : (int64) (value * 1000000);
	return true;
}

static bool
json_double(const json_t *value, double *number)
{
	if (json_is_number(value))
	{
		*number = json_number_value(value);
		return true;
	}
	if (json_is_boolean(value))
	{
		*number = json_is_true(value);
		return true;
	}
	return json_is_string(value)
		&& parse_number(json_string_value(value), number);
}

/* Lines ------------------------------------------------------------------- */

/* What a line says about all its metrics */
typedef struct LineScope
{
	int64		step;
	bool		has_step;
	int64		at;
	const char *context;
} LineScope;

/*
 * Python writes NaN, Infinity and -Infinity bare, which JSON does not know:
 * quote them where they stand outside of strings.
 */
static char *
quote_bare_numbers(const char *line, size_t size)
{
	static const char *const bare[] = {"-Infinity", "Infinity", "NaN"};
	PQExpBufferData result;
	bool		inside = false;

	initPQExpBuffer(&result);
	for (size_t i = 0; i < size;)
	{
		bool		found = false;

		if (inside && line[i] == '\\' && i + 1 < size)
		{
			appendBinaryPQExpBuffer(&result, line + i, 2);
			i += 2;
			continue;
		}
		if (line[i] == '"')
			inside = !inside;
		for (int k = 0; !inside && !found && k < lengthof(bare); k++)
		{
			size_t		length = strlen(bare[k]);

			if (size - i >= length && strncmp(line + i, bare[k], length) == 0)
			{
				appendPQExpBuffer(&result, "\"%s\"", bare[k]);
				i += length;
				found = true;
			}
		}
		if (!found)
			appendPQExpBufferChar(&result, line[i++]);
	}
	return result.data;
}

static json_t *
parse_object(const char *line, size_t size)
{
	json_t	   *object = json_loadb(line, size, 0, NULL);
	char	   *quoted;

	if (object == NULL)
	{
		quoted = quote_bare_numbers(line, size);
		object = json_loads(quoted, JSON_DECODE_INT_AS_REAL, NULL);
		free(quoted);
	}
	if (object != NULL && !json_is_object(object))
	{
		json_decref(object);
		object = NULL;
	}
	return object;
}

static bool
read_scope(const json_t *object, LineScope *scope)
{
	static const char *const times[] = {"time", "timestamp", "at"};
	const json_t *step = json_object_get(object, "step");
	const json_t *context = json_object_get(object, "context");

	scope->at = now_us();
	scope->context = "";
	scope->has_step = step != NULL && !json_is_null(step);
	if (json_is_integer(step))
		scope->step = json_integer_value(step);
	else if (json_is_real(step) && fabs(json_real_value(step)) < 9e18)
		scope->step = (int64) json_real_value(step);
	else if (scope->has_step)
		return false;
	if (json_is_string(context))
		scope->context = json_string_value(context);
	else if (context != NULL && !json_is_null(context))
		return false;
	for (int i = 0; i < lengthof(times); i++)
	{
		const json_t *value = json_object_get(object, times[i]);

		if (json_is_number(value)
			&& !parse_time(json_number_value(value), &scope->at))
			return false;
	}
	return true;
}

static bool
is_scope_key(const char *key)
{
	return strcmp(key, "step") == 0 || strcmp(key, "context") == 0
		|| strcmp(key, "time") == 0 || strcmp(key, "timestamp") == 0
		|| strcmp(key, "at") == 0;
}

static bool
add_metrics(Facts *facts, const json_t *metrics, const LineScope *scope)
{
	const char *key;
	json_t	   *value;
	bool		good = true;

	json_object_foreach((json_t *) metrics, key, value)
	{
		double		number;

		if (is_scope_key(key) || json_is_null(value) || json_is_object(value))
			continue;
		if (!json_double(value, &number)
			|| !facts_add_point(facts, key, scope->context,
								scope->has_step ? &scope->step : NULL,
								scope->at, number))
			good = false;
	}
	return good;
}

static bool
add_object(Facts *facts, const json_t *object)
{
	json_t	   *metrics = json_object_get(object, "metrics");
	json_t	   *params = json_object_get(object, "params");
	json_t	   *tags = json_object_get(object, "tags");
	LineScope	scope;
	bool		good = true;

	if (!read_scope(object, &scope))
		return false;
	if (json_is_object(metrics))
		good = add_metrics(facts, metrics, &scope) && good;
	if (json_is_object(params))
		facts_add(facts, FACT_PARAMS, json_incref(params));
	if (json_is_object(tags))
		facts_add(facts, FACT_TAGS, json_incref(tags));
	return add_metrics(facts, object, &scope) && good;
}

/* step=7 loss=0.25: every word an assignment of a number */
static bool
add_assignments(Facts *facts, char *line)
{
	json_t	   *object = json_object();
	bool		good = true;
	char	   *word;

	while (good && (word = strsep(&line, " \t,;")) != NULL)
	{
		char	   *key;
		const char *text;
		double		number;

		if (*word == '\0')
			continue;
		good = split_assignment(word, &key, &text);
		if (!good)
			break;
		if (strcmp(key, "context") == 0)
			json_object_set_new(object, key, json_text(text));
		else if (!parse_number(text, &number))
			good = false;
		else if (strcmp(key, "step") == 0)
			json_object_set_new(object, key,
								json_integer((json_int_t) number));
		else if (isfinite(number))
			json_object_set_new(object, key, json_real(number));
		else
			json_object_set_new(object, key, json_string(text));
		pg_free(key);
	}
	good = good && json_object_size(object) > 0 && add_object(facts, object);
	json_decref(object);
	return good;
}

/*
 * Gather what a line says. False when some of it is not understood, which is
 * counted; whatever the bytes are, it is no error.
 */
bool
facts_add_line(Facts *facts, const char *line, size_t size)
{
	bool		good = false;
	size_t		blank = 0;

	while (size > 0 && isspace((unsigned char) line[size - 1]))
		size--;
	while (blank < size && isspace((unsigned char) line[blank]))
		blank++;
	if (blank == size)
		return true;
	facts->n_lines++;
	line += blank;
	size -= blank;
	if (size <= LINE_LIMIT && is_utf8(line, size))
	{
		if (*line == '{')
		{
			json_t	   *object = parse_object(line, size);

			if (object != NULL)
				good = add_object(facts, object);
			json_decref(object);
		}
		else
		{
			char	   *copy = psprintf("%.*s", (int) size, line);

			good = add_assignments(facts, copy);
			pg_free(copy);
		}
	}
	if (!good && facts->n_bad++ == 0)
		facts->first_bad = make_utf8(line, Min(size, 60));
	return good;
}

/* Say how many lines were not understood, if any. */
void
facts_report_bad(const Facts *facts, const char *where)
{
	PQExpBufferData shown;

	if (facts->n_bad == 0)
		return;
	initPQExpBuffer(&shown);
	for (const char *c = facts->first_bad; *c != '\0'; c++)
	{
		if ((unsigned char) *c < 0x20 || *c == 0x7F)
			appendPQExpBuffer(&shown, "\\x%02x", (unsigned char) *c);
		else
			appendPQExpBufferChar(&shown, *c);
	}
	pg_log_warning("%lld of %lld lines on %s were not understood; the first: "
				   "\"%s\"",
				   (long long) facts->n_bad, (long long) facts->n_lines,
				   where, shown.data);
	pg_log_warning_hint("A line is a JSON object or a list of key=number; what "
						"is right in it is kept.");
	termPQExpBuffer(&shown);
}
