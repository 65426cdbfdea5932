// The log of a job as it is written: its own stream, until the job is over.
import { open_stream } from './api.js';
import { long_list } from './scroll.js';
import { seconds, step_height, step_line } from './run.js';
import { html, nothing } from './ui.js';

const AGAIN_MS = 2000;
const FULL = 30; // lines that fill what there is room for

export function tail(job, draw) {
	const log = [], open = new Set();
	const list = long_list(draw);
	const stop = new AbortController();
	let over = false, fault, timer, asked = false, begun;
	const first = new Promise((done) => (begun = done));

	async function read() {
		try {
			for await (const some of await open_stream(`api/jobs/${job.id}/logs`, log.at(-1)?.seq ?? 0, stop.signal)) {
				fault = undefined;
				for (const { event, data } of some) {
					if (event === 'reset') log.length = 0;
					else if (event === 'end') over = true;
					else take(JSON.parse(data));
				}
				if (some.length) soon();
				if (over || log.length > FULL) begun();
			}
		} catch (e) {
			if (stop.signal.aborted) return;
			if (e.status === undefined && !(e instanceof TypeError)) throw e; // a fault of ours; the other is the network
			fault = e;
			// what is refused stays so; what broke off goes on
			if (e.status && !e.away && e.status !== 503) over = true;
		}
		begun();
		draw();
		if (!over) timer = setTimeout(read, AGAIN_MS);
	}
	function take(l) {
		const before = log.at(-1);
		if (l.seq <= before?.seq) return;
		log.push({ ...l, key: l.seq, raw: l.raw_output?.length, took: before && seconds(before.created_at, l.created_at) });
	}
	// lines come in crowds
	function soon() {
		if (asked) return;
		asked = true;
		setTimeout(() => {
			asked = false;
			draw();
		}, 60);
	}

	function toggle(l) {
		list.hold();
		if (!open.delete(l.seq)) open.add(l.seq);
		draw();
	}
	const height = (l) => step_height(open.has(l.seq), l.raw_output, l);
	const line = (l) => step_line(l, { took: l.took, open: open.has(l.seq), output: l.raw_output, toggle });

	read();
	return {
		first, // it is full, or all has come
		close() {
			clearTimeout(timer);
			stop.abort();
		},
		// it goes on with another try of the job
		again() {
			if (!over || stop.signal.aborted) return;
			over = false;
			read();
		},
		view: () => html`${fault?.status ? html`<p class="fault" role="alert">${fault.message}</p>` : nothing}
			${log.length ? list.view(log, height, line, `Log of job ${job.number}`, 'tail') : html`<p class="none">${over ? 'It wrote no log.' : 'Nothing is written yet.'}</p>`}`,
	};
}
