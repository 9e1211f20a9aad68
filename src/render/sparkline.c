/*-------------------------------------------------------------------------
 *
 * sparkline.c
 *		Sparklines of histograms and of series.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "render/sparkline.h"
#include "stats/summaries/histogram.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(mlmeta_sparkline_histogram);
PG_FUNCTION_INFO_V1(mlmeta_sparkline_values);

#define SPARKLINE_MAX_WIDTH		1000

char *
sparkline(const double *values, int n)
{
	bool		unicode = GetDatabaseEncoding() == PG_UTF8;
	double		most = 0;
	StringInfoData line;

	for (int i = 0; i < n; i++)
		if (values[i] > most && isfinite(values[i]))
			most = values[i];

	initStringInfo(&line);
	for (int i = 0; i < n; i++)
	{
		int			height;

		if (isnan(values[i]))
		{
			appendStringInfoString(&line, unicode ? "\xC2\xB7" : ".");
			continue;
		}
		if (!(values[i] > 0))
		{
			appendStringInfoChar(&line, ' ');
			continue;
		}
		height = values[i] >= most ? 8 : (int) ceil(values[i] / most * 8);
		height = Max(1, height);
		if (unicode)
			appendStringInfo(&line, "\xE2\x96%c", 0x80 + height);
		else
			appendStringInfo(&line, "%d", height);
	}
	return line.data;
}

/* Values of the histogram below x, spread evenly inside bins */
static double
mass_below(const Histogram *histogram, double x)
{
	const HistogramGrid *grid = histogram->grid;
	int			bin = grid_find_bin(grid, x);
	double		mass = 0;

	for (int i = 0; i < bin; i++)
		mass += (double) histogram->counts[i];
	if (bin > 0 && bin < grid->n_edges)
		mass += (double) histogram->counts[bin] *
			((x - grid->edges[bin - 1]) /
			 (grid->edges[bin] - grid->edges[bin - 1]));
	return mass;
}

/*
 * sparkline(histogram, width). Few bins of given edges are drawn as they are.
 * Bins of equal depth would all look alike; they, and many bins, are drawn as
 * the mass on an axis of equal steps from the first edge to the last, what
 * lies outside being added at the ends. The axis belongs to the grid, so that
 * the lines of all windows on one baseline can be compared. The grid of a
 * constant has no axis: below, at and above the value are three bins.
 */
Datum
mlmeta_sparkline_histogram(PG_FUNCTION_ARGS)
{
	Histogram  *histogram =
		histogram_settled(summary_read(PG_GETARG_DATUM(0), &histogram_type));
	int			width = PG_GETARG_INT32(1);
	const HistogramGrid *grid = histogram->grid;
	double	   *values;
	int			n;

	if (width < 1 || width > SPARKLINE_MAX_WIDTH)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a sparkline cannot be %d characters wide", width),
				 errhint("The width is 1 to %d.", SPARKLINE_MAX_WIDTH)));
	if (grid == NULL || grid->n_edges < 2 ||
		(grid->n_edges == 2 && histogram_bin_is_point(grid, 1)) ||
		(grid->n_quantiles == 0 && histogram->n_bins <= width))
	{
		n = Min(histogram->n_bins, SPARKLINE_MAX_WIDTH);
		values = palloc(n * sizeof(double));
		for (int i = 0; i < n; i++)
			values[i] = (double) histogram->counts[i];
	}
	else
	{
		double		first = grid->edges[0];
		double		last = grid->edges[grid->n_edges - 1];
		double		before = 0;

		n = width;
		values = palloc(n * sizeof(double));
		for (int i = 0; i < n; i++)
		{
			double		share = (double) (i + 1) / n;
			double		below = i == n - 1 ? (double) histogram->n :
				mass_below(histogram, first * (1 - share) + last * share);

			/* between neighbouring floats the axis may round backwards */
			below = Max(below, before);
			values[i] = below - before;
			before = below;
		}
	}
	PG_RETURN_TEXT_P(cstring_to_text(sparkline(values, n)));
}

/* sparkline(float8[]): NULL elements are gaps */
Datum
mlmeta_sparkline_values(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	Datum	   *elements;
	bool	   *nulls;
	double	   *values;
	int			n;

	deconstruct_array(array, FLOAT8OID, sizeof(float8), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &elements, &nulls, &n);
	values = palloc(Max(n, 1) * sizeof(double));
	for (int i = 0; i < n; i++)
		values[i] = nulls[i] ? NAN : DatumGetFloat8(elements[i]);
	PG_RETURN_TEXT_P(cstring_to_text(sparkline(values, n)));
}
