-- Quality of binary classifiers: the type classification, the aggregates that
-- build it from labels and scores, and what can be read from it.

CREATE TYPE mlmeta.classification;

CREATE FUNCTION mlmeta_internal.classification_in(text_form cstring) RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_in';
COMMENT ON FUNCTION mlmeta_internal.classification_in(text_form cstring) IS
	'reads the text form of a classification';

CREATE FUNCTION mlmeta_internal.classification_out(summary mlmeta.classification) RETURNS cstring
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_out';
COMMENT ON FUNCTION mlmeta_internal.classification_out(summary mlmeta.classification) IS
	'writes the text form of a classification';

CREATE FUNCTION mlmeta_internal.classification_recv(
	binary_form internal)
RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_recv';
COMMENT ON FUNCTION mlmeta_internal.classification_recv(binary_form internal) IS
	'reads the binary form of a classification';

CREATE FUNCTION mlmeta_internal.classification_send(summary mlmeta.classification) RETURNS bytea
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_send';
COMMENT ON FUNCTION mlmeta_internal.classification_send(summary mlmeta.classification) IS
	'writes the binary form of a classification';

CREATE TYPE mlmeta.classification (
	INPUT = mlmeta_internal.classification_in,
	OUTPUT = mlmeta_internal.classification_out,
	RECEIVE = mlmeta_internal.classification_recv,
	SEND = mlmeta_internal.classification_send,
	INTERNALLENGTH = VARIABLE,
	ALIGNMENT = int4,
	STORAGE = extended
);

COMMENT ON TYPE mlmeta.classification IS
	'mergeable summary of the labels and scores of a binary classifier';

-- Support functions of the aggregates

CREATE FUNCTION mlmeta_internal.classification_transition(
	state mlmeta.classification,
	label boolean,
	score float8)
RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_add_boolean';
COMMENT ON FUNCTION mlmeta_internal.classification_transition(state mlmeta.classification, label boolean, score float8) IS
	'transition function of classification: adds a row';

CREATE FUNCTION mlmeta_internal.classification_transition(
	state mlmeta.classification,
	label boolean,
	score float8,
	threshold float8)
RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_add_boolean';
COMMENT ON FUNCTION mlmeta_internal.classification_transition(state mlmeta.classification, label boolean, score float8, threshold float8) IS
	'transition function of classification: adds a row';

CREATE FUNCTION mlmeta_internal.classification_transition(
	state mlmeta.classification,
	label boolean,
	score float8,
	threshold float8,
	weight float8)
RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_add_boolean';
COMMENT ON FUNCTION mlmeta_internal.classification_transition(state mlmeta.classification, label boolean, score float8, threshold float8, weight float8) IS
	'transition function of classification: adds a row';

CREATE FUNCTION mlmeta_internal.classification_transition(
	state mlmeta.classification,
	label integer,
	score float8)
RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_add_integer';
COMMENT ON FUNCTION mlmeta_internal.classification_transition(state mlmeta.classification, label integer, score float8) IS
	'transition function of classification: adds a row';

CREATE FUNCTION mlmeta_internal.classification_transition(
	state mlmeta.classification,
	label integer,
	score float8,
	threshold float8)
RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_add_integer';
COMMENT ON FUNCTION mlmeta_internal.classification_transition(state mlmeta.classification, label integer, score float8, threshold float8) IS
	'transition function of classification: adds a row';

CREATE FUNCTION mlmeta_internal.classification_transition(
	state mlmeta.classification,
	label integer,
	score float8,
	threshold float8,
	weight float8)
RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_add_integer';
COMMENT ON FUNCTION mlmeta_internal.classification_transition(state mlmeta.classification, label integer, score float8, threshold float8, weight float8) IS
	'transition function of classification: adds a row';

CREATE FUNCTION mlmeta_internal.classification_expected_transition(
	state mlmeta.classification,
	score float8)
RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_expected_transition';
COMMENT ON FUNCTION mlmeta_internal.classification_expected_transition(state mlmeta.classification, score float8) IS
	'transition function of estimates: adds a row without label as its expectation';

CREATE FUNCTION mlmeta_internal.classification_expected_transition(
	state mlmeta.classification,
	score float8,
	threshold float8)
RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_expected_transition';
COMMENT ON FUNCTION mlmeta_internal.classification_expected_transition(state mlmeta.classification, score float8, threshold float8) IS
	'transition function of estimates: adds a row without label as its expectation';

CREATE FUNCTION mlmeta_internal.classification_expected_transition(
	state mlmeta.classification,
	score float8,
	threshold float8,
	probability float8)
RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_expected_transition';
COMMENT ON FUNCTION mlmeta_internal.classification_expected_transition(state mlmeta.classification, score float8, threshold float8, probability float8) IS
	'transition function of estimates: adds a row without label as its expectation';

CREATE FUNCTION mlmeta_internal.classification_probability_transition(
	state mlmeta.classification,
	score float8,
	probability float8)
RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_probability_transition';
COMMENT ON FUNCTION mlmeta_internal.classification_probability_transition(state mlmeta.classification, score float8, probability float8) IS
	'transition function of estimates: adds a row without label as its expectation';

CREATE FUNCTION mlmeta_internal.classification_combine(
	state mlmeta.classification,
	summary mlmeta.classification)
RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_combine';
COMMENT ON FUNCTION mlmeta_internal.classification_combine(state mlmeta.classification, summary mlmeta.classification) IS
	'combine function of classification and transition function of merge';

CREATE FUNCTION mlmeta_internal.classification_final(
	state mlmeta.classification)
RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_final';
COMMENT ON FUNCTION mlmeta_internal.classification_final(state mlmeta.classification) IS
	'final function of classification: the state, for reading';

-- Aggregates

