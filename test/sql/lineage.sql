-- The type lineage: building, text and binary forms, walks, drawings.
SET search_path = public, mlmeta;

-- What a statement that must fail says
CREATE FUNCTION pg_temp.failure(statement text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	m text;
	d text;
	h text;
BEGIN
	EXECUTE statement;
	RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL,
		h = PG_EXCEPTION_HINT;
	RETURN concat_ws(' | ', SQLSTATE, m, nullif(d, ''),
		CASE WHEN h = '' THEN 'NO HINT' END);
END
$$;

-- A small graph: two data sets, two runs, a model, a report
CREATE TEMPORARY TABLE edge (source text, target text);
INSERT INTO edge VALUES
	('dataset:orders', 'run_0000000000000000000000000a'),
	('dataset:customers:v2', 'run_0000000000000000000000000a'),
	('run_0000000000000000000000000a', 'model:churn:v9'),
	('model:churn:v9', 'run_0000000000000000000000000b'),
	('dataset:orders', 'run_0000000000000000000000000b'),
	('run_0000000000000000000000000b', 'report:"a<b&c":v10'),
	('dataset:orders', 'run_0000000000000000000000000b');
SELECT lineage(source, target) FROM edge;
CREATE TEMPORARY TABLE graph AS SELECT lineage(source, target) AS g FROM edge;
SELECT n_nodes(g), n_edges(g), depth(g), has_cycle(g), cycle(g) FROM graph;
SELECT * FROM nodes((SELECT g FROM graph));
SELECT * FROM edges((SELECT g FROM graph));
SELECT roots(g) FROM graph;
SELECT leaves(g) FROM graph;

-- Walks: all sorts of arguments, limits, nodes that are not there
SELECT * FROM upstream((SELECT g FROM graph), 'report:"a<b&c":v10');
SELECT * FROM upstream((SELECT g FROM graph), 'report:"a<b&c":v10', 1);
SELECT * FROM upstream((SELECT g FROM graph), 'report:"a<b&c":v10', 0);
SELECT * FROM upstream((SELECT g FROM graph), artifact 'model:churn:v9');
SELECT * FROM downstream((SELECT g FROM graph),
	run '00000000-0000-0000-0000-00000000000a');
SELECT * FROM downstream((SELECT g FROM graph), 'dataset:orders', 2);
SELECT * FROM downstream((SELECT g FROM graph), 'dataset:orders:v1');
SELECT * FROM downstream(NULL::lineage, 'dataset:orders');
SELECT * FROM downstream((SELECT g FROM graph), NULL::text);
SELECT pg_temp.failure($$SELECT * FROM upstream(
	(SELECT g FROM graph), 'dataset:orders', -1)$$);
SELECT pg_temp.failure($$SELECT * FROM upstream(
	(SELECT g FROM graph), 'orders')$$);
SELECT path(g, 'dataset:customers:v2', 'report:"a<b&c":v10') AS there,
	path(g, 'report:"a<b&c":v10', 'dataset:customers:v2') AS back,
	path(g, artifact 'dataset:orders', artifact 'dataset:orders') AS itself,
	path(g, 'dataset:none', 'dataset:none') AS nowhere
FROM graph;
SELECT path(g, a, r), path(g, r, m), path(g, a, m), path(g, a::text, r),
	path(g, r, m::text), path(g, r, r), path(g, a, m::text),
	path(g, r::text, m)
FROM graph, (SELECT artifact 'dataset:orders' AS a, artifact 'model:churn:v9' AS m,
	run '00000000-0000-0000-0000-00000000000a' AS r) AS node;
SELECT subgraph(g, 'model:churn:v9', 1), subgraph(g, 'nothing:at all'),
	subgraph(g, 'model:churn:v9') = subgraph(g, artifact 'model:churn:v9')
		AS same
FROM graph;

-- Cycles, also of one node
SELECT cycle(lineage(s, t)), has_cycle(lineage(s, t)), depth(lineage(s, t))
FROM (VALUES ('m:a', 'm:b'), ('m:b', 'm:c'), ('m:c', 'm:b'), ('m:c', 'm:d'))
	AS edge (s, t);
SELECT cycle(lineage(s, t)) FROM (VALUES ('m:a', 'm:a')) AS edge (s, t);
SELECT * FROM nodes((SELECT lineage(s, t)
	FROM (VALUES ('m:a', 'm:b'), ('m:b', 'm:c'), ('m:c', 'm:b'), ('m:c', 'm:d'))
		AS edge (s, t)));
SELECT * FROM upstream((SELECT lineage(s, t)
	FROM (VALUES ('m:a', 'm:b'), ('m:b', 'm:c'), ('m:c', 'm:b')) AS edge (s, t)),
	'm:c');

-- Every pair of argument types gives the same graph
SELECT lineage(r, a) = lineage(r, a::text) AND lineage(r, a)
		= lineage(r::text, a) AND lineage(r, a) = lineage(r::text, a::text)
		AS run_artifact,
	lineage(a, r) = lineage(a, r::text) AND lineage(a, r)
		= lineage(a::text, r) AND lineage(a, r) = lineage(a::text, r::text)
		AS artifact_run,
	lineage(a, b) = lineage(a::text, b::text) AS artifact_artifact,
	lineage(r, q) = lineage(r::text, q::text) AS run_run,
	lineage(r, q)
FROM (SELECT md5(i::text)::uuid::run AS r, md5(i::text || 'q')::uuid::run AS q,
		artifact('model', 'a' || i) AS a, artifact('model', 'b' || i) AS b
	FROM generate_series(1, 2) AS i) AS pair;
SELECT relation, count(*)
FROM edges((SELECT lineage(s, t)
	FROM (VALUES ('m:a', 'm:b'), ('m:a', md5('1')), (md5('1'), 'm:b'),
		(md5('1'), md5('2'))) AS edge (s, t)))
GROUP BY relation ORDER BY relation;

-- No rows: NULL. Rows with a NULL: no edge.
SELECT lineage(source, target) IS NULL AS none FROM edge WHERE false;
SELECT lineage(source, NULL::text), lineage(NULL::text, target) FROM edge;
SELECT n_edges(lineage(source, nullif(target, 'model:churn:v9'))) FROM edge;
SELECT n_nodes(g), depth(g), has_cycle(g), cycle(g), to_json(g), to_dot(g)
FROM (SELECT lineage(source, NULL::text) AS g FROM edge) AS empty;
SELECT pg_temp.failure($$SELECT lineage(s, 'm:a')
	FROM unnest(ARRAY['orders']) AS s$$);
SELECT pg_temp.failure($$SELECT lineage(s, 'm:a')
	FROM unnest(ARRAY['dataset:%']) AS s$$);
SELECT pg_temp.failure('SELECT mlmeta_internal.lineage_combine(g, g) FROM graph');
SELECT pg_temp.failure($$SELECT mlmeta_internal.lineage_transition(g, 'm:a'::text, 'm:b'::text)
	FROM graph$$);

-- Text: any order of nodes, nodes named twice; output is canonical
SELECT lineage '{"version":1,"length":3,"nodes":[{"node":"m:b","targets":[2,2]},
	{"node":"01890a5d-ac96-774b-bcce-b302099a8057","targets":[0]},
	{"node":"m:%61","targets":[0]}]}';
