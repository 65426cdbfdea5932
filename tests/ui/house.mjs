// The house: what all pages have in common.
import { button, card, fill, in_column, teller, text, wide } from './story.mjs';
import { axe, is, report, until, world } from './world.mjs';

const w = await world();
const story = teller(w);
const ticket = (number) => w.tera('tera-show', 'ticket', number)[0];
w.tera('tera-add', 'project', 'name=Shop');
w.tera('tera-add', 'ticket', 'project=1', 'title=A cart');
await w.serve();

await story('without JavaScript', async () => {
	const page = await w.open('', { js: false });
	report((await page.innerText('body')).includes('tera-board'), 'the page says so, and where the board is');
	await page.context().close();
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
	await card(page, 2).waitFor();
	report(true, 'back, it catches up');
	await page.getByText('The server is away').waitFor({ state: 'detached' });
	is(await page.getByRole('dialog').getByLabel('Title').inputValue(), 'Typed in the dark', 'nothing that was typed is lost');
	await button(page, 'Add').click();
	await card(page, 3).waitFor();
	is(w.tera('tera-ls', 'ticket').filter((t) => t.title === 'Typed in the dark').length, 1, 'and it is there once');
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

await story('addresses', async () => {
	const page = await w.open('#/ticket/99');
	await page.getByText('no such ticket: 99').waitFor();
	report(true, 'a ticket that is not there is said to be not');
	await page.goto(`${w.url}#/board/99`);
	await page.getByText('no such project: 99').waitFor();
	report(true, 'a project');
	await page.goto(`${w.url}#/nothing`);
	await page.getByText('There is no such page.').waitFor();
	report(true, 'a page, too');
	await page.goto(`${w.url}#/board/1`);
	await card(page, 1).waitFor();
	await page.goBack();
	await page.getByText('There is no such page.').waitFor();
	await page.goForward();
	await card(page, 1).waitFor();
	report(true, 'back and forward');
	await page.context().close();
});

// the last: from here on a token is wanted
await story('who is logged in', async () => {
	const nobody = await w.open('#/board/1');
	await card(nobody, 1).waitFor();
	await nobody.waitForTimeout(300);
	is(await button(nobody, 'Log out').count(), 0, 'who needs no key has nothing to log out of');
	await nobody.context().close();
	w.tera('tera-token', 'add', 'boss', 'role=admin');
	const [{ token }] = w.tera('tera-token', 'add', 'ada', 'role=write');
	const page = await w.open('login', { bare: true });
	await page.getByLabel('Token').fill(token);
	await button(page, 'Log in').click();
	await button(page, 'Log out').waitFor();
	is(await text(page, '.who span'), ['ada'], 'the bar says who');
	is(await axe(page), [], 'axe: the bar');
	await page.setViewportSize({ width: 375, height: 700 });
	await page.goto(`${w.url}#/board/1`);
	await card(page, 1).waitFor();
	is(await wide(page), 0, 'nothing sticks out of 375 pixels');
	await button(page, 'Log out').click();
	await page.getByLabel('Token').waitFor();
	await page.goto(w.url);
	await page.getByLabel('Token').waitFor();
	report(true, 'out is out');
	await page.context().close();
});

await story('who may only look', async () => {
	const [{ token }] = w.tera('tera-token', 'add', 'eve', 'role=read');
	const page = await w.open('login', { bare: true });
	await page.getByLabel('Token').fill(token);
	await button(page, 'Log in').click();
	await button(page, 'Log out').waitFor();
	await page.goto(`${w.url}#/board/1`);
	await card(page, 1).waitFor();
	const no = 'token eve may not do that';
	await page.locator('.card[data-number="1"] a.title').focus();
	for (const key of [' ', 'ArrowRight', 'ArrowRight', ' ']) await page.keyboard.press(key);
	await until(async () => (await card(page, 1).innerText()).includes(no), 'a move is refused, in the words of the server');
	is(await in_column(page, 1), ticket(1).column_id, 'and the card is back');
	await page.goto(`${w.url}#/ticket/1`);
	await page.getByLabel('Column', { exact: true }).selectOption('done');
	await until(async () => (await text(page, '.ticket .fault')).join().includes(no), 'so on the ticket');
	is(await page.getByLabel('Column', { exact: true }).inputValue(), ticket(1).column_id, 'and the list says where it is');
	await page.locator('#comment').fill('Hm');
	await button(page, 'Comment').click();
	await until(async () => (await page.innerText('#say')).includes(no), 'a comment is refused');
	is(await page.locator('#comment').inputValue(), 'Hm', 'and not lost');
	await page.locator('.head').getByRole('button', { name: 'Remove' }).click();
	await until(async () => (await page.locator('#say .bad').count()) === 2, 'what is not removed');
	is(await page.evaluate(() => location.hash), '#/ticket/1', 'is still shown');
	await button(page, 'Edit').click();
	await fill(page, 'Title', 'Mine');
	await button(page, 'Save').click();
	await until(async () => (await page.locator('dialog .fault').innerText()).includes(no), 'a change is refused');
	await page.keyboard.press('Escape');
	is((await page.innerText('h1')), `#1 ${ticket(1).title}`, 'and not shown as made');
	await page.context().close();
});

await w.end();
