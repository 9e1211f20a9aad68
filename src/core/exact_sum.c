/*-------------------------------------------------------------------------
 *
 * exact_sum.c
 *		Sums of floats without rounding: carries, combination, rounding,
 *		stored form.
 *
 * Rounding and the variance go through Wide, a plain integer with sign and
 * magnitude in 32-bit digits, long enough for every product that occurs.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "core/exact_sum.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

/* Binary exponents of the units of the two kinds of sums */
#define VALUE_EXPONENT	(-1074)
#define SQUARE_EXPONENT	(-2148)

/*
 * n times a sum of squares, and the square of a sum of values, both fit, with
 * room for carries of sums that were merged from forged ones.
 */
#define WIDE_DIGITS		(EXACT_SUM_SQUARE_CELLS + 16)

typedef struct Wide
{
	bool		negative;
	int			n;				/* digits in use, the last one not zero */
	uint32		digit[WIDE_DIGITS];
} Wide;

/* ----------
 * Cells
 * ----------
 */

static void
set_window(ExactSum *sum, int low, int end, MemoryContext context)
{
	int64	   *cells = MemoryContextAllocZero(context,
											   (end - low) * sizeof(int64));

	if (sum->n_cells > 0)
	{
		memcpy(cells + (sum->low - low), sum->cells,
			   sum->n_cells * sizeof(int64));
		pfree(sum->cells);
	}
	sum->cells = cells;
	sum->low = low;
	sum->n_cells = end - low;
}

/* Makes room for digits first .. first + 4 */
static void
reach(ExactSum *sum, int first, MemoryContext context)
{
	int			low = first;
	int			end = first + 5;

	if (sum->n_cells > 0)
	{
		low = Min(low, sum->low);
		end = Max(end, sum->low + sum->n_cells);
		if (low == sum->low && end == sum->low + sum->n_cells)
			return;
	}
	set_window(sum, low, end, context);
}

/*
 * Moves carries up: all cells but the last lie in [0, 2^32) afterwards, the
 * last one in [-2^31, 2^31).
 */
void
exact_sum_settle(ExactSum *sum, MemoryContext context)
{
	int64		carry = 0;
	int			last = sum->n_cells - 1;

	sum->pending = 0;
	if (sum->n_cells == 0)
		return;
	for (int i = 0; i < last; i++)
	{
		int64		cell = sum->cells[i] + carry;

		sum->cells[i] = cell & INT64CONST(0xFFFFFFFF);
		carry = cell >> 32;
	}
	carry += sum->cells[last];
	if (carry != (int32) carry)
	{
		set_window(sum, sum->low, sum->low + sum->n_cells + 1, context);
		sum->cells[last++] = carry & INT64CONST(0xFFFFFFFF);
		carry >>= 32;
	}
	sum->cells[last] = carry;
}

void
exact_sum_add_integer(ExactSum *sum, uint128 m, int position, int sign,
					  MemoryContext context)
{
	int			first = position >> 5;
	int			shift = position & 31;
	uint128		part;
	int64	   *cell;

	if (m == 0)
		return;
	if (++sum->pending >= EXACT_SUM_MAX_PENDING)
		exact_sum_settle(sum, context);
	reach(sum, first, context);
	cell = sum->cells + (first - sum->low);
	part = (uint128) (uint64) m << shift;
	cell[0] += sign * (int64) (uint32) part;
	cell[1] += sign * (int64) (uint32) (part >> 32);
	cell[2] += sign * (int64) (uint32) (part >> 64);
	part = (m >> 64) << shift;
	cell[2] += sign * (int64) (uint32) part;
	cell[3] += sign * (int64) (uint32) (part >> 32);
	cell[4] += sign * (int64) (uint32) (part >> 64);
}

void
exact_sum_combine(ExactSum *sum, const ExactSum *other, int sign,
				  MemoryContext context)
{
	int			low,
				end;

	if (other->n_cells == 0)
		return;
	exact_sum_settle(sum, context);
	low = other->low;
	end = other->low + other->n_cells;
	if (sum->n_cells > 0)
	{
		low = Min(low, sum->low);
		end = Max(end, sum->low + sum->n_cells);
	}
	if (low != sum->low || end != sum->low + sum->n_cells)
		set_window(sum, low, end, context);
	for (int i = 0; i < other->n_cells; i++)
		sum->cells[other->low - low + i] += sign * other->cells[i];
	exact_sum_settle(sum, context);
}