SELECT lineage '{"version": 1, "length": 3, "nodes": [
	{"node": "m:a", "targets": [1]}, {"node": "m:b", "targets": []},
	{"node": "m:a", "targets": [1, 0]}]}';
SELECT t, pg_temp.failure(format('SELECT %L::lineage', t))
FROM unnest(ARRAY['', '{}', '[]', 'm:a', '{"version": 2}', '{"version": 1}',
	'{"version": 1, "length": 1, "nodes": []}',
	'{"version": 1, "length": 0, "nodes": []} x',
	'{"version": 1, "length": -1, "nodes": []}',
	'{"version": 1, "length": 99999999999, "nodes": []}',
	'{"version": 1, "length": 1, "nodes": [{"node": "m:a", "targets": []}]}',
	'{"version": 1, "length": 1, "nodes": [{"node": "m:a", "targets": [1]}]}',
	'{"version": 1, "length": 1, "nodes": [{"node": "m:a", "targets": [-1]}]}',
	'{"version": 1, "length": 1, "nodes": [{"node": "a", "targets": [0]}]}',
	'{"version": 1, "length": 1, "nodes": [{"node": "", "targets": [0]}]}',
	'{"version": 1, "length": 1, "nodes": [{"node": 1, "targets": [0]}]}',
	'{"version": 1, "length": 1, "nodes": [{"node": "m:", "targets": [0]}]}',
	'{"version": 1, "length": 1, "nodes": [{"node": "m:a"}]}']) AS t;

