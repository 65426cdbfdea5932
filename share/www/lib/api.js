// The server, by its verbs (tera-api(7), "Any verb"): each takes an object and
// answers with rows.
//
//     rows = await ask('ticket.list', { project: 3 })
//     ticket = await tell('ticket.set', { ticket: 7, version: 2, title: 'x' })
//
// ask() only reads; tell() changes something, is never done twice, and gives
// its first row.  What the server refuses is thrown as a Refusal with its own
// sentence; a server that does not answer, as one with status 0.

// Where the pages are, the server is: also below another path.
const root = new URL('.', document.baseURI);

export class Refusal extends Error {
	constructor(status, message) {
		super(message);
		this.status = status; // of HTTP; 0: no answer
	}
	get away() {
		return this.status === 0 || this.status === 502 || this.status === 504;
	}
	// Somebody else changed the same thing meanwhile.
	get conflict() {
		return this.status === 409 || /is at version \d+, not/.test(this.message);
	}
}

async function answer_of(method, path, body, headers, signal) {
	let answer;
	try {
		answer = await fetch(new URL(path, root), {
			method,
			body: body === undefined ? undefined : JSON.stringify(body),
			headers: body === undefined ? headers : { 'Content-Type': 'application/json', ...headers },
			signal,
		});
	} catch (e) {
		if (e.name === 'AbortError') throw e;
		throw new Refusal(0, 'The server does not answer.');
	}
	if (answer.ok) return answer;
	if (answer.status === 401) log_in();
	let said;
	try {
		said = (await answer.json()).error;
	} catch {
		// a web server in between has its own pages
	}
	throw new Refusal(answer.status, said || `The server says ${answer.status} ${answer.statusText}.`);
}

// One request; path is relative to the pages, such as "api/pulls/3/diff".
// The answer's text.
export async function request(method, path, body, headers = {}, signal) {
	const answer = await answer_of(method, path, body, headers, signal);
	try {
		return await answer.text();
	} catch (e) {
		if (e.name === 'AbortError') throw e;
		throw new Refusal(0, 'The server broke off its answer.');
	}
}

// The server's own page asks who it is and leads back to the first page: what
// was looked at is kept here meanwhile.
function log_in() {
	sessionStorage.setItem('before_login', location.hash);
	location.assign(new URL('login', root));
}
export function back_from_login() {
	const hash = sessionStorage.getItem('before_login');
	sessionStorage.removeItem('before_login');
	if (hash && !location.hash) history.replaceState(null, '', hash);
}

const rows = (text) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line));

export async function ask(verb, input = {}, signal) {
	return rows(await request('POST', `api/v1/${verb}`, input, {}, signal));
}

export async function tell(verb, input = {}) {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	const once = { 'Idempotency-Key': Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('') };
	const send = () => request('POST', `api/v1/${verb}`, input, once);
	let text;
	try {
		text = await send();
	} catch (e) {
		// The answer may have been lost on its way: with the same key it comes again.
		if (e.status !== 0) throw e;
		await new Promise((done) => setTimeout(done, 400));
		text = await send();
	}
	return rows(text)[0];
}

// The stream of a list (Server-Sent Events) after seq, as lists of
// { event, data }: an empty one says that the server is still there.  By hand:
// EventSource would not tell why it was refused, and wants the name of each
// kind of event beforehand.
export async function open_stream(path, seq, signal) {
	const headers = { Accept: 'text/event-stream' };
	return messages((await answer_of('GET', `${path}?since=${seq}`, undefined, headers, signal)).body);
}
async function* messages(body) {
	if (!body) return; // 204: all was said
	const reader = body.pipeThrough(new TextDecoderStream()).getReader();
	let text = '', event = '', data = '';
	for (;;) {
		const { value, done } = await reader.read();
		if (done) return;
		const lines = (text + value).split(/\r?\n/);
		text = lines.pop();
		const out = [];
		for (const line of lines) {
			if (line.startsWith('data:')) data += line.slice(5);
			else if (line.startsWith('event:')) event = line.slice(6).trim();
			else if (line === '') {
				if (data || event) out.push({ event, data });
				event = data = '';
			}
		}
		yield out;
	}
}
