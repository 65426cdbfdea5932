// The graph.
import { readFileSync } from 'node:fs';
import { merge, put } from '../../share/www/lib/merge.js';
import { button, fill, teller, text, wide } from './story.mjs';
import { axe, is, report, until, world } from './world.mjs';

const w = await world();
const story = teller(w);
const graph = (p = 1) => w.verb('graph.show', { project: p })[0];
const labels = (p) => graph(p).nodes.map((n) => n.data.label);
const side = (page) => page.locator('.graph .side');
const box = (page, label) => side(page).getByLabel(label, { exact: true });
const saved = (page) => page.getByRole('status').filter({ hasText: /^Saved$/ }).waitFor();
const sheet = (page) => page.getByRole('application', { name: 'The graph' });
const toggle = (page) => button(page, 'List').click();
const row = (page, name) => page.locator('#list').getByRole('button', { name, exact: true });
async function pick(page, name) {
	await row(page, name).click();
	await page.waitForFunction((l) => document.querySelector('.graph .side h2')?.textContent === l, name);
}
// Where a node is in the window, by what the page says of the one that is
// selected: its handle is at the middle of its right side.
async function place(page, label) {
	await page.locator('#filter').fill(label);
	await page.locator('#filter').press('Enter');
	await page.locator('#filter').fill('');
	await page.waitForFunction((l) => document.querySelector('.graph .side h2')?.textContent === l, label);
	await page.waitForTimeout(100);
	const b = await page.locator('.handle').boundingBox();
	return { x: b.x - 40, y: b.y + b.height / 2, handle: { x: b.x + b.width / 2, y: b.y + b.height / 2 } };
}
async function pull(page, from, to) {
	await page.mouse.move(from.x, from.y);
	await page.mouse.down();
	await page.mouse.move(from.x + 20, from.y + 20, { steps: 3 });
	await page.mouse.move(to.x, to.y, { steps: 10 });
	await page.mouse.up();
}
// What the page saves is on its way until the answer is called.
async function hold(page) {
	let go;
	const gone = new Promise((done) => (go = done));
	const asked = page.waitForRequest('**/api/v1/graph.set');
	await page.route('**/api/v1/graph.set', (r) => gone.then(() => r.continue()));
	return { asked, let_go: () => { go(); return page.unroute('**/api/v1/graph.set'); } };
}
w.tera('tera-add', 'project', 'name=Shop', 'execution_mode=local');
await w.serve();

