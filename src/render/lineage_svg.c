/*-------------------------------------------------------------------------
 *
 * lineage_svg.c
 *		A lineage as a drawing in layers, from left to right.
 *
 * The usual four steps: edges that close a cycle are turned around; every
 * node gets a layer, and an edge over several layers a bend in each of them;
 * the nodes of a layer are ordered by the mean position of their neighbours;
 * their heights are the least-squares fit to those of their neighbours that
 * keeps the order and the distances (isotonic regression). Source:
 * K. Sugiyama, S. Tagawa, M. Toda, "Methods for visual understanding of
 * hierarchical system structures", 1981.
 *
 *-------------------------------------------------------------------------
 */
#include "core/compat.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "types/lineage.h"
#include "utils/builtins.h"

/* Beyond, nobody could read the drawing */
#define MAX_NODES			1000
#define MAX_EDGES			5000
#define MAX_BENDS			20000

#define ORDER_SWEEPS		12
#define HEIGHT_SWEEPS		12

/* Sizes in pixels; the font is monospaced */
#define MARGIN				16.0
#define BOX_HEIGHT			40.0
#define BOX_GAP				16.0
#define BEND_GAP			12.0
#define LAYER_GAP			56.0
#define PADDING				10.0
#define CHAR_WIDTH			6.7
#define MAX_COLUMNS			44
#define DIGEST_COLUMNS		8

PG_FUNCTION_INFO_V1(mlmeta_lineage_to_svg);

/* A part of an edge between two neighbouring layers */
typedef struct Piece
{
	int			left;
	int			right;
} Piece;

/* Points: first the nodes, then the bends */
typedef struct Layout
{
	const Lineage *lineage;
	int			n_points;
	int			n_layers;
	int		   *layer;			/* of each point */
	double	   *y;				/* middle of each point */
	int		   *order;			/* points, layer by layer from the top */
	int		   *layer_first;	/* where each layer begins in order */
	double	   *layer_x;		/* left border of each layer */
	double	   *layer_width;
	bool	   *turned;			/* of each edge: it is drawn backwards */
	int		   *first_bend;		/* of each edge; it has as many as layers
								 * between its ends, one after the other */
	Piece	   *pieces;
	int			n_pieces;
	Adjacency	left;			/* neighbours in the layer before */
	Adjacency	right;			/* and in the layer behind */
} Layout;

/* The ends of an edge, from left to right */
static inline int
left_end(const Layout *layout, int edge)
{
	uint64		ends = layout->lineage->edges[edge];

	return layout->turned[edge] ? edge_target(ends) : edge_source(ends);
}

static inline int
right_end(const Layout *layout, int edge)
{
	uint64		ends = layout->lineage->edges[edge];

	return layout->turned[edge] ? edge_source(ends) : edge_target(ends);
}

static inline bool
is_loop(const Layout *layout, int edge)
{
	uint64		ends = layout->lineage->edges[edge];

	return edge_source(ends) == edge_target(ends);
}

static int
count_bends(const Layout *layout, int edge)
{
	if (is_loop(layout, edge))
		return 0;
	return layout->layer[right_end(layout, edge)] -
		layout->layer[left_end(layout, edge)] - 1;
}

/* ----------
 * Step 1: turn edges around until there is no cycle
 * ----------
 */

/* Depth-first: an edge to a node that is still open closes a cycle */
static void
turn_edges(Layout *layout, const Adjacency *targets)
{
	int			n = layout->lineage->n_nodes;
	int		   *cursor = palloc(Max(n, 1) * sizeof(int));
	int		   *stack = palloc(Max(n, 1) * sizeof(int));
	char	   *state = palloc0(Max(n, 1)); /* 0 new, 1 open, 2 done */

	for (int root = 0; root < n; root++)
	{
		int			depth = 0;

		if (state[root] != 0)
			continue;
		stack[0] = root;
		cursor[root] = targets->first[root];
		state[root] = 1;
		while (depth >= 0)
		{
			int			node = stack[depth];
			int			edge;
			int			next;

			if (cursor[node] == targets->first[node + 1])
			{
				state[node] = 2;
				depth--;
				continue;
			}
			/* edges are sorted by source: the cursor is the edge's number */
			edge = cursor[node]++;
			next = targets->neighbours[edge];
			if (state[next] == 1)
				layout->turned[edge] = true;
			else if (state[next] == 0)
			{
				stack[++depth] = next;
				cursor[next] = targets->first[next];
				state[next] = 1;
			}
		}
	}
}

