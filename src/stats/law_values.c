/*-------------------------------------------------------------------------
 *
 * law_values.c
 *		Values of the probability laws by name.
 *
 * No SQL of the extension declares this function. The regression test of the
 * laws does, for those that no aggregate or function hands on as they are.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "catalog/pg_type_d.h"
#include "stats/laws/ad_law.h"
#include "stats/laws/cvm_law.h"
#include "stats/laws/distributions.h"
#include "stats/laws/ks_law.h"
#include "utils/array.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(mlmeta_law_value);

#define MOST_ARGUMENTS	3

typedef double (*LawOfOne) (double);
typedef double (*LawOfTwo) (double, double);
typedef double (*LawOfThree) (double, double, double);

/* One of the functions is set: it says how many arguments the law has */
static const struct
{
	const char *name;
	LawOfOne	of_one;
	LawOfTwo	of_two;
	LawOfThree	of_three;
}			laws[] =
{
	{
		"normal_sf", normal_sf, NULL, NULL
	},
	{
		"normal_quantile_upper", normal_quantile_upper, NULL, NULL
	},
	{
		"kolmogorov_sf", kolmogorov_sf, NULL, NULL
	},
	{
		"cramer_von_mises_sf", cramer_von_mises_sf, NULL, NULL
	},
	{
		"anderson_darling_sf", anderson_darling_sf, NULL, NULL
	},
	{
		"chi2_sf", NULL, chi2_sf, NULL
	},
	{
		"student_two_sided", NULL, student_two_sided, NULL
	},
	{
		"noncentral_chi2_cdf", NULL, NULL, noncentral_chi2_cdf
	},
	{
		"noncentral_chi2_sf", NULL, NULL, noncentral_chi2_sf
	}
};

/* (law text, arguments float8[]): strict; 22023 for a law that is not here */
Datum
mlmeta_law_value(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Datum	   *values;
	bool	   *nulls;
	double		x[MOST_ARGUMENTS] = {0};
	int			n;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), FLOAT8OID, sizeof(float8),
					  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &n);
	for (int i = 0; i < Min(n, MOST_ARGUMENTS); i++)
		if (!nulls[i])
			x[i] = DatumGetFloat8(values[i]);
	for (int i = 0; i < (int) lengthof(laws); i++)
	{
		if (strcmp(laws[i].name, name) != 0)
			continue;
		if (n == 1 && laws[i].of_one != NULL)
			PG_RETURN_FLOAT8(laws[i].of_one(x[0]));
		if (n == 2 && laws[i].of_two != NULL)
			PG_RETURN_FLOAT8(laws[i].of_two(x[0], x[1]));
		if (n == 3 && laws[i].of_three != NULL)
			PG_RETURN_FLOAT8(laws[i].of_three(x[0], x[1], x[2]));
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("there is no law \"%s\" of %d arguments", name, n)));
}