-- Binary: the stored bytes. A later version must read these.
SELECT mlmeta_internal.lineage_send(g) FROM graph;
SELECT mlmeta_internal.lineage_send(lineage('dataset:a%3Ab:v1@sha256:'
	|| repeat('0123456789abcdef', 4), 'm:' || convert_from('\xc3a9', 'UTF8')))
	AS golden;
CREATE TEMPORARY TABLE received (i int GENERATED ALWAYS AS IDENTITY, g lineage);
\copy received (g) FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\025\\001\\002\\001\\001m\\001a\\002v1\\001\\001\\001\\001m\\001b\\000\\002\\000\\001\\377\\377"' WITH (FORMAT binary)
SELECT g FROM received;
-- (early end, unknown version, unknown type, bad kind, target beyond, node
-- without an edge, targets repeated, bytes behind)
\copy received (g) FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\002\\001\\002\\377\\377"' WITH (FORMAT binary)
\copy received (g) FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\002\\002\\000\\377\\377"' WITH (FORMAT binary)
\copy received (g) FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\012\\001\\001\\003\\001m\\001a\\000\\001\\000\\377\\377"' WITH (FORMAT binary)
\copy received (g) FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\012\\001\\001\\001\\001M\\001a\\000\\001\\000\\377\\377"' WITH (FORMAT binary)
\copy received (g) FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\012\\001\\001\\001\\001m\\001a\\000\\001\\001\\377\\377"' WITH (FORMAT binary)
\copy received (g) FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\011\\001\\001\\001\\001m\\001a\\000\\000\\377\\377"' WITH (FORMAT binary)
\copy received (g) FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\013\\001\\001\\001\\001m\\001a\\000\\002\\000\\000\\377\\377"' WITH (FORMAT binary)
\copy received (g) FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\013\\001\\001\\001\\001m\\001a\\000\\001\\000x\\377\\377"' WITH (FORMAT binary)
-- The client's encoding is converted, both ways
SET client_encoding = 'LATIN1';
SELECT mlmeta_internal.lineage_send(lineage('m:' || convert_from('\xc3a9', 'UTF8'), 'm:z'));
\copy received (g) FROM PROGRAM 'printf "PGCOPY\\n\\377\\r\\n\\000\\000\\000\\000\\000\\000\\000\\000\\000\\000\\001\\000\\000\\000\\021\\001\\002\\001\\001m\\001z\\000\\000\\001\\001m\\001\\351\\000\\001\\000\\377\\377"' WITH (FORMAT binary)
RESET client_encoding;
SELECT g FROM received ORDER BY i DESC LIMIT 1;

-- Random graphs, dense enough to have cycles: everything against plain SQL
SELECT setseed(0.5);
CREATE TEMPORARY TABLE many AS
SELECT k, (random() * 30)::int AS a, (random() * 30)::int AS b
FROM generate_series(1, 60) AS k, generate_series(1, 10 + k % 40);
ALTER TABLE many ADD s text, ADD t text;
UPDATE many SET
	s = CASE WHEN a % 2 = 0 THEN md5(a::text)::uuid::run::text
		ELSE 'model:m:v' || a END,
	t = CASE WHEN b % 2 = 0 THEN md5(b::text)::uuid::run::text
		ELSE 'model:m:v' || b END;
