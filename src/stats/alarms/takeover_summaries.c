/*-------------------------------------------------------------------------
 *
 * takeover_summaries.c
 *		The counts of values that the test of single values looks at.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "common/shortest_dec.h"
#include "stats/alarms/takeover_summaries.h"
#include "utils/builtins.h"
#include "utils/float.h"

/* By how much an estimate of distinct new values may fall short */
#define NEW_VALUES_MARGIN	1.3

/* Bins on each side that a bin of a range is compared with, and how much more
 * than they it may grow where values move */
#define NEIGHBORS			4
#define STEEPEST			8

/* Counts of values, and which table's entry or example each one is */
typedef struct ValueCounts
{
	int			k;
	int64	   *reference;
	int64	   *current;
	int		   *place;			/* entry of current from 0, example -1 - i, of
								 * reference NOT_CURRENT + i */
} ValueCounts;

#define NOT_CURRENT		1000000
#define ANY_NEW_VALUE	PG_INT32_MIN

static int
compare_categories(Category a, Category b)
{
	int			cmp = memcmp(a.bytes, b.bytes, Min(a.size, b.size));

	if (cmp != 0)
		return cmp;
	if (a.size != b.size)
		return a.size < b.size ? -1 : 1;
	return (int) a.is_long - (int) b.is_long;
}

static void
add_value(ValueCounts *counts, int64 reference, int64 current, int place)
{
	counts->reference[counts->k] = reference;
	counts->current[counts->k] = current;
	counts->place[counts->k] = place;
	counts->k++;
}

/* The most that a table can have had of an entry's value */
static inline int64
most_of(const FrequencyTable *table, int i)
{
	return table->entries[i].count +
		(table->form == FREQUENCIES_OWN ? table->entries[i].missed : 0);
}

/* Whatever a table without an entry for a value can have had of it */
static inline int64
most_without_entry(const FrequencyTable *table)
{
	return table->form == FREQUENCIES_OWN ? table->bound :
		frequency_table_other(table);
}

static void
add_new_values(ValueCounts *counts, const FrequencyTable *reference,
			   FrequencyTable *current)
{
	int64		bound = most_without_entry(reference);
	int64		rest = frequency_table_other(current);
	double		distinct = (double) frequency_table_distinct(current);

	for (int i = 0; i < current->n_entries; i++)
		distinct -= current->entries[i].count > 0;
	for (int i = 0; i < current->n_examples; i++)
	{
		add_value(counts, bound, current->examples[i].count, -1 - i);
		rest -= current->examples[i].count;
	}
	distinct = Max(1, (distinct - current->n_examples) * NEW_VALUES_MARGIN);
	if (rest > 0)
		add_value(counts, bound, (int64) ceil((double) rest / distinct),
				  ANY_NEW_VALUE);
}

static void
align_values(ValueCounts *counts, FrequencyTable *reference,
			 FrequencyTable *current)
{
	int			i = 0;
	int			j = 0;

	frequency_table_sort(reference);
	frequency_table_sort(current);
	while (i < reference->n_entries || j < current->n_entries)
	{
		int			cmp;

		if (i == reference->n_entries)
			cmp = 1;
		else if (j == current->n_entries)
			cmp = -1;
		else
			cmp = compare_categories(frequency_table_category(reference, i),
									 frequency_table_category(current, j));
		if (cmp == 0)
			add_value(counts, most_of(reference, i),
					  current->entries[j].count, j);
		else if (cmp > 0)
			add_value(counts, most_without_entry(reference),
					  current->entries[j].count, j);
		else if (frequency_table_other(current) == 0)
			add_value(counts, reference->entries[i].count, 0,
					  NOT_CURRENT + i);
		i += cmp <= 0;
		j += cmp >= 0;
	}
}

static char *
value_at(FrequencyTable *reference, FrequencyTable *current, int place)
{
	if (place == ANY_NEW_VALUE)
		return NULL;
	if (place < 0)
		return category_display(frequency_table_example(current, -1 - place));
	if (place >= NOT_CURRENT)
		return category_display(frequency_table_category(reference,
														 place - NOT_CURRENT));
	if (current->form != FREQUENCIES_DETACHED)
		return category_display(frequency_table_category(current, place));
	/* the same entry, whatever the baseline's order */
	if (reference->form != FREQUENCIES_DETACHED)
		return category_display(frequency_table_category(reference, place));
	return NULL;
}

