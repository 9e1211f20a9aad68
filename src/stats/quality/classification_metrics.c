/*-------------------------------------------------------------------------
 *
 * classification_metrics.c
 *		What can be read from a classification.
 *
 * Every count below is a sum of weights, which are 1 unless given. A summary
 * without rows, or whose weights are all 0, has no metrics: NULL. Formulas,
 * conventions and sources: doc/statistics-quality.md.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <float.h>
#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "stats/quality/classification.h"
#include "stats/options.h"
#include "utils/builtins.h"
#include "utils/float.h"

#define MAX_CALIBRATION_BINS	10000

PG_FUNCTION_INFO_V1(mlmeta_classification_n);
PG_FUNCTION_INFO_V1(mlmeta_classification_null_count);
PG_FUNCTION_INFO_V1(mlmeta_classification_positives);
PG_FUNCTION_INFO_V1(mlmeta_classification_threshold);
PG_FUNCTION_INFO_V1(mlmeta_classification_total_weight);
PG_FUNCTION_INFO_V1(mlmeta_classification_confusion);
PG_FUNCTION_INFO_V1(mlmeta_classification_accuracy);
PG_FUNCTION_INFO_V1(mlmeta_classification_balanced_accuracy);
PG_FUNCTION_INFO_V1(mlmeta_classification_precision);
PG_FUNCTION_INFO_V1(mlmeta_classification_recall);
PG_FUNCTION_INFO_V1(mlmeta_classification_specificity);
PG_FUNCTION_INFO_V1(mlmeta_classification_f1);
PG_FUNCTION_INFO_V1(mlmeta_classification_f_beta);
PG_FUNCTION_INFO_V1(mlmeta_classification_jaccard);
PG_FUNCTION_INFO_V1(mlmeta_classification_mcc);
PG_FUNCTION_INFO_V1(mlmeta_classification_kappa);
PG_FUNCTION_INFO_V1(mlmeta_classification_log_loss);
PG_FUNCTION_INFO_V1(mlmeta_classification_brier);
PG_FUNCTION_INFO_V1(mlmeta_classification_roc_auc);
PG_FUNCTION_INFO_V1(mlmeta_classification_roc_auc_interval);
PG_FUNCTION_INFO_V1(mlmeta_classification_average_precision);
PG_FUNCTION_INFO_V1(mlmeta_classification_ks);
PG_FUNCTION_INFO_V1(mlmeta_classification_ece);
PG_FUNCTION_INFO_V1(mlmeta_classification_mce);
PG_FUNCTION_INFO_V1(mlmeta_classification_calibration);
PG_FUNCTION_INFO_V1(mlmeta_classification_roc);
PG_FUNCTION_INFO_V1(mlmeta_classification_sampling_error);

static Classification *
argument(FunctionCallInfo fcinfo)
{
	return summary_read(PG_GETARG_DATUM(0), &classification_type);
}

static double
ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

/* ----------
 * Counts
 * ----------
 */

Datum
mlmeta_classification_n(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(argument(fcinfo)->n);
}

Datum
mlmeta_classification_null_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(argument(fcinfo)->null_count);
}

Datum
mlmeta_classification_positives(PG_FUNCTION_ARGS)
{
	Classification *c = argument(fcinfo);
	int64		positives = 0;

	for (int i = 0; i < c->n_cells; i++)
		positives += c->cells[i].n[1];
	PG_RETURN_INT64(positives);
}

Datum
mlmeta_classification_threshold(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(argument(fcinfo)->threshold);
}

Datum
mlmeta_classification_total_weight(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(weight_value(argument(fcinfo)->weight));
}

/* ----------
 * At the threshold
 * ----------
 */

typedef struct Confusion
{
	double		tp;
	double		fp;
	double		fn;
	double		tn;
	double		actual[2];
	double		predicted[2];
	double		correct;
	double		total;
} Confusion;

static void
read_confusion(const Classification *c, Confusion *m)
{
	Weight		counts[2][2];

	classification_confusion(c, counts);
	m->tn = weight_value(counts[0][0]);
	m->fn = weight_value(counts[0][1]);
	m->fp = weight_value(counts[1][0]);
	m->tp = weight_value(counts[1][1]);
	for (int i = 0; i < 2; i++)
	{
		m->actual[i] = weight_value(counts[0][i] + counts[1][i]);
		m->predicted[i] = weight_value(counts[i][0] + counts[i][1]);
	}
	m->correct = weight_value(counts[0][0] + counts[1][1]);
	m->total = weight_value(c->weight);
}

