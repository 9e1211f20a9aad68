/*-------------------------------------------------------------------------
 *
 * distinct.c
 *		HyperLogLog registers: adding, merging, estimating.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "port/pg_bitutils.h"
#include "stats/summaries/distinct.h"
#include "utils/float.h"

/* One half of the hash chooses the register, the other gives the rank. */
void
distinct_add(uint8 *registers, int bits, Hash128 hash)
{
	uint32		i = (uint32) (hash.high >> (64 - bits));
	uint8		rank;

	rank = hash.low == 0 ? DISTINCT_MAX_RANK :
		(uint8) (64 - pg_leftmost_one_pos64(hash.low));
	registers[i] = Max(registers[i], rank);
}

void
distinct_merge(uint8 *registers, const uint8 *other, int bits)
{
	for (int i = 0; i < 1 << bits; i++)
		registers[i] = Max(registers[i], other[i]);
}

/* x + sum of x^(2^k) 2^(k-1), k = 1, 2, ...: the empty registers' part */
static double
sigma(double x)
{
	double		weight = 1;
	double		sum = x;
	double		before;

	if (x == 1)
		return get_float8_infinity();
	do
	{
		x *= x;
		before = sum;
		sum += x * weight;
		weight += weight;
	} while (sum != before);
	return sum;
}

/* (1 - x - sum of (1 - x^(2^-k))^2 2^-k) / 3: the full registers' part */
static double
tau(double x)
{
	double		weight = 1;
	double		sum = 1 - x;
	double		before;

	if (x == 0 || x == 1)
		return 0;
	do
	{
		x = sqrt(x);
		before = sum;
		weight /= 2;
		sum -= (1 - x) * (1 - x) * weight;
	} while (sum != before);
	return sum / 3;
}

double
distinct_estimate(const uint8 *registers, int bits)
{
	double		m = ldexp(1, bits);
	int			ranks[DISTINCT_MAX_RANK + 1] = {0};
	double		z;

	for (int i = 0; i < 1 << bits; i++)
		ranks[registers[i]]++;
	z = m * tau(1 - ranks[DISTINCT_MAX_RANK] / m);
	for (int k = DISTINCT_MAX_RANK - 1; k >= 1; k--)
		z = (z + ranks[k]) / 2;
	z += m * sigma(ranks[0] / m);
	return m * m / (2 * M_LN2 * z);
}
