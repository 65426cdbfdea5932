// Stories of people in a browser, on a real server with a real store; TAP.
import { axe, is, plan, report, until, world } from './world.mjs';

const w = await world();
const text = (page, selector) => page.locator(selector).allInnerTexts();
const card = (page, number) => page.locator(`.card[data-number="${number}"]`);
const in_column = (page, number) => card(page, number).evaluate((c) => c.closest('.column').dataset.column);
const ticket = (number) => w.tera('tera-show', 'ticket', number)[0];
const button = (page, name) => page.getByRole('button', { name, exact: true });
const fill = (page, label, value) => page.getByRole('dialog').getByLabel(label, { exact: true }).fill(value);
const wide = async (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

async function story(name, tell) {
	if (process.env.ONLY && !name.includes(process.env.ONLY)) return;
	console.log(`# ${name}`);
	try {
		await tell();
	} catch (e) {
		report(false, `${name}: to its end`, e.stack);
	}
	for (const fault of w.faults.splice(0)) report(false, `${name}: the browser has nothing to say`, fault);
}

// The mouse, as a person moves it: down, some steps, up.
async function drag(page, from, to) {
	const a = await from.boundingBox(), b = await to.boundingBox();
	await page.mouse.move(a.x + 60, a.y + 12);
	await page.mouse.down();
	await page.mouse.move(a.x + 70, a.y + 24, { steps: 3 });
	await page.mouse.move(b.x + b.width / 2, b.y + 90, { steps: 12 });
	await page.mouse.up();
}

await w.serve();

await story('without JavaScript', async () => {
	const page = await w.open('', { js: false });
	report((await page.innerText('body')).includes('tera-board'), 'the page says so, and where the board is');
	await page.context().close();
});

await story('the first project', async () => {
	const page = await w.open();
	is((await text(page, '.empty button')).join(), 'Create the first', 'an empty page says the next step');
	is(await axe(page), [], 'axe: no projects');
	await page.keyboard.press('n');
	is(await axe(page), [], 'axe: the form');
	await fill(page, 'Name', 'Shop');
	await fill(page, 'Description', 'Sells <b>things</b>');
	await page.getByLabel('Agents work').selectOption('local');
	is(await page.getByLabel('Remote', { exact: true }).count(), 0, 'what does not count is not asked for');
	await button(page, 'Create').click();
	await page.waitForURL(/#\/board\/1$/);
	await card(page, 1).waitFor();
	is(await text(page, '.card a.title'), ['Project setup'], 'a new repository has its first ticket');
	is(w.tera('tera-show', 'project', 1)[0].execution_mode, 'local', 'the store has it');
	await page.context().close();
});

await story('tickets', async () => {
	const page = await w.open('#/board/1');
	await page.keyboard.press('n');
	await button(page, 'Add').click();
	report((await page.locator('dialog .fault').innerText()).startsWith('Title:'), 'a title is wanted, and said so in the box');
	await fill(page, 'Title', 'A cart');
	await fill(page, 'Description', 'It **holds** things');
	await page.getByLabel('Priority', { exact: true }).last().selectOption('high');
	await fill(page, 'Waits for', '#1, x');
	await button(page, 'Add').click();
	await until(async () => (await page.locator('dialog .fault').innerText()).includes('x is not the number'), 'a wrong number is named');
	is(await page.getByRole('dialog').getByLabel('Title').inputValue(), 'A cart', 'what was typed is still there');
	await fill(page, 'Waits for', '#1');
	await button(page, 'Add').click();
	await card(page, 2).waitFor();
	is([ticket(2).priority, ticket(2).blocked, ticket(2).description], ['high', true, 'It **holds** things'], 'the store has it');
	report((await card(page, 2).innerText()).includes('waits for #1'), 'the card says what it waits for');
	await card(page, 2).hover();
	await until(async () => await page.locator('svg.wires path').count() === 1, 'and the line is drawn');
	await page.mouse.move(2, 2);
	await until(async () => await page.locator('svg.wires path').count() === 0, 'and goes');
	await page.keyboard.press('d');
	await until(async () => await page.locator('svg.wires path').count() === 1, 'all lines by a key');

	w.tera('tera-add', 'ticket', 'project=1', 'title=Pay with a card', 'priority=low');
	await card(page, 3).waitFor();
	report(true, 'what the shell adds comes by itself');
	await page.keyboard.press('/');
	await page.keyboard.type('cart');
	await until(async () => (await text(page, '.card a.title')).join() === 'A cart', 'filter by words');
	await page.keyboard.press('Escape');
	await page.getByLabel('Priority').selectOption('low');
	await until(async () => (await text(page, '.card a.title')).join() === 'Pay with a card', 'by priority');
	await page.getByLabel('Priority').selectOption('');
	await page.getByLabel('State').selectOption('blocked');
	await until(async () => (await text(page, '.card a.title')).join() === 'A cart', 'by state');
	await page.getByLabel('State').selectOption('');
	is(await axe(page), [], 'axe: the board');
	await page.context().close();
});

await story('the mouse', async () => {
	const page = await w.open('#/board/1');
	await page.waitForSelector('ul.cards[data-armed]');
	await drag(page, card(page, 3), page.locator('.column[data-column=in_progress]'));
	await until(async () => (await card(page, 3).locator('.fault').innerText()).includes('has no project_path'), 'what is missing is said on the card');
	is(await in_column(page, 3), 'backlog', 'which is back where it was');
	is(await page.evaluate(() => location.hash), '#/board/1', 'and no link was followed');
	w.tera('tera-set', 'project', 1, `project_path=${w.dir}`);
	await drag(page, card(page, 3), page.locator('.column[data-column=in_progress]'));
	await until(() => ticket(3).column_id === 'in_progress', 'dragged into In Progress');
	await until(async () => (await card(page, 3).innerText()).includes('waiting'), 'its job waits');
	is(w.tera('tera-ls', 'job').length, 1, 'there is one job');
	await card(page, 3).hover();
	await button(page, 'Stop ticket 3').click();
	await until(() => ticket(3).column_id === 'backlog', 'Stop');
	is(w.tera('tera-ls', 'job')[0].state, 'cancelled', 'and the job is stopped');
	is(await page.locator('.card').count(), 3, 'no card was doubled');
	await page.context().close();
});

await story('the keyboard', async () => {
	const page = await w.open('#/board/1');
	await page.keyboard.press('c');
	is(await page.evaluate(() => document.activeElement.textContent), 'A cart', 'to the first card');
	await page.keyboard.press('ArrowDown');
	await page.waitForFunction(() => document.activeElement.textContent === 'Project setup');
	await page.keyboard.press('ArrowDown');
	await page.waitForFunction(() => document.activeElement.textContent === 'Pay with a card');
	for (const key of [' ', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'Escape']) await page.keyboard.press(key);
	is(ticket(3).column_id, 'backlog', 'lifted and left');
	for (const key of [' ', 'ArrowRight', 'ArrowRight', 'ArrowRight', ' ']) await page.keyboard.press(key);
	await until(() => ticket(3).column_id === 'done', 'lifted and dropped');
	await page.waitForFunction(() => document.activeElement.textContent === 'Pay with a card');
	report(true, 'the focus went with it');
	is(await page.locator('#announce').innerText(), 'Ticket 3 is in Done.', 'and it was told');
	await page.keyboard.press('?');
	report((await page.getByRole('dialog').innerText()).includes('New ticket'), 'the sheet of keys');
	await page.keyboard.press('Escape');
	await page.keyboard.press('g');
	await page.keyboard.press('p');
	await page.waitForSelector('.project');
	report(true, 'g p: the projects');
	await page.context().close();
});

await story('the finger', async () => {
	const page = await w.open('#/board/1', { touch: true, width: 375, height: 700 });
	await page.waitForSelector('ul.cards[data-armed]');
	is(await wide(page), 0, 'nothing sticks out of 375 pixels');
	const a = await card(page, 2).boundingBox();
	const session = await page.context().newCDPSession(page);
	const touch = (type, x, y) => session.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x, y }] });
	await touch('touchStart', a.x + 40, a.y + 12);
	await page.waitForTimeout(400);
	for (let i = 0; i <= 10; i++) await touch('touchMove', a.x + 40 + (i * (350 - a.x - 40)) / 10, a.y + 14 + i);
	await page.waitForTimeout(200);
	await touch('touchMove', 352, a.y + 30);
	await touch('touchEnd');
	await until(() => ticket(2).column_id !== 'backlog', 'held and dragged into the next column');
	w.tera('tera-move', 2, 'backlog');
	is(await axe(page), [], 'axe: the board on a telephone');
	await page.context().close();
});