/* ----------
 * Step 2: layers and bends
 * ----------
 */

/*
 * The layer of a node is the longest way to it; nodes that nothing leads to
 * are drawn just before the first that they lead to.
 */
static void
assign_layers(Layout *layout)
{
	const Lineage *lineage = layout->lineage;
	int			n = lineage->n_nodes;
	int		   *waiting = palloc0((n + 1) * sizeof(int));
	int		   *queue = palloc((n + 1) * sizeof(int));
	int		   *first = palloc0((n + 2) * sizeof(int));
	int		   *targets = palloc((lineage->n_edges + 1) * sizeof(int));
	int			n_queued = 0;

	for (int i = 0; i < lineage->n_edges; i++)
		if (!is_loop(layout, i))
		{
			first[left_end(layout, i) + 2]++;
			waiting[right_end(layout, i)]++;
		}
	for (int i = 0; i < n; i++)
		first[i + 2] += first[i + 1];
	/* first[i + 1] is where the next target of i goes, then where they end */
	for (int i = 0; i < lineage->n_edges; i++)
		if (!is_loop(layout, i))
			targets[first[left_end(layout, i) + 1]++] = right_end(layout, i);

	for (int i = 0; i < n; i++)
	{
		layout->layer[i] = 0;
		if (waiting[i] == 0)
			queue[n_queued++] = i;
	}
	for (int i = 0; i < n_queued; i++)
		for (int j = first[queue[i]]; j < first[queue[i] + 1]; j++)
		{
			int			next = targets[j];

			layout->layer[next] = Max(layout->layer[next],
									  layout->layer[queue[i]] + 1);
			if (--waiting[next] == 0)
				queue[n_queued++] = next;
		}
	Assert(n_queued == n);

	layout->n_layers = 0;
	for (int i = 0; i < n; i++)
	{
		int			nearest = PG_INT32_MAX;

		if (layout->layer[i] == 0)
			for (int j = first[i]; j < first[i + 1]; j++)
				nearest = Min(nearest, layout->layer[targets[j]]);
		if (nearest != PG_INT32_MAX)
			layout->layer[i] = nearest - 1;
		layout->n_layers = Max(layout->n_layers, layout->layer[i] + 1);
	}
}

static void
refuse_drawing(const Lineage *lineage, const char *what, int number, int limit)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a value of type %s is too large to be drawn", "lineage"),
			 errdetail("It has %d %s, the limit is %d.", number, what, limit),
			 errhint("Draw subgraph(lineage, node, depth).")));
}

/* Cuts edges into pieces that lead from one layer to the next */
static void
add_bends(Layout *layout)
{
	const Lineage *lineage = layout->lineage;
	int			n_bends = 0;
	Piece	   *piece;

	for (int i = 0; i < lineage->n_edges; i++)
	{
		layout->first_bend[i] = lineage->n_nodes + n_bends;
		n_bends += count_bends(layout, i);
		if (n_bends > MAX_BENDS)
			refuse_drawing(lineage, "crossings of layers", n_bends,
						   MAX_BENDS);
	}
	layout->n_points = lineage->n_nodes + n_bends;
	layout->layer = repalloc(layout->layer,
							 (layout->n_points + 1) * sizeof(int));
	layout->pieces = palloc((lineage->n_edges + n_bends + 1) * sizeof(Piece));
	piece = layout->pieces;
	for (int i = 0; i < lineage->n_edges; i++)
	{
		int			n = count_bends(layout, i);
		int			previous = left_end(layout, i);

		if (is_loop(layout, i))
			continue;
		for (int j = 0; j < n; j++)
		{
			int			bend = layout->first_bend[i] + j;

			layout->layer[bend] = layout->layer[previous] + 1;
			piece->left = previous;
			piece->right = bend;
			piece++;
			previous = bend;
		}
		piece->left = previous;
		piece->right = right_end(layout, i);
		piece++;
	}
	layout->n_pieces = piece - layout->pieces;
}