typedef double (*ConfusionMetric) (const Confusion *m);

static Datum
confusion_metric(FunctionCallInfo fcinfo, ConfusionMetric metric)
{
	Confusion	m;
	double		result;

	read_confusion(argument(fcinfo), &m);
	if (m.total == 0)
		PG_RETURN_NULL();
	result = metric(&m);
	if (isnan(result))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(result);
}

static double
accuracy(const Confusion *m)
{
	return m->correct / m->total;
}

static double
precision(const Confusion *m)
{
	return ratio(m->tp, m->predicted[1]);
}

static double
recall(const Confusion *m)
{
	return ratio(m->tp, m->actual[1]);
}

static double
specificity(const Confusion *m)
{
	return ratio(m->tn, m->actual[0]);
}

static double
f1(const Confusion *m)
{
	return ratio(2 * m->tp, m->actual[1] + m->predicted[1]);
}

static double
jaccard(const Confusion *m)
{
	return ratio(m->tp, m->tp + m->fp + m->fn);
}

/* The mean recall of the classes that occur */
static double
balanced_accuracy(const Confusion *m)
{
	return (recall(m) + specificity(m)) /
		((m->actual[0] > 0) + (m->actual[1] > 0));
}

static double
mcc(const Confusion *m)
{
	/* roots first, so that no product of four overflows */
	double		scale = sqrt(m->actual[0]) * sqrt(m->actual[1]) *
		sqrt(m->predicted[0]) * sqrt(m->predicted[1]);

	return ratio(m->tp * m->tn - m->fp * m->fn, scale);
}

/* Undefined when chance alone would agree always: one class on both sides */
static double
kappa(const Confusion *m)
{
	double		chance = (m->actual[0] * m->predicted[1] +
						  m->actual[1] * m->predicted[0]) / m->total;

	if (chance == 0)
		return get_float8_nan();
	return 1 - (m->fp + m->fn) / chance;
}

#define CONFUSION_METRIC(name) \
Datum \
mlmeta_classification_##name(PG_FUNCTION_ARGS) \
{ \
	return confusion_metric(fcinfo, name); \
} \
extern int no_such_variable

CONFUSION_METRIC(accuracy);
CONFUSION_METRIC(balanced_accuracy);
CONFUSION_METRIC(precision);
CONFUSION_METRIC(recall);
CONFUSION_METRIC(specificity);
CONFUSION_METRIC(f1);
CONFUSION_METRIC(jaccard);
CONFUSION_METRIC(mcc);
CONFUSION_METRIC(kappa);

/* (classification, beta): raises 22023 unless beta is positive and finite */
Datum
mlmeta_classification_f_beta(PG_FUNCTION_ARGS)
{
	double		beta = PG_GETARG_FLOAT8(1);
	double		square = beta * beta;
	Confusion	m;

	if (!(beta > 0 && isfinite(square)))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("f_beta: beta %s is not a positive number",
						float8out_internal(beta))));
	read_confusion(argument(fcinfo), &m);
	if (m.total == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(ratio((1 + square) * m.tp,
						   square * m.actual[1] + m.predicted[1]));
}

/* One row: tp, fp, fn, tn */
Datum
mlmeta_classification_confusion(PG_FUNCTION_ARGS)
{
	Confusion	m;
	Datum		values[4];
	bool		nulls[4] = {false};
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != lengthof(values))
		elog(ERROR, "confusion does not return its four columns");
	read_confusion(argument(fcinfo), &m);
	values[0] = Float8GetDatum(m.tp);
	values[1] = Float8GetDatum(m.fp);
	values[2] = Float8GetDatum(m.fn);
	values[3] = Float8GetDatum(m.tn);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}

/*
 * (classification, metric, n): the standard error that the metric would have
 * over n rows like those summarised. n NULL: as many rows as there are.
 */
