// The graph of a project, to work with.
//
// It is { nodes, edges }, a Map each, from the id as text to the object as it
// is stored.  Nothing of it is changed in place: a change is a new graph that
// shares the rest, so a state can be kept and two can be compared.  Keys that
// are not known here stay.
import dagre from '../vendor/dagre.js';
import { put } from './merge.js';

export const types = ['service', 'database', 'cache', 'queue', 'api', 'worker', 'view', 'frontend'];
export const lists = ['tech', 'ports', 'security'];

// A position is the top left corner of a circle of 72 pixels, as Terarchitect
// has it; here a node is a box about the same middle.
const HALF = 36;
export const WIDE = 204, HIGH = 72;

const object = (v) => v !== null && typeof v === 'object' && !Array.isArray(v);

// Older graphs have some keys in data, or one above; where it is it stays.
export const field = (thing, key) => thing.data?.[key] ?? thing[key];
const top = (thing, key) => thing[key] ?? thing.data?.[key];

// From what is stored.  An edge without an id of its own is known by its place.
export function read({ nodes, edges }) {
	const graph = { nodes: new Map(), edges: new Map() };
	for (const n of nodes) {
		const id = object(n) ? top(n, 'id') : undefined;
		if (id !== undefined) graph.nodes.set(String(id), n.id === undefined ? { ...n, id } : n);
	}
	edges.forEach((e, i) => {
		const id = object(e) ? top(e, 'id') : undefined;
		graph.edges.set(id === undefined || graph.edges.has(String(id)) ? `edge ${i}` : String(id), e);
	});
	return graph;
}
export const write = (graph) => ({ nodes: [...graph.nodes.values()], edges: [...graph.edges.values()] });

export const label = (n, id) => String(field(n, 'label') || id);
export const type = (n) => String(top(n, 'type') ?? 'service');
export const from = (e) => String(object(e) ? top(e, 'source') : undefined);
export const to = (e) => String(object(e) ? top(e, 'target') : undefined);
export const words = (e) => [object(e) && field(e, 'label'), object(e) && field(e, 'protocol')].filter(Boolean).join(' · ');
export const list = (n, key) => {
	const v = field(n, key);
	return (Array.isArray(v) ? v : v == null ? [] : [v]).map(String);
};
export const name = (graph, id) => (graph.nodes.has(id) ? label(graph.nodes.get(id), id) : id);
export const edge_name = (graph, e) => `${name(graph, from(e))} → ${name(graph, to(e))}`;

export function place(n) {
	const p = n.position;
	return Number.isFinite(p?.x) && Number.isFinite(p?.y) ? { x: p.x + HALF, y: p.y + HALF } : undefined;
}
const corner = ({ x, y }) => ({ x: Math.round(x) - HALF, y: Math.round(y) - HALF });

// --- changes: each gives a new graph ---

// Like those of Terarchitect's editor, and none twice.
function fresh(known, word) {
	let ms = Date.now();
	while (known.has(`${word}-${ms}`)) ms++;
	return `${word}-${ms}`;
}

export function add_node(graph, at) {
	const id = fresh(graph.nodes, 'node');
	return [put(graph, ['nodes', id], {
		id, type: 'service', position: corner(at), data: { label: 'Service', description: '', tech: [], ports: [], security: [] },
	}), id];
}
export function add_edge(graph, source, target, data = {}) {
	const id = fresh(graph.edges, 'edge');
	return [put(graph, ['edges', id], { id, source: graph.nodes.get(source).id, target: graph.nodes.get(target).id, data }), id];
}