/* Who is beside whom, in both directions */
static void
find_neighbours(Layout *layout)
{
	int			n = layout->n_points;
	int		   *next_left;
	int		   *next_right;

	layout->left.first = palloc0((n + 1) * sizeof(int));
	layout->right.first = palloc0((n + 1) * sizeof(int));
	for (int i = 0; i < layout->n_pieces; i++)
	{
		layout->right.first[layout->pieces[i].left + 1]++;
		layout->left.first[layout->pieces[i].right + 1]++;
	}
	for (int i = 0; i < n; i++)
	{
		layout->left.first[i + 1] += layout->left.first[i];
		layout->right.first[i + 1] += layout->right.first[i];
	}
	layout->left.neighbours = palloc((layout->n_pieces + 1) * sizeof(int));
	layout->right.neighbours = palloc((layout->n_pieces + 1) * sizeof(int));
	next_left = palloc((n + 1) * sizeof(int));
	next_right = palloc((n + 1) * sizeof(int));
	memcpy(next_left, layout->left.first, (n + 1) * sizeof(int));
	memcpy(next_right, layout->right.first, (n + 1) * sizeof(int));
	for (int i = 0; i < layout->n_pieces; i++)
	{
		int			left = layout->pieces[i].left;
		int			right = layout->pieces[i].right;

		layout->right.neighbours[next_right[left]++] = right;
		layout->left.neighbours[next_left[right]++] = left;
	}
}

/* ----------
 * Step 3: the order inside of each layer
 * ----------
 */

typedef struct SortedPoint
{
	double		key;
	int			rank;			/* keeps the order of equals */
	int			point;
} SortedPoint;

static int
compare_points(const void *a, const void *b)
{
	const SortedPoint *x = a;
	const SortedPoint *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return (x->rank > y->rank) - (x->rank < y->rank);
}

static void
order_points(Layout *layout)
{
	int			n = layout->n_points;
	int		   *next = palloc((layout->n_layers + 1) * sizeof(int));
	double	   *rank = palloc((n + 1) * sizeof(double));
	SortedPoint *sorted = palloc((n + 1) * sizeof(SortedPoint));

	layout->layer_first = palloc0((layout->n_layers + 1) * sizeof(int));
	layout->order = palloc((n + 1) * sizeof(int));
	for (int i = 0; i < n; i++)
		layout->layer_first[layout->layer[i] + 1]++;
	for (int i = 0; i < layout->n_layers; i++)
		layout->layer_first[i + 1] += layout->layer_first[i];
	memcpy(next, layout->layer_first, (layout->n_layers + 1) * sizeof(int));
	for (int i = 0; i < n; i++)
	{
		rank[i] = next[layout->layer[i]] -
			layout->layer_first[layout->layer[i]];
		layout->order[next[layout->layer[i]]++] = i;
	}

	for (int sweep = 0; sweep < ORDER_SWEEPS; sweep++)
	{
		bool		forward = sweep % 2 == 0;
		Adjacency  *beside = forward ? &layout->left : &layout->right;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < layout->n_layers; i++)
		{
			int			layer = forward ? i : layout->n_layers - 1 - i;
			int			begin = layout->layer_first[layer];
			int			size = layout->layer_first[layer + 1] - begin;

			for (int j = 0; j < size; j++)
			{
				int			point = layout->order[begin + j];
				int			from = beside->first[point];
				int			to = beside->first[point + 1];
				double		sum = 0;

				for (int k = from; k < to; k++)
					sum += rank[beside->neighbours[k]];
				sorted[j].key = to > from ? sum / (to - from) : rank[point];
				sorted[j].rank = j;
				sorted[j].point = point;
			}
			qsort(sorted, size, sizeof(SortedPoint), compare_points);
			for (int j = 0; j < size; j++)
			{
				layout->order[begin + j] = sorted[j].point;
				rank[sorted[j].point] = j;
			}
		}
	}
}

/* ----------
 * Step 4: heights
 * ----------
 */

static double
distance_between(const Layout *layout, int upper, int lower)
{
	int			n_nodes = layout->lineage->n_nodes;

	return (upper < n_nodes ? BOX_HEIGHT / 2 : 0) +
		(lower < n_nodes ? BOX_HEIGHT / 2 : 0) +
		(upper < n_nodes && lower < n_nodes ? BOX_GAP : BEND_GAP);
}

/*
 * Moves the points of a layer as near as possible to where they want to be,
 * in their order and with their distances: pools adjacent violators.
 */
