/*-------------------------------------------------------------------------
 *
 * confusion_matrix.c
 *		The type confusion_matrix: aggregates, stored form, metrics.
 *
 * Formulas, conventions and sources: doc/statistics-quality.md.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "stats/quality/confusion_matrix.h"
#include "stats/options.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"

#define TYPE_NAME	"confusion_matrix"

#define FORMAT_VERSION	1

#define FIRST_SIDE		4
#define MAX_CELLS		(CONFUSION_MAX_CLASSES * CONFUSION_MAX_CLASSES)

PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_in);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_out);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_recv);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_send);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_transition);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_combine);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_final);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_plus);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_n);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_null_count);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_total_weight);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_classes);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_cells);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_by_class);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_accuracy);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_balanced_accuracy);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_precision);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_recall);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_f1);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_kappa);
PG_FUNCTION_INFO_V1(mlmeta_confusion_matrix_mcc);

static void archive_confusion_matrix(Archive *ar, Summary *summary);

const SummaryType confusion_matrix_type = {
	TYPE_NAME, sizeof(ConfusionMatrix), archive_confusion_matrix
};

/* ----------
 * Classes and cells
 * ----------
 */

/* The slot that holds the class, or the free one where it belongs */
static uint32
probe(const ConfusionMatrix *m, const char *name, int size, uint32 hash)
{
	uint32		mask = (uint32) (m->n_slots - 1);
	uint32		slot = hash & mask;

	while (m->slots[slot] != 0)
	{
		const ConfusionClass *other = &m->classes[m->slots[slot] - 1];

		if (other->hash == hash && other->size == size &&
			memcmp(other->name, name, size) == 0)
			break;
		slot = (slot + 1) & mask;
	}
	return slot;
}

/* Room for side classes: a new matrix of the cells, and new slots */
static void
set_side(ConfusionMatrix *m, int side)
{
	MemoryContext context = m->summary.context;
	ConfusionClass *classes;
	int64	   *counts;
	Weight	   *weights = NULL;

	classes = MemoryContextAlloc(context, side * sizeof(*classes));
	counts = MemoryContextAllocZero(context,
									(Size) side * side * sizeof(*counts));
	if (m->weights != NULL)
		weights = MemoryContextAllocZero(context,
										 (Size) side * side *
										 sizeof(*weights));
	for (int i = 0; i < m->n_classes; i++)
	{
		classes[i] = m->classes[i];
		memcpy(counts + i * side, m->counts + i * m->side,
			   m->n_classes * sizeof(*counts));
		if (weights != NULL)
			memcpy(weights + i * side, m->weights + i * m->side,
				   m->n_classes * sizeof(*weights));
	}
	if (m->side > 0)
	{
		pfree(m->classes);
		pfree(m->counts);
		pfree(m->slots);
		if (m->weights != NULL)
			pfree(m->weights);
	}
	m->classes = classes;
	m->counts = counts;
	m->weights = weights;
	m->side = side;
	m->n_slots = 4 * side;
	m->slots = MemoryContextAllocZero(context,
									  m->n_slots * sizeof(uint16));
	for (int i = 0; i < m->n_classes; i++)
		m->slots[probe(m, classes[i].name, classes[i].size,
					   classes[i].hash)] = (uint16) (i + 1);
}

/*
 * The index of a class, which is made if it is new. Raises 22001 for names
 * that are too long and 54000 for too many classes.
 */
static int
find_class(ConfusionMatrix *m, const char *name, int size)
{
	uint32		hash = hash_bytes((const unsigned char *) name, size);
	uint32		slot;
	ConfusionClass *class;

	if (m->side > 0)
	{
		slot = probe(m, name, size, hash);
		if (m->slots[slot] != 0)
			return m->slots[slot] - 1;
	}
	if (size > CONFUSION_MAX_CLASS_BYTES)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("a class of a confusion_matrix is longer than %d "
						"bytes", CONFUSION_MAX_CLASS_BYTES),
				 errdetail("It has %d bytes and begins with \"%.*s\".", size,
						   pg_mbcliplen(name, size, 40), name)));
	if (m->n_classes == CONFUSION_MAX_CLASSES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a confusion_matrix has at most %d classes",
						CONFUSION_MAX_CLASSES),
				 errhint("Map rare classes to one, or compare numbers with "
						 "regression(actual, predicted).")));
	if (m->n_classes == m->side)
		set_side(m, m->side == 0 ? FIRST_SIDE : 2 * m->side);

	slot = probe(m, name, size, hash);
	class = &m->classes[m->n_classes];
	class->name = MemoryContextAlloc(m->summary.context, size + 1);
	memcpy(class->name, name, size);
	class->name[size] = '\0';
	class->size = size;
	class->hash = hash;
	m->slots[slot] = (uint16) ++m->n_classes;
	return m->n_classes - 1;
}

