/*-------------------------------------------------------------------------
 *
 * radix_sort.h
 *		Sorting of 64-bit keys, such as those of float_key.h.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_CORE_RADIX_SORT_H
#define MLMETA_CORE_RADIX_SORT_H

#include "core/compat.h"

/* Up to this many keys are sorted without scratch space */
#define RADIX_SORT_SMALL	48

/*
 * Sorts n < 2^31 keys in ascending order. scratch has room for n keys too (it
 * may be NULL if n <= RADIX_SORT_SMALL). Least significant byte first; bytes
 * that are the same in all keys cost nothing, nor do keys in order already.
 */
extern void radix_sort(uint64 *keys, uint64 *scratch, size_t n);

/* By the given number of leading bits alone, at least; n > 0 bits */
extern void radix_sort_leading(uint64 *keys, uint64 *scratch, size_t n,
							   int bits);

#endif							/* MLMETA_CORE_RADIX_SORT_H */