static void
place_layer(Layout *layout, int layer, const double *wanted)
{
	int			begin = layout->layer_first[layer];
	int			size = layout->layer_first[layer + 1] - begin;
	const int  *points = layout->order + begin;
	double	   *offset = palloc((size + 1) * sizeof(double));
	double	   *mean = palloc((size + 1) * sizeof(double));
	int		   *count = palloc((size + 1) * sizeof(int));
	int			n_pools = 0;

	for (int i = 0; i < size; i++)
	{
		offset[i] = i == 0 ? 0 :
			offset[i - 1] + distance_between(layout, points[i - 1],
											 points[i]);
		mean[n_pools] = wanted[points[i]] - offset[i];
		count[n_pools++] = 1;
		while (n_pools > 1 && mean[n_pools - 2] > mean[n_pools - 1])
		{
			int			both = count[n_pools - 2] + count[n_pools - 1];

			mean[n_pools - 2] = (mean[n_pools - 2] * count[n_pools - 2] +
								 mean[n_pools - 1] * count[n_pools - 1]) /
				both;
			count[n_pools - 2] = both;
			n_pools--;
		}
	}
	for (int i = 0, pool = 0, used = 0; i < size; i++)
	{
		layout->y[points[i]] = mean[pool] + offset[i];
		if (++used == count[pool])
		{
			pool++;
			used = 0;
		}
	}
	pfree(offset);
	pfree(mean);
	pfree(count);
}

static void
assign_heights(Layout *layout)
{
	double	   *wanted = palloc0((layout->n_points + 1) * sizeof(double));

	layout->y = palloc0((layout->n_points + 1) * sizeof(double));
	for (int i = 0; i < layout->n_layers; i++)
		place_layer(layout, i, wanted);
	for (int sweep = 0; sweep < HEIGHT_SWEEPS; sweep++)
	{
		bool		forward = sweep % 2 == 0;
		bool		last = sweep >= HEIGHT_SWEEPS - 2;

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < layout->n_layers; i++)
		{
			int			layer = forward ? i : layout->n_layers - 1 - i;

			for (int j = layout->layer_first[layer];
				 j < layout->layer_first[layer + 1]; j++)
			{
				int			point = layout->order[j];
				double		sum = 0;
				int			n = 0;

				/* at the end both sides count */
				for (int side = 0; side < 2; side++)
				{
					Adjacency  *beside = side == 0 ? &layout->left :
						&layout->right;

					if (!last && (side == 0) != forward)
						continue;
					for (int k = beside->first[point];
						 k < beside->first[point + 1]; k++)
					{
						sum += layout->y[beside->neighbours[k]];
						n++;
					}
				}
				wanted[point] = n > 0 ? sum / n : layout->y[point];
			}
			place_layer(layout, layer, wanted);
		}
	}
}

/* ----------
 * Words
 * ----------
 */

static void
append_escaped(StringInfo out, const char *text, int size)
{
	for (int i = 0; i < size; i++)
	{
		switch (text[i])
		{
			case '&':
				appendStringInfoString(out, "&amp;");
				break;
			case '<':
				appendStringInfoString(out, "&lt;");
				break;
			case '>':
				appendStringInfoString(out, "&gt;");
				break;
			case '"':
				appendStringInfoString(out, "&quot;");
				break;
			default:
				/* XML knows no other controls; titles may have them */
				if ((unsigned char) text[i] < 0x20)
					appendStringInfoChar(out, ' ');
				else
					appendStringInfoCharMacro(out, text[i]);
		}
	}
}

/*
 * What stands in the box: a node without its kind, at most MAX_COLUMNS wide,
 * a digest with its first digits only. Returns the width in columns.
 */
static int
make_label(const Lineage *lineage, int node, StringInfo label)
{
	StringInfoData text;
	char	   *start;
	char	   *at;
	int			columns = 0;
	int			size = 0;

	initStringInfo(&text);
	lineage_append_node(&text, lineage, node);
	start = text.data;
	if (!lineage_is_run(lineage, node))
		start = strchr(start, ':') + 1;
	at = strchr(start, '@');
	if (at != NULL)
		at[strlen("@sha256:") + DIGEST_COLUMNS] = '\0';

	while (start[size] != '\0')
	{
		int			width = Max(pg_dsplen(start + size), 0);

		if (columns + width > MAX_COLUMNS - 3)
			break;
		columns += width;
		size += pg_mblen(start + size);
	}
	resetStringInfo(label);
	append_escaped(label, start, size);
	if (start[size] != '\0' || at != NULL)
	{
		appendStringInfoString(label, "...");
		columns += 3;
	}
	pfree(text.data);
	return columns;
}

