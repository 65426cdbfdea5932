// Beside the canvas: what is selected, to be filled in.  And all of the graph as
// two tables, for those who would rather read than look.
import { add_note, edit_note } from './board.js';
import * as g from './graph.js';
import { html, nothing, plural, prose, repeat, state } from './ui.js';

const hints = { tech: 'Such as Go, SQLite', ports: 'Such as 8080/http', security: 'Such as TLS, role: reader' };
const names = { tech: 'Technology', ports: 'Ports', security: 'Security' };

// What a ticket is at, in a word: [word, class of it, colour].  First what
// wants a person's eye.
const stages = [
	['running', 'running', 'accent', (t) => t.job?.state === 'running'],
	['waiting', 'pending', 'wait', (t) => t.job?.state === 'pending' || t.job?.state === 'paused'],
	['done', 'completed', 'good', (t) => t.column_id === 'done'],
	['failed', 'failed', 'bad', (t) => t.status === 'failed' || t.job?.state === 'failed'],
	['in review', 'review', 'wait', (t) => t.column_id === 'in_review'],
	['open', '', 'dim', () => true],
];
const order = ['running', 'failed', 'in review', 'waiting', 'open', 'done'];
export const stage = (t) => stages.find(([, , , is]) => is(t));

// [["2 open", "dim"], ...]
export function facts(tickets) {
	const n = new Map();
	for (const t of tickets) n.set(stage(t), (n.get(stage(t)) ?? 0) + 1);
	return [...n].sort(([a], [b]) => order.indexOf(a[0]) - order.indexOf(b[0])).map(([[word, , colour], many]) => [`${many} ${word}`, colour]);
}

const ticket_list = (tickets) => (tickets.length ? html`<ul class="deps">${repeat(tickets, (t) => t.id, (t) => html`<li>
	<span class="number">#${t.number}</span> <a href="#/ticket/${t.number}" dir="auto">${t.title}</a> ${state(stage(t)[1], stage(t)[0])}</li>`)}</ul>`
	: html`<p class="none">None.</p>`);

const line = (key, label, input) => html`<div class="line"><label for="side-${key}">${label}</label>${input}</div>`;

// p: what the page lends: store, draw, project, notes(kind, id), tickets(id),
// everywhere (tickets of the whole graph), select(ids), connect(id), remove().
export function panel(p) {
	const { store } = p;
	let draft; // a list while it is typed: { of, text }

	const change = (kind, id, key, v, word) => store.change(g.set(store.now, kind, id, key, v), word, `${kind} ${id} ${key}`);

	function text(kind, id, thing, key, label, area = false) {
		const v = g.field(thing, key);
		const shown = typeof v === 'string' ? v : v == null ? '' : JSON.stringify(v);
		const put = (e) => change(kind, id, key, e.target.value, label.toLowerCase());
		return line(key, label, area ? html`<textarea id="side-${key}" rows="4" dir="auto" .value=${shown} @input=${put} @blur=${store.rest}></textarea>`
			: html`<input id="side-${key}" dir="auto" autocomplete="off" .value=${shown} @input=${put} @blur=${store.rest}>`);
	}
	function many(id, n, key) {
		const of = `${id} ${key}`, all = g.list(n, key);
		const shown = draft?.of === of ? draft.text : all.join('\n');
		return line(key, names[key], html`<textarea id="side-${key}" rows=${Math.min(6, Math.max(1, shown.split('\n').length))} dir="auto" placeholder=${hints[key]} title="One a line"
			.value=${shown}
			@input=${(e) => {
				draft = { of, text: e.target.value };
				change('nodes', id, key, e.target.value.split('\n').map((s) => s.trim()).filter(Boolean), names[key].toLowerCase());
			}}
			@blur=${() => {
				draft = undefined;
				store.rest();
				p.draw();
			}}></textarea>`);
	}

	const notes = (kind, id) => html`<section><h3>Notes</h3>
		${repeat(p.notes(kind, id), (n) => n.id, (n) => html`<article class="said"><h4 dir="auto">${n.title ?? 'Untitled'}</h4>
			${prose(n.content, p.draw)}<button class="quiet" aria-label="Edit the note ${n.title ?? ''}" @click=${() => edit_note(g.write(store.now), n)}>Edit</button></article>`)}
		<button @click=${() => add_note(p.project(), g.write(store.now), { [kind === 'nodes' ? 'node_ids' : 'edge_ids']: [id] })}>New note</button></section>`;

	const edge_line = ([id, e]) => html`<li><button class="quiet" dir="auto" @click=${() => p.select([`e${id}`])}>${g.edge_name(store.now, e)}${g.words(e)
		? html` <span class="hint">${g.words(e)}</span>` : nothing}</button></li>`;

	function node(id) {
		const n = store.now.nodes.get(id), kind = g.type(n);
		const edges = [...store.now.edges].filter(([, e]) => g.from(e) === id || g.to(e) === id);
		return html`<h2 dir="auto">${g.label(n, id)}</h2>
			${text('nodes', id, n, 'label', 'Label')}
			${line('type', 'Type', html`<select id="side-type" @change=${(e) => change('nodes', id, 'type', e.target.value, 'type')}>${
				[...new Set([...g.types, kind])].map((t) => html`<option value=${t} .selected=${t === kind}>${t}</option>`)}</select>`)}
			${text('nodes', id, n, 'description', 'Description', true)}
			${g.lists.map((key) => many(id, n, key))}
			<section><h3>Tickets</h3>${ticket_list(p.tickets(id))}</section>
			<section><h3>Interfaces</h3>${edges.length ? html`<ul>${edges.map(edge_line)}</ul>` : html`<p class="none">None.</p>`}
				<button @click=${() => p.connect(id)}>Connect…</button></section>
			${notes('nodes', id)}
			<div class="acts"><button class="danger" @click=${p.remove}>Delete the component</button></div>`;
	}

	const end = (id) => (store.now.nodes.has(id) ? html`<button class="quiet" dir="auto" @click=${() => p.select([`n${id}`])}>${g.name(store.now, id)}</button>`
		: html`<span class="state failed">${id}: there is no such component</span>`);

	function edge(id) {
		const e = store.now.edges.get(id);
		return html`<h2 dir="auto">${g.edge_name(store.now, e)}</h2>
			${text('edges', id, e, 'label', 'Label')}
			${text('edges', id, e, 'protocol', 'Protocol')}
			<p class="ends">${end(g.from(e))} → ${end(g.to(e))}</p>
			<div class="acts"><button @click=${() => store.change(g.turn(store.now, id), 'turn')}>Turn round</button></div>
			${notes('edges', id)}
			<div class="acts"><button class="danger" @click=${p.remove}>Delete the interface</button></div>`;
	}

	function several(ids) {
		const n = ids.filter((i) => i[0] === 'n').map((i) => i.slice(1)), e = ids.length - n.length;
		return html`<h2>${[n.length && plural(n.length, 'component'), e && plural(e, 'interface')].filter(Boolean).join(', ')}</h2>
			<ul>${ids.map((i) => html`<li><button class="quiet" dir="auto" @click=${() => p.select([i])}>${i[0] === 'n' ? g.name(store.now, i.slice(1))
				: g.edge_name(store.now, store.now.edges.get(i.slice(1)))}</button></li>`)}</ul>
			<div class="acts">${n.length === 2 && !e ? html`<button @click=${() => p.connect(...n)}>Connect them</button>` : nothing}
				<button class="danger" @click=${p.remove}>Delete them</button></div>`;
	}

	const all = () => html`<h2>${plural(store.now.nodes.size, 'component')}, ${plural(store.now.edges.size, 'interface')}</h2>
		<p class="hint">Select one to fill it in. Drag the arrow at its side to another to connect them. Press twice on the sheet for a new one; drag with Shift to select many. <kbd>?</kbd> shows the keys.</p>
		${p.everywhere().length ? html`<section><h3>Tickets on all of it</h3>${ticket_list(p.everywhere())}</section>` : nothing}`;

	return (selected) => {
		const ids = [...selected];
		// each has fields of its own: what is typed in one never lands in another
		return html`${repeat([ids.length === 1 ? ids[0] : ''], (id) => id, (id) => html`<div class="fields">${
			id[0] === 'n' ? node(id.slice(1)) : id[0] === 'e' ? edge(id.slice(1)) : ids.length ? several(ids) : all()}</div>`)}`;
	};
}

