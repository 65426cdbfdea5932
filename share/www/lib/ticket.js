// What can be done with a ticket, for the pages that show one.
import { Refusal, ask, request, tell } from './api.js';
import { merge } from './pull.js';
import { form, say, refused } from './ui.js';

export const priorities = [['high', 'high'], ['medium', 'medium'], ['low', 'low']];

// The cards of a project, all or of these tickets; what ui.cards leaves out is
// put in.
export async function cards(project, tickets) {
	const all = await ask('ui.cards', { project, tickets });
	return all.map((t) => ({ priority: 'medium', status: 'todo', ...t }));
}

// The graph as names for ids.
export function names(graph) {
	const label = (n) => n.data?.label || n.label || n.id;
	const node = new Map(graph.nodes.map((n) => [String(n.id), label(n)]));
	const end = (id) => node.get(String(id)) ?? id;
	const edge = new Map(graph.edges.map((e) => [String(e.id),
		`${end(e.source)} → ${end(e.target)}${e.data?.label ? ` (${e.data.label})` : ''}`]));
	return { node, edge };
}

// "3, #4" as a list of numbers; another word is refused by its name.
function numbers(text) {
	return (text ?? '').split(/[\s,]+/).filter(Boolean).map((word) => {
		const n = /^#?(\d+)$/.exec(word);
		if (!n) throw new Refusal(400, `Waits for: ${word} is not the number of a ticket.`);
		return Number(n[1]);
	});
}

const fields = (graph, columns, t) => {
	const { node, edge } = names(graph);
	const nodes = t?.associated_node_ids ?? [], edges = t?.associated_edge_ids ?? [];
	return [
		{ name: 'title', label: 'Title', value: t?.title, required: true, max: 255, focus: true },
		{ name: 'description', label: 'Description', kind: 'area', rows: 8, value: t?.description, hint: 'Markdown. What is wanted, as to a colleague.' },
		{ name: 'acceptance', label: 'Acceptance criteria', kind: 'area', rows: 3, value: t?.acceptance, hint: 'When is it done?' },
		{ name: 'priority', half: !t, label: 'Priority', kind: 'select', options: priorities, value: t?.priority ?? 'medium' },
		// to begin is a move of its own, with its conditions
		...(t ? [] : [{ name: 'column_id', half: true, label: 'Column', kind: 'select', value: 'backlog',
			options: columns.filter((c) => c.id !== 'in_progress').map((c) => [c.id, c.title]) }]),
		...(t ? [] : [{ name: 'needs', label: 'Waits for', hint: 'Numbers of tickets, such as 3, 4. It runs when they are done.' }]),
		{ name: 'whole', label: 'It concerns the whole graph', kind: 'check', value: nodes.includes('*') || edges.includes('*') },
		{ name: 'nodes', label: 'Components', kind: 'many', value: nodes, options: [...node], shown: (v) => !v.whole,
			empty: 'The graph has no components yet.' },
		{ name: 'edges', label: 'Interfaces', kind: 'many', value: edges, options: [...edge], shown: (v) => !v.whole && edge.size > 0 },
	];
};
const links = ({ whole, nodes, edges, ...rest }) => ({
	...rest,
	associated_node_ids: whole ? ['*'] : nodes ?? [],
	associated_edge_ids: whole ? ['*'] : edges ?? [],
});

export const add = (project, graph, columns) => form({
	title: 'New ticket', action: 'Add', fields: fields(graph, columns),
	submit: ({ needs, ...values }) => tell('ticket.add', { project, ...links(values), needs: numbers(needs) }),
});

// Changes what was changed here, against the version that was looked at.
export const edit = (t, graph) => form({
	title: `Ticket ${t.number}`, action: 'Save', fields: fields(graph, [], t),
	submit: (values) => tell('ticket.set', { ticket: t.id, version: t.version, ...links(values) }),
});

export const wait_for = (t) => form({
	title: `Ticket ${t.number} waits for`, action: 'Add',
	fields: [{ name: 'needs', label: 'Tickets', required: true, focus: true, hint: 'Numbers, such as 3, 4.' }],
	async submit({ needs }) {
		for (const n of numbers(needs)) await tell('dependency.add', { ticket: t.id, needs: n });
	},
});

export const remove = (t) => tell('ticket.remove', { ticket: t.id, version: t.version }).then(() => {
	say(`Ticket ${t.number} was removed.`, {
		label: 'Restore', act: () => tell('ticket.restore', { ticket: t.id }).catch(refused),
	});
});

export const move = (t, column_id) => tell('ticket.move', { ticket: t.id, column_id, version: t.version });

export const live = (job) => job && ['pending', 'running', 'paused'].includes(job.state);

const local_pr = (t) => t.pr?.state === 'open' && t.pr.forge === 'local';

// What of Run, Stop, Retry, Approve and Merge makes sense now.
export function acts(t) {
	const job = t.job;
	if (live(job)) return job.stop === 'cancel' ? [] : job.state === 'paused' ? ['resume', 'stop'] : ['stop'];
	if (job && ['failed', 'cancelled'].includes(job.state) && (t.column_id === 'in_progress' || t.status === 'failed')) return ['retry'];
	if (t.column_id === 'in_review') return [local_pr(t) && t.pr.approved_by ? 'merge' : 'approve'];
	if (t.column_id === 'backlog' || t.column_id === 'in_progress') return ['run'];
	return [];
}
export const act_words = { run: 'Run', stop: 'Stop', retry: 'Retry', resume: 'Resume', approve: 'Approve', merge: 'Merge' };

export async function act(what, t) {
	switch (what) {
	case 'run':
		return t.column_id === 'in_progress' ? tell('job.add', { ticket: t.id }) : move(t, 'in_progress');
	case 'stop':
		// back where it came from; the move stops the job
		if (t.job.kind !== 'review' && t.column_id === 'in_progress') return move(t, 'backlog');
		return tell('job.cancel', { job: t.job.id });
	case 'retry':
	case 'resume':
		return tell('job.retry', { job: t.job.id });
	case 'approve':
		// What is on a forge is approved there: here it is done then.
		return local_pr(t) ? request('POST', `api/pulls/${t.pr.id}/approve`, {}) : move(t, 'done');
	case 'merge':
		return merge(t.pr); // asks
	}
}