static double
width_of_box(int columns)
{
	return columns * CHAR_WIDTH + 2 * PADDING;
}

/* ----------
 * The drawing
 * ----------
 */

static void
append_curve(StringInfo out, double x1, double y1, double x2, double y2)
{
	double		middle = (x1 + x2) / 2;

	if (y1 == y2)
		appendStringInfo(out, "L%.1f %.1f", x2, y2);
	else
		appendStringInfo(out, "C%.1f %.1f %.1f %.1f %.1f %.1f",
						 middle, y1, middle, y2, x2, y2);
}

static void
draw_edge(StringInfo out, const Layout *layout, int edge, const double *width)
{
	int			a = left_end(layout, edge);
	int			b = right_end(layout, edge);
	int			n_bends = count_bends(layout, edge);
	double	   *x = palloc((2 * n_bends + 2) * sizeof(double));
	double	   *y = palloc((2 * n_bends + 2) * sizeof(double));
	int			n = 0;

	appendStringInfoString(out, layout->turned[edge] ?
						   "<path stroke-dasharray=\"5 3\" d=\"" :
						   "<path d=\"");
	if (is_loop(layout, edge))
	{
		double		right = layout->layer_x[layout->layer[a]] + width[a];
		double		top = layout->y[a] - BOX_HEIGHT / 2;

		appendStringInfo(out, "M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f",
						 right - 30, top, right - 30, top - 18,
						 right - 10, top - 18, right - 10, top);
		appendStringInfoString(out, "\"/>\n");
		return;
	}

	x[n] = layout->layer_x[layout->layer[a]] + width[a];
	y[n++] = layout->y[a];
	for (int i = 0; i < n_bends; i++)
	{
		int			bend = layout->first_bend[edge] + i;
		int			layer = layout->layer[bend];

		/* straight through the layer, between its boxes */
		x[n] = layout->layer_x[layer];
		y[n++] = layout->y[bend];
		x[n] = layout->layer_x[layer] + layout->layer_width[layer];
		y[n++] = layout->y[bend];
	}
	x[n] = layout->layer_x[layout->layer[b]];
	y[n++] = layout->y[b];

	if (layout->turned[edge])
	{
		appendStringInfo(out, "M%.1f %.1f", x[n - 1], y[n - 1]);
		for (int i = n - 1; i > 0; i--)
			append_curve(out, x[i], y[i], x[i - 1], y[i - 1]);
	}
	else
	{
		appendStringInfo(out, "M%.1f %.1f", x[0], y[0]);
		for (int i = 1; i < n; i++)
			append_curve(out, x[i - 1], y[i - 1], x[i], y[i]);
	}
	appendStringInfoString(out, "\"/>\n");
	pfree(x);
	pfree(y);
}

static void
draw_node(StringInfo out, const Layout *layout, int node, double width)
{
	const Lineage *lineage = layout->lineage;
	bool		is_run = lineage_is_run(lineage, node);
	double		x = layout->layer_x[layout->layer[node]];
	double		y = layout->y[node];
	StringInfoData word;

	initStringInfo(&word);
	lineage_append_node(&word, lineage, node);
	appendStringInfoString(out, "<g><title>");
	append_escaped(out, word.data, word.len);
	appendStringInfo(out, "</title><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
					 "height=\"%.1f\" rx=\"%d\" fill=\"%s\" stroke=\"%s\"/>",
					 x, y - BOX_HEIGHT / 2, width, BOX_HEIGHT,
					 is_run ? 16 : 3, is_run ? "#e3edfb" : "#fdf1dc",
					 is_run ? "#2b5c9e" : "#9a6510");
	resetStringInfo(&word);
	lineage_append_kind(&word, lineage, node);
	appendStringInfo(out, "<text x=\"%.1f\" y=\"%.1f\" font-size=\"9\" "
					 "fill=\"#5a5a5a\">%s</text>", x + PADDING, y - 6,
					 word.data);
	make_label(lineage, node, &word);
	appendStringInfo(out, "<text x=\"%.1f\" y=\"%.1f\" xml:space=\"preserve\">"
					 "%s</text></g>\n", x + PADDING, y + 11, word.data);
	pfree(word.data);
}

/*
 * to_svg(lineage, title) -> text: a document of its own. Edges that close a
 * cycle are dashed. A box shows its node in full when pointed at.
 */
