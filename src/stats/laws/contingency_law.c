/*
 * contingency_law.c
 *		Exact p-value of a two by two table (Fisher's test).
 */
#include "core/compat.h"

#include <math.h>

#include "miscadmin.h"

#include "contingency_law.h"
#include "distributions.h"

/* counts above this are not all exact as doubles when added up */
#define MAX_COUNT		(INT64CONST(1) << 52)

/*
 * The hypergeometric law of the number of marked balls among `drawn`, from an
 * urn of `marked` and `plain` ones.
 */
typedef struct UrnLaw
{
	double		marked;
	double		plain;
	double		drawn;
	double		lo;				/* smallest and largest possible number */
	double		hi;
	double		mode;			/* a most probable one */
} UrnLaw;

static double
probability(const UrnLaw *law, double x)
{
	return hypergeometric_term(x, law->drawn - x, law->marked, law->plain);
}

/*
 * Probability of x + 1 over that of x.
 */
static double
ratio_up(const UrnLaw *law, double x)
{
	return (law->marked - x) * (law->drawn - x) /
		((x + 1.0) * (law->plain - law->drawn + x + 1.0));
}

/*
 * P(X >= x) or P(X <= x) for an x on the falling side, so that the terms
 * decrease ever faster.
 */
static double
falling_tail(const UrnLaw *law, double x, bool upper)
{
	double		term = probability(law, x);
	double		sum = 0.0;

	while (term > 0.0)
	{
		double		ratio;

		CHECK_FOR_INTERRUPTS();
		sum += term;
		if (upper ? x >= law->hi : x <= law->lo)
			break;
		ratio = upper ? ratio_up(law, x) : 1.0 / ratio_up(law, x - 1.0);
		term *= ratio;
		/* the rest is at most a geometric series */
		if (term < 1e-17 * sum * (1.0 - ratio))
			break;
		x += upper ? 1.0 : -1.0;
	}
	return sum;
}

static double
tail(const UrnLaw *law, double x, bool upper)
{
	if (upper)
	{
		if (x <= law->lo)
			return 1.0;
		return x > law->mode ? falling_tail(law, x, true) :
			1.0 - falling_tail(law, x - 1.0, false);
	}
	if (x >= law->hi)
		return 1.0;
	return x < law->mode ? falling_tail(law, x, false) :
		1.0 - falling_tail(law, x + 1.0, true);
}

/*
 * The sum of all probabilities not above that of x: its own tail, and the one
 * of the other side from the first value that is improbable enough.
 */
static double
two_sided(const UrnLaw *law, double x)
{
	double		limit = probability(law, x) * (1.0 + FISHER_TOLERANCE);
	bool		upper = x < law->mode;	/* the other side */
	double		inside = law->mode;
	double		outside = upper ? law->hi : law->lo;
	double		sum;

	if (probability(law, law->mode) <= limit)
		return 1.0;
	sum = tail(law, x, !upper);
	if (probability(law, outside) > limit)
		return sum;
	while (fabs(outside - inside) > 1.0)
	{
		double		middle = floor(0.5 * (inside + outside));

		if (probability(law, middle) > limit)
			inside = middle;
		else
			outside = middle;
	}
	return Min(1.0, sum + falling_tail(law, outside, upper));
}

double
fisher_pvalue(int64 a, int64 b, int64 c, int64 d, Alternative alternative)
{
	UrnLaw		law;
	double		x = (double) a;

	if (Min(Min(a, b), Min(c, d)) < 0 || Max(Max(a, b), Max(c, d)) > MAX_COUNT)
		elog(ERROR, "counts of a two by two table are out of range");

	law.marked = (double) a + (double) b;
	law.plain = (double) c + (double) d;
	law.drawn = (double) a + (double) c;
	law.lo = Max(0.0, law.drawn - law.plain);
	law.hi = Min(law.marked, law.drawn);
	law.mode = floor((law.drawn + 1.0) *
					 ((law.marked + 1.0) / (law.marked + law.plain + 2.0)));
	law.mode = Min(Max(law.mode, law.lo), law.hi);
	/* the product was rounded: step to where the ratio crosses one */
	while (law.mode < law.hi && ratio_up(&law, law.mode) > 1.0)
		law.mode += 1.0;
	while (law.mode > law.lo && ratio_up(&law, law.mode - 1.0) < 1.0)
		law.mode -= 1.0;
	if (law.lo == law.hi)
		return 1.0;

	switch (alternative)
	{
		case ALTERNATIVE_LESS:
			return tail(&law, x, false);
		case ALTERNATIVE_GREATER:
			return tail(&law, x, true);
		case ALTERNATIVE_TWO_SIDED:
			break;
	}
	return two_sided(&law, x);
}
