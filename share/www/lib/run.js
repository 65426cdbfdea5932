// The runs of a ticket as a time line: attempts, and in each its steps, with
// their output when it is asked for.
import { ask } from './api.js';
import { long_list } from './scroll.js';
import { ago, count, html, lasted, nothing, plural, refused, state, usd } from './ui.js';

const LINE = 30, HEAD = 44; // pixels, as style.css has them
// Of an output: what its lines need, up to a third of a page.
const raw_height = (text) => Math.min(290, (text ?? '').split('\n').length * 19 + 16);

// What a step is to a person.
function words(step) {
	const turn = /^worker_turn_(\d+)(_prompt)?$/.exec(step);
	if (turn) return turn[2] ? `Director → Worker, turn ${turn[1]}` : `Worker, turn ${turn[1]}`;
	return {
		session_started: 'Begun', branch_created: 'Branch', plan_approved: 'Director approves the plan',
		director_complete: 'Director: complete', verify: 'Tests', task_complete: 'Summary', finalize: 'Ended', output: 'Output',
	}[step] ?? step.replaceAll('_', ' ');
}

export const seconds = (a, b) => (new Date(b) - new Date(a)) / 1000;

// Of what an agent just says: its first lines, without a click; and is that all?
const first = (l) => (l.head ? l.head.trimEnd().split('\n').slice(0, 3) : []);
const first_height = (l) => (l.head ? first(l).length * 19 + 8 : 0);
const is_all = (l) => l.head?.length === l.raw && l.head.trimEnd().split('\n').length <= 3 && first(l).every((s) => s.length < 40);

// A step of a run, and how high that is; output is what there is to see when
// it is open.
export const step_height = (open, output, l) => (open ? LINE + raw_height(output) + 10 : LINE + first_height(l));
export const step_line = (l, { took, open, output, toggle }) => html`<div class="step ${l.step.startsWith('worker') ? 'worker' : l.step === 'verify' ? l.summary : ''} ${l.success ? '' : 'bad'}">
	<time class="num" datetime=${l.created_at} title=${new Date(l.created_at).toLocaleString()}>${new Date(l.created_at).toLocaleTimeString([], { hour12: false })}</time>
	<b>${words(l.step)}</b><span class="text" dir="auto" title=${l.summary ?? nothing}>${l.head ? nothing : l.summary}</span>
	<span class="num">${took >= 0.1 ? lasted(took) : nothing}</span>
	${l.raw && !is_all(l) ? html`<button class="quiet" aria-expanded=${open ? 'true' : 'false'} @click=${() => toggle(l)}><span class="unseen">${l.step === 'output' ? 'Output: ' : `Output of ${words(l.step)}: `}</span>${count(l.raw)} characters ${open ? '▴' : '▾'}</button>` : nothing}
	${open ? html`<pre tabindex="0" dir="auto" .style=${`height:${raw_height(output)}px`}>${output ?? '…'}</pre>`
		: l.head ? html`<pre class="first" dir="auto">${first(l).join('\n')}</pre>` : nothing}</div>`;


export function run_part(ticket, draw) {
	let log = [];
	const open = new Map(); // seq -> the output, or undefined while it is fetched
	const list = long_list(draw);

	async function toggle(l) {
		list.hold();
		if (open.has(l.seq)) open.delete(l.seq);
		else {
			open.set(l.seq, undefined);
			draw();
			try {
				const [row] = await ask('log.list', { ticket, since: l.seq - 1, limit: 1 });
				open.set(l.seq, `${row?.raw_output ?? ''}${row?.raw_file ? `\n\n(The whole is in ${row.raw_file} on the worker's machine.)` : ''}`);
			} catch (e) {
				open.delete(l.seq);
				refused(e);
			}
		}
		draw();
	}

	// Attempts with the steps that are theirs; steps of no job come first.
	function items(jobs, attempts) {
		const out = [];
		const of = (id) => log.filter((l) => l.job_id === id);
		const lines = (some) => some.map((l, i) => ({ key: l.seq, l, took: i > 0 ? seconds(some[i - 1].created_at, l.created_at) : undefined }));
		out.push(...lines(of(undefined)));
		for (const j of jobs) {
			const all = attempts.get(j.id) ?? [], mine = of(j.id);
			if (!all.length) out.push({ key: `j${j.number}`, j });
			all.forEach((a, i) => {
				const next = all[i + 1]?.started_at;
				out.push({ key: `a${a.number}`, j, a, last: i === all.length - 1 });
				out.push(...lines(mine.filter((l) => (i === 0 || l.created_at >= a.started_at) && (!next || l.created_at < next))));
			});
		}
		return out;
	}

	function head(i) {
		const { j, a } = i;
		const now = a && !a.ended_at ? 'running' : a?.outcome ?? j.state;
		return html`<div class="attempt"><strong>${j.kind} job ${j.number}${a ? html`, attempt ${a.fence}` : nothing}</strong>
			${state(now)}${a?.reason && a.reason !== 'ok' ? html` <span>${a.reason}</span>` : nothing}
			${a?.verdict ? state(a.verdict) : nothing}
			${i.last !== false && j.message ? html`<span class="fault" dir="auto" title=${j.message}>${j.message}</span>` : nothing}
			<span class="grow"></span>
			<span class="num">${[
				a?.turns ? plural(a.turns, 'turn') : 0, a?.input_tokens ? `${count(a.input_tokens)} in, ${count(a.output_tokens ?? 0)} out` : 0,
				a?.cost_usd != null ? usd(a.cost_usd) : 0, a?.ended_at ? lasted(seconds(a.started_at, a.ended_at)) : 0,
			].filter(Boolean).join(' · ')}</span> <span class="when">${ago(a?.started_at ?? j.created_at)}</span></div>`;
	}

	function line(i) {
		return i.j ? head(i) : step_line(i.l, { took: i.took, open: open.has(i.l.seq), output: open.get(i.l.seq), toggle });
	}

	const height = (i) => (i.j ? HEAD : step_height(open.has(i.l.seq), open.get(i.l.seq), i.l));

	return {
		async load() {
			log = await ask('ui.log', { ticket });
		},
		async more() {
			const more = await ask('ui.log', { ticket, since: log.at(-1)?.seq ?? 0 });
			// load() may have been faster
			log.push(...more.filter((l) => l.seq > (log.at(-1)?.seq ?? 0)));
		},
		view(jobs, attempts) {
			if (!jobs.length && !log.length) return nothing;
			return html`<section aria-labelledby="h-run"><h2 id="h-run">Runs</h2>
				${list.view(items(jobs, attempts), height, line, 'Steps of the runs', 'run')}</section>`;
		},
	};
}
