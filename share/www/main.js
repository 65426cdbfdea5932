// The shell of the pages: what is shown for which address, the bar on top, the
// stream behind it all.
//
// Addresses are behind a #, so that any web server can show these files:
// #/NAME/ARG.  A page is one file, page/NAME.js, and one line in `pages`.  Its
// default export is a function of
//     args   the parts of the address after the name
//     draw   to be called when something changed
// that gives an object of
//     title()           for the bar and the window
//     load()            fetches what is shown; called again after the server
//                       was away, so it must not lose what a person is at
//     changed(events)   what happened since (lib/live.js); may fetch.  Neither
//                       is called while the other is at it
//     view()            the HTML of it, once load() was done
//     project()         its project's number, for the bar; may be missing
//     kind              "page" (text, the default) or "wide"
//     keys              [[key, what, function], ...] for this page
//     close()           it goes; may be missing
import { ask, back_from_login } from './lib/api.js';
import { follow } from './lib/live.js';
import { keys, sheet } from './lib/key.js';
import { html, nothing, render } from './lib/ui.js';

// label, key: in the bar, and after g; a page without has no place there.  of:
// it is a project's, and its address ends with the number of that.
const pages = {
	'': { label: 'Projects', key: 'p', from: () => import('./page/projects.js') },
	graph: { label: 'Graph', key: 'g', of: 'project', from: () => import('./page/graph.js') },
	board: { label: 'Board', key: 'b', of: 'project', from: () => import('./page/board.js') },
	review: { label: 'Review', key: 'r', from: () => import('./page/review.js') },
	jobs: { label: 'Jobs', key: 'j', from: () => import('./page/jobs.js') },
	events: { label: 'Events', key: 'e', from: () => import('./page/events.js') },
	ticket: { from: () => import('./page/ticket.js') },
};

const app = document.getElementById('app');
let page, stop, state = 'live', ready = false, asked = false;
let who; // shown a key by a cookie: a browser has no other way

function draw() {
	if (asked) return;
	asked = true;
	requestAnimationFrame(() => {
		asked = false;
		paint();
	});
}

function paint() {
	const project = page?.project?.();
	const title = page?.title() ?? '';
	document.title = title ? `${title} – Tera` : 'Tera';
	render(html`<a class="skip" href="#main" @click=${skip}>Skip to the content</a>
		<header class="bar">
			<nav aria-label="Pages">${places().map(([name, { label }, to]) =>
				html`<a href=${to} aria-current=${page?.name === name ? 'page' : nothing}>${label}</a>`)}</nav>
			<strong class="where" dir="auto">${project ? title : nothing}</strong>
			${state === 'away' ? html`<span class="away" role="status">The server is away. Trying again…</span>` : nothing}
			${who ? html`<form class="who" method="post" action="logout"><span dir="auto" title="You are logged in with this token">${who}</span>
				<button class="quiet">Log out</button></form>` : nothing}
			<button class="quiet" aria-label="Keyboard shortcuts" title="Keyboard (?)" @click=${sheet}>?</button>
		</header>
		<main id="main" tabindex="-1" class=${page?.kind ?? 'page'} aria-busy=${ready || typeof state === 'object' ? 'false' : 'true'}>${body()}</main>`, app);
}

// What the bar leads to from here.
function places() {
	const project = page?.project?.();
	return Object.entries(pages).filter(([, p]) => p.label && (!p.of || project))
		.map(([name, p]) => [name, p, p.of ? `#/${name}/${project}` : `#/${name}`]);
}

function body() {
	if (typeof state === 'object')
		return html`<div class="empty"><p>${state.message}</p><p><a href="#/">All projects</a></p></div>`;
	if (!page || !ready) return state === 'away' ? nothing : html`<p class="loading">Loading…</p>`;
	return page.view();
}

function skip(e) {
	e.preventDefault();
	document.getElementById('main').focus();
}

async function show() {
	const [name, ...args] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent);
	stop?.();
	page?.close?.();
	page = undefined;
	ready = false;
	state = 'live';
	if (!Object.hasOwn(pages, name)) {
		state = new Error('There is no such page.');
		return draw();
	}
	const here = location.hash;
	const module = await pages[name].from();
	if (location.hash !== here) return; // somebody was faster
	const mine = page = module.default(args, draw);
	page.name = name;
	draw();
	stop = follow(
		async () => {
			await mine.load();
			if (mine !== page) return; // one went on while it was loading
			ready = true;
			draw();
			// where the bar is too narrow for all, its place is seen
			requestAnimationFrame(() => document.querySelector('.bar [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' }));
		},
		(events) => page.changed(events),
		(now) => {
			state = now;
			draw();
		},
	);
}

keys(() => [
	['Everywhere', [
		['?', 'This sheet', sheet],
		...places().map(([, { label, key }, to]) => [`g ${key}`, label, () => (location.hash = to)]),
	]],
	...(page?.keys?.length ? [['This page', page.keys]] : []),
]);

addEventListener('hashchange', () => {
	show().then(() => {
		scrollTo(0, 0);
		document.getElementById('main')?.focus({ preventScroll: true });
	});
});
// A user of the web server, or this machine, has nothing here to log out of.
ask('ui.who').then(([{ actor }]) => {
	who = /^token (.*)/s.exec(actor)?.[1] ?? (actor === 'worker key' ? actor : undefined);
	draw();
}, () => {}); // what else is asked says what is wrong
setInterval(draw, 30000); // "5 min" grows
back_from_login();
show();