export function tables(p, selected) {
	const { now } = p.store;
	const tick = (id, name) => html`<td><input type="checkbox" aria-label="Select ${name}" .checked=${selected.has(id)} @change=${(e) => {
		const next = new Set(selected);
		e.target.checked ? next.add(id) : next.delete(id);
		p.select([...next], false);
	}}></td>`;
	const open = (id, name) => html`<th scope="row"><button class="quiet" dir="auto" aria-current=${selected.has(id) ? 'true' : nothing} @click=${() => p.select([id], false)}>${name}</button></th>`;
	const others = (id) => {
		const out = [];
		for (const e of now.edges.values()) if (g.from(e) === id) out.push(g.name(now, g.to(e)));
		return out.join(', ');
	};
	return html`<div class="things"><h2 id="nodes-title">Components</h2>
		${now.nodes.size ? html`<div class="scroll"><table aria-labelledby="nodes-title">
		<thead><tr><th><span class="unseen">Selected</span></th><th>Label</th><th>Type</th><th class="leads">Leads to</th><th>Tickets</th></tr></thead>
		<tbody>${repeat(now.nodes, ([id]) => id, ([id, n]) => html`<tr>${tick(`n${id}`, g.label(n, id))}${open(`n${id}`, g.label(n, id))}<td dir="auto">${g.type(n)}</td>
			<td class="leads" dir="auto">${others(id)}</td><td>${facts(p.tickets(id)).map(([w]) => html`<span>${w}</span> `)}</td></tr>`)}</tbody></table></div>` : html`<p class="none">None. <kbd>n</kbd> makes the first.</p>`}</div>
		<div class="things"><h2 id="edges-title">Interfaces</h2>
		${now.edges.size ? html`<div class="scroll"><table aria-labelledby="edges-title">
		<thead><tr><th><span class="unseen">Selected</span></th><th>From, to</th><th>Label</th><th>Protocol</th></tr></thead>
		<tbody>${repeat(now.edges, ([id]) => id, ([id, e]) => html`<tr>${tick(`e${id}`, g.edge_name(now, e))}${open(`e${id}`, g.edge_name(now, e))}
			<td dir="auto">${e?.data?.label ?? ''}</td><td dir="auto">${e?.data?.protocol ?? ''}</td></tr>`)}</tbody></table></div>` : html`<p class="none">None. Select two components and press <kbd>c</kbd>.</p>`}</div>`;
}
