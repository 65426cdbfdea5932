// What hangs on a board beside its cards: its columns, what was removed from
// it, and the notes of its project.
import { Refusal, ask, tell } from './api.js';
import { names } from './ticket.js';
import { ago, dialog, form, html, nothing, plural, prose, refused, repeat, say, sure } from './ui.js';

// The server moves tickets between these.
const fixed = ['backlog', 'in_progress', 'in_review', 'done'];

export function columns_dialog(project, columns, version, cards) {
	const list = columns.map((c) => ({ ...c }));
	const used = (id) => [...cards.values()].filter((t) => t.column_id === id).length;
	let fault;
	return dialog('Columns', (close, draw) => {
		const swap = (i, d) => {
			[list[i], list[i + d]] = [list[i + d], list[i]];
			draw();
		};
		const row = (c, i) => html`<li>
			<input aria-label="Title of column ${i + 1}" .value=${c.title} required maxlength="80" dir="auto" @input=${(e) => { c.title = e.target.value; draw(); }}>
			<input aria-label="Limit of column ${i + 1}" type="number" min="1" placeholder="no limit" .value=${c.limit ?? ''}
				@input=${(e) => (c.limit = e.target.value ? Number(e.target.value) : undefined)}>
			<button type="button" aria-label="${c.title}: to the left" ?disabled=${i === 0} @click=${() => swap(i, -1)}>↑</button>
			<button type="button" aria-label="${c.title}: to the right" ?disabled=${i === list.length - 1} @click=${() => swap(i, 1)}>↓</button>
			<button type="button" class="danger quiet" aria-label="Remove ${c.title}" ?disabled=${fixed.includes(c.id)}
				title=${fixed.includes(c.id) ? 'Tera itself moves tickets here' : nothing} @click=${() => {
					const n = used(c.id);
					if (n) fault = `${c.title} holds ${plural(n, 'ticket')}: move them first.`;
					else {
						fault = undefined;
						list.splice(i, 1);
					}
					draw();
				}}>Remove</button></li>`;
		return html`<form method="dialog" @input=${() => { fault = undefined; draw(); }} @submit=${async (e) => {
			e.preventDefault();
			try {
				if (list.some((c) => !c.title.trim())) throw new Refusal(400, 'A column needs a title.');
				await tell('board.set', { project, version, columns: list.map((c, order) => ({ ...c, title: c.title.trim(), order })) });
				close(true);
			} catch (x) {
				fault = x.message;
				draw();
			}
		}}><main>
			<ol class="columns-edit">${repeat(list, (c) => c.id, row)}</ol>
			<button type="button" @click=${() => { list.push({ id: `col_${Date.now()}`, title: 'New column' }); draw(); }}>Add a column</button>
		</main><footer><p class="fault" role="alert">${fault ?? nothing}</p>
			<button type="button" class="quiet" @click=${() => close()}>Cancel</button><button class="main">Save</button></footer></form>`;
	});
}

export async function removed_dialog(project) {
	let gone;
	try {
		gone = (await ask('ticket.list', { project, deleted: true })).filter((t) => t.deleted_at);
	} catch (e) {
		return refused(e);
	}
	return dialog('Removed tickets', (close, draw) => html`<main>
		${gone.length ? html`<ul class="list">${gone.map((t) => html`<li><span class="number">#${t.number}</span> <span dir="auto">${t.title}</span>
			<span class="grow"></span>${ago(t.deleted_at)} <button @click=${() => tell('ticket.restore', { ticket: t.id }).then(() => {
				gone = gone.filter((o) => o !== t);
				draw();
			}, refused)}>Restore</button></li>`)}</ul>` : html`<p>None was removed.</p>`}
		</main><footer><button class="main" @click=${() => close()}>Close</button></footer>`);
}

const note_fields = (graph, n) => {
	const { node, edge } = names(graph);
	return [
		{ name: 'title', label: 'Title', value: n?.title, max: 255, focus: true },
		{ name: 'content', label: 'Text', kind: 'area', rows: 8, value: n?.content, hint: 'Markdown. Agents read it.' },
		{ name: 'node_ids', label: 'Components', kind: 'many', value: n?.node_ids, options: [...node], empty: 'The graph has no components yet.' },
		{ name: 'edge_ids', label: 'Interfaces', kind: 'many', value: n?.edge_ids, options: [...edge], shown: () => edge.size > 0 },
	];
};

// of: what the note is to be on already.
export const add_note = (project, graph, of) =>
	form({ title: 'New note', action: 'Add', fields: note_fields(graph, of), submit: (v) => tell('note.add', { project, ...v }) });
export const edit_note = (graph, n) =>
	form({ title: 'Note', action: 'Save', fields: note_fields(graph, n), submit: (v) => tell('note.set', { note: n.id, version: n.version, ...v }) });

export function notes_part(project, notes, graph) {
	const { node, edge } = names(graph);
	const add = () => add_note(project, graph);
	const edit = (n) => edit_note(graph, n);
	const remove = (n) => sure('Remove the note', `“${n.title ?? 'Untitled'}” cannot be brought back.`, 'Remove',
		() => tell('note.remove', { note: n.id })).then((done) => done && say('The note was removed.'));
	return html`<details class="notes"><summary>Notes (${notes.length})</summary>
		<div class="acts"><button @click=${add}>New note</button></div>
		<ul>${repeat(notes, (n) => n.id, (n) => html`<li>
			<h3 dir="auto">${n.title ?? 'Untitled'}</h3>
			<p class="facts">${n.node_ids.map((id) => html`<span class="node" dir="auto">${node.get(String(id)) ?? id}</span>`)}${n.edge_ids.map((id) =>
				html`<span class="node" dir="auto">${edge.get(String(id)) ?? id}</span>`)}</p>
			<div class="prose plain" dir="auto">${n.content}</div>
			<div class="acts"><button @click=${() => edit(n)}>Edit</button><button class="danger quiet" @click=${() => remove(n)}>Remove</button></div></li>`)}</ul>
		${notes.length ? nothing : html`<p class="none">What the agents should know of this project, but no ticket says.</p>`}</details>`;
}