Datum
mlmeta_lineage_to_svg(PG_FUNCTION_ARGS)
{
	Lineage    *lineage = lineage_read(PG_GETARG_DATUM(0));
	text	   *title = PG_GETARG_TEXT_PP(1);
	Layout		layout = {0};
	Adjacency	targets;
	StringInfoData out;
	StringInfoData label;
	double	   *width;
	double		x = MARGIN;
	double		top = 0;
	double		bottom = 0;

	if (lineage->n_nodes > MAX_NODES)
		refuse_drawing(lineage, "nodes", lineage->n_nodes, MAX_NODES);
	if (lineage->n_edges > MAX_EDGES)
		refuse_drawing(lineage, "edges", lineage->n_edges, MAX_EDGES);

	layout.lineage = lineage;
	layout.turned = palloc0(lineage->n_edges + 1);
	layout.first_bend = palloc0((lineage->n_edges + 1) * sizeof(int));
	layout.layer = palloc0((lineage->n_nodes + 1) * sizeof(int));
	lineage_targets(lineage, &targets);
	turn_edges(&layout, &targets);
	assign_layers(&layout);
	add_bends(&layout);
	find_neighbours(&layout);
	order_points(&layout);
	assign_heights(&layout);

	/* the widest box of a layer is the layer's width */
	initStringInfo(&label);
	width = palloc((lineage->n_nodes + 1) * sizeof(double));
	layout.layer_width = palloc0((layout.n_layers + 1) * sizeof(double));
	layout.layer_x = palloc0((layout.n_layers + 1) * sizeof(double));
	for (int i = 0; i < lineage->n_nodes; i++)
	{
		double	   *widest = &layout.layer_width[layout.layer[i]];

		width[i] = width_of_box(make_label(lineage, i, &label));
		resetStringInfo(&label);
		lineage_append_kind(&label, lineage, i);
		width[i] = Max(width[i], width_of_box(label.len));
		*widest = Max(*widest, width[i]);
	}
	for (int i = 0; i < layout.n_layers; i++)
	{
		layout.layer_x[i] = x;
		x += layout.layer_width[i] + LAYER_GAP;
	}
	x += MARGIN - (layout.n_layers > 0 ? LAYER_GAP : 0);
	for (int i = 0; i < layout.n_points; i++)
	{
		top = i == 0 ? layout.y[i] : Min(top, layout.y[i]);
		bottom = i == 0 ? layout.y[i] : Max(bottom, layout.y[i]);
	}
	for (int i = 0; i < layout.n_points; i++)
		layout.y[i] = rint(layout.y[i] + MARGIN + BOX_HEIGHT / 2 - top);
	bottom += 2 * MARGIN + BOX_HEIGHT - top;

	initStringInfo(&out);
	appendStringInfo(&out, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
					 "width=\"%.0f\" height=\"%.0f\" "
					 "viewBox=\"0 0 %.0f %.0f\" role=\"img\" "
					 "font-family=\"ui-monospace,Menlo,Consolas,monospace\" "
					 "font-size=\"11\" fill=\"#1c1c1c\">\n<title>",
					 x, bottom, x, bottom);
	append_escaped(&out, VARDATA_ANY(title), VARSIZE_ANY_EXHDR(title));
	appendStringInfo(&out, "</title>\n<desc>Lineage of %d nodes and %d edges; "
					 "data flow from left to right.</desc>\n"
					 "<defs><marker id=\"mlmeta-arrow\" viewBox=\"0 0 8 8\" "
					 "refX=\"8\" refY=\"4\" markerWidth=\"8\" "
					 "markerHeight=\"8\" orient=\"auto\">"
					 "<path d=\"M0 0L8 4L0 8Z\" fill=\"#7a7a7a\"/>"
					 "</marker></defs>\n",
					 lineage->n_nodes, lineage->n_edges);
	appendStringInfoString(&out, "<g fill=\"none\" stroke=\"#7a7a7a\" "
						   "stroke-width=\"1.2\" "
						   "marker-end=\"url(#mlmeta-arrow)\">\n");
	for (int i = 0; i < lineage->n_edges; i++)
		draw_edge(&out, &layout, i, width);
	appendStringInfoString(&out, "</g>\n");
	for (int i = 0; i < lineage->n_nodes; i++)
		draw_node(&out, &layout, i, width[i]);
	appendStringInfoString(&out, "</svg>\n");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
