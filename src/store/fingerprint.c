/*-------------------------------------------------------------------------
 *
 * fingerprint.c
 *		The version of a set of rows: an aggregate over records, its state as
 *		a type, the hash of a single row, and the hash function itself.
 *
 * The rows' 128-bit hashes are summed modulo 2^128. The sum does not depend
 * on the order, counts duplicates, can be merged, and a row can be taken out
 * of it. SHA-256 over columns, number of rows and sum is the version. The row
 * hash has a public key and sums are linear: a fingerprint finds every change
 * that happens, it is no seal against somebody who searches for collisions.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include "common/int.h"
#include "core/summary.h"
#include "libpq/pqformat.h"
#include "store/row_hash.h"
#include "utils/builtins.h"
#include "utils/uuid.h"

#define STATE_VERSION	1
#define HASH_BYTES		16

/* A multiset of rows of one shape */
typedef struct Fingerprint
{
	Summary		summary;
	uint8		columns[PG_SHA256_DIGEST_LENGTH];
	int64		n;
	uint128		sum;			/* of the rows' hashes */
} Fingerprint;

static void archive_fingerprint(Archive *ar, Summary *summary);

static const SummaryType fingerprint_type = {
	"fingerprint_state", sizeof(Fingerprint), archive_fingerprint
};

PG_FUNCTION_INFO_V1(mlmeta_fingerprint_state_in);
PG_FUNCTION_INFO_V1(mlmeta_fingerprint_state_out);
PG_FUNCTION_INFO_V1(mlmeta_fingerprint_state_recv);
PG_FUNCTION_INFO_V1(mlmeta_fingerprint_state_send);
PG_FUNCTION_INFO_V1(mlmeta_fingerprint_transition);
PG_FUNCTION_INFO_V1(mlmeta_fingerprint_combine);
PG_FUNCTION_INFO_V1(mlmeta_fingerprint_text);
PG_FUNCTION_INFO_V1(mlmeta_fingerprint_self);
PG_FUNCTION_INFO_V1(mlmeta_fingerprint_plus);
PG_FUNCTION_INFO_V1(mlmeta_fingerprint_minus);
PG_FUNCTION_INFO_V1(mlmeta_fingerprint_n);
PG_FUNCTION_INFO_V1(mlmeta_content_hash);
PG_FUNCTION_INFO_V1(mlmeta_hash128);

static inline uint128
hash_to_number(Hash128 hash)
{
	return (uint128) hash.high << 64 | hash.low;
}

static inline Hash128
number_to_hash(uint128 number)
{
	Hash128		hash = {(uint64) number, (uint64) (number >> 64)};

	return hash;
}

/* ----------
 * The state as a type
 * ----------
 */

/* Bytes of a fixed number */
static void
archive_digest(Archive *ar, const char *name, uint8 *digest, int size)
{
	uint8	   *bytes = digest;
	int			n = size;

	archive_bytes(ar, name, &bytes, &n, size);
	if (!archive_reading(ar) || ar->failed)
		return;
	if (n != size)
		archive_fail(ar, "The field \"%s\" has %d bytes instead of %d.",
					 name, n, size);
	else
		memcpy(digest, bytes, size);
}

static void
archive_fingerprint(Archive *ar, Summary *summary)
{
	Fingerprint *state = (Fingerprint *) summary;
	int			version = STATE_VERSION;
	uint8		sum[HASH_BYTES];

	hash128_to_bytes(number_to_hash(state->sum), sum);
	archive_open(ar);
	archive_version(ar, STATE_VERSION, &version);
	archive_digest(ar, "columns", state->columns, sizeof(state->columns));
	archive_count(ar, "n", &state->n);
	archive_digest(ar, "sum", sum, sizeof(sum));
	archive_close(ar);
	state->sum = hash_to_number(hash128_from_bytes(sum));
	if (archive_reading(ar) && state->n == 0 && state->sum != 0)
		archive_fail(ar, "There are no rows, but the sum is not zero.");
}

Datum
mlmeta_fingerprint_state_in(PG_FUNCTION_ARGS)
{
	return summary_in(fcinfo, &fingerprint_type);
}