// kind: nodes or edges.
export function set(graph, kind, id, key, v) {
	const thing = graph[kind].get(id);
	const above = key === 'type' ? thing.data?.type === undefined || thing.type !== undefined
		: thing.data?.[key] === undefined && thing[key] !== undefined;
	return put(graph, [kind, id, ...(above ? [] : ['data']), key], v);
}
export function turn(graph, id) {
	const e = graph.edges.get(id), inside = e.source === undefined ? ['data'] : [];
	const { source, target } = inside.length ? e.data : e;
	return put(put(graph, ['edges', id, ...inside, 'source'], target), ['edges', id, ...inside, 'target'], source);
}
export function move(graph, places) {
	const nodes = new Map(graph.nodes);
	for (const [id, at] of places) nodes.set(id, { ...nodes.get(id), position: { ...nodes.get(id).position, ...corner(at) } });
	return { ...graph, nodes };
}
// With a node go the edges that end at it.
export function remove(graph, nodes, edges) {
	const gone = (id, e) => edges.has(id) || nodes.has(from(e)) || nodes.has(to(e));
	return {
		nodes: new Map([...graph.nodes].filter(([id]) => !nodes.has(id))),
		edges: new Map([...graph.edges].filter(([id, e]) => !gone(id, e))),
	};
}

// --- where things stand ---

// All nodes in layers, along the edges, from the left to the right or from the
// top down: whichever is larger in a room of this shape (wide / high).  Of a
// large graph both would take seconds.
export function arrange(graph, shape) {
	if (graph.nodes.size > 100) return layers(graph, 'LR').at;
	const [a, b] = [layers(graph, 'LR'), layers(graph, 'TB')];
	const scale = ({ width, height }) => Math.min(shape / width, 1 / height);
	return (scale(a) >= scale(b) ? a : b).at;
}
function layers(graph, rankdir) {
	const g = new dagre.graphlib.Graph({ multigraph: true });
	g.setGraph({ rankdir, nodesep: 36, ranksep: 50, edgesep: 20 });
	for (const id of graph.nodes.keys()) g.setNode(id, { width: WIDE, height: HIGH });
	for (const [id, e] of graph.edges)
		if (graph.nodes.has(from(e)) && graph.nodes.has(to(e)) && from(e) !== to(e))
			g.setEdge(from(e), to(e), { width: Math.min(160, 6 * words(e).length), height: 18, labelpos: 'c' }, id);
	dagre.layout(g);
	const { width, height } = g.graph();
	return { width, height, at: new Map(g.nodes().map((id) => [id, { x: g.node(id).x, y: g.node(id).y }])) };
}

// The place of each node: its own; for one without, or when all are in one
// heap as a program that knows no places leaves them, one that is found.
export function places(graph, shape) {
	const at = new Map([...graph.nodes].map(([id, n]) => [id, place(n)]));
	const own = [...at.values()].filter(Boolean);
	if (!own.length || (own.length > 1 && own.every((p) => p.x === own[0].x && p.y === own[0].y))) return arrange(graph, shape);
	if (own.length < at.size) {
		const low = Math.max(...own.map((p) => p.y)) + HIGH * 2, left = Math.min(...own.map((p) => p.x));
		let i = 0;
		for (const [id, p] of at) if (!p) at.set(id, { x: left + (i % 6) * (WIDE + 40), y: low + Math.floor(i++ / 6) * (HIGH + 40) });
	}
	return at;
}

// A place near this one where no other node is.
export function free(all, { x, y }) {
	const taken = (p) => [...all].some((o) => Math.abs(o.x - p.x) < WIDE + 10 && Math.abs(o.y - p.y) < HIGH + 10);
	const p = { x, y };
	while (taken(p)) p.y += HIGH + 24;
	return p;
}

// Of some nodes the next one that way: dx, dy are -1, 0, 1.
export function next(all, id, dx, dy) {
	const here = all.get(id);
	let best, least = Infinity;
	for (const [other, p] of all) {
		const along = (p.x - here.x) * dx + (p.y - here.y) * dy, aside = Math.abs((p.x - here.x) * dy) + Math.abs((p.y - here.y) * dx);
		if (other === id || along <= 0 || along + 2 * aside >= least) continue;
		least = along + 2 * aside;
		best = other;
	}
	return best;
}
