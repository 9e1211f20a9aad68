-- In which direction a metric is better, as far as its name tells.
--
-- Names are those of scikit-learn, torchmetrics, Keras, LightGBM, XGBoost and
-- of what people write themselves. What is in no row is better when higher.

-- A constant, in which the words of a name are found without a scan.
CREATE FUNCTION mlmeta_internal.direction_words() RETURNS jsonb
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN '{
	"loss": "lower", "losses": "lower", "err": "lower", "error": "lower",
	"errors": "lower", "mae": "lower", "mse": "lower", "rmse": "lower",
	"msle": "lower", "rmsle": "lower", "mape": "lower", "smape": "lower",
	"wmape": "lower", "wape": "lower", "mase": "lower", "rmsse": "lower",
	"wrmsse": "lower", "msse": "lower", "nrmse": "lower", "nmse": "lower",
	"nmae": "lower", "rmspe": "lower", "mspe": "lower", "rae": "lower",
	"rrse": "lower", "rse": "lower", "medae": "lower", "mdae": "lower",
	"mdape": "lower", "medape": "lower", "maape": "lower", "mrae": "lower",
	"gmrae": "lower", "mad": "lower", "sse": "lower", "sae": "lower",
	"owa": "lower", "mphe": "lower", "rmsd": "lower", "epe": "lower",
	"ade": "lower", "fde": "lower", "mpjpe": "lower", "l1": "lower",
	"l2": "lower", "huber": "lower", "fair": "lower", "quantile": "lower",
	"expectile": "lower", "pinball": "lower", "poisson": "lower",
	"gamma": "lower", "tweedie": "lower", "hinge": "lower", "focal": "lower",
	"logcosh": "lower", "log cosh": "lower", "brier": "lower",
	"brier score": "lower", "nll": "lower", "nloglik": "lower",
	"negative log likelihood": "lower", "neg log likelihood": "lower",
	"negative loglikelihood": "lower", "neg loglik": "lower", "nlpd": "lower",
	"deviance": "lower", "perplexity": "lower", "ppl": "lower",
	"bpc": "lower", "bpb": "lower", "bits": "lower", "cross entropy": "lower",
	"crossentropy": "lower", "xentropy": "lower", "xent": "lower",
	"bce": "lower", "cce": "lower", "divergence": "lower", "kl": "lower",
	"kld": "lower", "kldiv": "lower", "jsd": "lower",
	"kullback leibler": "lower", "jensen shannon": "lower",
	"wasserstein": "lower", "emd": "lower", "mmd": "lower", "psi": "lower",
	"hausdorff": "lower", "chamfer": "lower", "distance": "lower",
	"disparity": "lower", "fid": "lower", "kid": "lower", "fvd": "lower",
	"fad": "lower", "lpips": "lower", "patch similarity": "lower",
	"dists": "lower", "texture similarity": "lower", "niqe": "lower",
	"brisque": "lower", "piqe": "lower", "ergas": "lower",
	"angle mapper": "lower", "path length": "lower",
	"total variation": "lower", "distortion": "lower", "mcd": "lower",
	"wer": "lower", "cer": "lower", "ter": "lower", "mer": "lower",
	"der": "lower", "edit rate": "lower", "info lost": "lower",
	"crps": "lower", "ranked probability score": "lower", "fpr": "lower",
	"fnr": "lower", "fdr": "lower", "fallout": "lower", "fall out": "lower",
	"eer": "lower", "far": "lower", "frr": "lower", "hter": "lower",
	"fp": "lower", "fn": "lower", "false positive": "lower",
	"false positives": "lower", "false negative": "lower",
	"false negatives": "lower", "false alarm": "lower",
	"false alarms": "lower", "false discovery": "lower",
	"false omission": "lower", "negative likelihood ratio": "lower",
	"hamming": "lower", "misclassification": "lower",
	"misclassified": "lower", "mistakes": "lower", "failures": "lower",
	"misses": "lower", "ece": "lower", "mce": "lower", "bias": "lower",
	"gap": "lower", "difference": "lower", "drift": "lower",
	"violation": "lower", "violations": "lower", "toxicity": "lower",
	"hallucination": "lower", "hallucinations": "lower", "inertia": "lower",
	"davies bouldin": "lower", "stress": "lower", "mean rank": "lower",
	"median rank": "lower", "average rank": "lower", "regret": "lower",
	"overfitting": "lower", "volatility": "lower", "aic": "lower",
	"aicc": "lower", "bic": "lower", "hqic": "lower", "dic": "lower",
	"waic": "lower", "looic": "lower", "mdl": "lower", "time": "lower",
	"runtime": "lower", "latency": "lower", "duration": "lower",
	"elapsed": "lower", "delay": "lower", "lag": "lower", "seconds": "lower",
	"secs": "lower", "sec": "lower", "ms": "lower", "minutes": "lower",
	"hours": "lower", "cost": "lower", "costs": "lower", "spend": "lower",
	"expense": "lower", "memory": "lower", "mem": "lower", "vram": "lower",
	"model size": "lower", "energy": "lower", "emissions": "lower",
	"carbon": "lower", "co2": "lower", "flops": "lower", "macs": "lower",
	"accuracy": "higher", "acc": "higher", "auc": "higher", "auroc": "higher",
	"auprc": "higher", "aucpr": "higher", "precision": "higher",
	"recall": "higher", "f1": "higher", "f2": "higher", "fbeta": "higher",
	"specificity": "higher", "sensitivity": "higher", "tpr": "higher",
	"tnr": "higher", "ppv": "higher", "npv": "higher", "kappa": "higher",
	"mcc": "higher", "r2": "higher", "correlation": "higher",
	"corrcoef": "higher", "corr": "higher", "coverage": "higher",
	"iou": "higher", "dice": "higher", "map": "higher", "mrr": "higher",
	"ndcg": "higher", "bleu": "higher", "rouge": "higher",
	"similarity": "higher", "intelligibility": "higher",
	"energy ratio": "higher", "psnr": "higher", "ssim": "higher",
	"snr": "higher", "distortion ratio": "higher",
	"intersection over union": "higher", "mean reciprocal rank": "higher",
	"true negative": "higher", "true negatives": "higher",
	"negative predictive value": "higher", "negative class": "higher",
	"d2 absolute error": "higher", "d2 pinball": "higher",
	"d2 tweedie": "higher", "d2 log loss": "higher",
	"d2 brier score": "higher", "likelihood": "higher",
	"loglik": "higher", "reward": "higher", "throughput": "higher",
	"speedup": "higher", "reduction": "higher", "improvement": "higher",
	"gain": "higher", "savings": "higher", "saved": "higher",
	"uplift": "higher", "lift": "higher",
	"neg": "negated", "negative": "negated", "negated": "negated",
	"minus": "negated",
	"drop": "opposite", "decrease": "opposite", "degradation": "opposite"
}'::jsonb;