Datum
mlmeta_fingerprint_state_out(PG_FUNCTION_ARGS)
{
	return summary_out(fcinfo, &fingerprint_type);
}

Datum
mlmeta_fingerprint_state_recv(PG_FUNCTION_ARGS)
{
	return summary_recv(fcinfo, &fingerprint_type);
}

Datum
mlmeta_fingerprint_state_send(PG_FUNCTION_ARGS)
{
	return summary_send(fcinfo, &fingerprint_type);
}

/* ----------
 * Adding and taking out
 * ----------
 */

static void
check_same_columns(const Fingerprint *state, const uint8 *columns)
{
	if (memcmp(state->columns, columns, sizeof(state->columns)) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("rows of one fingerprint differ in their columns"),
				 errdetail("After " INT64_FORMAT " rows came one whose "
						   "columns have other names, types or another "
						   "order.", state->n),
				 errhint("Give all rows the same named columns, in one "
						 "order.")));
}

static void
add_state(Fingerprint *state, const Fingerprint *other)
{
	check_same_columns(state, other->columns);
	if (pg_add_s64_overflow(state->n, other->n, &state->n))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("number of rows out of range")));
	state->sum += other->sum;
}

/*
 * fingerprint_transition(fingerprint_state, record) -> fingerprint_state: the
 * state with one more row. A record that is NULL (no row of an outer join) is
 * no row; a row of NULLs is one. Raises 42804 when the columns change.
 */
Datum
mlmeta_fingerprint_transition(PG_FUNCTION_ARGS)
{
	Fingerprint *state = summary_state(fcinfo, &fingerprint_type);
	HeapTupleHeader row;
	RowCoder   *coder;

	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		return summary_datum(state);
	}

	row = PG_GETARG_HEAPTUPLEHEADER(1);
	coder = row_coder((RowCoder **) &fcinfo->flinfo->fn_extra, row,
					  fcinfo->flinfo->fn_mcxt);
	if (state == NULL)
	{
		state = summary_new_state(fcinfo, &fingerprint_type, NULL);
		memcpy(state->columns, row_coder_columns(coder),
			   sizeof(state->columns));
	}
	else
		check_same_columns(state, row_coder_columns(coder));
	state->sum += hash_to_number(row_hash(coder, row));
	state->n++;
	return summary_datum(state);
}

/*
 * fingerprint_combine(fingerprint_state, fingerprint_state): the rows of both.
 * A NULL state has no rows.
 */
Datum
mlmeta_fingerprint_combine(PG_FUNCTION_ARGS)
{
	Fingerprint *state = summary_state(fcinfo, &fingerprint_type);
	Fingerprint *other;

	if (PG_ARGISNULL(1))
	{
		if (state == NULL)
			PG_RETURN_NULL();
		return summary_datum(state);
	}
	other = summary_read(PG_GETARG_DATUM(1), &fingerprint_type);
	if (state == NULL)
		state = summary_new_state(fcinfo, &fingerprint_type, &other->summary);
	else
		add_state(state, other);
	return summary_datum(state);
}

/* A copy that is nobody's state */
static Fingerprint *
copy_state(Datum value)
{
	Fingerprint *from = summary_read(value, &fingerprint_type);
	Fingerprint *copy = summary_make(&fingerprint_type);

	memcpy(copy->columns, from->columns, sizeof(copy->columns));
	copy->n = from->n;
	copy->sum = from->sum;
	return copy;
}

/* plus(fingerprint_state, fingerprint_state): the rows of both */
Datum
mlmeta_fingerprint_plus(PG_FUNCTION_ARGS)
{
	Fingerprint *state = copy_state(PG_GETARG_DATUM(0));

	add_state(state, summary_read(PG_GETARG_DATUM(1), &fingerprint_type));
	return summary_datum(state);
}

/*
 * minus(fingerprint_state, fingerprint_state): the rows of the first without
 * those of the second. Raises 22003 when it has more rows, or as many that
 * are other ones; that fewer rows are all among the first's cannot be known.
 */