CREATE TEMPORARY TABLE graphs AS
SELECT k, lineage(s, t) AS g FROM many GROUP BY k;
SELECT count(*) AS n,
	count(*) FILTER (WHERE g::text::lineage = g) AS by_text,
	count(*) FILTER (WHERE g = (SELECT lineage(source, target) FROM edges(g)))
		AS by_edges,
	count(*) FILTER (WHERE n_edges(g) = (SELECT count(DISTINCT (s, t))
		FROM many WHERE many.k = graphs.k)) AS n_edges,
	count(*) FILTER (WHERE n_nodes(g) = (SELECT count(DISTINCT node)
		FROM many, unnest(ARRAY[s, t]) AS node WHERE many.k = graphs.k))
		AS n_nodes,
	count(*) FILTER (WHERE has_cycle(g)) BETWEEN 10 AND 59 AS some_cycles
FROM graphs;
-- distance of every node from every node, by recursion
CREATE TEMPORARY TABLE distance AS
WITH RECURSIVE step AS (
	SELECT DISTINCT k, node AS start, node, 0 AS depth
	FROM many, unnest(ARRAY[s, t]) AS node WHERE k <= 20
	UNION
	SELECT step.k, start, t, depth + 1
	FROM step JOIN many ON many.k = step.k AND s = step.node
	WHERE depth < 31)
SELECT k, start, node, min(depth) AS depth FROM step GROUP BY k, start, node;
SELECT count(*) > 1000 AS enough FROM distance;
SELECT count(*) AS differences
FROM (SELECT k, start, d.node, d.depth
		FROM graphs JOIN (SELECT DISTINCT k, start FROM distance) AS starts
			USING (k), downstream(g, start) AS d) AS found
	FULL JOIN (SELECT * FROM distance WHERE depth > 0) AS true_one
		USING (k, start, node)
WHERE found.depth IS DISTINCT FROM true_one.depth;
SELECT count(*) AS differences
FROM (SELECT k, d.node AS start, start AS node, d.depth
		FROM graphs JOIN (SELECT DISTINCT k, start FROM distance) AS starts
			USING (k), upstream(g, start) AS d) AS found
	FULL JOIN (SELECT * FROM distance WHERE depth > 0) AS true_one
		USING (k, start, node)
WHERE found.depth IS DISTINCT FROM true_one.depth;
SELECT count(*) AS differences
FROM graphs JOIN (SELECT DISTINCT k, start FROM distance) AS starts USING (k),
	generate_series(0, 4) AS deepest
WHERE (SELECT count(*) FROM downstream(g, start, deepest))
	<> (SELECT count(*) FROM distance AS d
		WHERE d.k = graphs.k AND d.start = starts.start
			AND depth BETWEEN 1 AND deepest);
-- a path is as long as the distance, and made of edges
SELECT count(*) > 100 AS enough,
	bool_and(cardinality(path(g, start, node)) = depth + 1)
	AS shortest,
	bool_and((SELECT coalesce(bool_and((k, p[i], p[i + 1]) IN
			(SELECT k, s, t FROM many)), true)
		FROM path(g, start, node) AS p, generate_series(1, depth) AS i))
	AS of_edges
FROM graphs JOIN distance USING (k) WHERE k <= 5;
-- a cycle is made of edges and closes; no cycle when nothing reaches itself
SELECT bool_and(has_cycle(g) = (cycle(g) IS NOT NULL)
		AND has_cycle(g) = (depth(g) IS NULL)) AS consistent,
	bool_and((SELECT bool_and((k, c[i], c[i % cardinality(c) + 1]) IN
			(SELECT k, s, t FROM many))
		FROM cycle(g) AS c, generate_series(1, cardinality(c)) AS i))
		AS of_edges
FROM graphs;
SELECT bool_and(has_cycle(g) = EXISTS (SELECT FROM many JOIN distance AS d
	ON d.k = many.k AND d.start = many.t AND d.node = many.s
	WHERE many.k = graphs.k)) AS cycles_found
FROM graphs WHERE k <= 20;
-- levels are longest ways: each node one above the highest of its sources
SELECT bool_and(CASE WHEN v.level IS NULL THEN true
	ELSE v.level = coalesce((SELECT max(u.level) + 1
		FROM edges(g) AS e, nodes(g) AS u
		WHERE e.target = v.node AND u.node = e.source), 0) END) AS levels