await story('three states put together', async () => {
	const of = (was, mine, theirs) => {
		const { merged, clashes } = merge(was, mine, theirs);
		return JSON.stringify([merged, clashes.map((c) => c.path.join('.'))]);
	};
	is(of({ a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1, b: 2 }), '[{"a":2,"b":2},[]]', 'two values');
	is(of({ a: 1 }, { a: 2 }, { a: 3 }), '[{"a":2},["a"]]', 'one value twice: a clash, and mine meanwhile');
	is(of({ a: 1 }, { a: 2 }, { a: 2 }), '[{"a":2},[]]', 'the same twice');
	is(of({ a: { b: 1 } }, {}, { a: { b: 2 } }), '[{},["a"]]', 'deleted and changed');
	is(of({ a: 1, b: 1 }, { b: 1 }, { a: 1 }), '[{},[]]', 'two deleted');
	is(of({}, { a: { x: 1 } }, { a: { y: 1 } }), '[{"a":{"y":1,"x":1}},[]]', 'the same made twice');
	is(of({ a: [1] }, { a: [1, 2] }, { a: [1, 3] }), '[{"a":[1,2]},["a"]]', 'a list is one value');
	is(of({ position: { x: 1 } }, { position: { x: 2 } }, { position: { x: 3 } }), '[{"position":{"x":2}},[]]', 'a place is not asked for');
	is(of({ a: null }, { a: 0 }, { a: null }), '[{"a":0},[]]', 'null is a value');
	is(of(JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":1},"b":1}'), JSON.parse('{"__proto__":{"a":2}}')),
		'[{"__proto__":{"a":2},"b":1},[]]', 'any key is a key');
	is(JSON.stringify([put({ a: { b: 1 } }, ['a', 'c'], 2), put({ a: 1 }, ['a'], undefined), put({}, ['a', 'b'], 1)]),
		'[{"a":{"b":1,"c":2}},{},{"a":{"b":1}}]', 'one value put');
});

await story('a first graph, by the mouse', async () => {
	const page = await w.open('#/graph/1');
	is(await text(page, '.drawn .empty button'), ['Draw the first component'], 'an empty graph says the next step');
	is(await axe(page), [], 'axe: an empty graph');
	await page.locator('.drawn .empty button').click();
	await page.waitForFunction(() => document.activeElement.id === 'side-label');
	await page.keyboard.type('Web');
	await box(page, 'Type').selectOption('frontend');
	await box(page, 'Description').fill('What people see');
	await box(page, 'Technology').fill('TypeScript\n\nlit ');
	await until(() => graph().nodes[0]?.data.tech.length === 2, 'a list, one a line');
	is(await box(page, 'Technology').inputValue(), 'TypeScript\n\nlit ', 'which is not put right under one\'s hands');
	await box(page, 'Ports').fill('443/https');
	await box(page, 'Security').fill('TLS, HSTS\nCSP');
	await until(() => {
		const [n] = graph().nodes;
		return n?.type === 'frontend' && JSON.stringify(n.data) === JSON.stringify({
			label: 'Web', description: 'What people see', tech: ['TypeScript', 'lit'], ports: ['443/https'], security: ['TLS, HSTS', 'CSP'],
		});
	}, 'all fields are saved by themselves');
	report(/^node-\d+$/.test(graph().nodes[0].id) && Number.isFinite(graph().nodes[0].position.x), 'with an id and a place');
	await page.locator('.sheet').dblclick({ position: { x: 500, y: 120 } });
	await page.waitForFunction(() => document.activeElement.id === 'side-label' && document.activeElement.value === 'Service');
	await page.keyboard.type('Cart');
	await until(() => labels().join() === 'Web,Cart', 'pressed twice on the sheet: one more');
	await page.locator('.sheet').dblclick({ position: { x: 500, y: 420 } });
	await page.waitForFunction(() => document.activeElement.id === 'side-label' && document.activeElement.value === 'Service');
	await page.keyboard.type('Store');
	await saved(page);
	const cart = await place(page, 'Cart'), web = await place(page, 'Web');
	await pull(page, web.handle, cart);
	await until(() => graph().edges.length === 1, 'pulled from one to the other: connected');
	const [web_id, cart_id] = graph().nodes.map((n) => n.id);
	is([graph().edges[0].source, graph().edges[0].target], [web_id, cart_id], 'in that direction');
	await box(page, 'Label').fill('orders');
	await box(page, 'Protocol').fill('HTTP');
	await until(() => JSON.stringify(graph().edges[0].data) === '{"label":"orders","protocol":"HTTP"}', 'its label and protocol');
	await button(page, 'Turn round').click();
	await until(() => graph().edges[0].source === cart_id, 'turned round');
	await button(page, 'Undo').click();
	await until(() => graph().edges[0].source === web_id, 'and back');
	const again = await place(page, 'Web');
	await pull(page, again.handle, { x: 300, y: 690 });
	await page.waitForFunction(() => document.activeElement.id === 'side-label' && document.activeElement.value === 'Service');
	await page.keyboard.type('Mailer');
	await until(() => graph().edges.length === 2 && labels().includes('Mailer'), 'pulled to where nothing is: something new');
	const old = graph().nodes.find((n) => n.data.label === 'Store').position;
	const store = await place(page, 'Store');
	await pull(page, store, { x: store.x + 60, y: store.y + 40 });
	await until(() => graph().nodes.find((n) => n.data.label === 'Store').position.x > old.x + 20, 'dragged: its place is kept');
	await button(page, 'Undo').click();
	await until(() => JSON.stringify(graph().nodes.find((n) => n.data.label === 'Store').position) === JSON.stringify(old), 'undone');
	await button(page, 'Redo').click();
	await until(() => graph().nodes.find((n) => n.data.label === 'Store').position.x > old.x + 20, 'done again');
	is(await axe(page), [], 'axe: the graph');
	await page.context().close();
});

await story('the keyboard alone', async () => {
	const page = await w.open('#/graph/1');
	await page.keyboard.press('s');
	await page.keyboard.press('ArrowRight');
	await until(async () => (await side(page).locator('h2').innerText()) === 'Web', 'the arrows go to the first');
	report((await page.locator('#announce').textContent()).startsWith('Web, frontend'), 'and it is said');
	await page.keyboard.press('n');
	await page.waitForFunction(() => document.activeElement.id === 'side-label');
	await page.keyboard.type('Search');
	await page.keyboard.press('Tab');
	await page.evaluate(() => document.querySelector('.sheet').focus());
	const x = () => graph().nodes.find((n) => n.data.label === 'Search').position.x;
	await until(() => labels().includes('Search'), 'n: one more');
	const before = x();
	await page.keyboard.press('Shift+ArrowRight');
	await page.keyboard.press('Shift+ArrowRight');
	await until(() => x() === before + 40, 'Shift and an arrow move it');
	await page.keyboard.press('c');
	await page.getByRole('dialog').getByLabel('To', { exact: true }).selectOption({ label: 'Store' });
	await fill(page, 'Protocol', 'SQL');
	await page.keyboard.press('Enter');
	await until(() => graph().edges.length === 3 && graph().edges[2].data.protocol === 'SQL', 'c: connected by a box');
	await page.keyboard.press('.');
	await page.keyboard.press('e');
	await page.waitForFunction(() => document.activeElement.id === 'side-label');
	report((await side(page).locator('h2').innerText()).includes('→'), '. goes to an interface, e to its fields');
	await page.evaluate(() => document.activeElement.blur());
	const count = graph().edges.length;
	await page.keyboard.press('Delete');
	await until(() => graph().edges.length === count - 1, 'Delete: the interface goes');
	await page.keyboard.press('Control+z');
	await until(() => graph().edges.length === count, 'Ctrl+Z');
	await page.keyboard.press('Control+Shift+z');
	await until(() => graph().edges.length === count - 1, 'Ctrl+Shift+Z');
	await page.keyboard.press('u');
	await until(() => graph().edges.length === count, 'u');
	await page.keyboard.press('s');
	await page.keyboard.press('Control+a');
	await until(async () => (await side(page).locator('h2').innerText()) === '5 components, 3 interfaces', 'Ctrl+A: all');
	await page.keyboard.press('Delete');
	await until(() => graph().nodes.length === 0 && graph().edges.length === 0, 'all deleted');
	await page.locator('#say').getByRole('button', { name: 'Undo' }).last().click();
	await until(() => graph().nodes.length === 5 && graph().edges.length === 3, 'and back, all of it');
	await page.keyboard.press('a');
	await saved(page);
	await until(() => {
		const at = new Map(graph().nodes.map((n) => [n.id, n.position]));
		return ['x', 'y'].some((o) => graph().edges.every((e) => at.get(e.source)[o] < at.get(e.target)[o]));
	}, 'a: arranged along the edges');
	await page.keyboard.press('l');
	await page.waitForSelector('#list:not([hidden])');
	is(await page.locator('#list tbody').first().locator('tr').count(), 5, 'l: the same as a list');
	await page.locator('#list').getByLabel('Select Web', { exact: true }).check();
	await page.locator('#list').getByLabel('Select Search', { exact: true }).check();
	await button(page, 'Connect them').click();
	await until(() => graph().edges.length === 4, 'two that are ticked are connected');
	await pick(page, 'Mailer');
	is(await box(page, 'Label').inputValue(), 'Mailer', 'and one is filled in from there');
	is(await axe(page), [], 'axe: the list');
	await page.keyboard.press('l');
	await page.context().close();
});

await story('near and far', async () => {
	const page = await w.open('#/graph/1');
	const at = () => page.locator('.handle').boundingBox();
	await place(page, 'Cart');
	const a = await at();
	await page.keyboard.press('Escape');
	await page.mouse.move(500, 300);
	await page.mouse.wheel(0, -300);
	await page.waitForTimeout(200);
	await page.locator('.zoom').getByRole('button', { name: 'Larger' }).click();
	await until(async () => (await at()).x !== a.x, 'the wheel and the buttons zoom');
	const b = await at();
	await page.mouse.move(60, 700);
	await page.mouse.down();
	await page.mouse.move(100, 650, { steps: 5 });
	await page.mouse.up();
	await until(async () => Math.round((await at().catch(() => b))?.x - b.x) !== 0 || await page.locator('.handle').isHidden(), 'the sheet is moved by the mouse');
	await page.evaluate(() => document.activeElement.blur());
	await page.keyboard.press('f');
	await place(page, 'Cart');
	const c = await at();
	report(Math.abs(c.x - a.x) < 2 && Math.abs(c.y - a.y) < 2, 'f: all of it is in sight again', JSON.stringify([a, c]));
	// many, by a frame
	const first = graph().version;
	await page.keyboard.press('Escape');
	await page.keyboard.down('Shift');
	await page.mouse.move(25, 105);
	await page.mouse.down();
	await page.mouse.move(955, 770, { steps: 6 });
	await page.mouse.up();
	await page.keyboard.up('Shift');
	await until(async () => (await side(page).locator('h2').innerText()).startsWith('5 components'), 'drawn round with Shift: all are selected');
	is(graph().version, first, 'and nothing was saved by looking');
	await page.context().close();
});

await story('the finger on the graph', async () => {
	const page = await w.open('#/graph/1', { touch: true, width: 375, height: 800 });
	const session = await page.context().newCDPSession(page);
	const touch = (type, x, y) => session.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x, y }] });
	const from = (await place(page, 'Store')).handle;
	const edges = graph().edges.length;
	await touch('touchStart', from.x, from.y);
	for (let i = 1; i <= 8; i++) await touch('touchMove', from.x + (16 - from.x) * i / 8, from.y + (520 - from.y) * i / 8);
	await touch('touchEnd');
	await until(() => graph().edges.length === edges + 1, 'pulled by a finger');
	await page.getByRole('button', { name: 'Undo', exact: true }).first().click();
	await until(() => graph().edges.length === edges && graph().nodes.length === 5, 'undone');
	await page.context().close();
});