COMMENT ON FUNCTION mlmeta_internal.direction_words() IS
	'the rows of metric_directions as a JSON object, meanings by words';

CREATE VIEW mlmeta.metric_directions WITH (security_invoker = true) AS
SELECT d.key AS words, d.value AS meaning
FROM pg_catalog.jsonb_each_text(mlmeta_internal.direction_words()) AS d;

COMMENT ON VIEW mlmeta.metric_directions IS
	'what words in the name of a metric say about its direction, see higher_is_better(); set_metric() overrules';
COMMENT ON COLUMN mlmeta.metric_directions.words IS
	'one word of the name, or several in a row, in lower case';
COMMENT ON COLUMN mlmeta.metric_directions.meaning IS
	'lower, higher: what is better; negated: what would be better when lower is better when higher; opposite: the other way round than the rest of the name says';

-- A name is words: cut at all but letters and digits, and before a capital that
-- begins one (valMAE, KLDivergence). Digits at the end of a word do not count,
-- words that end in loss, error or accuracy count as these (logloss, merror).
-- What it is measured at, per, by or to comes after the name proper. Of several
-- rows that fit the last one decides, as in English the last word does, but a
-- row inside of a longer one does not count.
CREATE FUNCTION mlmeta_internal.higher_by_name(key text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
-- The planner takes a handful of words for a thousand.
SET jit = off
AS $$
DECLARE
	known CONSTANT jsonb := mlmeta_internal.direction_words();
	longest CONSTANT int := 3;
	words text[] := regexp_split_to_array(btrim(regexp_replace(lower(
		regexp_replace(regexp_replace(replace(key, '@', ' at '),
			'([a-z0-9])([A-Z])', '\1 \2', 'g'),
			'([A-Z])([A-Z][a-z])', '\1 \2', 'g') COLLATE "C"),
		'[^a-z0-9]+', ' ', 'g')), ' ');
	stop int := least(array_position(words, 'at', 2),
		array_position(words, 'per', 2), array_position(words, 'by', 2),
		array_position(words, 'to', 2));
	size int := coalesce(stop - 1, cardinality(words));
	firsts int[] := '{}';
	lasts int[] := '{}';
	meanings text[] := '{}';
	meaning text;
	decided int := 0;
	result boolean := true;
	is_negated boolean := false;
	is_opposite boolean := false;
BEGIN
	-- Loops, not a query: the planner takes series of numbers for long, and
	-- would compile a plan that finds three words.
	FOR begun IN 1 .. size LOOP
		FOR ended IN begun .. least(begun + longest - 1, size) LOOP
			meaning := CASE WHEN ended > begun
				THEN known ->> array_to_string(words[begun : ended], ' ')
				ELSE coalesce(known ->> words[begun],
					known ->> rtrim(words[begun], '0123456789'),
					known ->> substring(words[begun],
						'.(loss|error|accuracy)[0-9]*$'))
				END;
			IF meaning IS NOT NULL THEN
				firsts := firsts || begun;
				lasts := lasts || ended;
				meanings := meanings || meaning;
			END IF;
		END LOOP;
	END LOOP;

	<<found>>
	FOR i IN 1 .. cardinality(meanings) LOOP
		FOR j IN 1 .. cardinality(meanings) LOOP
			CONTINUE found WHEN firsts[j] <= firsts[i] AND lasts[j] >= lasts[i]
				AND lasts[j] - firsts[j] > lasts[i] - firsts[i];
		END LOOP;
		is_negated := is_negated OR meanings[i] = 'negated';
		is_opposite := is_opposite OR meanings[i] = 'opposite';
		-- Of two that end together the longer one is left.
		IF meanings[i] IN ('lower', 'higher') AND lasts[i] > decided THEN
			decided := lasts[i];
			result := meanings[i] = 'higher';
		END IF;
	END LOOP;
	RETURN (result OR is_negated) <> is_opposite;
END
$$;

COMMENT ON FUNCTION mlmeta_internal.higher_by_name(text) IS
	'whether higher is better for a metric by its name alone, as the words of metric_directions say';