/* Adds n rows, which together weigh weight. Raises 22003 for too many. */
static void
add_to_cell(ConfusionMatrix *m, int actual, int predicted, int64 n,
			Weight weight)
{
	row_count_add(&m->n, n, TYPE_NAME);
	weight_add(&m->weight, weight, TYPE_NAME);
	if (m->weights == NULL && weight != weight_of_rows(n))
	{
		int			n_cells = m->side * m->side;

		m->weights = MemoryContextAlloc(m->summary.context,
										n_cells * sizeof(Weight));
		for (int i = 0; i < n_cells; i++)
			m->weights[i] = weight_of_rows(m->counts[i]);
	}
	m->counts[actual * m->side + predicted] += n;
	if (m->weights != NULL)
		m->weights[actual * m->side + predicted] += weight;
}

void
confusion_matrix_merge(ConfusionMatrix *m, const ConfusionMatrix *other)
{
	int		   *index = palloc(Max(other->n_classes, 1) * sizeof(int));

	row_count_add(&m->null_count, other->null_count, TYPE_NAME);
	for (int i = 0; i < other->n_classes; i++)
		index[i] = find_class(m, other->classes[i].name,
							  other->classes[i].size);
	for (int i = 0; i < other->n_classes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < other->n_classes; j++)
		{
			int64		n = confusion_matrix_count(other, i, j);

			if (n > 0)
				add_to_cell(m, index[i], index[j], n,
							confusion_matrix_weight(other, i, j));
		}
	}
	pfree(index);
}

static int
compare_classes(const void *a, const void *b, void *arg)
{
	const ConfusionMatrix *m = arg;
	const ConfusionClass *x = &m->classes[*(const int *) a];
	const ConfusionClass *y = &m->classes[*(const int *) b];
	int			cmp = memcmp(x->name, y->name, Min(x->size, y->size));

	return cmp != 0 ? cmp : x->size - y->size;
}

int *
confusion_matrix_order(const ConfusionMatrix *m)
{
	int		   *order = palloc(Max(m->n_classes, 1) * sizeof(int));

	for (int i = 0; i < m->n_classes; i++)
		order[i] = i;
	qsort_arg(order, m->n_classes, sizeof(int), compare_classes,
			  unconstify(ConfusionMatrix *, m));
	return order;
}

/* ----------
 * Stored form
 * ----------
 */

/* The cells that hold rows, row by row of the ordered matrix */
typedef struct CellArrays
{
	int64	   *gaps;			/* cells passed over since the last */
	int64	   *counts;
	Weight	   *weights;
	int			n;
	int			n_counts;
	int			n_weights;
} CellArrays;

static void
cells_to_arrays(const ConfusionMatrix *m, const int *order,
				CellArrays *arrays, bool *weighted)
{
	int64		gap = 0;

	for (int i = 0; i < m->n_classes; i++)
		for (int j = 0; j < m->n_classes; j++)
			if (confusion_matrix_count(m, i, j) > 0)
				arrays->n++;
	arrays->n_counts = arrays->n_weights = arrays->n;
	arrays->gaps = palloc(arrays->n * sizeof(int64));
	arrays->counts = palloc(arrays->n * sizeof(int64));
	arrays->weights = palloc(arrays->n * sizeof(Weight));

	arrays->n = 0;
	for (int i = 0; i < m->n_classes; i++)
	{
		for (int j = 0; j < m->n_classes; j++)
		{
			int64		count = confusion_matrix_count(m, order[i], order[j]);
			Weight		weight = confusion_matrix_weight(m, order[i],
														 order[j]);

			gap++;
			if (count == 0)
				continue;
			arrays->gaps[arrays->n] = gap - 1;
			arrays->counts[arrays->n] = count;
			arrays->weights[arrays->n] = weight;
			arrays->n++;
			*weighted |= weight != weight_of_rows(count);
			gap = 0;
		}
	}
}