await story('two browsers', async () => {
	const [a, b] = [await w.open('#/board/1'), await w.open('#/board/1')];
	w.tera('tera-move', 1, 'done');
	await b.waitForFunction(() => document.querySelector('[data-number="1"]').closest('.column').dataset.column === 'done');
	await drag(a, card(a, 2), a.locator('.column[data-column=in_review]'));
	await until(async () => (await in_column(b, 2)) === 'in_review', 'one sees what the other drags');
	await button(b, 'Columns').click();
	await button(b, 'Add a column').click();
	await b.getByLabel('Title of column 5').fill('Later');
	await b.getByLabel('Limit of column 5').fill('1');
	await button(b, 'Save').click();
	await a.getByRole('heading', { name: 'Later' }).waitFor();
	report(true, 'and a new column');
	const later = a.locator('.column').last();
	await drag(a, card(a, 2), later);
	await until(() => ticket(2).column_id.startsWith('col_'), 'a column of one\'s own takes tickets');
	await drag(a, card(a, 1), later);
	await until(async () => (await a.locator('#say').innerText()).includes('Later is full: its limit is 1'), 'a full one does not');
	await button(a, 'Move anyway').click();
	await until(() => ticket(1).column_id.startsWith('col_'), 'unless one insists');
	await button(b, 'Columns').click();
	await button(b, 'Remove Later').click();
	report((await b.locator('dialog .fault').innerText()).includes('holds 2 tickets'), 'a column in use is not taken away');
	await b.keyboard.press('Escape');
	// both change the same: the second is told
	await b.goto(`${w.url}#/ticket/2`);
	await button(b, 'Edit').click();
	await fill(b, 'Title', 'Mine');
	w.tera('tera-set', 'ticket', 2, 'title=Theirs');
	await button(b, 'Save').click();
	await until(async () => (await b.locator('dialog .fault').innerText()).includes('is at version'), 'a conflict is said');
	is(await b.getByRole('dialog').getByLabel('Title').inputValue(), 'Mine', 'and what was typed is kept');
	is(ticket(2).title, 'Theirs', 'nothing was overwritten');
	await a.context().close();
	await b.context().close();
});