await story('tickets and notes', async () => {
	const cart = graph().nodes.find((n) => n.data.label === 'Cart').id;
	const page = await w.open('#/graph/1');
	await place(page, 'Cart');
	is(await side(page).locator('section', { hasText: 'Tickets' }).locator('.none').innerText(), 'None.', 'a component without tickets');
	w.verb('ticket.add', { project: 1, title: 'Keep the cart', associated_node_ids: [cart] });
	await side(page).getByRole('link', { name: 'Keep the cart' }).waitFor();
	report(true, 'a ticket comes by itself');
	const n = w.tera('tera-ls', 'ticket').at(-1).number;
	w.tera('tera-move', n, 'done');
	await until(async () => (await side(page).locator('.deps .state').innerText()) === 'done', 'and says how it stands');
	w.verb('ticket.add', { project: 1, title: 'All of it', associated_node_ids: ['*'] });
	await page.keyboard.press('Escape');
	await page.evaluate(() => document.activeElement.blur());
	await page.keyboard.press('Escape');
	await side(page).getByRole('link', { name: 'All of it' }).waitFor();
	report(true, 'a ticket on the whole graph, too');
	await place(page, 'Cart');
	await button(page, 'New note').click();
	await fill(page, 'Title', 'Money');
	await fill(page, 'Text', 'In *cents*');
	await button(page, 'Add').click();
	await side(page).getByRole('heading', { name: 'Money' }).waitFor();
	is(w.tera('tera-ls', 'note')[0].node_ids, [cart], 'a note is on the component');
	await toggle(page);
	await page.locator('#list').getByRole('button', { name: /^Web → Cart/ }).first().click();
	await button(page, 'New note').click();
	await fill(page, 'Title', 'Twice');
	await button(page, 'Add').click();
	await side(page).getByRole('heading', { name: 'Twice' }).waitFor();
	await side(page).getByRole('button', { name: 'Edit the note Twice' }).click();
	await fill(page, 'Text', 'may be sent twice');
	await button(page, 'Save').click();
	await until(() => w.tera('tera-ls', 'note')[1].content === 'may be sent twice', 'and one on an interface, which is changed');
	await toggle(page);
	await page.context().close();
});

