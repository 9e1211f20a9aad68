/*-------------------------------------------------------------------------
 *
 * float_key.h
 *		float8 values as unsigned integers that sort the same way.
 *
 * key(a) < key(b) exactly when a < b, for all values but NaN, which callers
 * set apart. -0.0 and 0.0 get one key. Adjacent keys are adjacent floats, so
 * a prefix of the bits of a key names an interval of the real line.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_CORE_FLOAT_KEY_H
#define MLMETA_CORE_FLOAT_KEY_H

#include "core/compat.h"

#define FLOAT_KEY_SIGN	UINT64CONST(0x8000000000000000)

static inline uint64
float_key(double value)
{
	uint64		bits;

	value += 0.0;				/* -0.0 becomes 0.0 */
	memcpy(&bits, &value, sizeof(bits));
	return (bits & FLOAT_KEY_SIGN) ? ~bits : bits | FLOAT_KEY_SIGN;
}

/* Is b the least float above a? Between those around 0 lies the key of -0.0 */
static inline bool
float_is_next(double a, double b)
{
	uint64		key = float_key(a);

	return float_key(b) == key + (key == FLOAT_KEY_SIGN - 2 ? 2 : 1);
}

static inline double
float_from_key(uint64 key)
{
	uint64		bits;
	double		value;

	bits = (key & FLOAT_KEY_SIGN) ? key & ~FLOAT_KEY_SIGN : ~key;
	memcpy(&value, &bits, sizeof(value));
	return value + 0.0;
}

#endif							/* MLMETA_CORE_FLOAT_KEY_H */
