// What happens in the store, as it happens.
//
// follow(load, changed, state) loads what a page shows and then hands each
// bunch of later events to changed().  There is one way only: begin, come back
// after the server was away, and come back to a hidden page are all "load,
// then follow from where that was".  So nothing can be missed, and an event
// that comes twice only has something fetched again.
//
// state(word) tells how it stands: "live", "away" (the server does not answer),
// or what the server refused, or what broke.  The answer is a function that
// ends it.  load() and changed() never overlap: what is asked later is also
// what is answered later.
import { ask, open_stream } from './api.js';

// A hidden page lets go of its stream: browsers keep only six connections to a
// server, and six forgotten tabs would hold them all.
const HIDDEN_MS = 20000;
// Events come in crowds: what a page draws for them it draws once.
const BUNCH_MS = 60;
// The first time without a word: a web server in between may end a stream that
// was open for long.
const RETRY_MS = [0, 500, 1000, 2000, 4000, 8000];
const STEADY_MS = 3000; // a stream that lives so long is one
// The server says something every 15 s; a dead connection says nothing.
const SILENT_MS = 45000;

export function follow(load, changed, state) {
	let stream, timer, hiding, silence, lives, bunch_timer;
	let bunch = [], tries = 0, over = false, run = 0;
	let work = Promise.resolve(); // the last of load() and changed()
	const in_turn = (f) => (work = work.catch(() => {}).then(f));

	async function begin() {
		const mine = ++run;
		stop();
		try {
			const [head] = await ask('event.head');
			await in_turn(load);
			if (over || mine !== run) return;
			stream = new AbortController();
			const mine_too = stream;
			const lists = await open_stream('api/events', head.seq, stream.signal);
			if (mine_too.signal.aborted) return;
			state('live');
			lives = setTimeout(() => (tries = 0), STEADY_MS);
			await read(lists);
			if (!mine_too.signal.aborted) again();
		} catch (e) {
			if (over || mine !== run || e.name === 'AbortError') return;
			if (e.away || e.status === 503 || e.status === 429 || e instanceof TypeError && e.status === undefined && stream) again();
			else {
				state(e);
				if (e.status === undefined) throw e; // a fault of ours: the console has it
			}
		}
	}

	async function read(lists) {
		const mine = stream;
		const listen = () => {
			clearTimeout(silence);
			silence = setTimeout(() => {
				if (mine !== stream) return;
				stop();
				again();
			}, SILENT_MS);
		};
		listen();
		for await (const list of lists) {
			if (mine.signal.aborted) return;
			listen();
			for (const { event, data } of list) {
				if (event === 'reset' || event === 'end') return;
				if (data) take(JSON.parse(data));
			}
		}
	}

	function take(event) {
		bunch.push(event);
		bunch_timer ??= setTimeout(async () => {
			try {
				await in_turn(() => {
					const events = bunch;
					bunch = [];
					bunch_timer = undefined;
					return over ? undefined : changed(events);
				});
			} catch (e) {
				if (over) return;
				if (e.away || e.status === 503) {
					stop();
					again();
				} else {
					state(e);
					if (e.status === undefined) throw e;
				}
			}
		}, BUNCH_MS);
	}

	function stop() {
		clearTimeout(timer);
		clearTimeout(silence);
		clearTimeout(lives);
		stream?.abort();
		stream = undefined;
	}

	function again() {
		if (over) return;
		clearTimeout(lives);
		clearTimeout(timer);
		if (tries > 0) state('away');
		timer = setTimeout(begin, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
	}

	function seen() {
		clearTimeout(hiding);
		if (!document.hidden) {
			if (!stream) begin();
			return;
		}
		hiding = setTimeout(() => {
			run++;
			stop();
		}, HIDDEN_MS);
	}

	document.addEventListener('visibilitychange', seen);
	begin();
	return () => {
		over = true;
		stop();
		clearTimeout(hiding);
		clearTimeout(bunch_timer);
		document.removeEventListener('visibilitychange', seen);
	};
}