static void
cells_from_arrays(Archive *ar, ConfusionMatrix *m, bool weighted,
				  const CellArrays *arrays)
{
	int			n_cells = m->n_classes * m->n_classes;
	int			cell = -1;
	bool	   *used = palloc0(Max(m->n_classes, 1) * sizeof(bool));
	bool		differ = false;

	if (arrays->n_counts != arrays->n ||
		(weighted && arrays->n_weights != arrays->n))
	{
		archive_fail(ar, "The arrays of cells differ in length.");
		return;
	}
	if (weighted && m->side > 0)
		m->weights = palloc0((Size) m->side * m->side * sizeof(Weight));
	for (int i = 0; i < arrays->n; i++)
	{
		int64		count = arrays->counts[i];
		Weight		weight = weighted ? arrays->weights[i] :
			weight_of_rows(count);
		int			actual;
		int			predicted;

		if (arrays->gaps[i] >= n_cells - (cell + 1))
		{
			archive_fail(ar, "A cell is outside of the matrix.");
			return;
		}
		cell += 1 + (int) arrays->gaps[i];
		actual = cell / m->n_classes;
		predicted = cell % m->n_classes;
		if (count == 0)
		{
			archive_fail(ar, "A cell is empty.");
			return;
		}
		if (pg_add_s64_overflow(m->n, count, &m->n) ||
			m->weight + weight > WEIGHT_MAX_SUM)
		{
			archive_fail(ar, "The cells hold more than 2^63 - 1 rows.");
			return;
		}
		m->weight += weight;
		m->counts[actual * m->side + predicted] = count;
		if (weighted)
			m->weights[actual * m->side + predicted] = weight;
		used[actual] = used[predicted] = true;
		differ |= weight != weight_of_rows(count);
	}
	for (int i = 0; i < m->n_classes; i++)
		if (!used[i])
			archive_fail(ar, "A class has no rows.");
	if (weighted && !differ)
		archive_fail(ar, "Weights are given, but all are 1.");
	pfree(used);
}

static void
archive_confusion_matrix(Archive *ar, Summary *summary)
{
	ConfusionMatrix *m = (ConfusionMatrix *) summary;
	bool		reading = archive_reading(ar);
	CellArrays	arrays = {0};
	int		   *order = NULL;
	int			version = FORMAT_VERSION;
	int			n_classes = m->n_classes;
	bool		weighted = false;

	if (!reading)
	{
		order = confusion_matrix_order(m);
		cells_to_arrays(m, order, &arrays, &weighted);
	}

	archive_open(ar);
	archive_version(ar, FORMAT_VERSION, &version);
	archive_count(ar, "null_count", &m->null_count);
	archive_list(ar, "classes", &n_classes, CONFUSION_MAX_CLASSES);
	for (int i = 0; i < n_classes && !ar->failed; i++)
	{
		char	   *name = reading ? NULL : m->classes[order[i]].name;
		int			size = reading ? 0 : m->classes[order[i]].size;
		int			last[2] = {i - 1, i};

		archive_open(ar);
		archive_text(ar, "class", &name, &size, CONFUSION_MAX_CLASS_BYTES);
		archive_close(ar);
		if (!reading || ar->failed)
			continue;
		if (find_class(m, name ? name : "", size) != i ||
			(i > 0 && compare_classes(&last[0], &last[1], m) > 0))
			archive_fail(ar, "The classes are not in ascending order.");
	}
	archive_list_end(ar);
	archive_counts(ar, "gaps", &arrays.gaps, &arrays.n, MAX_CELLS);
	archive_counts(ar, "counts", &arrays.counts, &arrays.n_counts, MAX_CELLS);
	archive_bool(ar, "weighted", &weighted);
	if (weighted)
		archive_weights(ar, "weights", &arrays.weights, &arrays.n_weights,
						MAX_CELLS);
	archive_close(ar);

	if (reading && !ar->failed)
		cells_from_arrays(ar, m, weighted, &arrays);
	if (order != NULL)
		pfree(order);
	if (arrays.gaps != NULL)
		pfree(arrays.gaps);
	if (arrays.counts != NULL)
		pfree(arrays.counts);
	if (arrays.weights != NULL)
		pfree(arrays.weights);
}

