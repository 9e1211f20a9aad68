/*
 * contingency_law.c
 *		Exact p-values of a two by two table: Fisher's test, and the
 *		chi-squared test given the margins.
 */
#include "core/compat.h"

#include <math.h>

#include "miscadmin.h"

#include "contingency_law.h"
#include "distributions.h"

/* counts above this are not all exact as doubles when added up */
#define MAX_COUNT		(INT64CONST(1) << 52)

/* of the count in a table whose exact law is cheap */
#define MAX_DEVIATION	1000.0

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

static UrnLaw
urn_law(int64 a, int64 b, int64 c, int64 d)
{
	UrnLaw		law;

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
	return law;
}

double
fisher_pvalue(int64 a, int64 b, int64 c, int64 d, Alternative alternative)
{
	UrnLaw		law = urn_law(a, b, c, d);
	double		x = (double) a;

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

bool
table_law_affordable(int64 a, int64 b, int64 c, int64 d)
{
	double		n = (double) a + (double) b;
	double		m = (double) c + (double) d;
	double		marked = (double) a + (double) c;
	double		total = n + m;

	return Max(Max(a, b), Max(c, d)) <= MAX_COUNT &&
		n / total * m / total * marked / total * (total - marked) <
		MAX_DEVIATION * MAX_DEVIATION;
}

double
table_chi2_pvalue(int64 a, int64 b, int64 c, int64 d)
{
	UrnLaw		law = urn_law(a, b, c, d);
	int128		total = (int128) a + b + c + d;
	int128		expected = ((int128) a + b) * ((int128) a + c); /* * total */
	int128		distance = a * total - expected;
	int128		below;
	int128		above;
	double		p = 0.0;

	if (distance < 0)
		distance = -distance;
	if (distance == 0 || law.lo == law.hi)
		return 1.0;

	/* the nearest values that are as far off; below may be negative */
	below = (expected - distance - (expected < distance ? total - 1 : 0)) /
		total;
	above = (expected + distance + total - 1) / total;
	if ((double) below >= law.lo)
		p += tail(&law, (double) below, false);
	if ((double) above <= law.hi)
		p += tail(&law, (double) above, true);
	return Min(1.0, p);
}