Datum
mlmeta_classification_sampling_error(PG_FUNCTION_ARGS)
{
	static const char *const metrics[] = {"accuracy", "precision", "recall",
	"specificity", "f1", NULL};
	Classification *c;
	Confusion	m;
	double		hits;
	double		relevant;
	double		share;
	double		result;
	int			metric;
	int64		n;

	if (PG_ARGISNULL(0) || PG_ARGISNULL(1))
		PG_RETURN_NULL();
	c = argument(fcinfo);
	n = PG_ARGISNULL(2) ? c->n : PG_GETARG_INT64(2);
	metric = choice_parse("sampling_error", "metric",
						  text_to_cstring(PG_GETARG_TEXT_PP(1)), metrics);
	if (!PG_ARGISNULL(2) && n < 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("sampling_error: n is less than 1")));
	read_confusion(c, &m);
	switch (metric)
	{
		case 0:
			hits = m.correct;
			relevant = m.total;
			break;
		case 1:
			hits = m.tp;
			relevant = m.predicted[1];
			break;
		case 2:
			hits = m.tp;
			relevant = m.actual[1];
			break;
		case 3:
			hits = m.tn;
			relevant = m.actual[0];
			break;
		default:
			hits = m.tp;
			relevant = m.tp + m.fp + m.fn;
			break;
	}
	if (relevant == 0)
		PG_RETURN_NULL();

	/* The share of hits among the relevant rows of a sample is binomial. */
	share = hits / relevant;
	result = sqrt(share * (1 - share) / (n * (relevant / m.total)));
	/* F1 is 2 / (1 + J) times that share, the Jaccard index J */
	if (metric == 4)
		result *= 2 / (1 + share);
	PG_RETURN_FLOAT8(result);
}

/* ----------
 * Losses
 * ----------
 */

Datum
mlmeta_classification_log_loss(PG_FUNCTION_ARGS)
{
	Classification *c = argument(fcinfo);
	double		log_loss;
	double		brier;

	if (c->weight == 0)
		PG_RETURN_NULL();
	classification_losses(c, &log_loss, &brier);
	PG_RETURN_FLOAT8(log_loss / weight_value(c->weight));
}

Datum
mlmeta_classification_brier(PG_FUNCTION_ARGS)
{
	Classification *c = argument(fcinfo);
	double		log_loss;
	double		brier;

	if (c->weight == 0)
		PG_RETURN_NULL();
	classification_losses(c, &log_loss, &brier);
	PG_RETURN_FLOAT8(brier / weight_value(c->weight));
}

/* ----------
 * Over all thresholds
 * ----------
 */

/* A sum of many positive terms, with its rounding errors carried along */
typedef struct Compensated
{
	double		sum;
	double		error;
} Compensated;

static inline void
compensated_add(Compensated *total, double term)
{
	double		sum = total->sum + term;

	/* Neumaier's variant of Kahan's summation */
	if (fabs(total->sum) >= fabs(term))
		total->error += (total->sum - sum) + term;
	else
		total->error += (term - sum) + total->sum;
	total->sum = sum;
}

static inline double
compensated_value(const Compensated *total)
{
	return total->sum + total->error;
}

/*
 * The share of pairs (negative, positive) in which the positive has the higher
 * score, ties counting half; low and high bound it where cells hold more than
 * one score. False if a class has no weight.
 */
static bool
roc_auc(Classification *c, double *auc, double *low, double *high)
{
	Weight		totals[2] = {0, 0};
	double		pairs;

	classification_settle(c);
	for (int i = 0; i < c->n_cells; i++)
		for (int label = 0; label < 2; label++)
			totals[label] += classification_cell_weight(c, i, label);
	if (totals[0] == 0 || totals[1] == 0)
		return false;
	pairs = 2 * weight_value(totals[0]) * weight_value(totals[1]);

	if (c->weights == NULL)
	{
		/* Half pairs: at most 2 * (2^62)^2 of them, so integers do. */
		uint128		wins = 0;
		uint128		unknown = 0;
		uint128		below = 0;

		for (int i = 0; i < c->n_cells; i++)
		{
			uint128		negatives = (uint128) c->cells[i].n[0];
			uint128		positives = (uint128) c->cells[i].n[1];

			wins += (2 * below + negatives) * positives;
			if (!classification_cell_is_point(c, i))
				unknown += negatives * positives;
			below += negatives;
		}
		*auc = (double) wins / pairs;
		*low = (double) (wins - unknown) / pairs;
		*high = (double) (wins + unknown) / pairs;
	}
	else
	{
		Compensated wins = {0};
		Compensated unknown = {0};
		Weight		below = 0;
		double		margin;

		for (int i = 0; i < c->n_cells; i++)
		{
			Weight		negatives = c->weights[i][0];
			double		positives = weight_value(c->weights[i][1]);

			compensated_add(&wins,
							weight_value(2 * below + negatives) * positives);
			if (!classification_cell_is_point(c, i))
				compensated_add(&unknown, weight_value(negatives) * positives);
			below += negatives;
		}
		margin = compensated_value(&unknown);
		*auc = compensated_value(&wins) / pairs;
		*low = *high = *auc;
		if (margin > 0)
		{
			/* the last bits of the floats must not cut the interval short */
			margin = margin / pairs + 8 * DBL_EPSILON;
			*low -= margin;
			*high += margin;
		}
	}
	*auc = Min(*auc, 1);
	*low = Max(*low, 0);
	*high = Min(*high, 1);
	return true;
}