await story('a server that goes away', async () => {
	const page = await w.open('#/board/1');
	await page.keyboard.press('n');
	await fill(page, 'Title', 'Typed in the dark');
	await w.stop();
	await page.getByText('The server is away').waitFor();
	report(true, 'the page says so');
	await button(page, 'Add').click();
	await until(async () => (await page.locator('dialog .fault').innerText()).includes('does not answer'), 'and so does a form');
	w.tera('tera-add', 'ticket', 'project=1', 'title=Meanwhile');
	await w.serve();
	await card(page, 4).waitFor();
	report(true, 'back, it catches up');
	await page.getByText('The server is away').waitFor({ state: 'detached' });
	is(await page.getByRole('dialog').getByLabel('Title').inputValue(), 'Typed in the dark', 'nothing that was typed is lost');
	await button(page, 'Add').click();
	await card(page, 5).waitFor();
	is(w.tera('tera-ls', 'ticket').filter((t) => t.title === 'Typed in the dark').length, 1, 'and it is there once');
	await page.context().close();
});

await story('a run, watched', async () => {
	const page = await w.open('#/board/1'), page2 = await w.open('#/ticket/4');
	await card(page, 4).hover();
	await button(page, 'Run ticket 4').click();
	await until(async () => (await card(page, 4).innerText()).includes('waiting'), 'Run: it waits');
	const [job] = w.tera('tera-claim');
	await until(async () => (await card(page, 4).innerText()).includes('starting'), 'it runs');
	const log = (...of) => w.tera('sh', '-c', 'job=$1 fence=$2; shift 2; tera-json new job_id="$job" fence:="$fence" "$@" | tera-log -', '-', job.job_id, job.fence, ...of);
	log('step=worker_turn_1', 'summary=reads the files', `raw_output=line <img src=x onerror=alert(1)>${'x'.repeat(100)}`);
	await until(async () => (await card(page, 4).innerText()).includes('worker turn 1 reads the files'), 'what it does is on the card');
	await page2.getByText('Worker, turn 1', { exact: true }).waitFor();
	await page2.getByRole('button', { name: 'Output of Worker, turn 1:' }).click();
	await until(async () => (await page2.locator('.step pre').innerText()).startsWith('line <img src=x'), 'its output on demand, as text');
	log('step=verify', 'summary=fail');
	await page2.locator('.step.fail').waitFor();
	report(true, 'the next step comes by itself');
	is(await axe(page2), [], 'axe: a ticket that runs');
	w.tera('sh', '-c', 'printf %s "$1" | tera-json set outcome=failed reason=verify message="the tests do not pass" turns:=3 usage:=\'{"input_tokens":12000,"output_tokens":900,"cost_usd":0.25}\' verify:=\'{"verdict":"fail","command":"make check"}\' | tera-finish', '-', JSON.stringify(job));
	await until(async () => /failed: verify\s+the tests do not pass/.test(await card(page, 4).innerText()), 'why it failed is on the card');
	report(/3 turns\s*\$0\.25/.test(await card(page, 4).innerText()), 'and what it cost', await card(page, 4).innerText());
	await until(async () => (await page2.locator('.attempt').innerText()).includes('12k in, 900 out'), 'and on the ticket', );
	await page2.keyboard.press('r');
	await until(() => w.tera('tera-ls', 'job').at(-1).state === 'pending', 'Retry, by a key');
	await until(async () => (await card(page, 4).innerText()).includes('waiting'), 'and the board has seen it');
	await button(page2, 'Stop').click();
	await until(() => w.tera('tera-ls', 'job').at(-1).state === 'cancelled', 'Stop');
	await page.context().close();
	await page2.context().close();
});

