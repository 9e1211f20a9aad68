/*-------------------------------------------------------------------------
 *
 * page_hinkley.c
 *		The Page-Hinkley test: sums of deviations from the running mean.
 *
 * Sources: E. S. Page, "Continuous inspection schemes", 1954; D. V. Hinkley,
 * "Inference about the change-point from cumulative sum tests", 1971.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "stats/streams/stream.h"

PG_FUNCTION_INFO_V1(mlmeta_page_hinkley_transition);

typedef struct PageHinkley
{
	int			min_instances;
	double		delta;			/* a deviation up to this is no change */
	double		threshold;
	double		alpha;			/* how much of a sum the next row keeps */
	int			direction;

	int64		n;				/* values since the last change */
	double		mean;			/* of them */
	double		up;				/* the two sums, never negative */
	double		down;
} PageHinkley;

static void
page_hinkley_begin(void *detector, const char *options, size_t size)
{
	PageHinkley *ph = detector;
	const OptionSpec specs[] = {
		{"min_instances", OPTION_INT, &ph->min_instances, 1, 1e9, NULL},
		{"delta", OPTION_FLOAT, &ph->delta, 0, STREAM_MAX_NUMBER, NULL},
		{"threshold", OPTION_FLOAT, &ph->threshold, 0, STREAM_MAX_NUMBER,
		NULL},
		{"alpha", OPTION_FLOAT, &ph->alpha, 0, 1, NULL},
		{"direction", OPTION_CHOICE, &ph->direction, 0, 0, stream_directions}
	};

	ph->min_instances = 30;
	ph->delta = 0.005;
	ph->threshold = 50;
	ph->alpha = 0.9999;
	ph->direction = DIRECTION_UP;
	options_parse("page_hinkley", options, size, specs, lengthof(specs));
}

static bool
page_hinkley_step(void *detector, double value)
{
	PageHinkley *ph = detector;

	ph->n++;
	ph->mean += (value - ph->mean) / (double) ph->n;
	ph->up = Max(0, ph->alpha * ph->up + (value - ph->mean) - ph->delta);
	ph->down = Max(0, ph->alpha * ph->down - (value - ph->mean) - ph->delta);
	if (ph->n < ph->min_instances ||
		!((ph->direction != DIRECTION_DOWN && ph->up > ph->threshold) ||
		  (ph->direction != DIRECTION_UP && ph->down > ph->threshold)))
		return false;
	ph->n = 0;
	ph->mean = ph->up = ph->down = 0;
	return true;
}

static const Detector page_hinkley = {
	"page_hinkley", sizeof(PageHinkley), STREAM_NUMBERS,
	page_hinkley_begin, page_hinkley_step
};

Datum
mlmeta_page_hinkley_transition(PG_FUNCTION_ARGS)
{
	return stream_add(fcinfo, &page_hinkley);
}
