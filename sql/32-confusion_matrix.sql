-- Quality of classifiers of many classes: the type confusion_matrix, the
-- aggregate confusion(actual, predicted), and what can be read from it.

CREATE TYPE mlmeta.confusion_matrix;

CREATE FUNCTION mlmeta_internal.confusion_matrix_in(
	text_form cstring)
RETURNS mlmeta.confusion_matrix
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_in';
COMMENT ON FUNCTION mlmeta_internal.confusion_matrix_in(text_form cstring) IS
	'reads the text form of a confusion matrix';

CREATE FUNCTION mlmeta_internal.confusion_matrix_out(
	summary mlmeta.confusion_matrix)
RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_out';
COMMENT ON FUNCTION mlmeta_internal.confusion_matrix_out(summary mlmeta.confusion_matrix) IS
	'writes the text form of a confusion matrix';

CREATE FUNCTION mlmeta_internal.confusion_matrix_recv(
	binary_form internal)
RETURNS mlmeta.confusion_matrix
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_recv';
COMMENT ON FUNCTION mlmeta_internal.confusion_matrix_recv(binary_form internal) IS
	'reads the binary form of a confusion matrix';

CREATE FUNCTION mlmeta_internal.confusion_matrix_send(
	summary mlmeta.confusion_matrix)
RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_send';
COMMENT ON FUNCTION mlmeta_internal.confusion_matrix_send(summary mlmeta.confusion_matrix) IS
	'writes the binary form of a confusion matrix';