/* ----------
 * Moments
 * ----------
 */

static void
add_signed(ExactSum *sum, int128 m, int position, MemoryContext context)
{
	exact_sum_add_integer(sum, m < 0 ? -(uint128) m : (uint128) m, position,
						  m < 0 ? -1 : 1, context);
}

/* Moves what is pending to the two sums */
void
exact_moments_settle(ExactMoments *moments, MemoryContext context)
{
	if (moments->pending == 0)
		return;
	moments->pending = 0;
	for (int i = 0; i < EXACT_MOMENTS_CELLS; i++)
	{
		/* exponent 1 is that of the unit, 2^-1074 */
		int			position = moments->low + i - 1;

		add_signed(&moments->sum, moments->cells[i].mantissas, position,
				   context);
		add_signed(&moments->squares, moments->cells[i].squares,
				   2 * position, context);
		moments->cells[i].mantissas = 0;
		moments->cells[i].squares = 0;
	}
}

void
exact_moments_add_slowly(ExactMoments *moments, int exponent, int64 mantissa,
						 int128 square, MemoryContext context)
{
	if (moments->cells == NULL)
		moments->cells = MemoryContextAllocZero(context, EXACT_MOMENTS_CELLS *
												sizeof(ExponentCell));
	else if (exponent < moments->low &&
			 ++moments->misses < EXACT_MOMENTS_MAX_MISSES)
	{
		add_signed(&moments->sum, mantissa, exponent - 1, context);
		add_signed(&moments->squares, square, 2 * (exponent - 1), context);
		return;
	}

	/* a window with room for values some binades larger */
	exact_moments_settle(moments, context);
	moments->misses = 0;
	if (exponent < moments->low ||
		exponent - moments->low >= EXACT_MOMENTS_CELLS)
		moments->low = Max(1, exponent - EXACT_MOMENTS_CELLS * 3 / 4);
	moments->pending = 1;
	moments->cells[exponent - moments->low].mantissas = mantissa;
	moments->cells[exponent - moments->low].squares = square;
}

/*
 * The two sums with what is pending added, without touching the moments: the
 * cells of the result are in the current context.
 */
static void
settled_sums(const ExactMoments *moments, ExactSum *sum, ExactSum *squares)
{
	ExactMoments copy = *moments;

	memset(&copy.sum, 0, sizeof(copy.sum));
	memset(&copy.squares, 0, sizeof(copy.squares));
	exact_sum_combine(&copy.sum, &moments->sum, 1, CurrentMemoryContext);
	exact_sum_combine(&copy.squares, &moments->squares, 1,
					  CurrentMemoryContext);
	if (moments->pending > 0)
	{
		copy.cells = palloc(EXACT_MOMENTS_CELLS * sizeof(ExponentCell));
		memcpy(copy.cells, moments->cells,
			   EXACT_MOMENTS_CELLS * sizeof(ExponentCell));
		exact_moments_settle(&copy, CurrentMemoryContext);
		pfree(copy.cells);
	}
	*sum = copy.sum;
	*squares = copy.squares;
}

void
exact_moments_combine(ExactMoments *moments, const ExactMoments *other,
					  int sign, MemoryContext context)
{
	ExactSum	sum;
	ExactSum	squares;

	settled_sums(other, &sum, &squares);
	exact_sum_combine(&moments->sum, &sum, sign, context);
	exact_sum_combine(&moments->squares, &squares, sign, context);
}

/* ----------
 * Wide integers
 * ----------
 */

static void
wide_trim(Wide *wide)
{
	while (wide->n > 0 && wide->digit[wide->n - 1] == 0)
		wide->n--;
	if (wide->n == 0)
		wide->negative = false;
}