Datum
mlmeta_confusion_matrix_in(PG_FUNCTION_ARGS)
{
	return summary_in(fcinfo, &confusion_matrix_type);
}

Datum
mlmeta_confusion_matrix_out(PG_FUNCTION_ARGS)
{
	return summary_out(fcinfo, &confusion_matrix_type);
}

Datum
mlmeta_confusion_matrix_recv(PG_FUNCTION_ARGS)
{
	return summary_recv(fcinfo, &confusion_matrix_type);
}

Datum
mlmeta_confusion_matrix_send(PG_FUNCTION_ARGS)
{
	return summary_send(fcinfo, &confusion_matrix_type);
}

/* ----------
 * Aggregates
 * ----------
 */

/*
 * (state, actual, predicted [, weight]): a row with a NULL is counted as such
 * and takes no part.
 */
Datum
mlmeta_confusion_matrix_transition(PG_FUNCTION_ARGS)
{
	ConfusionMatrix *m = summary_state(fcinfo, &confusion_matrix_type);
	bool		weighted = PG_NARGS() > 3;

	if (m == NULL)
		m = summary_new_state(fcinfo, &confusion_matrix_type, NULL);
	if (PG_ARGISNULL(1) || PG_ARGISNULL(2) || (weighted && PG_ARGISNULL(3)))
		row_count_add(&m->null_count, 1, TYPE_NAME);
	else
	{
		text	   *actual = PG_GETARG_TEXT_PP(1);
		text	   *predicted = PG_GETARG_TEXT_PP(2);
		Weight		weight = weighted ?
			weight_from_float(PG_GETARG_FLOAT8(3), TYPE_NAME) : WEIGHT_ONE;
		int			i = find_class(m, VARDATA_ANY(actual),
								   VARSIZE_ANY_EXHDR(actual));
		int			j = find_class(m, VARDATA_ANY(predicted),
								   VARSIZE_ANY_EXHDR(predicted));

		add_to_cell(m, i, j, 1, weight);
	}
	return summary_datum(m);
}

/* COMBINEFUNC of confusion, and SFUNC of merge(confusion_matrix) */
Datum
mlmeta_confusion_matrix_combine(PG_FUNCTION_ARGS)
{
	ConfusionMatrix *m = summary_state(fcinfo, &confusion_matrix_type);
	ConfusionMatrix *other;

	if (PG_ARGISNULL(1))
	{
		if (m == NULL)
			PG_RETURN_NULL();
		return summary_datum(m);
	}
	other = summary_read(PG_GETARG_DATUM(1), &confusion_matrix_type);
	if (m == NULL)
		m = summary_new_state(fcinfo, &confusion_matrix_type,
							  &other->summary);
	else
		confusion_matrix_merge(m, other);
	return summary_datum(m);
}

/* The state itself, for reading: windows and shared states ask repeatedly. */
Datum
mlmeta_confusion_matrix_final(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATUM(MakeExpandedObjectReadOnly(PG_GETARG_DATUM(0), false,
											   -1));
}

Datum
mlmeta_confusion_matrix_plus(PG_FUNCTION_ARGS)
{
	ConfusionMatrix *a = summary_read(PG_GETARG_DATUM(0),
									  &confusion_matrix_type);
	ConfusionMatrix *b = summary_read(PG_GETARG_DATUM(1),
									  &confusion_matrix_type);
	ConfusionMatrix *sum = summary_make(&confusion_matrix_type);

	confusion_matrix_merge(sum, a);
	confusion_matrix_merge(sum, b);
	return summary_datum(sum);
}

/* ----------
 * Counts, classes, cells
 * ----------
 */

static ConfusionMatrix *
argument(FunctionCallInfo fcinfo)
{
	return summary_read(PG_GETARG_DATUM(0), &confusion_matrix_type);
}

static Datum
class_datum(const ConfusionClass *class)
{
	return PointerGetDatum(cstring_to_text_with_len(class->name,
													class->size));
}

