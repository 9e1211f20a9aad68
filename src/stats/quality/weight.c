/*-------------------------------------------------------------------------
 *
 * weight.c
 *		Weights of rows: from float8, checked sums, stored form.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "common/int.h"
#include "stats/quality/weight.h"
#include "utils/float.h"

Weight
weight_from_float(double value, const char *type_name)
{
	/* not (0 <= value <= max), so that NaN fails too */
	if (unlikely(!(value >= 0 && value <= WEIGHT_MAX)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("weight %s of a row of type %s is out of range",
						float8out_internal(value), type_name),
				 errdetail("A weight is a number from 0 to 2^40.")));
	return (Weight) rint(ldexp(value, WEIGHT_FRACTION_BITS));
}

void
weight_add(Weight *sum, Weight weight, const char *type_name)
{
	/* both are below 2^124: the addition itself cannot wrap */
	if (unlikely(*sum + weight > WEIGHT_MAX_SUM))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("the weights of type %s add up to more than 2^63",
						type_name)));
	*sum += weight;
}

void
row_count_add(int64 *count, int64 more, const char *type_name)
{
	if (unlikely(pg_add_s64_overflow(*count, more, count)))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a count of a %s is out of range", type_name),
				 errdetail("Counts go up to %lld.",
						   (long long) PG_INT64_MAX)));
}

void
archive_weights(Archive *ar, const char *name, Weight **values, int *n,
				int max_n)
{
	char	   *fraction_name = psprintf("%s_fraction", name);
	int64	   *whole = NULL;
	int64	   *fraction = NULL;
	int			n_fractions = *n;

	if (!archive_reading(ar) && *n > 0)
	{
		whole = palloc(*n * sizeof(int64));
		fraction = palloc(*n * sizeof(int64));
		for (int i = 0; i < *n; i++)
		{
			whole[i] = (int64) ((*values)[i] >> WEIGHT_FRACTION_BITS);
			fraction[i] = (int64) ((*values)[i] & (WEIGHT_ONE - 1));
		}
	}
	archive_counts(ar, name, &whole, n, max_n);
	archive_counts(ar, fraction_name, &fraction, &n_fractions, max_n);
	if (archive_reading(ar))
	{
		*values = NULL;
		if (!ar->failed && n_fractions != *n)
			archive_fail(ar, "The fields \"%s\" and \"%s\" differ in length.",
						 name, fraction_name);
		if (ar->failed)
			*n = 0;
		if (*n > 0)
			*values = palloc(*n * sizeof(Weight));
		for (int i = 0; i < *n; i++)
		{
			if (fraction[i] >= (int64) WEIGHT_ONE)
				archive_fail(ar, "A number in \"%s\" is 2^60 or more.",
							 fraction_name);
			(*values)[i] = weight_of_rows(whole[i]) + (Weight) fraction[i];
		}
	}
	if (whole != NULL)
		pfree(whole);
	if (fraction != NULL)
		pfree(fraction);
	pfree(fraction_name);
}