await story('a ticket', async () => {
	const page = await w.open('#/ticket/2');
	is(await text(page, '.wish strong'), ['holds'], 'Markdown');
	await button(page, 'Edit').click();
	await fill(page, 'Acceptance criteria', '- it adds up\n- `make check`');
	await page.getByLabel('It concerns the whole graph').check();
	await button(page, 'Save').click();
	await until(async () => (await text(page, '.wish li')).length === 2, 'acceptance criteria');
	is(ticket(2).associated_node_ids, ['*'], 'the whole graph');
	await page.locator('#comment').fill('**Hm** <i>no</i>');
	await button(page, 'Comment').click();
	await until(async () => (await text(page, '.comments .prose')).join().includes('Hm <i>no</i>'), 'a comment');
	is(await page.locator('#comment').inputValue(), '', 'and the field is free');
	await page.locator('.side').getByRole('button', { name: 'Add' }).click();
	await fill(page, 'Tickets', '4');
	await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click();
	await until(async () => (await text(page, '.deps a')).includes('#4'), 'it waits for another');
	await button(page, 'No longer wait for ticket 4').click();
	await until(async () => !(await text(page, '.deps a')).includes('#4'), 'and no longer');
	await page.getByLabel('Column').selectOption('done');
	await until(() => ticket(2).column_id === 'done', 'moved by the list');
	is(await axe(page), [], 'axe: the ticket');
	await button(page, 'Remove').click();
	await page.waitForURL(/#\/board\/1/);
	await until(async () => await card(page, 2).count() === 0, 'removed');
	await page.locator('#say').getByRole('button', { name: 'Restore' }).click();
	await card(page, 2).waitFor();
	report(true, 'and restored');
	w.tera('tera-rm', 'ticket', 5);
	await button(page, 'Removed').click();
	is(await axe(page), [], 'axe: what was removed');
	await page.getByRole('dialog').getByRole('button', { name: 'Restore' }).click();
	await until(() => ticket(5).deleted_at === null, 'restored from the list');
	await page.keyboard.press('Escape');
	await page.getByText('Notes (0)').click();
	await button(page, 'New note').click();
	await fill(page, 'Title', 'Style');
	await fill(page, 'Text', 'Tabs');
	await button(page, 'Add').click();
	await page.getByText('Notes (1)').waitFor();
	await page.locator('.notes').getByRole('button', { name: 'Edit' }).click();
	await fill(page, 'Text', 'Spaces');
	await button(page, 'Save').click();
	await until(() => w.tera('tera-ls', 'note')[0].content === 'Spaces', 'a note, changed');
	await page.locator('.notes').getByRole('button', { name: 'Remove' }).click();
	await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
	await page.getByText('Notes (0)').waitFor();
	report(true, 'and removed');
	await page.goto(`${w.url}#/ticket/99`);
	await page.getByText('no such ticket: 99').waitFor();
	report(true, 'a ticket that is not there is said to be not');
	await page.goto(`${w.url}#/nothing`);
	await page.getByText('There is no such page.').waitFor();
	report(true, 'a page, too');
	await page.context().close();
});

await story('hostile text is text', async () => {
	const bad = '<img src=x onerror="document.title=1"><script>document.title=1</script>&amp;"\'';
	const more = `${bad}\n\n[a](javascript:alert(1)) <b>b</b> ![i](http://example.org/i.png)\n\n\`${bad}\`\n\n<div onclick=alert(1)>`;
	w.tera('tera-add', 'project', `name=${bad}`, `description=${bad}`, `repo_url=${bad}`);
	const p = 2;
	const node = (id, label) => ({ id, data: { label } });
	w.verb('graph.set', { project: p, nodes: [node('n', bad), node('m', '\u05d0\u05d1\u05d2 \ud83d\ude80')] });
	w.verb('ticket.add', { project: p, title: bad, description: more, acceptance: more, associated_node_ids: ['n', 'm'] });
	const n = w.tera('tera-ls', 'ticket').at(-1).number;
	w.tera('tera-add', 'ticket', `project=${p}`, `title=\u05e9\u05dc\u05d5\u05dd ${'\ud83d\ude80'.repeat(60)} ${'w'.repeat(150)}`);
	w.verb('comment.add', { ticket: n, body: more, author: bad });
	w.tera('tera-add', 'note', `project=${p}`, `title=${bad}`, `content=${more}`);
	w.tera('sh', '-c', 'tera-json new ticket_id="$1" step="$2" summary="$2" raw_output="$2" | tera-log -', '-', ticket(n).id, bad.slice(0, 100));
	const page = await w.open('', { width: 375 });
	is((await text(page, '.project h2')).at(-1), bad, 'a project');
	is(await wide(page), 0, 'nothing sticks out');
	await page.goto(`${w.url}#/board/${p}`);
	await card(page, n).waitFor();
	is((await text(page, '.card a.title'))[0], bad, 'a card');
	report((await card(page, n).innerText()).includes(bad), 'a component');
	is(await wide(page), 0, 'nothing sticks out, long words neither');
	await page.getByText('Notes (1)').click();
	is((await text(page, '.notes h3'))[0], bad, 'a note');
	await page.goto(`${w.url}#/ticket/${n}`);
	await page.waitForSelector('.ticket');
	await until(async () => await page.locator('.wish .prose:not(.plain)').count() === 2, 'Markdown is there');
	report((await page.innerText('.wish')).includes('<img src=x onerror="document.title=1"><script>'), 'a description');
	is(await page.locator('main img, main script, main b:has-text("b"), main [onclick], main a[href^="javascript"]').count(), 0, 'no element of it');
	is(await page.locator('.wish a[href="http://example.org/i.png"]').count(), 2, 'a picture from elsewhere is a link');
	report((await page.innerText('.comments')).includes(bad), 'a comment');
	is(await wide(page), 0, 'nothing sticks out');
	report((await page.title()).startsWith(`#${n} <img`), 'and nothing ran', await page.title());
	is(await axe(page), [], 'axe: a ticket on a telephone');
	await page.context().close();
});

await story('a project, out and in', async () => {
	const page = await w.open();
	const coming = page.waitForEvent('download');
	await page.locator('.project').first().getByRole('button', { name: 'Export' }).click();
	const file = await (await coming).path();
	const choosing = page.waitForEvent('filechooser');
	await button(page, 'Import').click();
	await (await choosing).setFiles(file);
	await page.waitForURL(/#\/board\/3$/);
	const strip = (t) => [t.title, t.description, t.column_id, t.needs.length];
	const of = (p) => w.tera('tera-ls', '-p', p, 'ticket').map(strip);
	is(of(3), of(1), 'the same tickets');
	await page.goto(w.url);
	await page.locator('.project').nth(2).getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('dialog').getByRole('textbox').fill('shop');
	await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	await until(async () => (await page.locator('dialog .fault').innerText()).includes('not its name'), 'a name must be typed to delete');
	await page.getByRole('dialog').getByRole('textbox').fill('Shop');
	await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	await until(async () => await page.locator('.project').count() === 2, 'deleted');
	await page.getByText('1 deleted project').click();
	await page.locator('.removed').getByRole('button', { name: 'Restore' }).click();
	await until(async () => await page.locator('.project').count() === 3, 'restored');
	await page.locator('.project').first().getByRole('button', { name: 'Edit' }).click();
	await fill(page, 'Description', '');
	await button(page, 'Save').click();
	await until(() => w.tera('tera-show', 'project', 1)[0].description === null, 'a field that is cleared is clear');
	is(await axe(page), [], 'axe: the projects');
	await page.context().close();
});

await story('a thousand tickets', async () => {
	w.tera('tera-add', 'project', 'name=Big', 'repo_url=/r');
	w.tera('sh', '-c', 'awk \'BEGIN { for (i = 0; i < 1000; i++) printf "{\\"project\\":\\"Big\\",\\"title\\":\\"Ticket with a title of some words %d\\",\\"column_id\\":\\"%s\\",\\"description\\":\\"%0200d\\"}\\n", i, i % 10 < 6 ? "backlog" : i % 10 < 8 ? "in_review" : "done", i }\' | tera-add ticket -');
	const page = await w.open();
	let bytes = 0;
	const session = await page.context().newCDPSession(page);
	await session.send('Network.enable');
	await session.send('Network.setCacheDisabled', { cacheDisabled: true });
	session.on('Network.loadingFinished', (e) => (bytes += e.encodedDataLength));
	await page.goto('about:blank');
	bytes = 0;
	await page.goto(`${w.url}#/board/4`);
	await page.waitForFunction(() => document.querySelectorAll('.card').length === 1000);
	const ms = await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now())))));
	await page.waitForTimeout(300);
	console.log(`# painted after ${Math.round(ms)} ms, ${Math.round(bytes / 1024)} KiB came`);
	report(ms < (process.env.SLOW ? 10000 : 3000), 'a board of 1,000 is there soon', `${ms} ms`);
	report(bytes < 300000, 'under 300 KB', bytes);
	await page.waitForSelector('ul.cards[data-armed]');
	await page.evaluate(() => (self.before = document.querySelector('.card')));
	w.tera('tera-move', w.tera('tera-ls', '-p', 'Big', 'ticket')[0].number, 'done');
	await until(async () => (await text(page, '.column[data-column=done] .num')).join() === '201', 'a move is seen');
	await page.context().close();
});

await story('ten thousand lines of log', async () => {
	const [t] = w.tera('tera-ls', '-p', 'Big', 'ticket');
	w.tera('sh', '-c', `awk 'BEGIN { for (i = 0; i < 10000; i++) printf "{\\"ticket_id\\":\\"${t.id}\\",\\"step\\":\\"step_%d\\",\\"summary\\":\\"line %d\\",\\"raw_output\\":\\"x\\"}\\n", i, i }' | tera-log - | tail -n 1`);
	const page = await w.open(`#/ticket/${t.number}`);
	await page.getByText('step 9999').waitFor();
	report(await page.locator('.step').count() < 120, 'only what is visible is in the document', await page.locator('.step').count());
	await page.locator('#run').evaluate((e) => (e.scrollTop = 150000));
	await page.getByText('step 5000', { exact: true }).waitFor();
	report(await page.locator('.step').count() < 120, 'in the middle, too');
	w.tera('sh', '-c', `echo '{"ticket_id":"${t.id}","step":"one_more"}' | tera-log -`);
	await page.waitForTimeout(500);
	is(await page.getByText('one more').count(), 0, 'who reads is not moved');
	await page.context().close();
});

await w.end();
plan();