Datum
mlmeta_confusion_matrix_n(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(argument(fcinfo)->n);
}

Datum
mlmeta_confusion_matrix_null_count(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(argument(fcinfo)->null_count);
}

Datum
mlmeta_confusion_matrix_total_weight(PG_FUNCTION_ARGS)
{
	PG_RETURN_FLOAT8(weight_value(argument(fcinfo)->weight));
}

Datum
mlmeta_confusion_matrix_classes(PG_FUNCTION_ARGS)
{
	ConfusionMatrix *m = argument(fcinfo);
	int		   *order = confusion_matrix_order(m);
	Datum	   *names = palloc(Max(m->n_classes, 1) * sizeof(Datum));

	for (int i = 0; i < m->n_classes; i++)
		names[i] = class_datum(&m->classes[order[i]]);
	PG_RETURN_ARRAYTYPE_P(construct_array(names, m->n_classes, TEXTOID, -1,
										  false, TYPALIGN_INT));
}

/* Rows: actual, predicted, n, weight; cells without rows are left out */
Datum
mlmeta_confusion_matrix_cells(PG_FUNCTION_ARGS)
{
	ConfusionMatrix *m = argument(fcinfo);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int		   *order;

	InitMaterializedSRF(fcinfo, 0);
	order = confusion_matrix_order(m);
	for (int i = 0; i < m->n_classes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < m->n_classes; j++)
		{
			int64		n = confusion_matrix_count(m, order[i], order[j]);
			Weight		weight;
			Datum		values[4];
			bool		nulls[4] = {false};

			if (n == 0)
				continue;
			values[0] = class_datum(&m->classes[order[i]]);
			values[1] = class_datum(&m->classes[order[j]]);
			values[2] = Int64GetDatum(n);
			weight = confusion_matrix_weight(m, order[i], order[j]);
			values[3] = Float8GetDatum(weight_value(weight));
			tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
								 nulls);
		}
	}
	return (Datum) 0;
}

/* ----------
 * Metrics
 * ----------
 */

typedef struct ClassTotals
{
	double		hits;
	double		actual;
	double		predicted;
} ClassTotals;

/* Totals of all classes, in order of arrival; *hits is the diagonal's sum */
static ClassTotals *
read_totals(const ConfusionMatrix *m, double *hits)
{
	ClassTotals *totals = palloc(Max(m->n_classes, 1) * sizeof(*totals));
	Weight		diagonal = 0;

	for (int i = 0; i < m->n_classes; i++)
	{
		Weight		actual = 0;
		Weight		predicted = 0;

		CHECK_FOR_INTERRUPTS();
		for (int j = 0; j < m->n_classes; j++)
		{
			actual += confusion_matrix_weight(m, i, j);
			predicted += confusion_matrix_weight(m, j, i);
		}
		diagonal += confusion_matrix_weight(m, i, i);
		totals[i].hits = weight_value(confusion_matrix_weight(m, i, i));
		totals[i].actual = weight_value(actual);
		totals[i].predicted = weight_value(predicted);
	}
	*hits = weight_value(diagonal);
	return totals;
}

static double
ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

static double
class_precision(const ClassTotals *c)
{
	return ratio(c->hits, c->predicted);
}

static double
class_recall(const ClassTotals *c)
{
	return ratio(c->hits, c->actual);
}

static double
class_f1(const ClassTotals *c)
{
	return ratio(2 * c->hits, c->actual + c->predicted);
}