static void
wide_from_sum(Wide *wide, const ExactSum *sum)
{
	int64		carry = 0;
	int			n = sum->low + sum->n_cells;

	Assert(n + 2 <= WIDE_DIGITS);
	memset(wide->digit, 0, sizeof(wide->digit));
	for (int i = 0; i < sum->n_cells; i++)
	{
		int64		cell = sum->cells[i] + carry;

		wide->digit[sum->low + i] = (uint32) cell;
		carry = cell >> 32;
	}
	if (sum->n_cells > 0)
	{
		wide->digit[n++] = (uint32) carry;
		carry >>= 32;
	}
	wide->n = n;
	wide->negative = carry < 0;
	if (wide->negative)
	{
		uint64		borrow = 1;

		for (int i = 0; i < n; i++)
		{
			borrow += (uint32) ~wide->digit[i];
			wide->digit[i] = (uint32) borrow;
			borrow >>= 32;
		}
	}
	wide_trim(wide);
}

/* result = a * b; magnitudes above WIDE_DIGITS cannot occur (see callers) */
static void
wide_multiply(Wide *result, const Wide *a, const Wide *b)
{
	Assert(a->n + b->n <= WIDE_DIGITS);
	memset(result->digit, 0, sizeof(result->digit));
	for (int i = 0; i < a->n; i++)
	{
		uint64		carry = 0;

		if (a->digit[i] == 0)
			continue;
		for (int j = 0; j < b->n; j++)
		{
			carry += (uint64) a->digit[i] * b->digit[j] +
				result->digit[i + j];
			result->digit[i + j] = (uint32) carry;
			carry >>= 32;
		}
		result->digit[i + b->n] = (uint32) carry;
	}
	result->n = a->n + b->n;
	result->negative = a->negative != b->negative;
	wide_trim(result);
}

/* a -= b for magnitudes; false, with a unchanged, if b is the larger */
static bool
wide_subtract(Wide *a, const Wide *b)
{
	int64		borrow = 0;

	if (a->n < b->n)
		return false;
	if (a->n == b->n)
	{
		int			i = a->n - 1;

		while (i >= 0 && a->digit[i] == b->digit[i])
			i--;
		if (i >= 0 && a->digit[i] < b->digit[i])
			return false;
	}
	for (int i = 0; i < a->n; i++)
	{
		borrow += (int64) a->digit[i] - (i < b->n ? b->digit[i] : 0);
		a->digit[i] = (uint32) borrow;
		borrow >>= 32;
	}
	wide_trim(a);
	return true;
}

/* a += b for magnitudes, whose signs do not matter */
static void
wide_add(Wide *a, const Wide *b)
{
	uint64		carry = 0;
	int			n = Max(a->n, b->n);

	Assert(n < WIDE_DIGITS);
	for (int i = 0; i < n; i++)
	{
		carry += (i < a->n ? (uint64) a->digit[i] : 0) +
			(i < b->n ? b->digit[i] : 0);
		a->digit[i] = (uint32) carry;
		carry >>= 32;
	}
	a->digit[n] = (uint32) carry;
	a->n = n + 1;
	wide_trim(a);
}

/*
 * Nearest float8 to wide, as the result times 2^*exponent: the result is a
 * 64-bit integer, rounded, so that neither overflows.
 */
static double
wide_mantissa(const Wide *wide, int *exponent)
{
	int			top = wide->n - 1;
	uint64		bits;
	int			shift;
	double		mantissa;

	*exponent = 0;
	if (wide->n == 0)
		return 0;

	/* the leading 64 bits; what is below them only breaks ties */
	bits = (uint64) wide->digit[top] << 32;
	if (top >= 1)
		bits |= wide->digit[top - 1];
	shift = 63 - pg_leftmost_one_pos64(bits);
	bits <<= shift;
	if (top >= 2)
	{
		uint64		next = (uint64) wide->digit[top - 2] << 32;

		if (top >= 3)
			next |= wide->digit[top - 3];
		if (shift > 0)
			bits |= next >> (64 - shift);
		if ((next << shift) != 0)
			bits |= 1;
		for (int i = top - 4; i >= 0; i--)
		{
			if (wide->digit[i] != 0)
			{
				bits |= 1;
				break;
			}
		}
	}
	*exponent = 32 * (top - 1) - shift;
	mantissa = (double) bits;
	return wide->negative ? -mantissa : mantissa;
}

