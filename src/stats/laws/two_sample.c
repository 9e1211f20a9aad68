/*
 * two_sample.c
 *		What the laws of the two-sample tests share.
 */
#include "core/compat.h"

#include "common/int.h"

#include "two_sample.h"

const char *const alternative_names[] = {
	"two-sided", "less", "greater", NULL
};

void
sum_tie_groups(const TieGroup *groups, int64 ngroups, int64 *n, int64 *m)
{
	*n = 0;
	*m = 0;
	for (int64 g = 0; g < ngroups; g++)
	{
		if (groups[g].reference < 0 || groups[g].current < 0 ||
			pg_add_s64_overflow(*n, groups[g].reference, n) ||
			pg_add_s64_overflow(*m, groups[g].current, m))
			elog(ERROR, "invalid counts in a tie group");
	}
}

int64
greatest_common_divisor(int64 a, int64 b)
{
	while (b != 0)
	{
		int64		rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}