Takeover
takeover_of_tables(FrequencyTable *reference, FrequencyTable *current,
				   char **value)
{
	int			most = reference->n_entries + current->n_entries +
		current->n_examples + 1;
	ValueCounts counts;
	Takeover	result;

	counts.k = 0;
	counts.reference = palloc(most * sizeof(int64));
	counts.current = palloc(most * sizeof(int64));
	counts.place = palloc(most * sizeof(int));
	if (reference->form == FREQUENCIES_DETACHED ||
		current->form == FREQUENCIES_DETACHED)
	{
		frequency_table_sort(reference);
		for (int i = 0; i < reference->n_entries; i++)
			add_value(&counts, most_of(reference, i),
					  current->entries[i].count, i);
	}
	else
		align_values(&counts, reference, current);
	if (current->form != FREQUENCIES_OWN)
		add_new_values(&counts, reference, current);
	result = takeover_test(counts.reference, counts.current, counts.k,
						   reference->n, current->n);
	*value = result.cell < 0 ? NULL :
		value_at(reference, current, counts.place[result.cell]);
	pfree(counts.reference);
	pfree(counts.current);
	pfree(counts.place);
	return result;
}

/* The shortest text of a number, whatever the session's settings are */
static char *
number_text(double value)
{
	char	   *text = palloc(DOUBLE_SHORTEST_DECIMAL_LEN);

	double_to_shortest_decimal_buf(value, text);
	return text;
}

static char *
bin_name(const Histogram *histogram, int bin)
{
	const HistogramGrid *grid = histogram->grid;

	if (grid == NULL)
		return NULL;
	if (grid->n_edges == 0)
		return pstrdup("any value");
	if (bin == 0)
		return psprintf("below %s", number_text(grid->edges[0]));
	if (bin == grid->n_edges)
		return psprintf("from %s on", number_text(grid->edges[bin - 1]));
	if (histogram_bin_is_point(grid, bin))
		return number_text(grid->edges[bin - 1]);
	return psprintf("from %s to below %s",
					number_text(grid->edges[bin - 1]),
					number_text(grid->edges[bin]));
}

/*
 * A bin that holds a range grows with its neighbors where values move, and most
 * at the ends, where rows that depend on each other gather; one value grows
 * alone. What the neighbors' growth explains, and STEEPEST times as much, is
 * taken off: the rest is what one value has taken over at least.
 */
static int64
count_alone(const Histogram *reference, const Histogram *current, int bin)
{
	double		expected = (double) reference->counts[bin] *
		(double) current->n / (double) reference->n;
	double		count = (double) current->counts[bin];
	double		before = 0;
	double		now = 0;
	double		growth;

	if (count <= expected ||
		(reference->grid != NULL && bin > 0 &&
		 bin < reference->grid->n_edges &&
		 histogram_bin_is_point(reference->grid, bin)))
		return current->counts[bin];
	for (int i = Max(0, bin - NEIGHBORS);
		 i <= Min(reference->n_bins - 1, bin + NEIGHBORS); i++)
		if (i != bin)
		{
			before += (double) reference->counts[i];
			now += (double) current->counts[i];
		}
	growth = before > 0 ?
		now * (double) reference->n / (before * (double) current->n) : 1;
	if (growth <= 1)
		return current->counts[bin];
	count -= expected * STEEPEST * (growth - 1);
	return (int64) Max(count, expected);
}

Takeover
takeover_of_histograms(const Histogram *reference, const Histogram *current,
					   char **value)
{
	int64	   *alone = palloc(reference->n_bins * sizeof(int64));
	Takeover	result;

	for (int i = 0; i < reference->n_bins; i++)
		alone[i] = count_alone(reference, current, i);
	result = takeover_test(reference->counts, alone, reference->n_bins,
						   reference->n, current->n);
	pfree(alone);

	*value = NULL;
	if (result.cell >= 0)
		*value = bin_name(reference->grid != NULL ? reference : current,
						  result.cell);
	return result;
}
