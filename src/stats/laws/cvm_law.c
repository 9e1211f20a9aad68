/*
 * cvm_law.c
 *		P-values of the two-sample Cramer-von Mises test.
 */
#include "core/compat.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "cvm_law.h"
#include "two_sample.h"

#define PI				3.14159265358979323846

/* nodes of the quadrature over one interval of the formula */
#define NODES			256

/* the limiting law has less than 1e-20 below this */
#define SMALLEST		0.0025

/* the exact law is always affordable for samples up to this size */
#define ALWAYS_EXACT	20

/* beyond that, while the table of counts passes through this many cells */
#define CELL_BUDGET		6e9

/* counts of paths stay within the range of a double */
#define MAX_ROWS		1000


/* ----------
 * The limiting law
 * ----------
 */

/*
 * Smirnov's formula (see ad_law.c) with s_k = (k pi)^2, for which D(s) is
 * sin(v) / v, v = sqrt(s): the intervals are |v - (2j - 1/2) pi| <= pi / 2.
 */
double
cramer_von_mises_sf(double x)
{
	double		sum = 0.0;

	if (isnan(x))
		return NAN;
	if (x < SMALLEST)
		return 1.0;
	for (int j = 1;; j++)
	{
		double		part = 0.0;

		for (int i = 0; i < NODES; i++)
		{
			double		theta = PI * (i + 0.5) / NODES;
			double		half = sin(0.5 * Min(theta, PI - theta));
			double		v = PI * (2.0 * j - 0.5 + 0.5 * cos(theta));

			/* |sin(v)|, from the distance to the nearer end */
			double		dip = sin(PI * half * half);

			part += exp(-0.5 * x * v * v) * sin(theta) / sqrt(v * dip);
		}
		part *= PI / NODES;
		sum += (j % 2) ? part : -part;
		if (part <= 1e-17 * sum || part == 0.0)
			break;
	}
	return Min(1.0, sum);
}

double
cvm_asymptotic_pvalue(double t, int64 n, int64 m)
{
	double		ref = (double) n;
	double		cur = (double) m;
	double		total = ref + cur;
	double		product = ref * cur;
	double		mean;
	double		variance;

	if (n < 1 || m < 1)
		elog(ERROR, "invalid sample sizes of a Cramer-von Mises law");
	mean = (1.0 + 1.0 / total) / 6.0;
	variance = (total + 1.0) / 45.0 / total *
		((4.0 * product * total - 3.0 * (ref * ref + cur * cur) -
		  2.0 * product) / (4.0 * product * total));
	if (!(variance > 0.0))
		return 1.0;				/* one row against one: T has one value */
	return cramer_von_mises_sf(1.0 / 6.0 + (t - mean) / sqrt(45.0 * variance));
}


/* ----------
 * The exact law
 * ----------
 */

/*
 * Counts of paths by the sum they have collected: count[0] belongs to the sum
 * `first`.
 */
typedef struct PathCounts
{
	int64		first;
	int64		length;
	double	   *count;
} PathCounts;

/*
 * The largest sum a path can collect on its way: all of one sample first.
 */
static double
largest_sum(int64 n, int64 m)
{
	int64		divisor = greatest_common_divisor(n, m);
	double		a = (double) (m / divisor);
	double		b = (double) (n / divisor);
	double		u = (double) n;
	double		v = (double) m;

	return a * a * u * (u + 1.0) * (2.0 * u + 1.0) / 6.0 +
		b * b * (v - 1.0) * v * (2.0 * v - 1.0) / 6.0;
}

bool
cvm_exact_affordable(int64 n, int64 m)
{
	if (n < 1 || m < 1 || n > MAX_ROWS || m > MAX_ROWS || n + m > MAX_ROWS)
		return false;
	if (Max(n, m) <= ALWAYS_EXACT)
		return true;
	return largest_sum(n, m) * (double) n * (double) m <= CELL_BUDGET;
}

/*
 * Sum of `left` and `up`, each path having moved to a new cell that adds
 * `step` to its sum, without the sums that are below `lowest` or not below
 * `end`.  Frees the counts of `up` and leaves the result there.  The sums that
 * reach `end` are returned as one number: how many paths.
 */
static double
join_paths(PathCounts *up, const PathCounts *left, int64 step,
		   int64 lowest, int64 end)
{
	const PathCounts *source[2];
	PathCounts	joined;
	double		reached = 0.0;
	int64		first = PG_INT64_MAX;
	int64		last = PG_INT64_MIN;

	source[0] = up;
	source[1] = left;
	for (int k = 0; k < 2; k++)
	{
		if (source[k] == NULL || source[k]->length == 0)
			continue;
		first = Min(first, source[k]->first + step);
		last = Max(last, source[k]->first + source[k]->length + step);
	}
	if (first > last)
		return 0.0;				/* no path comes here */
	joined.first = Max(first, lowest);
	joined.length = Max(Min(last, end) - joined.first, 0);
	joined.count = NULL;
	if (joined.length > 0)
		joined.count = palloc_extended(joined.length * sizeof(double),
									   MCXT_ALLOC_ZERO | MCXT_ALLOC_HUGE);

	for (int k = 0; k < 2; k++)
	{
		const double *count;
		int64		shift;
		int64		from;
		int64		to;

		if (source[k] == NULL || source[k]->length == 0)
			continue;
		count = source[k]->count;

		/* element i of the source is element i + shift of the result */
		shift = source[k]->first + step - joined.first;
		from = Max(0, -shift);
		to = Min(source[k]->length, joined.length - shift);
		for (int64 i = from; i < to; i++)
			joined.count[i + shift] += count[i];
		from = Max(0, end - source[k]->first - step);
		for (int64 i = from; i < source[k]->length; i++)
			reached += count[i];
	}
	if (up->count)
		pfree(up->count);
	*up = joined;
	return reached;
}