/* Nearest float8 to wide * 2^exponent */
static double
wide_value(const Wide *wide, int exponent)
{
	int			shift;
	double		mantissa = wide_mantissa(wide, &shift);

	return ldexp(mantissa, exponent + shift);
}

/* ----------
 * Results
 * ----------
 */

double
exact_sum_value(const ExactSum *sum)
{
	Wide		wide;

	wide_from_sum(&wide, sum);
	return wide_value(&wide, VALUE_EXPONENT);
}

double
exact_sum_square_value(const ExactSum *sum)
{
	Wide		wide;

	wide_from_sum(&wide, sum);
	return wide_value(&wide, SQUARE_EXPONENT);
}

double
exact_sum_scaled_square(const ExactSum *sum, int exponent)
{
	Wide		wide;

	wide_from_sum(&wide, sum);
	return wide_value(&wide, SQUARE_EXPONENT - exponent);
}

/* product = n * sum */
static void
wide_times(Wide *product, const ExactSum *sum, int64 n)
{
	Wide		count = {0};
	Wide		wide;

	count.digit[0] = (uint32) n;
	count.digit[1] = (uint32) ((uint64) n >> 32);
	count.n = 2;
	wide_trim(&count);
	wide_from_sum(&wide, sum);
	wide_multiply(product, &wide, &count);
}

/* n times the sum of squared deviations: n * squares - values^2 */
static void
wide_deviation(Wide *total, const ExactSum *values, const ExactSum *squares,
			   int64 n)
{
	Wide		sum;
	Wide		square;

	wide_times(total, squares, n);
	wide_from_sum(&sum, values);
	wide_multiply(&square, &sum, &sum);

	/* less than 0 is impossible for sums of real data */
	if (!wide_subtract(total, &square))
		total->n = 0;
}

double
exact_sum_deviation(const ExactSum *values, const ExactSum *squares, int64 n)
{
	Wide		total;

	if (n <= 1)
		return 0;
	wide_deviation(&total, values, squares, n);
	return wide_value(&total, SQUARE_EXPONENT) / (double) n;
}

double
exact_sum_codeviation(const ExactSum *x, const ExactSum *y,
					  const ExactSum *products, int64 n)
{
	Wide		total;
	Wide		x_sum;
	Wide		y_sum;
	Wide		product;

	if (n <= 1)
		return 0;
	wide_times(&total, products, n);
	wide_from_sum(&x_sum, x);
	wide_from_sum(&y_sum, y);
	wide_multiply(&product, &x_sum, &y_sum);

	/* total - product, of either sign */
	if (total.negative != product.negative)
		wide_add(&total, &product);
	else if (!wide_subtract(&total, &product))
	{
		bool		negative = !total.negative;

		(void) wide_subtract(&product, &total);
		total = product;
		total.negative = negative;
	}
	return wide_value(&total, SQUARE_EXPONENT) / (double) n;
}

double
exact_moments_mean(const ExactMoments *moments, int64 n)
{
	ExactSum	sum;
	ExactSum	squares;
	Wide		wide;
	int			exponent;
	double		mantissa;

	settled_sums(moments, &sum, &squares);
	wide_from_sum(&wide, &sum);
	mantissa = wide_mantissa(&wide, &exponent);
	return ldexp(mantissa / (double) n, VALUE_EXPONENT + exponent);
}

double
exact_moments_spread_parts(const ExactMoments *moments, int64 n,
						   int64 divisor, int *exponent)
{
	ExactSum	sum;
	ExactSum	squares;
	Wide		total;
	double		mantissa;

	*exponent = 0;
	if (n <= 1)
		return 0;
	settled_sums(moments, &sum, &squares);
	wide_deviation(&total, &sum, &squares, n);
	mantissa = wide_mantissa(&total, exponent);
	*exponent += SQUARE_EXPONENT;
	if (*exponent % 2 != 0)
	{
		mantissa *= 2;
		(*exponent)--;
	}
	*exponent /= 2;
	return sqrt(mantissa / (double) n / (double) divisor);
}