CREATE AGGREGATE mlmeta.classification(label boolean, score float8) (
	SFUNC = mlmeta_internal.classification_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.classification_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.classification(label boolean, score float8) IS
	'summary of labels and scores: a score of 0.5 or more is a positive prediction';

CREATE AGGREGATE mlmeta.classification(label boolean, score float8, threshold float8) (
	SFUNC = mlmeta_internal.classification_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.classification_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.classification(label boolean, score float8, threshold float8) IS
	'summary of labels and scores: a score at or above the threshold is a positive prediction';

CREATE AGGREGATE mlmeta.classification(label boolean, score float8, threshold float8, weight float8) (
	SFUNC = mlmeta_internal.classification_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.classification_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.classification(label boolean, score float8, threshold float8, weight float8) IS
	'summary of labels and scores with weights: a score at or above the threshold is a positive prediction';

CREATE AGGREGATE mlmeta.classification(label integer, score float8) (
	SFUNC = mlmeta_internal.classification_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.classification_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.classification(label integer, score float8) IS
	'summary of labels 0 and 1 and scores: a score of 0.5 or more is a positive prediction';

CREATE AGGREGATE mlmeta.classification(label integer, score float8, threshold float8) (
	SFUNC = mlmeta_internal.classification_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.classification_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.classification(label integer, score float8, threshold float8) IS
	'summary of labels 0 and 1 and scores: a score at or above the threshold is a positive prediction';

CREATE AGGREGATE mlmeta.classification(label integer, score float8, threshold float8, weight float8) (
	SFUNC = mlmeta_internal.classification_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.classification_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.classification(label integer, score float8, threshold float8, weight float8) IS
	'summary of labels 0 and 1 and scores with weights: a score at or above the threshold is a positive prediction';

CREATE AGGREGATE mlmeta.merge(summary mlmeta.classification) (
	SFUNC = mlmeta_internal.classification_combine,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.classification_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.merge(summary mlmeta.classification) IS
	'sum of classifications of one threshold';

-- Sums

CREATE FUNCTION mlmeta.plus(
	a mlmeta.classification,
	b mlmeta.classification)
RETURNS mlmeta.classification
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_plus';
COMMENT ON FUNCTION mlmeta.plus(a mlmeta.classification, b mlmeta.classification) IS
	'sum of two classifications of one threshold';

CREATE OPERATOR mlmeta.+ (
	LEFTARG = mlmeta.classification,
	RIGHTARG = mlmeta.classification,
	FUNCTION = mlmeta.plus,
	COMMUTATOR = OPERATOR(mlmeta.+)
);
COMMENT ON OPERATOR mlmeta.+ (mlmeta.classification, mlmeta.classification) IS
	'sum of two classifications of one threshold';

-- Counts

CREATE FUNCTION mlmeta.n(c mlmeta.classification) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_n';
COMMENT ON FUNCTION mlmeta.n(c mlmeta.classification) IS
	'rows that took part';

CREATE FUNCTION mlmeta.null_count(c mlmeta.classification) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_null_count';
COMMENT ON FUNCTION mlmeta.null_count(c mlmeta.classification) IS
	'rows without label, score or weight, which took no part';

CREATE FUNCTION mlmeta.positives(c mlmeta.classification) RETURNS bigint
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_positives';
COMMENT ON FUNCTION mlmeta.positives(c mlmeta.classification) IS
	'rows whose label is positive';

CREATE FUNCTION mlmeta.threshold(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_threshold';
COMMENT ON FUNCTION mlmeta.threshold(c mlmeta.classification) IS
	'scores at or above this are positive predictions';

CREATE FUNCTION mlmeta.total_weight(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_total_weight';
COMMENT ON FUNCTION mlmeta.total_weight(c mlmeta.classification) IS
	'sum of the weights of the rows that took part';

-- At the threshold

CREATE FUNCTION mlmeta.confusion(
	c mlmeta.classification,
	OUT tp float8,
	OUT fp float8,
	OUT fn float8,
	OUT tn float8)
RETURNS record
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_confusion';
COMMENT ON FUNCTION mlmeta.confusion(c mlmeta.classification) IS
	'confusion matrix at the threshold: sums of weights, which are 1 unless given';

CREATE FUNCTION mlmeta.accuracy(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_accuracy';
COMMENT ON FUNCTION mlmeta.accuracy(c mlmeta.classification) IS
	'share of rows predicted correctly';

CREATE FUNCTION mlmeta.balanced_accuracy(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_balanced_accuracy';
COMMENT ON FUNCTION mlmeta.balanced_accuracy(c mlmeta.classification) IS
	'mean recall of the classes that occur';

CREATE FUNCTION mlmeta.precision_score(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_precision';
COMMENT ON FUNCTION mlmeta.precision_score(c mlmeta.classification) IS
	'share of positives among positive predictions; 0 without any';

CREATE FUNCTION mlmeta.recall_score(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_recall';
COMMENT ON FUNCTION mlmeta.recall_score(c mlmeta.classification) IS
	'share of positives that were predicted; 0 without any';

CREATE FUNCTION mlmeta.specificity(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_specificity';
COMMENT ON FUNCTION mlmeta.specificity(c mlmeta.classification) IS
	'share of negatives that were predicted; 0 without any';

CREATE FUNCTION mlmeta.f1_score(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_f1';
COMMENT ON FUNCTION mlmeta.f1_score(c mlmeta.classification) IS
	'harmonic mean of precision and recall; 0 without any positive';

CREATE FUNCTION mlmeta.jaccard(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_jaccard';
COMMENT ON FUNCTION mlmeta.jaccard(c mlmeta.classification) IS
	'true positives among all that are or were predicted positive; 0 without any';

CREATE FUNCTION mlmeta.mcc(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_mcc';
COMMENT ON FUNCTION mlmeta.mcc(c mlmeta.classification) IS
	'Matthews correlation coefficient; 0 where undefined';

CREATE FUNCTION mlmeta.kappa(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_kappa';
COMMENT ON FUNCTION mlmeta.kappa(c mlmeta.classification) IS
	'Cohen''s kappa: agreement beyond chance; NULL where chance always agrees';

CREATE FUNCTION mlmeta.f_beta(c mlmeta.classification, beta float8) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_f_beta';
COMMENT ON FUNCTION mlmeta.f_beta(c mlmeta.classification, beta float8) IS
	'F score in which recall counts beta times as much as precision';

CREATE FUNCTION mlmeta.sampling_error(
	c mlmeta.classification,
	metric text,
	n bigint DEFAULT NULL)
RETURNS float8
	LANGUAGE C IMMUTABLE PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_sampling_error';
COMMENT ON FUNCTION mlmeta.sampling_error(c mlmeta.classification, metric text, n bigint) IS
	'standard error of accuracy, precision, recall, specificity or f1 over n such rows';

-- Of the scores themselves

CREATE FUNCTION mlmeta.log_loss(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_log_loss';
COMMENT ON FUNCTION mlmeta.log_loss(c mlmeta.classification) IS
	'mean negative log-likelihood of the labels; scores are clipped at 2^-52';

CREATE FUNCTION mlmeta.brier_score(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_brier';
COMMENT ON FUNCTION mlmeta.brier_score(c mlmeta.classification) IS
	'mean squared difference of score and label';

CREATE FUNCTION mlmeta.roc_auc(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_roc_auc';
COMMENT ON FUNCTION mlmeta.roc_auc(c mlmeta.classification) IS
	'area under the ROC curve; NULL unless both classes occur';

CREATE FUNCTION mlmeta.average_precision(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_average_precision';
COMMENT ON FUNCTION mlmeta.average_precision(c mlmeta.classification) IS
	'mean precision over the recall; NULL without positives';

CREATE FUNCTION mlmeta.ks_score(c mlmeta.classification) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_ks';
COMMENT ON FUNCTION mlmeta.ks_score(c mlmeta.classification) IS
	'largest distance of the score distributions of the two classes; NULL unless both occur';

CREATE FUNCTION mlmeta.roc_auc_interval(
	c mlmeta.classification,
	OUT low float8,
	OUT high float8)
RETURNS record
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_roc_auc_interval';
COMMENT ON FUNCTION mlmeta.roc_auc_interval(c mlmeta.classification) IS
	'bounds of the area under the ROC curve of the rows; equal while all distinct scores are held';

CREATE FUNCTION mlmeta.roc(
	c mlmeta.classification,
	OUT threshold float8,
	OUT fpr float8,
	OUT tpr float8,
	OUT fp float8,
	OUT tp float8)
RETURNS SETOF record
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 1000
	AS 'MODULE_PATHNAME', 'mlmeta_classification_roc';
COMMENT ON FUNCTION mlmeta.roc(c mlmeta.classification) IS
	'ROC curve, one row for each threshold from Infinity down';

-- Calibration

CREATE FUNCTION mlmeta.ece(
	c mlmeta.classification,
	bins integer DEFAULT 10,
	closed text DEFAULT 'right')
RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_ece';
COMMENT ON FUNCTION mlmeta.ece(c mlmeta.classification, bins integer, closed text) IS
	'expected calibration error over equal bins; closed: the edge that belongs to a bin';

CREATE FUNCTION mlmeta.mce(
	c mlmeta.classification,
	bins integer DEFAULT 10,
	closed text DEFAULT 'right')
RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'mlmeta_classification_mce';
COMMENT ON FUNCTION mlmeta.mce(c mlmeta.classification, bins integer, closed text) IS
	'largest calibration error of a bin';

CREATE FUNCTION mlmeta.calibration(
	c mlmeta.classification,
	bins integer DEFAULT 10,
	closed text DEFAULT 'right',
	OUT bin integer,
	OUT lower float8,
	OUT upper float8,
	OUT n bigint,
	OUT weight float8,
	OUT mean_score float8,
	OUT positive_rate float8)
RETURNS SETOF record
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE ROWS 10
	AS 'MODULE_PATHNAME', 'mlmeta_classification_calibration';
COMMENT ON FUNCTION mlmeta.calibration(c mlmeta.classification, bins integer, closed text) IS
	'calibration curve, one row for each bin of scores';

-- Without labels: what calibrated scores promise

CREATE FUNCTION mlmeta.calibrate(c mlmeta.classification, score float8) RETURNS float8
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	AS 'MODULE_PATHNAME', 'mlmeta_calibrate';
COMMENT ON FUNCTION mlmeta.calibrate(c mlmeta.classification, score float8) IS
	'score calibrated by isotonic regression on the rows of a classification';

CREATE AGGREGATE mlmeta.estimated_accuracy(score float8, threshold float8) (
	SFUNC = mlmeta_internal.classification_expected_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta.accuracy,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.estimated_accuracy(score float8, threshold float8) IS
	'accuracy to expect of calibrated scores, without labels';

CREATE AGGREGATE mlmeta.estimated_accuracy(score float8, threshold float8, probability float8) (
	SFUNC = mlmeta_internal.classification_expected_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta.accuracy,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.estimated_accuracy(score float8, threshold float8, probability float8) IS
	'accuracy to expect of scores with calibrated probabilities, without labels';

CREATE AGGREGATE mlmeta.estimated_precision(score float8, threshold float8) (
	SFUNC = mlmeta_internal.classification_expected_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta.precision_score,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.estimated_precision(score float8, threshold float8) IS
	'precision to expect of calibrated scores, without labels';

CREATE AGGREGATE mlmeta.estimated_precision(score float8, threshold float8, probability float8) (
	SFUNC = mlmeta_internal.classification_expected_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta.precision_score,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.estimated_precision(score float8, threshold float8, probability float8) IS
	'precision to expect of scores with calibrated probabilities, without labels';

CREATE AGGREGATE mlmeta.estimated_recall(score float8, threshold float8) (
	SFUNC = mlmeta_internal.classification_expected_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta.recall_score,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.estimated_recall(score float8, threshold float8) IS
	'recall to expect of calibrated scores, without labels';

CREATE AGGREGATE mlmeta.estimated_recall(score float8, threshold float8, probability float8) (
	SFUNC = mlmeta_internal.classification_expected_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta.recall_score,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.estimated_recall(score float8, threshold float8, probability float8) IS
	'recall to expect of scores with calibrated probabilities, without labels';

CREATE AGGREGATE mlmeta.estimated_specificity(score float8, threshold float8) (
	SFUNC = mlmeta_internal.classification_expected_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta.specificity,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.estimated_specificity(score float8, threshold float8) IS
	'specificity to expect of calibrated scores, without labels';

CREATE AGGREGATE mlmeta.estimated_specificity(score float8, threshold float8, probability float8) (
	SFUNC = mlmeta_internal.classification_expected_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta.specificity,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.estimated_specificity(score float8, threshold float8, probability float8) IS
	'specificity to expect of scores with calibrated probabilities, without labels';

CREATE AGGREGATE mlmeta.estimated_f1(score float8, threshold float8) (
	SFUNC = mlmeta_internal.classification_expected_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta.f1_score,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.estimated_f1(score float8, threshold float8) IS
	'F1 score to expect of calibrated scores, without labels';

CREATE AGGREGATE mlmeta.estimated_f1(score float8, threshold float8, probability float8) (
	SFUNC = mlmeta_internal.classification_expected_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta.f1_score,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.estimated_f1(score float8, threshold float8, probability float8) IS
	'F1 score to expect of scores with calibrated probabilities, without labels';

CREATE AGGREGATE mlmeta.estimated_roc_auc(score float8) (
	SFUNC = mlmeta_internal.classification_expected_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta.roc_auc,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.estimated_roc_auc(score float8) IS
	'area under the ROC curve to expect of calibrated scores, without labels';

CREATE AGGREGATE mlmeta.estimated_roc_auc(score float8, probability float8) (
	SFUNC = mlmeta_internal.classification_probability_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta.roc_auc,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.estimated_roc_auc(score float8, probability float8) IS
	'area under the ROC curve to expect of scores with calibrated probabilities, without labels';

CREATE AGGREGATE mlmeta.expected_classification(score float8, threshold float8) (
	SFUNC = mlmeta_internal.classification_expected_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.classification_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.expected_classification(score float8, threshold float8) IS
	'classification to expect of calibrated scores, without labels: for intervals, merging and metrics that have no estimate of their own';

CREATE AGGREGATE mlmeta.expected_classification(score float8, threshold float8, probability float8) (
	SFUNC = mlmeta_internal.classification_expected_transition,
	STYPE = mlmeta.classification,
	SSPACE = 8192,
	FINALFUNC = mlmeta_internal.classification_final,
	FINALFUNC_MODIFY = READ_ONLY,
	COMBINEFUNC = mlmeta_internal.classification_combine,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE mlmeta.expected_classification(score float8, threshold float8, probability float8) IS
	'classification to expect of scores with calibrated probabilities, without labels';