FROM graphs, nodes(g) AS v WHERE k <= 10;
SELECT bool_and((n_sources = 0) = (node IN (SELECT roots(g)))
	AND (n_targets = 0) = (node IN (SELECT leaves(g)))) AS ends
FROM graphs, nodes(g);
-- subgraph: exactly the edges between nodes on one side
SELECT bool_and(subgraph(g, node) = (SELECT lineage(s, t)
		FROM (SELECT node AS n UNION SELECT u.node FROM upstream(g, node) AS u)
			AS x, (SELECT node AS n UNION SELECT u.node
				FROM upstream(g, node) AS u) AS y, edges(g) AS e (s, t, r)
		WHERE s = x.n AND t = y.n) + (SELECT coalesce(lineage(s, t), g - g)
		FROM (SELECT node AS n UNION SELECT u.node FROM downstream(g, node) AS u)
			AS x, (SELECT node AS n UNION SELECT u.node
				FROM downstream(g, node) AS u) AS y, edges(g) AS e (s, t, r)
		WHERE s = x.n AND t = y.n)) AS subgraph
FROM graphs, LATERAL (SELECT node FROM nodes(g) WHERE n_sources > 0 LIMIT 3) AS v
WHERE k <= 5;

-- Algebra: merging parts is building from all rows
SELECT count(*) AS n,
	bool_and(a.g + b.g = (SELECT lineage(s, t) FROM many
		WHERE many.k IN (a.k, b.k))) AS plus,
	bool_and(a.g + b.g = b.g + a.g AND a.g + a.g = a.g) AS commutes,
	bool_and(a.g + b.g = plus(a.g, b.g) AND a.g - b.g = minus(a.g, b.g)) AS same,
	bool_and(n_edges(a.g - b.g) = (SELECT count(*) FROM (SELECT s, t FROM many
		WHERE k = a.k EXCEPT SELECT s, t FROM many WHERE k = b.k) AS x)) AS minus,
	bool_and((a.g - b.g) + b.g = a.g + b.g) AS back,
	bool_and(n_nodes(a.g - a.g) = 0) AS nothing
FROM graphs AS a, graphs AS b WHERE a.k <= 20 AND b.k <= 20;
SELECT merge(g) = (SELECT lineage(s, t) FROM many) AS merged FROM graphs;
SELECT merge(g) IS NULL AS none FROM graphs WHERE false;
SELECT merge(g) = (SELECT g FROM graphs WHERE k = 1) AS nulls_left_out
FROM (SELECT g FROM graphs WHERE k = 1 UNION ALL SELECT NULL) AS with_null;
SELECT merge(NULL::lineage) IS NULL AS all_null FROM graphs;

-- The order of rows does not matter; nor do windows, which see a state grow
SELECT (SELECT lineage(s, t ORDER BY s, t) FROM many)
	= (SELECT lineage(s, t ORDER BY t DESC, s) FROM many) AS any_order;
SELECT bool_and(n_edges(g) = n) AS running
FROM (SELECT i, lineage('m:a' || i, 'm:b' || i) OVER (ORDER BY i) AS g,
		count(*) OVER (ORDER BY i) AS n
	FROM generate_series(1, 200) AS i) AS steps;
SELECT bool_and(n_edges(g) = 3 OR i < 3) AS moving
FROM (SELECT i, lineage('m:a' || i, 'm:b' || i) OVER (ORDER BY i
		ROWS 2 PRECEDING) AS g
	FROM generate_series(1, 200) AS i) AS steps;