/*
 * U is a linear function of zeta, the sum over the cells (u, v) of a lattice
 * path of (a u - b v)^2, a = m / g, b = n / g, g the common divisor (Y. Xiao,
 * A. Gordon, A. Yakovlev, "A C++ program for the Cramer-von Mises two-sample
 * test", 2006).  Paths are counted by the sum collected so far, cell by cell;
 * those which cannot stay below zeta any more are counted at once with all
 * their continuations, those which cannot reach it are dropped.  Only positive
 * numbers are added.
 */
double
cvm_exact_pvalue(double u, int64 n, int64 m)
{
	int64		divisor;
	int64		a;
	int64		b;
	int64		rows = Max(n, m);
	int64		columns = Min(n, m);
	double		zeta_value;
	double		product;
	int64		zeta;
	double	   *ways;			/* from cell (r, c) to the end, row by row */
	int64	   *least;			/* least and most to come after a cell */
	int64	   *most;
	PathCounts *row;
	double		reached = 0.0;
	double		all;

	if (n < 1 || m < 1 || n > MAX_ROWS || m > MAX_ROWS || n + m > MAX_ROWS)
		elog(ERROR, "sample sizes " INT64_FORMAT " and " INT64_FORMAT
			 " are outside the exact Cramer-von Mises law", n, m);

	divisor = greatest_common_divisor(n, m);
	a = columns / divisor;		/* weighs the longer side, and b the other */
	b = rows / divisor;
	product = (double) n * (double) m;
	zeta_value = floor((double) (n + m) *
					   (6.0 * u - product * (4.0 * product - 1.0)) /
					   (6.0 * (double) divisor * (double) divisor));
	if (isnan(zeta_value))
		return NAN;
	if (zeta_value <= 0.0)
		return 1.0;
	if (zeta_value > largest_sum(n, m) && zeta_value > largest_sum(m, n))
		return 0.0;
	zeta = (int64) zeta_value;

#define CELL(r, c)	((r) * (columns + 1) + (c))

	ways = palloc(sizeof(double) * (rows + 1) * (columns + 1));
	least = palloc(sizeof(int64) * (rows + 1) * (columns + 1));
	most = palloc(sizeof(int64) * (rows + 1) * (columns + 1));
	for (int64 r = rows; r >= 0; r--)
	{
		for (int64 c = columns; c >= 0; c--)
		{
			int64		down = (a * (r + 1) - b * c) * (a * (r + 1) - b * c);
			int64		right = (a * r - b * (c + 1)) * (a * r - b * (c + 1));
			int64		here = CELL(r, c);

			if (r == rows && c == columns)
			{
				ways[here] = 1.0;
				least[here] = 0;
				most[here] = 0;
				continue;
			}
			ways[here] = 0.0;
			least[here] = PG_INT64_MAX;
			most[here] = 0;
			if (r < rows)
			{
				ways[here] += ways[CELL(r + 1, c)];
				least[here] = Min(least[here], least[CELL(r + 1, c)] + down);
				most[here] = Max(most[here], most[CELL(r + 1, c)] + down);
			}
			if (c < columns)
			{
				ways[here] += ways[CELL(r, c + 1)];
				least[here] = Min(least[here], least[CELL(r, c + 1)] + right);
				most[here] = Max(most[here], most[CELL(r, c + 1)] + right);
			}
		}
	}
	all = ways[CELL(0, 0)];

	row = palloc0(sizeof(PathCounts) * (columns + 1));
	row[0].length = 1;
	row[0].count = palloc(sizeof(double));
	row[0].count[0] = 1.0;
	for (int64 r = 0; r <= rows; r++)
	{
		for (int64 c = 0; c <= columns; c++)
		{
			int64		step = (a * r - b * c) * (a * r - b * c);
			int64		here = CELL(r, c);
			double		paths;

			CHECK_FOR_INTERRUPTS();
			paths = join_paths(&row[c], c > 0 ? &row[c - 1] : NULL, step,
							   zeta - most[here], zeta - least[here]);
			reached += paths * ways[here];
		}
	}

#undef CELL

	for (int64 c = 0; c <= columns; c++)
	{
		if (row[c].count)
			pfree(row[c].count);
	}
	pfree(row);
	pfree(ways);
	pfree(least);
	pfree(most);
	return Min(1.0, reached / all);
}