Datum
mlmeta_classification_roc_auc(PG_FUNCTION_ARGS)
{
	double		auc;
	double		low;
	double		high;

	if (!roc_auc(argument(fcinfo), &auc, &low, &high))
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(auc);
}

/* One row: low, high */
Datum
mlmeta_classification_roc_auc_interval(PG_FUNCTION_ARGS)
{
	double		auc;
	double		low = 0;
	double		high = 0;
	Datum		values[2];
	bool		nulls[2];
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE ||
		desc->natts != lengthof(values))
		elog(ERROR, "roc_auc_interval does not return its two columns");
	nulls[0] = nulls[1] = !roc_auc(argument(fcinfo), &auc, &low, &high);
	values[0] = Float8GetDatum(low);
	values[1] = Float8GetDatum(high);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc),
													  values, nulls)));
}

/*
 * The sum of the precisions at each score from the highest down, weighted by
 * the recall it adds; no interpolation. NULL without positives.
 */
Datum
mlmeta_classification_average_precision(PG_FUNCTION_ARGS)
{
	Classification *c = argument(fcinfo);
	Compensated sum = {0};
	Weight		seen[2] = {0, 0};

	classification_settle(c);
	for (int i = c->n_cells - 1; i >= 0; i--)
	{
		Weight		positives = classification_cell_weight(c, i, 1);

		seen[0] += classification_cell_weight(c, i, 0);
		seen[1] += positives;
		if (positives != 0)
			compensated_add(&sum, weight_value(positives) *
							(weight_value(seen[1]) /
							 weight_value(seen[0] + seen[1])));
	}
	if (seen[1] == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(Min(compensated_value(&sum) / weight_value(seen[1]), 1));
}

/*
 * The largest distance between the distributions of the scores of the two
 * classes. NULL unless both occur.
 */
Datum
mlmeta_classification_ks(PG_FUNCTION_ARGS)
{
	Classification *c = argument(fcinfo);
	Weight		totals[2] = {0, 0};
	Weight		seen[2] = {0, 0};
	double		ks = 0;

	classification_settle(c);
	for (int i = 0; i < c->n_cells; i++)
		for (int label = 0; label < 2; label++)
			totals[label] += classification_cell_weight(c, i, label);
	if (totals[0] == 0 || totals[1] == 0)
		PG_RETURN_NULL();
	for (int i = 0; i < c->n_cells; i++)
	{
		for (int label = 0; label < 2; label++)
			seen[label] += classification_cell_weight(c, i, label);
		ks = Max(ks, fabs(weight_value(seen[0]) / weight_value(totals[0]) -
						  weight_value(seen[1]) / weight_value(totals[1])));
	}
	PG_RETURN_FLOAT8(ks);
}

/* Rows: threshold, fpr, tpr, fp, tp, from above all scores downward */
Datum
mlmeta_classification_roc(PG_FUNCTION_ARGS)
{
	Classification *c = argument(fcinfo);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Weight		totals[2] = {0, 0};
	Weight		seen[2] = {0, 0};

	InitMaterializedSRF(fcinfo, 0);
	classification_settle(c);
	for (int i = 0; i < c->n_cells; i++)
		for (int label = 0; label < 2; label++)
			totals[label] += classification_cell_weight(c, i, label);
	if (c->weight == 0)
		return (Datum) 0;
	for (int i = c->n_cells; i >= 0; i--)
	{
		Datum		values[5];
		bool		nulls[5] = {false};

		CHECK_FOR_INTERRUPTS();
		values[0] = Float8GetDatum(get_float8_infinity());
		if (i < c->n_cells)
		{
			values[0] = Float8GetDatum(classification_cell_lower(c, i));
			for (int label = 0; label < 2; label++)
				seen[label] += classification_cell_weight(c, i, label);
		}
		for (int label = 0; label < 2; label++)
		{
			double		count = weight_value(seen[label]);

			nulls[1 + label] = totals[label] == 0;
			values[1 + label] =
				Float8GetDatum(ratio(count, weight_value(totals[label])));
			values[3 + label] = Float8GetDatum(count);
		}
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}

/* ----------
 * Calibration
 * ----------
 */

typedef struct CalibrationBin
{
	int64		n;
	Weight		weight;
	Weight		positives;
	Compensated scores;			/* times weight */
} CalibrationBin;

typedef struct Calibration
{
	int			n_bins;
	CalibrationBin *bins;
} Calibration;

/*
 * The i-th of n + 1 edges of equal bins. The product, not the quotient, is
 * what other tools compute, and a score of 0.3 is on one side or the other.
 */
static double
calibration_edge(int i, int n)
{
	return i == n ? 1 : i * (1.0 / n);
}

/*
 * Bins of the call (classification, bins, closed): equal bins of [0, 1], each
 * with its right ('right') or its left edge ('left'); the first and the last
 * have both 0 and 1. Raises 22023 for other arguments.
 */
static void
read_calibration(FunctionCallInfo fcinfo, const char *function_name,
				 Classification *c, Calibration *calibration)
{
	static const char *const sides[] = {"right", "left", NULL};
	int			n = PG_GETARG_INT32(1);
	bool		left = choice_parse(function_name, "side for closed",
									text_to_cstring(PG_GETARG_TEXT_PP(2)),
									sides) == 1;
	int			bin = 0;

	if (n < 1 || n > MAX_CALIBRATION_BINS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s: %d is no number of bins", function_name, n),
				 errhint("It must be from 1 to %d.",
						 MAX_CALIBRATION_BINS)));
	calibration->n_bins = n;
	calibration->bins = palloc0(n * sizeof(CalibrationBin));
	classification_settle(c);
	for (int i = 0; i < c->n_cells; i++)
	{
		double		score = classification_cell_score(c, i);
		Weight		positives = classification_cell_weight(c, i, 1);
		Weight		weight = positives + classification_cell_weight(c, i, 0);
		CalibrationBin *target;

		/* scores ascend, and so do their bins */
		while (bin < n - 1 &&
			   (score > calibration_edge(bin + 1, n) ||
				(left && score == calibration_edge(bin + 1, n))))
			bin++;
		target = &calibration->bins[bin];
		target->n += c->cells[i].n[0] + c->cells[i].n[1];
		target->weight += weight;
		target->positives += positives;
		compensated_add(&target->scores, weight_value(weight) * score);
	}
}

/* How far the positives of a bin are from what its scores promise */
static double
calibration_gap(const CalibrationBin *bin)
{
	return fabs(weight_value(bin->positives) -
				compensated_value(&bin->scores));
}

Datum
mlmeta_classification_ece(PG_FUNCTION_ARGS)
{
	Classification *c = argument(fcinfo);
	Calibration calibration;
	Compensated sum = {0};

	read_calibration(fcinfo, "ece", c, &calibration);
	if (c->weight == 0)
		PG_RETURN_NULL();
	for (int i = 0; i < calibration.n_bins; i++)
		compensated_add(&sum, calibration_gap(&calibration.bins[i]));
	PG_RETURN_FLOAT8(compensated_value(&sum) / weight_value(c->weight));
}

Datum
mlmeta_classification_mce(PG_FUNCTION_ARGS)
{
	Classification *c = argument(fcinfo);
	Calibration calibration;
	double		largest = 0;

	read_calibration(fcinfo, "mce", c, &calibration);
	if (c->weight == 0)
		PG_RETURN_NULL();
	for (int i = 0; i < calibration.n_bins; i++)
	{
		const CalibrationBin *bin = &calibration.bins[i];

		if (bin->weight != 0)
			largest = Max(largest,
						  calibration_gap(bin) / weight_value(bin->weight));
	}
	PG_RETURN_FLOAT8(largest);
}

/* Rows: bin, lower, upper, n, weight, mean_score, positive_rate */
Datum
mlmeta_classification_calibration(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Calibration calibration;

	InitMaterializedSRF(fcinfo, 0);
	read_calibration(fcinfo, "calibration", argument(fcinfo), &calibration);
	for (int i = 0; i < calibration.n_bins; i++)
	{
		const CalibrationBin *bin = &calibration.bins[i];
		double		weight = weight_value(bin->weight);
		Datum		values[7];
		bool		nulls[7] = {false};

		values[0] = Int32GetDatum(i + 1);
		values[1] = Float8GetDatum(calibration_edge(i, calibration.n_bins));
		values[2] = Float8GetDatum(calibration_edge(i + 1,
													calibration.n_bins));
		values[3] = Int64GetDatum(bin->n);
		values[4] = Float8GetDatum(weight);
		values[5] = Float8GetDatum(ratio(compensated_value(&bin->scores),
										 weight));
		values[6] = Float8GetDatum(ratio(weight_value(bin->positives),
										 weight));
		nulls[5] = nulls[6] = weight == 0;
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}