CREATE TYPE mlmeta.confusion_matrix (
	INPUT = mlmeta_internal.confusion_matrix_in,
	OUTPUT = mlmeta_internal.confusion_matrix_out,
	RECEIVE = mlmeta_internal.confusion_matrix_recv,
	SEND = mlmeta_internal.confusion_matrix_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON TYPE mlmeta.confusion_matrix IS
	'mergeable counts of rows by actual and predicted class, of up to 1,024 classes';

-- Support functions of the aggregates

CREATE FUNCTION mlmeta_internal.confusion_matrix_transition(
	state mlmeta.confusion_matrix,
	actual text,
	predicted text)
RETURNS mlmeta.confusion_matrix
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_transition';
COMMENT ON FUNCTION mlmeta_internal.confusion_matrix_transition(state mlmeta.confusion_matrix, actual text, predicted text) IS
	'transition function of confusion: adds a row';

CREATE FUNCTION mlmeta_internal.confusion_matrix_transition(
	state mlmeta.confusion_matrix,
	actual text,
	predicted text,
	weight float8)
RETURNS mlmeta.confusion_matrix
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_transition';
COMMENT ON FUNCTION mlmeta_internal.confusion_matrix_transition(state mlmeta.confusion_matrix, actual text, predicted text, weight float8) IS
	'transition function of confusion: adds a row';

CREATE FUNCTION mlmeta_internal.confusion_matrix_combine(
	state mlmeta.confusion_matrix,
	summary mlmeta.confusion_matrix)
RETURNS mlmeta.confusion_matrix
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_combine';
COMMENT ON FUNCTION mlmeta_internal.confusion_matrix_combine(state mlmeta.confusion_matrix, summary mlmeta.confusion_matrix) IS
	'combine function of confusion and transition function of merge';

CREATE FUNCTION mlmeta_internal.confusion_matrix_final(
	state mlmeta.confusion_matrix)
RETURNS mlmeta.confusion_matrix
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_final';
COMMENT ON FUNCTION mlmeta_internal.confusion_matrix_final(state mlmeta.confusion_matrix) IS
	'final function of confusion: the state, for reading';

-- Aggregates

CREATE AGGREGATE mlmeta.confusion(actual text, predicted text) (
	SFUNC = mlmeta_internal.confusion_matrix_transition,
	STYPE = mlmeta.confusion_matrix,
	SSPACE = 2048,
	FINALFUNC = mlmeta_internal.confusion_matrix_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.confusion_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.confusion(actual text, predicted text) IS
	'confusion matrix of actual and predicted classes';

CREATE AGGREGATE mlmeta.confusion(actual text, predicted text, weight float8) (
	SFUNC = mlmeta_internal.confusion_matrix_transition,
	STYPE = mlmeta.confusion_matrix,
	SSPACE = 2048,
	FINALFUNC = mlmeta_internal.confusion_matrix_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.confusion_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.confusion(actual text, predicted text, weight float8) IS
	'confusion matrix of actual and predicted classes with weights';

CREATE AGGREGATE mlmeta.merge(summary mlmeta.confusion_matrix) (
	SFUNC = mlmeta_internal.confusion_matrix_combine,
	STYPE = mlmeta.confusion_matrix,
	SSPACE = 2048,
	FINALFUNC = mlmeta_internal.confusion_matrix_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.confusion_matrix_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.merge(summary mlmeta.confusion_matrix) IS
	'sum of confusion matrices';

-- Sums

CREATE FUNCTION mlmeta.plus(
	a mlmeta.confusion_matrix,
	b mlmeta.confusion_matrix)
RETURNS mlmeta.confusion_matrix
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_plus';
COMMENT ON FUNCTION mlmeta.plus(a mlmeta.confusion_matrix, b mlmeta.confusion_matrix) IS
	'sum of two confusion matrices';

CREATE OPERATOR mlmeta.+ (
	LEFTARG = mlmeta.confusion_matrix,
	RIGHTARG = mlmeta.confusion_matrix,
	FUNCTION = mlmeta.plus,
	COMMUTATOR = OPERATOR(mlmeta.+)
);
COMMENT ON OPERATOR mlmeta.+ (mlmeta.confusion_matrix, mlmeta.confusion_matrix) IS
	'sum of two confusion matrices';

-- Counts

CREATE FUNCTION mlmeta.n(m mlmeta.confusion_matrix) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_n';
COMMENT ON FUNCTION mlmeta.n(m mlmeta.confusion_matrix) IS
	'rows that took part';

CREATE FUNCTION mlmeta.null_count(m mlmeta.confusion_matrix) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_null_count';
COMMENT ON FUNCTION mlmeta.null_count(m mlmeta.confusion_matrix) IS
	'rows with a NULL, which took no part';

CREATE FUNCTION mlmeta.total_weight(m mlmeta.confusion_matrix) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_total_weight';
COMMENT ON FUNCTION mlmeta.total_weight(m mlmeta.confusion_matrix) IS
	'sum of the weights of the rows that took part';

CREATE FUNCTION mlmeta.classes(m mlmeta.confusion_matrix) RETURNS text[]
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_classes';
COMMENT ON FUNCTION mlmeta.classes(m mlmeta.confusion_matrix) IS
	'classes that were actual or predicted, in the order of their bytes';

CREATE FUNCTION mlmeta.cells(
	m mlmeta.confusion_matrix,
	OUT actual text,
	OUT predicted text,
	OUT n bigint,
	OUT weight float8)
RETURNS SETOF record
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 30
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_cells';
COMMENT ON FUNCTION mlmeta.cells(m mlmeta.confusion_matrix) IS
	'cells of the matrix that hold rows';

CREATE FUNCTION mlmeta.by_class(
	m mlmeta.confusion_matrix,
	OUT class text,
	OUT support float8,
	OUT predicted float8,
	OUT hits float8,
	OUT "precision" float8,
	OUT recall float8,
	OUT f1 float8)
RETURNS SETOF record
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_by_class';
COMMENT ON FUNCTION mlmeta.by_class(m mlmeta.confusion_matrix) IS
	'precision, recall and F1 score of each class';

-- Metrics

CREATE FUNCTION mlmeta.accuracy(m mlmeta.confusion_matrix) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_accuracy';
COMMENT ON FUNCTION mlmeta.accuracy(m mlmeta.confusion_matrix) IS
	'share of rows predicted correctly';

CREATE FUNCTION mlmeta.balanced_accuracy(m mlmeta.confusion_matrix) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_balanced_accuracy';
COMMENT ON FUNCTION mlmeta.balanced_accuracy(m mlmeta.confusion_matrix) IS
	'mean recall of the classes that occur';

CREATE FUNCTION mlmeta.precision_score(
	m mlmeta.confusion_matrix,
	average text DEFAULT 'macro')
RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_precision';
COMMENT ON FUNCTION mlmeta.precision_score(m mlmeta.confusion_matrix, average text) IS
	'precision over all classes; average: macro, micro or weighted';

CREATE FUNCTION mlmeta.recall_score(
	m mlmeta.confusion_matrix,
	average text DEFAULT 'macro')
RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_recall';
COMMENT ON FUNCTION mlmeta.recall_score(m mlmeta.confusion_matrix, average text) IS
	'recall over all classes; average: macro, micro or weighted';

CREATE FUNCTION mlmeta.f1_score(
	m mlmeta.confusion_matrix,
	average text DEFAULT 'macro')
RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_f1';
COMMENT ON FUNCTION mlmeta.f1_score(m mlmeta.confusion_matrix, average text) IS
	'F1 score over all classes; average: macro, micro or weighted';

CREATE FUNCTION mlmeta.kappa(m mlmeta.confusion_matrix) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_kappa';
COMMENT ON FUNCTION mlmeta.kappa(m mlmeta.confusion_matrix) IS
	'Cohen''s kappa: agreement beyond chance; NULL where chance always agrees';

CREATE FUNCTION mlmeta.mcc(m mlmeta.confusion_matrix) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_confusion_matrix_mcc';
COMMENT ON FUNCTION mlmeta.mcc(m mlmeta.confusion_matrix) IS
	'Matthews correlation coefficient for many classes; 0 where undefined';
