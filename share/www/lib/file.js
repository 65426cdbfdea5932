// A project as one JSON file: what people wrote (project, graph, board,
// tickets, what waits for what, notes), not what machines did.
import { Refusal, ask, tell } from './api.js';

const FORM = 1;
const project_keys = ['name', 'description', 'repo_url', 'project_path', 'execution_mode', 'base_branch', 'verify_command',
	'worker', 'pipeline', 'limits', 'max_running', 'max_tries', 'max_cost_day', 'reviewers'];
const ticket_keys = ['title', 'description', 'acceptance', 'column_id', 'priority', 'status', 'associated_node_ids', 'associated_edge_ids'];
const note_keys = ['title', 'content', 'node_ids', 'edge_ids'];

const only = (thing, keys) => Object.fromEntries(keys.filter((k) => thing[k] != null).map((k) => [k, thing[k]]));

export async function read_project(number) {
	const [[project], [graph], [board], tickets, notes] = await Promise.all([
		ask('project.show', { project: number }),
		ask('graph.show', { project: number }),
		ask('board.show', { project: number }),
		ask('ticket.list', { project: number }),
		ask('note.list', { project: number }),
	]);
	return {
		tera_project: FORM,
		...only(project, project_keys),
		graph: only(graph, ['nodes', 'edges']),
		columns: board.columns,
		// a number is only what "needs" says
		tickets: tickets.map((t) => ({ id: t.id, ...only(t, ticket_keys), needs: t.needs })),
		notes: notes.map((n) => only(n, note_keys)),
	};
}

// Makes a new project of it, whose things have new ids; a file that breaks off
// in the middle leaves nothing.
export async function write_project(text) {
	let file;
	try {
		file = JSON.parse(text);
	} catch {
		throw new Refusal(400, 'That file is not JSON.');
	}
	if (file?.tera_project !== FORM) throw new Refusal(400, 'That file is no project: it has no "tera_project": 1.');
	const project = await tell('project.add', only(file, project_keys));
	try {
		const here = { project: project.number };
		await tell('board.set', { ...here, columns: file.columns });
		await tell('graph.set', { ...here, ...file.graph });
		const made = new Map();
		for (const t of file.tickets) made.set(t.id, (await tell('ticket.add', { ...here, ...only(t, ticket_keys) })).id);
		for (const t of file.tickets)
			for (const needs of t.needs ?? [])
				if (made.has(needs)) await tell('dependency.add', { ticket: made.get(t.id), needs: made.get(needs) });
		for (const n of file.notes ?? []) await tell('note.add', { ...here, ...only(n, note_keys) });
	} catch (e) {
		await tell('project.remove', { project: project.number });
		throw e.status === undefined ? new Refusal(400, `That file is not whole: ${e.message}`) : e;
	}
	return project;
}

export const save = (name, what) =>
	save_blob(name, new Blob([`${JSON.stringify(what, null, '\t')}\n`], { type: 'application/json' }));
export function save_blob(name, blob) {
	const link = document.createElement('a');
	link.href = URL.createObjectURL(blob);
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