Datum
mlmeta_fingerprint_minus(PG_FUNCTION_ARGS)
{
	Fingerprint *state = copy_state(PG_GETARG_DATUM(0));
	Fingerprint *other = summary_read(PG_GETARG_DATUM(1), &fingerprint_type);

	check_same_columns(state, other->columns);
	if (other->n > state->n || (other->n == state->n &&
								other->sum != state->sum))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("cannot take rows out of a fingerprint_state that "
						"does not hold them"),
				 errdetail(INT64_FORMAT " rows were to be taken out of "
						   INT64_FORMAT ".", other->n, state->n),
				 errhint("Take out only rows that were put in, each once.")));
	state->n -= other->n;
	state->sum -= other->sum;
	return summary_datum(state);
}

/* ----------
 * Results
 * ----------
 */

/*
 * fingerprint(fingerprint_state) -> text: "sha256:" and 64 digits. Also the
 * final function of the aggregate; leaves the state as it is.
 */
Datum
mlmeta_fingerprint_text(PG_FUNCTION_ARGS)
{
	Fingerprint *state = summary_read(PG_GETARG_DATUM(0), &fingerprint_type);
	StringInfoData bytes;
	uint8		sum[HASH_BYTES];
	uint8		digest[PG_SHA256_DIGEST_LENGTH];
	char		text[7 + 2 * PG_SHA256_DIGEST_LENGTH] = "sha256:";

	initStringInfo(&bytes);
	appendBinaryStringInfo(&bytes, (char *) state->columns,
						   sizeof(state->columns));
	pq_sendint64(&bytes, (uint64) state->n);
	hash128_to_bytes(number_to_hash(state->sum), sum);
	appendBinaryStringInfo(&bytes, (char *) sum, sizeof(sum));
	sha256_of(bytes.data, bytes.len, digest);
	hex_encode((char *) digest, sizeof(digest), text + 7);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(text, sizeof(text)));
}

/* The final function of aggregates that return their state */
Datum
mlmeta_fingerprint_self(PG_FUNCTION_ARGS)
{
	return summary_datum(copy_state(PG_GETARG_DATUM(0)));
}

/* n(fingerprint_state) -> bigint: the number of rows */
Datum
mlmeta_fingerprint_n(PG_FUNCTION_ARGS)
{
	Fingerprint *state = summary_read(PG_GETARG_DATUM(0), &fingerprint_type);

	PG_RETURN_INT64(state->n);
}

/* content_hash(record) -> uuid: the hash of one row, all 128 bits of it */
Datum
mlmeta_content_hash(PG_FUNCTION_ARGS)
{
	HeapTupleHeader row = PG_GETARG_HEAPTUPLEHEADER(0);
	RowCoder   *coder = row_coder((RowCoder **) &fcinfo->flinfo->fn_extra, row,
								  fcinfo->flinfo->fn_mcxt);
	pg_uuid_t  *result = palloc(sizeof(pg_uuid_t));

	hash128_to_bytes(row_hash(coder, row), result->data);
	PG_RETURN_UUID_P(result);
}

/*
 * hash128(data bytea [, key bytea]) -> bytea: SipHash-2-4 with 128 bits of
 * output. Raises 22023 unless the key has 16 bytes.
 */
Datum
mlmeta_hash128(PG_FUNCTION_ARGS)
{
	bytea	   *data = PG_GETARG_BYTEA_PP(0);
	bytea	   *result = palloc(VARHDRSZ + HASH_BYTES);
	Hash128		key = hash128_key;

	if (PG_NARGS() > 1)
	{
		bytea	   *given = PG_GETARG_BYTEA_PP(1);

		if (VARSIZE_ANY_EXHDR(given) != HASH_BYTES)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("a key of hash128 has %d bytes", HASH_BYTES),
					 errdetail("The key given has %d bytes.",
							   (int) VARSIZE_ANY_EXHDR(given)),
					 errhint("The first %d bytes of sha256(secret) make a "
							 "key.", HASH_BYTES)));
		key = hash128_from_bytes((uint8 *) VARDATA_ANY(given));
	}
	SET_VARSIZE(result, VARHDRSZ + HASH_BYTES);
	hash128_to_bytes(hash128_keyed(VARDATA_ANY(data), VARSIZE_ANY_EXHDR(data),
								   key), (uint8 *) VARDATA(result));
	PG_RETURN_BYTEA_P(result);
}