double
exact_moments_spread(const ExactMoments *moments, int64 n, int64 divisor)
{
	int			exponent;
	double		spread = exact_moments_spread_parts(moments, n, divisor,
													&exponent);

	return ldexp(spread, exponent);
}

double
exact_moments_deviation(const ExactMoments *moments, int64 n)
{
	ExactSum	sum;
	ExactSum	squares;

	settled_sums(moments, &sum, &squares);
	return exact_sum_deviation(&sum, &squares, n);
}

/* ----------
 * Stored form
 * ----------
 */

void
exact_moments_archive(Archive *ar, ExactMoments *moments)
{
	ExactSum	sum = {0};
	ExactSum	squares = {0};

	if (!archive_reading(ar))
		settled_sums(moments, &sum, &squares);
	exact_sum_archive(ar, "sum", &sum, EXACT_SUM_VALUE_CELLS);
	exact_sum_archive(ar, "squares", &squares, EXACT_SUM_SQUARE_CELLS);
	if (archive_reading(ar))
	{
		memset(moments, 0, sizeof(*moments));
		moments->sum = sum;
		moments->squares = squares;
	}
}

/*
 * sign * magnitude * 2^scale units, the magnitude odd and without leading
 * zero bytes, in network order; zero has no magnitude.
 */
void
exact_sum_archive(Archive *ar, const char *name, ExactSum *sum,
				  int max_cells)
{
	Wide		wide;
	bool		negative = false;
	int64		scale = 0;
	uint8	   *bytes = NULL;
	int			size = 0;
	int			n_bits;

	if (!archive_reading(ar))
	{
		int			digit = 0;

		wide_from_sum(&wide, sum);
		negative = wide.negative;
		if (wide.n > 0)
		{
			while (wide.digit[digit] == 0)
				digit++;
			scale = 32 * digit + pg_rightmost_one_pos32(wide.digit[digit]);
			n_bits = 32 * wide.n - (int) scale -
				(31 - pg_leftmost_one_pos32(wide.digit[wide.n - 1]));
			size = (n_bits + 7) / 8;
			bytes = palloc(size);
			for (int i = 0; i < size; i++)
			{
				int			bit = (int) scale + 8 * i;
				uint64		pair = wide.digit[bit >> 5];

				if ((bit >> 5) + 1 < wide.n)
					pair |= (uint64) wide.digit[(bit >> 5) + 1] << 32;
				bytes[size - 1 - i] = (uint8) (pair >> (bit & 31));
			}
		}
	}

	archive_open_field(ar, name);
	archive_bool(ar, "negative", &negative);
	archive_count(ar, "scale", &scale);
	archive_bytes(ar, "magnitude", &bytes, &size, 4 * max_cells);
	archive_close(ar);

	if (!archive_reading(ar))
		return;
	memset(sum, 0, sizeof(*sum));
	if (ar->failed)
		return;
	if (size == 0)
	{
		if (negative || scale != 0)
			archive_fail(ar, "The field \"%s\" is no canonical zero.", name);
		return;
	}
	if (bytes[0] == 0 || (bytes[size - 1] & 1) == 0 ||
		scale > 32 * max_cells || scale + 8 * size > 32 * max_cells)
	{
		archive_fail(ar, "The field \"%s\" is no canonical sum.", name);
		return;
	}
	sum->low = (int) scale / 32;
	sum->n_cells = ((int) scale + 8 * size) / 32 + 1 - sum->low;
	sum->cells = palloc0(sum->n_cells * sizeof(int64));
	for (int i = 0; i < size; i++)
	{
		int			bit = (int) scale % 32 + 8 * i;
		uint64		part = (uint64) bytes[size - 1 - i] << (bit & 31);

		sum->cells[bit >> 5] += (int64) (uint32) part;
		if (part >> 32)
			sum->cells[(bit >> 5) + 1] += (int64) (part >> 32);
	}
	if (negative)
		for (int i = 0; i < sum->n_cells; i++)
			sum->cells[i] = -sum->cells[i];
	pfree(bytes);
}