await story('two people at it', async () => {
	const [a, b] = [await w.open('#/graph/1'), await w.open('#/graph/1')];
	await place(a, 'Cart');
	await place(b, 'Cart');
	await box(a, 'Label').fill('Basket');
	await until(async () => (await box(b, 'Label').inputValue()) === 'Basket', 'one sees what the other types');
	await box(b, 'Ports').fill('8080');
	await box(a, 'Description').fill('Holds things');
	await until(() => {
		const n = graph().nodes.find((o) => o.data.label === 'Basket');
		return n.data.description === 'Holds things' && n.data.ports[0] === '8080';
	}, 'two fields at once: both are kept');
	// While a cannot hear, the same field is changed twice.
	await saved(a);
	await saved(b);
	const other = graph();
	const first = await hold(a);
	await box(a, 'Label').fill('Trolley');
	await first.asked;
	other.nodes.find((n) => n.data.label === 'Basket').data.label = 'Bag';
	w.verb('graph.set', { project: 1, version: other.version, nodes: other.nodes, edges: other.edges });
	await first.let_go();
	await a.locator('.clashes').waitFor();
	const said = await a.locator('.clashes').innerText();
	report(said.includes('Trolley') && said.includes('Bag'), 'the same field twice: both are shown', said);
	is(await box(a, 'Label').inputValue(), 'Trolley', 'what was typed is there');
	report(labels().includes('Bag'), 'nothing was overwritten');
	await box(a, 'Security').fill('TLS');
	is(await axe(a), [], 'axe: a conflict');
	await a.getByRole('button', { name: /^Take theirs/ }).click();
	await until(() => {
		const n = graph().nodes.find((o) => o.data.label === 'Bag');
		return n?.data.security[0] === 'TLS';
	}, 'theirs is taken, and what was typed meanwhile is saved');
	is(await box(a, 'Label').inputValue(), 'Bag', 'and shown');
	await a.getByRole('button', { name: 'Undo', exact: true }).first().click();
	await until(() => labels().includes('Trolley'), 'even that can be undone');
	// deleted there, changed here
	await saved(a);
	const now = graph(), id = now.nodes.find((n) => n.data.label === 'Trolley').id;
	const second = await hold(a);
	await box(a, 'Label').fill('Cart');
	await second.asked;
	w.verb('graph.set', { project: 1, version: now.version, nodes: now.nodes.filter((n) => n.id !== id), edges: now.edges.filter((e) => e.source !== id && e.target !== id) });
	await second.let_go();
	await a.locator('.clashes').waitFor();
	report((await a.locator('.clashes').innerText()).includes('deleted'), 'deleted by the other: it is said');
	await a.getByRole('button', { name: /^Keep mine/ }).click();
	await until(() => labels().includes('Cart'), 'and kept when one wants it');
	await a.context().close();
	await b.context().close();
});

