// What happens in the store, as it happens.
//
// follow(load, changed, state) loads what a page shows and then hands each
// bunch of later events to changed().  There is one way only: begin, come back
// after the server was away, and come back to a hidden page are all "load,
// then follow from where that was".  So nothing can be missed, and an event
// that comes twice only has something fetched again.
//
// state(word) tells how it stands: "live", "away" (the server does not answer)
// or the Refusal when it refuses.  The answer is a function that ends it.
import { ask, events_url } from './api.js';

// A hidden page lets go of its stream: browsers keep only six connections to a
// server, and six forgotten tabs would hold them all.
const HIDDEN_MS = 20000;
// Events come in crowds: what a page draws for them it draws once.
const BUNCH_MS = 60;
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

// What the stream calls its messages: the noun of the event.
const nouns = ['message', 'project', 'graph', 'board', 'ticket', 'dependency', 'comment', 'note', 'setting',
	'job', 'attempt', 'log', 'pr', 'pr_comment', 'token'];

export function follow(load, changed, state) {
	let source, timer, hiding, over = false, tries = 0, bunch = [], bunch_timer, run = 0;

	async function begin() {
		const mine = ++run;
		clearTimeout(timer);
		try {
			const [head] = await ask('event.head');
			await load();
			if (over || mine !== run) return;
			if (document.hidden) {
				state('live');
				return hide();
			}
			open(head.seq);
		} catch (e) {
			if (over || mine !== run) return;
			if (!e.away && e.status !== 503) {
				// a refusal does not pass by itself, and a fault of ours is to be seen
				state(e);
				if (e.status === undefined) throw e;
				return;
			}
			again();
		}
	}

	function open(seq) {
		source = new EventSource(events_url(seq));
		source.onopen = () => {
			tries = 0;
			state('live');
		};
		source.onerror = () => {
			stop();
			again();
		};
		for (const noun of nouns) source.addEventListener(noun, take);
	}

	function take(message) {
		let event;
		try {
			event = JSON.parse(message.data);
		} catch {
			return; // not one of ours
		}
		bunch.push(event);
		bunch_timer ??= setTimeout(() => {
			const events = bunch;
			bunch = [];
			bunch_timer = undefined;
			Promise.resolve(changed(events)).catch((e) => {
				if (e.away) {
					stop();
					again();
				} else state(e);
			});
		}, BUNCH_MS);
	}

	function stop() {
		source?.close();
		source = undefined;
	}

	function again() {
		state('away');
		clearTimeout(timer);
		timer = setTimeout(begin, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
	}

	function hide() {
		clearTimeout(hiding);
		hiding = setTimeout(() => {
			stop();
			clearTimeout(timer);
			run++;
		}, HIDDEN_MS);
	}

	function seen() {
		clearTimeout(hiding);
		if (document.hidden) hide();
		else if (!source) begin();
	}

	document.addEventListener('visibilitychange', seen);
	addEventListener('online', seen);
	begin();
	return () => {
		over = true;
		stop();
		clearTimeout(timer);
		clearTimeout(hiding);
		clearTimeout(bunch_timer);
		document.removeEventListener('visibilitychange', seen);
		removeEventListener('online', seen);
	};
}
