/*-------------------------------------------------------------------------
 *
 * sparkline.h
 *		A row of numbers as a line of block characters.
 *
 *-------------------------------------------------------------------------
 */
#ifndef MLMETA_RENDER_SPARKLINE_H
#define MLMETA_RENDER_SPARKLINE_H

#include "core/compat.h"

/*
 * One character per value, from U+2581 (an eighth) to U+2588 (full height),
 * the largest value at full height; a space where nothing is (0 or less) and
 * U+00B7 for NaN. palloc'ed text in the server's encoding; where that has no
 * such characters, the digits 1 to 8 stand for them.
 */
extern char *sparkline(const double *values, int n);

#endif							/* MLMETA_RENDER_SPARKLINE_H */
