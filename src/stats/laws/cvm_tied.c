/*
 * cvm_tied.c
 *		Exact p-values of the two-sample Cramer-von Mises test for data with
 *		ties.
 *
 * The groups are walked in ascending order.  For each number i of reference
 * rows so far there is a list of the values that 12 U may have by then, each
 * with the number of labellings that lead there.  U only grows: what has
 * reached the observed value is counted with all its continuations, and left
 * out.
 */
#include "core/compat.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "cvm_tied.h"

/* Counts of labellings are doubles, below C(1000, 500) */
#define MAX_TIED_ROWS	1000

/* Merged entries: about 0.3 s */
#define ENTRY_BUDGET	INT64CONST(50000000)

typedef struct Outcome
{
	int64		value;
	double		labellings;
} Outcome;

typedef struct OutcomeList
{
	int64		n;
	Outcome    *list;			/* ascending, distinct values */
} OutcomeList;

static double
choose(int64 n, int64 k)
{
	double		result = 1.0;

	k = Min(k, n - k);
	for (int64 i = 1; i <= k; i++)
		result = result * (double) (n - k + i) / (double) i;
	return result;
}

/* into += from with values moved by step and labellings times factor */
static void
merge_outcomes(OutcomeList *into, const OutcomeList *from, int64 step,
			   double factor)
{
	Outcome    *merged;
	int64		n = 0;
	int64		i = 0;
	int64		j = 0;

	if (from->n == 0)
		return;
	merged = palloc(mul_size(into->n + from->n, sizeof(Outcome)));
	while (i < into->n || j < from->n)
	{
		int64		a = i < into->n ? into->list[i].value : PG_INT64_MAX;
		int64		b = j < from->n ? from->list[j].value + step :
			PG_INT64_MAX;

		merged[n].value = Min(a, b);
		merged[n].labellings = 0.0;
		if (a <= b)
			merged[n].labellings += into->list[i++].labellings;
		if (b <= a)
			merged[n].labellings += factor * from->list[j++].labellings;
		n++;
	}
	if (into->list != NULL)
		pfree(into->list);
	into->list = merged;
	into->n = n;
}

bool
cvm_exact_tied(const TieGroup *groups, int64 ngroups, double *p)
{
	MemoryContext context;
	MemoryContext previous;
	OutcomeList *lists;
	int64		n = 0;
	int64		m = 0;
	int64		observed = 0;
	int64		below = 0;
	int64		work = 0;
	double		tail = 0.0;

	for (int64 g = 0; g < ngroups; g++)
	{
		n += groups[g].reference;
		m += groups[g].current;
	}
	if (n < 1 || m < 1 || n + m > MAX_TIED_ROWS)
		return false;
	for (int64 g = 0, i = 0, j = 0; g < ngroups; g++)
	{
		int64		a = groups[g].reference;
		int64		b = groups[g].current;

		observed += n * (int64) cvm_rank_distance(a, b, j) +
			m * (int64) cvm_rank_distance(b, a, i);
		i += a;
		j += b;
	}

	context = AllocSetContextCreate(CurrentMemoryContext, "mlmeta cvm law",
									ALLOCSET_DEFAULT_SIZES);
	previous = MemoryContextSwitchTo(context);
	lists = palloc0((n + 1) * sizeof(OutcomeList));
	lists[0].n = 1;
	lists[0].list = palloc(sizeof(Outcome));
	lists[0].list[0].value = 0;
	lists[0].list[0].labellings = 1.0;

	for (int64 g = 0; g < ngroups && work <= ENTRY_BUDGET; g++)
	{
		int64		size = groups[g].reference + groups[g].current;
		OutcomeList *next = palloc0((n + 1) * sizeof(OutcomeList));

		CHECK_FOR_INTERRUPTS();
		for (int64 i = 0; i <= Min(n, below); i++)
		{
			int64		j = below - i;

			for (int64 a = Max(0, size - (m - j)); a <= Min(size, n - i); a++)
			{
				int64		b = size - a;
				int64		step = n * (int64) cvm_rank_distance(a, b, j) +
					m * (int64) cvm_rank_distance(b, a, i);

				if (lists[i].n == 0)
					continue;
				merge_outcomes(&next[i + a], &lists[i], step,
							   choose(size, a));
				work += next[i + a].n;
			}
			if (lists[i].list != NULL)
				pfree(lists[i].list);
		}
		pfree(lists);
		lists = next;
		below += size;

		/* what has reached the observed value stays there */
		for (int64 i = 0; i <= Min(n, below); i++)
		{
			OutcomeList *list = &lists[i];
			double		reached = 0.0;

			while (list->n > 0 && list->list[list->n - 1].value >= observed)
				reached += list->list[--list->n].labellings;
			if (reached > 0.0)
				tail += reached * choose(n + m - below, n - i);
		}
	}
	MemoryContextSwitchTo(previous);
	MemoryContextDelete(context);
	if (work > ENTRY_BUDGET)
		return false;
	*p = Min(1.0, tail / choose(n + m, n));
	return true;
}
