// The architecture: components and interfaces, to work in.
import { ask } from '../lib/api.js';
import { canvas } from '../lib/canvas.js';
import { save_blob } from '../lib/file.js';
import * as g from '../lib/graph.js';
import { facts, panel, tables } from '../lib/panel.js';
import { png_of } from '../lib/picture.js';
import { store as store_of } from '../lib/store.js';
import { cards as cards_of } from '../lib/ticket.js';
import { announce, empty, form, html, nothing, plural, refused, repeat, say } from '../lib/ui.js';

const STEP = 20; // pixels that a key moves a node
const kept = new Map(); // list or canvas, when one comes back

const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const typing = (e) => e.target.closest?.('input, textarea, select, dialog');

export default function graph([number], draw) {
	let project, notes = [], selected = new Set(), cursor, list = kept.get(number) ?? false;
	const tickets = new Map(), by_node = new Map();
	const store = store_of(number, draw);

	// --- what is shown ---

	async function load() {
		let all;
		[[project], notes, all] = await Promise.all([ask('project.show', { project: number }), ask('note.list', { project: number }),
			cards_of(number), store.load()]);
		tickets.clear();
		for (const t of all) tickets.set(t.id, t);
		sort();
	}
	async function changed(events) {
		const mine = events.filter((e) => e.project_id === project.id);
		const stale = new Set(mine.filter((e) => e.ticket_id && ['ticket', 'job', 'pr', 'dependency'].includes(e.noun)).map((e) => e.ticket_id));
		const saved = mine.filter((e) => e.noun === 'graph').at(-1);
		if (mine.some((e) => e.noun === 'note')) notes = await ask('note.list', { project: number });
		if (mine.some((e) => e.noun === 'project')) [project] = await ask('project.show', { project: number });
		if (saved) await store.changed(saved.data.version);
		if (stale.size) {
			const got = new Map((await cards_of(number, [...stale])).map((t) => [t.id, t]));
			for (const id of stale) got.has(id) ? tickets.set(id, got.get(id)) : tickets.delete(id);
			sort();
		}
		draw();
	}
	function sort() {
		by_node.clear();
		for (const t of tickets.values())
			for (const id of t.nodes ?? []) {
				if (!by_node.has(String(id))) by_node.set(String(id), []);
				by_node.get(String(id)).push(t);
			}
	}
	const tickets_of = (id) => by_node.get(id) ?? [];
	const notes_of = (kind, id) => notes.filter((n) => n[kind === 'nodes' ? 'node_ids' : 'edge_ids'].some((i) => String(i) === id));

	const has = (id) => store.now[id[0] === 'n' ? 'nodes' : 'edges'].has(id.slice(1));
	const chosen = (kind) => [...selected].filter((id) => id[0] === kind).map((id) => id.slice(1));
	const name = (id) => (id[0] === 'n' ? g.name(store.now, id.slice(1)) : g.edge_name(store.now, store.now.edges.get(id.slice(1))));

	// Where each node is shown; found once for each state of the graph.
	let placed, places;
	function at() {
		if (placed !== store.now.nodes) {
			placed = store.now.nodes;
			places = g.places(store.now, shape());
		}
		return places;
	}
	const shape = () => (innerWidth > 760 ? (innerWidth - 330) / (innerHeight - 112) : 0.8);

	// --- what is done ---

	function select(ids, show = true) {
		selected = new Set(ids);
		cursor = ids.at(-1) ?? cursor;
		if (show && ids.length && !list) queueMicrotask(() => sheet.reveal(ids));
		draw();
	}
	const edit = () => requestAnimationFrame(() => requestAnimationFrame(() => {
		const input = document.getElementById('side-label');
		input?.focus();
		input?.select();
	}));

	function add(place) {
		const where = place ?? g.free(at().values(), list ? { x: 0, y: 0 } : sheet.middle());
		const [next, id] = g.add_node(store.now, where);
		store.change(next, 'new component');
		select([`n${id}`]);
		edit();
	}
	function connect(from, to, where) {
		if (from === undefined) [from, to] = chosen('n');
		if (from === undefined) return say('Select the component that it starts from first.');
		if (to === undefined && where) {
			// pulled to where nothing is: to something new
			const [one, id] = g.add_node(store.now, where);
			store.change(g.add_edge(one, from, id)[0], 'new component');
			select([`n${id}`]);
			return edit();
		}
		if (to === undefined) return ask_to(from);
		const [next, id] = g.add_edge(store.now, from, to);
		store.change(next, 'new interface');
		announce(`${name(`n${from}`)} is connected to ${name(`n${to}`)}.`);
		select([`e${id}`]);
	}
	const ask_to = (from) => form({
		title: `Connect ${name(`n${from}`)}`, action: 'Connect',
		fields: [
			{ name: 'to', label: 'To', kind: 'select', options: [...store.now.nodes].map(([id, n]) => [id, g.label(n, id)]), value: [...store.now.nodes.keys()].find((id) => id !== from) },
			{ name: 'label', half: true, label: 'Label' },
			{ name: 'protocol', half: true, label: 'Protocol', hint: 'Such as HTTP' },
		],
		submit({ to, label, protocol }) {
			if (!store.now.nodes.has(from) || !store.now.nodes.has(to)) throw Object.assign(new Error('Somebody else removed one of the two.'), { status: 409 });
			const [next, id] = g.add_edge(store.now, from, to, { ...(label && { label }), ...(protocol && { protocol }) });
			store.change(next, 'new interface');
			select([`e${id}`]);
		},
	});
	function remove() {
		const nodes = new Set(chosen('n')), edges = new Set(chosen('e'));
		if (!nodes.size && !edges.size) return;
		const before = store.now, next = g.remove(before, nodes, edges);
		const words = [nodes.size === 1 ? name([...selected].find((i) => i[0] === 'n')) : nodes.size && plural(nodes.size, 'component'),
			before.edges.size - next.edges.size && plural(before.edges.size - next.edges.size, 'interface')].filter(Boolean).join(' and ');
		const focus = document.activeElement.closest('.fields');
		store.change(next, 'delete');
		select([]);
		if (focus) back();
		say(`Deleted: ${words}.`, { label: 'Undo', act: () => store.take_back(before, next, 'restore') });
	}
	function move(dx, dy) {
		const nodes = chosen('n');
		if (nodes.length) store.change(g.move(store.now, nodes.map((id) => [id, { x: at().get(id).x + dx, y: at().get(id).y + dy }])), 'move', `move ${nodes}`);
	}
	function arrange() {
		if (!store.now.nodes.size) return;
		store.change(g.move(store.now, g.arrange(store.now, shape())), 'arrange');
		requestAnimationFrame(() => requestAnimationFrame(() => list || sheet.fit()));
	}
	function undo() {
		const word = store.undo();
		announce(word ? `Undone: ${word}` : 'There is nothing to undo.');
	}
	function redo() {
		const word = store.redo();
		announce(word ? `Done again: ${word}` : 'There is nothing to do again.');
	}
	function toggle() {
		list = !list;
		kept.set(number, list);
		draw();
		requestAnimationFrame(back);
	}
	// From the fields to what is drawn.
	const back = () => (list ? document.getElementById('list') : sheet.sheet)?.focus({ preventScroll: true });
	function find(text) {
		const word = text.trim().toLowerCase();
		const found = word ? [...store.now.nodes].filter(([id, n]) => g.label(n, id).toLowerCase().includes(word)).map(([id]) => `n${id}`) : [];
		announce(found.length ? plural(found.length, 'component') : 'None is called so.');
		if (found.length) select(found);
		else say('None is called so.');
	}
	async function export_as(kind) {
		try {
			if (!store.now.nodes.size) return say('The graph is empty.');
			show();
			const svg = sheet.svg(project.name);
			save_blob(`${project.name}.${kind}`, kind === 'svg' ? new Blob([svg.text], { type: 'image/svg+xml' }) : await png_of(svg));
		} catch (e) {
			refused(e);
		}
	}

	// --- the canvas ---

	const sheet = canvas({
		selected(now) {
			selected = now;
			cursor = [...now].at(-1) ?? cursor;
			draw();
		},
		moved: (to) => store.change(g.move(store.now, [...to].filter(([id]) => store.now.nodes.has(id))), 'move'),
		connect,
		open(id, place) {
			if (id === undefined) return add(place);
			select([id]);
			edit();
		},
	});
	sheet.sheet.tabIndex = 0;
	sheet.sheet.setAttribute('role', 'application');
	sheet.sheet.setAttribute('aria-label', 'The graph');
	sheet.sheet.setAttribute('aria-describedby', 'graph-help');
	sheet.sheet.addEventListener('keydown', steer);
	const dark = matchMedia('(prefers-color-scheme: dark)');
	const recolour = () => sheet.recolour(selected);
	dark.addEventListener('change', recolour);

	function show() {
		const frame = document.getElementById('canvas');
		if (!frame) return;
		if (sheet.box.parentNode !== frame) frame.append(sheet.box);
		sheet.show({
			graph: store.now, selected, at: at(),
			facts: (id) => ({ facts: facts(tickets_of(id)), notes: notes_of('nodes', id).length }),
		});
	}

	// --- the keyboard ---

	function steer(e) {
		const way = arrows[e.key];
		if (e.altKey || e.metaKey || (!way && e.key !== ' ' && e.key !== 'Enter')) return;
		e.preventDefault();
		if (way && e.shiftKey) return move(way[0] * STEP, way[1] * STEP);
		if (e.key === 'Enter') return selected.size === 1 ? edit() : undefined;
		if (e.key === ' ') {
			if (!cursor || !has(cursor)) return;
			const next = new Set(selected);
			next.delete(cursor) || next.add(cursor);
			announce(`${name(cursor)}: ${next.has(cursor) ? 'selected' : 'not selected'}`);
			const keep = cursor;
			select([...next]);
			cursor = keep;
			return;
		}
		const first = [...store.now.nodes.keys()][0];
		if (first === undefined) return;
		let to = first;
		if (cursor?.[0] === 'n' && has(cursor)) to = g.next(at(), cursor.slice(1), ...way);
		if (to === undefined) return;
		select(e.ctrlKey ? [...selected, `n${to}`] : [`n${to}`]);
		const n = store.now.nodes.get(to);
		announce([g.label(n, to), g.type(n), ...facts(tickets_of(to)).map(([w]) => w)].join(', '));
	}
	// The interfaces one after the other; of the one component that is selected,
	// or of all.
	let around;
	function next_edge(step) {
		const [node] = chosen('n');
		if (node !== undefined) around = node;
		const all = [...store.now.edges].filter(([, e]) => around === undefined || !store.now.nodes.has(around) || g.from(e) === around || g.to(e) === around).map(([id]) => `e${id}`);
		if (!all.length) return announce('There is no interface.');
		const here = all.indexOf([...selected][0]);
		const to = all[here < 0 ? (step > 0 ? 0 : all.length - 1) : (here + step + all.length) % all.length];
		select([to]);
		announce(`${name(to)} ${g.words(store.now.edges.get(to.slice(1)))}`);
	}
	function chord(e) {
		if (typing(e) || !(e.ctrlKey || e.metaKey) || e.altKey) return;
		const key = e.key.toLowerCase();
		const what = key === 'z' ? (e.shiftKey ? redo : undo) : key === 'y' ? redo
			: key === 'a' && document.activeElement?.closest('.canvas, #list') ? () => select([...store.now.nodes.keys()].map((id) => `n${id}`).concat([...store.now.edges.keys()].map((id) => `e${id}`)), false)
				: key === 's' ? store.save : undefined;
		if (!what) return;
		e.preventDefault();
		what();
	}
	addEventListener('keydown', chord);

	// --- the view ---

	const lent = {
		store, draw, select, connect, remove,
		project: () => project.number, notes: notes_of, tickets: tickets_of, everywhere: () => tickets_of('*'),
	};
	const fields = panel(lent);

	const words = { saved: 'Saved', soon: 'Not saved yet', saving: 'Saving…', clash: 'Not saved: choose', fault: 'Not saved' };
	const tools = () => html`<div class="head tools">
		<h1 class="unseen" dir="auto">Graph of ${project.name}</h1>
		<button class="main" @click=${() => add()}>New component</button>
		<button ?disabled=${!chosen('n').length} @click=${() => connect()}>Connect</button>
		<button ?disabled=${!selected.size} @click=${remove}>Delete</button>
		<span class="pair"><button ?disabled=${!store.can_undo()} title=${store.can_undo() ? `Undo: ${store.can_undo()}` : nothing} @click=${undo}>Undo</button>
			<button ?disabled=${!store.can_redo()} title=${store.can_redo() ? `Redo: ${store.can_redo()}` : nothing} @click=${redo}>Redo</button></span>
		<button ?disabled=${!store.now.nodes.size} @click=${arrange}>Arrange</button>
		<input id="filter" type="search" placeholder="Find (/)" aria-label="Find a component" @keydown=${(e) => {
			if (e.key === 'Enter') find(e.target.value);
			else if (e.key === 'Escape') e.target.value = '';
		}}>
		<span class="grow"></span>
		<span class="saved ${store.state()}" role="status">${words[store.state()]}</span>
		<button aria-pressed=${list ? 'true' : 'false'} @click=${toggle}>List</button>
		<span class="pair"><button aria-label="Export as SVG" @click=${() => export_as('svg')}>SVG</button><button aria-label="Export as PNG" @click=${() => export_as('png')}>PNG</button></span></div>`;

	const told = (v) => (v === undefined ? html`<em>deleted</em>` : html`<span dir="auto">${typeof v === 'string' ? v || '(empty)'
		: Array.isArray(v) ? v.join(', ') || '(empty)' : v?.id !== undefined ? `kept: ${g.label(v, v.id)}` : JSON.stringify(v)}</span>`);
	const path_name = ([kind, id, ...rest]) => `${name((kind === 'nodes' ? 'n' : 'e') + id)}${rest.length ? `: ${rest.filter((k) => k !== 'data').join(' ')}` : ''}`;
	const subject = (c) => {
		const kind = c.path[0], id = c.path[1];
		if (store.now[kind].has(id)) return path_name(c.path);
		const v = c.theirs ?? c.mine;
		return kind === 'nodes' ? g.label(v, id) : g.edge_name(store.now, v);
	};
	const clashes = () => html`<section class="clashes" role="alert" aria-label="Changed twice">
		<h2>Somebody else changed the same at the same time</h2>
		<p>Nothing is lost, and nothing is saved until you choose. All else of both is put together already.</p>
		<ul>${repeat(store.clashes, (c) => c.path.join('\n'), (c) => html`<li><strong dir="auto">${subject(c)}</strong>
			<p><b>Yours</b> ${told(store.mine(c))} <button aria-label="Keep mine: ${subject(c)}" @click=${() => store.settle(c, false)}>Keep mine</button></p>
			<p><b>Theirs</b> ${told(c.theirs)} <button aria-label="Take theirs: ${subject(c)}" @click=${() => store.settle(c, true)}>Take theirs</button></p></li>`)}</ul></section>`;

	function view() {
		for (const id of selected) if (!has(id)) selected.delete(id);
		queueMicrotask(show);
		return html`${tools()}
			<p class="unseen" id="graph-help">Arrow keys go from component to component, with Shift they move it. Space selects more than one. Enter edits. The button List shows the same as tables.</p>
			<div class="graph">
				<div class="told">${store.clashes.length ? clashes() : nothing}
					${store.fault ? html`<section class="clashes fault" role="alert">Not saved: ${store.fault} <button @click=${() => store.save()}>Try again</button></section>` : nothing}</div>
				<div class="drawn" ?hidden=${list}><div id="canvas"></div>
					<div class="zoom"><button aria-label="Larger" title="Larger (+)" @click=${() => sheet.zoom(1.25)}>+</button><button aria-label="Smaller" title="Smaller (−)" @click=${() => sheet.zoom(0.8)}>−</button><button title="All of it (f)" @click=${() => sheet.fit()}>Fit</button></div>
					${store.now.nodes.size ? nothing : empty('The graph is empty. It tells the agents what the system is made of; no ticket runs without at least one component.',
						html`<button class="main" @click=${() => add()}>Draw the first component</button>`)}</div>
				<div id="list" tabindex="-1" ?hidden=${!list}>${list ? tables(lent, selected) : nothing}</div>
				<aside class="side" aria-label="What is selected" @keydown=${(e) => { if (e.key === 'Escape') back(); }}>${fields(selected)}</aside></div>`;
	}

	return {
		load, changed, view,
		kind: 'wide',
		title: () => project?.name ?? '',
		project: () => project?.number,
		keys: [
			['n', 'New component', () => add()],
			['c', 'Connect: the two that are selected, or the one with another', () => connect()],
			['e', 'Fill in what is selected (also Enter)', edit],
			['Delete', 'Delete what is selected', remove],
			['u', 'Undo (also Ctrl+Z)', undo],
			['U', 'Redo (also Ctrl+Shift+Z, Ctrl+Y)', redo],
			['↑ ↓ ← →', 'On the sheet: to the next component; with Shift it moves, with Ctrl it is selected, too'],
			['Space', 'On the sheet: select it, or not, beside the others; Ctrl+A selects all'],
			['.', 'The next interface', () => next_edge(1)],
			[',', 'The one before', () => next_edge(-1)],
			['Escape', 'Select nothing', () => select([])],
			['a', 'Arrange all by itself', arrange],
			['f', 'All of it in sight', () => sheet.fit()],
			['+', 'Larger', () => sheet.zoom(1.25)],
			['-', 'Smaller', () => sheet.zoom(0.8)],
			['s', 'To the sheet, or the list (from the fields: Escape)', () => back()],
			['l', 'As a list, or drawn', toggle],
			['/', 'Find', () => document.getElementById('filter')?.focus()],
		],
		close() {
			removeEventListener('keydown', chord);
			dark.removeEventListener('change', recolour);
			store.close();
			sheet.close();
		},
	};
}