-- Parallel equals serial
CREATE TABLE lineage_parallel AS SELECT s, t FROM many, generate_series(1, 20);
ALTER TABLE lineage_parallel SET (parallel_workers = 2);
ANALYZE lineage_parallel;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
CREATE FUNCTION pg_temp.node_types(query text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (COSTS OFF, FORMAT json) ' || query INTO plan;
	RETURN jsonb_path_query_array(plan, 'strict $.**."Partial Mode"');
END
$$;
SELECT pg_temp.node_types('SELECT lineage(s, t) FROM lineage_parallel');
CREATE TEMPORARY TABLE in_parallel AS
SELECT lineage(s, t) AS g FROM lineage_parallel;
SET max_parallel_workers_per_gather = 0;
SELECT g = (SELECT lineage(s, t) FROM lineage_parallel) AS same
FROM in_parallel;
RESET max_parallel_workers_per_gather;
RESET min_parallel_table_scan_size;
RESET parallel_tuple_cost;
RESET parallel_setup_cost;
DROP TABLE lineage_parallel;

-- A chain of 100,000 steps: no recursion, no stack
CREATE TEMPORARY TABLE chain AS
SELECT lineage(artifact('m', 'c', i::text), artifact('m', 'c', (i + 1)::text))
	AS g
FROM generate_series(1, 100000) AS i;
SELECT depth(g), has_cycle(g), n_nodes(g),
	cardinality(path(g, 'm:c:1', 'm:c:100001')),
	(SELECT max(depth) FROM upstream(g, 'm:c:100001')) FROM chain;
SELECT cardinality(cycle(g + lineage)), has_cycle(g + lineage)
FROM chain, (SELECT lineage('m:c:100001', 'm:c:1') FROM (SELECT) AS one) AS back;

-- Equality, order, grouping, indexes
SELECT count(DISTINCT g), count(DISTINCT g::text) FROM graphs;
SELECT count(*) FROM (SELECT g FROM graphs UNION SELECT g FROM graphs) AS u;
SELECT bool_and((a.g < b.g) = (b.g > a.g) AND (a.g <= b.g) <> (a.g > b.g)
	AND (a.g = b.g) = (a.k = b.k) AND (a.g <> b.g) = (a.k <> b.k)) AS ordered
FROM graphs AS a, graphs AS b;

-- For other programs
SELECT to_json(g) FROM graph;
SELECT to_json(g)::jsonb -> 'nodes' -> 5 ->> 'id' AS escaped_and_back FROM graph;
SELECT to_dot(g) FROM graph;
SELECT to_mermaid(g) FROM graph;
SELECT to_dot(lineage('m:\"', 'm:"\')) AS quoted;
SELECT svg LIKE '<svg xmlns="http://www.w3.org/2000/svg" %</svg>_' AS document,
	svg LIKE '%<title>A &lt;b&gt; &amp; c</title>%' AS title,
	svg LIKE '%<desc>Lineage of 6 nodes and 6 edges%' AS description,
	svg LIKE '%<title>report:&quot;a&lt;b&amp;c&quot;:v10</title>%' AS node,
	(SELECT count(*) FROM regexp_matches(svg, '<rect ', 'g')) AS boxes,
	(SELECT count(*) FROM regexp_matches(svg, '<path d="M\d+[^"]*"/>', 'g'))
		AS edges,
	svg ~ '[^0-9]-?(nan|inf)' AS broken
FROM (SELECT to_svg(g, 'A <b> & c') AS svg FROM graph) AS drawn;
SELECT to_svg(lineage('m:a', NULL::text)) LIKE '<svg %0 nodes%' AS empty;
-- drawings of graphs with cycles: a box for every node, a line for every edge
SELECT bool_and((SELECT count(*) FROM regexp_matches(svg, '<rect ', 'g'))
		= n_nodes(g)
	AND (SELECT count(*) FROM regexp_matches(svg, '<path [^>]*d="M\d[^>]*/>\n',
		'g')) = n_edges(g)) AS complete,
	bool_and((svg LIKE '%dasharray%') = has_cycle(g)) AS dashed
FROM (SELECT g, to_svg(g) AS svg FROM graphs) AS drawn;
-- boxes of one column never overlap
SELECT count(*) AS overlaps
FROM (SELECT k, m[1]::numeric AS x, m[2]::numeric AS y
		FROM graphs, regexp_matches(to_svg(g),
			'<rect x="([\d.]+)" y="([\d.]+)"', 'g') AS m) AS a
	JOIN (SELECT k, m[1]::numeric AS x, m[2]::numeric AS y
		FROM graphs, regexp_matches(to_svg(g),
			'<rect x="([\d.]+)" y="([\d.]+)"', 'g') AS m) AS b USING (k, x)
WHERE b.y > a.y AND b.y < a.y + 50;
SELECT pg_temp.failure('SELECT to_svg(g) FROM chain');