/* Rows: class, support, predicted, hits, precision, recall, f1 */
Datum
mlmeta_confusion_matrix_by_class(PG_FUNCTION_ARGS)
{
	ConfusionMatrix *m = argument(fcinfo);
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	double		hits;
	ClassTotals *totals;
	int		   *order;

	InitMaterializedSRF(fcinfo, 0);
	totals = read_totals(m, &hits);
	order = confusion_matrix_order(m);
	for (int i = 0; i < m->n_classes; i++)
	{
		const ClassTotals *c = &totals[order[i]];
		Datum		values[7];
		bool		nulls[7] = {false};

		values[0] = class_datum(&m->classes[order[i]]);
		values[1] = Float8GetDatum(c->actual);
		values[2] = Float8GetDatum(c->predicted);
		values[3] = Float8GetDatum(c->hits);
		values[4] = Float8GetDatum(class_precision(c));
		values[5] = Float8GetDatum(class_recall(c));
		values[6] = Float8GetDatum(class_f1(c));
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}

Datum
mlmeta_confusion_matrix_accuracy(PG_FUNCTION_ARGS)
{
	ConfusionMatrix *m = argument(fcinfo);
	double		hits;

	(void) read_totals(m, &hits);
	if (m->weight == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(hits / weight_value(m->weight));
}

/* The mean recall of the classes that occur */
Datum
mlmeta_confusion_matrix_balanced_accuracy(PG_FUNCTION_ARGS)
{
	ConfusionMatrix *m = argument(fcinfo);
	double		hits;
	ClassTotals *totals = read_totals(m, &hits);
	double		sum = 0;
	int			n = 0;

	for (int i = 0; i < m->n_classes; i++)
	{
		sum += class_recall(&totals[i]);
		n += totals[i].actual > 0;
	}
	if (n == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(sum / n);
}

/*
 * (matrix, average): 'macro', the mean over all classes that were actual or
 * predicted; 'weighted', the same by the weight of the actual class; 'micro',
 * over all rows, where precision, recall and F1 are the accuracy.
 */
static Datum
averaged(FunctionCallInfo fcinfo, const char *function_name,
		 double (*metric) (const ClassTotals *))
{
	static const char *const averages[] = {"macro", "micro", "weighted", NULL};
	ConfusionMatrix *m = argument(fcinfo);
	int			average = choice_parse(function_name, "average",
									   text_to_cstring(PG_GETARG_TEXT_PP(1)),
									   averages);
	double		hits;
	ClassTotals *totals = read_totals(m, &hits);
	double		sum = 0;

	if (m->weight == 0)
		PG_RETURN_NULL();
	if (average == 1)
		PG_RETURN_FLOAT8(hits / weight_value(m->weight));
	for (int i = 0; i < m->n_classes; i++)
		sum += metric(&totals[i]) * (average == 2 ? totals[i].actual : 1);
	PG_RETURN_FLOAT8(sum / (average == 2 ? weight_value(m->weight) :
							m->n_classes));
}

Datum
mlmeta_confusion_matrix_precision(PG_FUNCTION_ARGS)
{
	return averaged(fcinfo, "precision_score", class_precision);
}

Datum
mlmeta_confusion_matrix_recall(PG_FUNCTION_ARGS)
{
	return averaged(fcinfo, "recall_score", class_recall);
}

Datum
mlmeta_confusion_matrix_f1(PG_FUNCTION_ARGS)
{
	return averaged(fcinfo, "f1_score", class_f1);
}

/* NULL when chance alone would agree always: one class on both sides */
Datum
mlmeta_confusion_matrix_kappa(PG_FUNCTION_ARGS)
{
	ConfusionMatrix *m = argument(fcinfo);
	double		total = weight_value(m->weight);
	double		hits;
	ClassTotals *totals = read_totals(m, &hits);
	double		chance = 0;

	/* shares of rows on which chance would disagree */
	for (int i = 0; i < m->n_classes; i++)
		chance += totals[i].actual / total *
			((total - totals[i].predicted) / total);
	if (total == 0 || chance == 0)
		PG_RETURN_NULL();
	PG_RETURN_FLOAT8(1 - (total - hits) / total / chance);
}

/* Gorodkin's R_K, for two classes Matthews' coefficient; 0 where undefined */
Datum
mlmeta_confusion_matrix_mcc(PG_FUNCTION_ARGS)
{
	ConfusionMatrix *m = argument(fcinfo);
	double		total = weight_value(m->weight);
	double		hits;
	ClassTotals *totals = read_totals(m, &hits);
	double		covariance = 0;
	double		actual = 0;
	double		predicted = 0;

	if (total == 0)
		PG_RETURN_NULL();
	for (int i = 0; i < m->n_classes; i++)
	{
		double		a = totals[i].actual / total;
		double		p = totals[i].predicted / total;

		covariance += totals[i].hits / total - a * p;
		actual += a * (1 - a);
		predicted += p * (1 - p);
	}
	PG_RETURN_FLOAT8(ratio(covariance, sqrt(actual) * sqrt(predicted)));
}