await story('the server goes away', async () => {
	const page = await w.open('#/graph/1');
	await place(page, 'Web');
	await w.stop();
	await box(page, 'Label').fill('Shop window');
	await page.locator('.saved.fault').waitFor();
	report(true, 'not saved, and said so');
	await w.serve();
	await page.locator('.saved:text-is("Saved")').waitFor();
	await until(() => labels().includes('Shop window'), 'back, it is saved by itself');
	// what could not be saved is there after another page, too
	await place(page, 'Shop window');
	await page.route('**/api/v1/graph.set', (r) => r.abort());
	await box(page, 'Label').fill('Front');
	await page.evaluate(() => (location.hash = '#/jobs'));
	await page.waitForSelector('.charts');
	await page.waitForTimeout(1200);
	await page.unroute('**/api/v1/graph.set');
	report(labels().includes('Shop window'), 'it is not saved');
	await page.evaluate(() => (location.hash = '#/graph/1'));
	await until(() => labels().includes('Front'), 'but when one comes back, it is');
	await page.context().close();
});

await story('what others wrote', async () => {
	const bad = '<img src=x onerror="document.title=1"><script>document.title=1</script>&amp;"\'';
	w.tera('tera-add', 'project', 'name=Old');
	const nodes = [
		{ id: 1, label: 'Number', type: 'lambda', colour: 'red', data: { x: { deep: [1, null] } } },
		{ id: 'b', type: bad, position: { x: 5, y: 5, z: 1 }, data: { label: bad, description: bad, tech: [bad], ports: bad, __proto: 1 }, measured: { width: 1 } },
		{ id: 'c', data: { label: `\u05d0\u05d1\u05d2 \ud83d\ude80 \u0001 ${'w'.repeat(300)}`, type: 'queue' } },
	];
	const edges = [
		{ id: 'e', source: '1', target: 'b', animated: true, data: { label: bad, protocol: bad } },
		{ source: 'b', target: 'c', keep: [1] },
		{ id: 'gone', source: 'b', target: 'nowhere' },
		{ id: 'self', source: 'c', target: 'c' },
	];
	w.verb('graph.set', { project: 2, nodes, edges });
	w.tera('tera-add', 'note', 'project=2', `title=${bad}`, `content=${bad}`, 'node_ids:=["b"]');
	w.verb('ticket.add', { project: 2, title: bad, associated_node_ids: ['b', 1] });
	const kept = graph(2);
	const page = await w.open('#/graph/2', { width: 375, height: 700, touch: true });
	await page.waitForTimeout(300);
	is(graph(2).version, kept.version, 'to look at it changes nothing');
	is(await wide(page), 0, 'nothing sticks out of 375 pixels');
	await toggle(page);
	await until(async () => await row(page, bad).count() === 1, 'HTML is text in the list');
	await pick(page, bad);
	is(await side(page).locator('h2').innerText(), bad, 'and beside it');
	is(await box(page, 'Type').inputValue(), bad, 'a type that is not known is kept');
	is(await box(page, 'Ports').inputValue(), bad, 'a word where a list should be is shown');
	is(await side(page).locator('.said h4').innerText(), bad, 'a note');
	is(await side(page).locator('.deps a').innerText(), bad, 'a ticket');
	is(await page.locator('main img, main script').count(), 0, 'no element of it');
	is(await wide(page), 0, 'nothing sticks out, long words neither');
	await pick(page, 'Number');
	await box(page, 'Label').fill('Numb');
	await until(() => graph(2).nodes[0].label === 'Numb', 'the label is changed where it was');
	const now = graph(2);
	is([now.nodes[0], now.nodes.slice(1), now.edges], [{ ...kept.nodes[0], label: 'Numb' }, kept.nodes.slice(1), kept.edges], 'and all else, known or not, is as it was');
	is(await axe(page), [], 'axe: on a telephone, the list');
	await toggle(page);
	is(await axe(page), [], 'axe: on a telephone, drawn');
	report((await page.title()).startsWith('Old'), 'nothing ran');
	for (const kind of ['svg', 'png']) {
		const coming = page.waitForEvent('download');
		await button(page, `Export as ${kind.toUpperCase()}`).click();
		const file = readFileSync(await (await coming).path());
		if (kind === 'png') {
			report(file.subarray(1, 4).toString() === 'PNG' && file.readUInt32BE(16) > 300, 'exported as PNG', file.length);
			continue;
		}
		const svg = await page.evaluate((t) => {
			const d = new DOMParser().parseFromString(t, 'image/svg+xml');
			return { fault: d.querySelector('parsererror')?.textContent, boxes: d.querySelectorAll('g > rect').length, ways: d.querySelectorAll('path[marker-end]').length,
				words: [...d.querySelectorAll('text')].map((e) => e.textContent), bad: d.querySelectorAll('script, image, foreignObject, img').length };
		}, file.toString());
		is([svg.fault, svg.boxes, svg.ways, svg.bad], [undefined, 3, 3, 0], 'exported as SVG: every box, every way, nothing that runs');
		report(!/NaN|undefined/.test(file), 'all of it in its place', /.{60}(NaN|undefined).{60}/.exec(file)?.[0]);
		report(svg.words.includes('Numb') && svg.words.includes('1 open'), 'with its words', svg.words.join('|'));
	}
	await page.context().close();
});

await story('two hundred components', async () => {
	w.tera('tera-add', 'project', 'name=Large');
	const nodes = Array.from({ length: 200 }, (_, i) => ({ id: `n${i}`, type: 'service', data: { label: `Component ${i}` } }));
	const edges = Array.from({ length: 300 }, (_, i) => ({ id: `e${i}`, source: `n${(i * 7) % 200}`, target: `n${(i * 13 + 5) % 200}` }));
	w.verb('graph.set', { project: 3, nodes, edges });
	const page = await w.open('#/graph/3', { dark: true });
	await page.waitForFunction(() => document.querySelector('.sheet canvas'));
	const ms = await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now())))));
	console.log(`# 200 components and 300 interfaces, laid out, after ${Math.round(ms)} ms`);
	report(ms < 15000, 'a large graph is there soon', `${ms} ms`);
	await page.locator('#filter').fill('Component 17');
	await page.locator('#filter').press('Enter');
	await until(async () => (await side(page).locator('h2').innerText()) === '11 components', 'found by a word');
	is(await axe(page), [], 'axe: in the dark');
	await page.context().close();
});

await w.end();
