/*-------------------------------------------------------------------------
 *
 * radix_sort.c
 *		Sorting of 64-bit keys by their bytes.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "core/radix_sort.h"

#define DIGITS	8				/* bytes in a key */
#define RADIX	256

static void
insertion_sort(uint64 *keys, size_t n)
{
	for (size_t i = 1; i < n; i++)
	{
		uint64		key = keys[i];
		size_t		j = i;

		while (j > 0 && keys[j - 1] > key)
		{
			keys[j] = keys[j - 1];
			j--;
		}
		keys[j] = key;
	}
}

void
radix_sort(uint64 *keys, uint64 *scratch, size_t n)
{
	radix_sort_leading(keys, scratch, n, 64);
}

void
radix_sort_leading(uint64 *keys, uint64 *scratch, size_t n, int bits)
{
	int			first = (64 - bits) / 8;	/* digit that still counts */
	uint32		count[DIGITS][RADIX];
	uint64	   *from = keys;
	uint64	   *to = scratch;
	size_t		sorted = 1;

	while (sorted < n && keys[sorted - 1] <= keys[sorted])
		sorted++;
	if (sorted >= n)
		return;
	if (n <= RADIX_SORT_SMALL)
	{
		insertion_sort(keys, n);
		return;
	}

	memset(count, 0, sizeof(count));
	for (size_t i = 0; i < n; i++)
	{
		uint64		key = keys[i];

		for (int digit = first; digit < DIGITS; digit++)
			count[digit][(key >> (8 * digit)) & 0xFF]++;
	}
	for (int digit = first; digit < DIGITS; digit++)
	{
		uint32	   *slot = count[digit];
		int			shift = 8 * digit;
		uint32		next = 0;
		uint64	   *swap;

		if (slot[(from[0] >> shift) & 0xFF] == n)
			continue;
		for (int i = 0; i < RADIX; i++)
		{
			uint32		size = slot[i];

			slot[i] = next;
			next += size;
		}
		for (size_t i = 0; i < n; i++)
		{
			uint64		key = from[i];

			to[slot[(key >> shift) & 0xFF]++] = key;
		}
		swap = from;
		from = to;
		to = swap;
	}
	if (from != keys)
		memcpy(keys, from, n * sizeof(uint64));
}
