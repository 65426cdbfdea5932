// Pull requests, and the whole demo as it is seen in a browser.
import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { button, card, fill, teller, text } from './story.mjs';
import { axe, is, report, top, until, world } from './world.mjs';

const w = await world();
const story = teller(w);
const sh = (script, ...args) => w.tera('sh', '-ec', script, '-', ...args);
w.tera('tera-add', 'project', 'name=Shop', `repo_url=${w.dir}/remote.git`);
w.tera('tera-add', 'ticket', 'project=1', 'title=A cart', 'column_id=in_review');
const ticket = () => w.tera('tera-show', 'ticket', 1)[0];
const branch = `ticket-${ticket().id}`;
sh(`git init -q --bare -b main remote.git
	git clone -q remote.git work 2>/dev/null && cd work && git checkout -q -b main
	printf 'int main(void)\\n{\\n\\treturn 0;\\n}\\n' >cart.c && git add . && git commit -qm first && git push -q origin main
	git checkout -q -b "$1" && printf 'int main(void)\\n{\\n\\treturn 1 < 2; /* <b> */\\n}\\n' >cart.c && echo new >new.txt
	git add . && git commit -qm second && git push -q origin "$1"`, branch);
const [head_oid] = sh('git -C work rev-parse HEAD'), [base_oid] = sh('git -C work rev-parse main');
w.verb('pr.open', { ticket_id: ticket().id, title: 'A cart', body: 'It **adds** up.', source: `${w.dir}/remote.git`, head_branch: branch,
	base_branch: 'main', head_oid, base_oid, verify: { verdict: 'pass', command: 'make check' } });
await w.serve();

await story('a pull request', async () => {
	const page = await w.open('#/ticket/1');
	await button(page, 'Show the diff').click();
	await until(async () => (await page.innerText('section[aria-labelledby=h-diff]')).includes('2 files'), 'the diff');
	is(await text(page, '.diff tr.plus td.code'), ['\treturn 1 < 2; /* <b> */', 'new'], 'what came');
	is(await text(page, '.diff tr.minus td.code'), ['\treturn 0;'], 'what went');
	is(await axe(page), [], 'axe: a diff');
	await button(page, 'Side by side').click();
	await until(async () => (await text(page, '.diff.side td.code.plus'))[0] === '\treturn 1 < 2; /* <b> */', 'side by side');
	is(await axe(page), [], 'axe: and so');
	await button(page, 'Comment on line 3 of cart.c').click();
	const write = page.locator('.diff .write');
	await write.waitFor();
	is(await page.getByRole('dialog').count(), 0, 'one writes below the line, nothing covers it');
	await page.waitForFunction(() => document.activeElement.id === 'line-comment');
	is(await axe(page), [], 'axe: writing there');
	await page.keyboard.press('Escape');
	await page.waitForFunction(() => document.activeElement.textContent === '3');
	report(true, 'Escape leaves it, back to the line');
	await button(page, 'Comment on line 3 of cart.c').click();
	await page.getByLabel('What should be different in line 3').fill('Why **1**?');
	await button(page, 'Send').click();
	await page.locator('.diff .said').waitFor();
	is(await write.count(), 0, 'it goes when it is sent');
	is((await text(page, '.diff .said .prose strong')).join(), '1', 'its Markdown is drawn there, too');
	is((await text(page, '.diff .said .prose')).join(), 'Why 1?', 'a comment on a line stands there');
	await until(() => w.tera('tera-ls', 'job').at(-1)?.comment_line === 3, 'and queues a review');
	await until(async () => (await page.innerText('#run')).includes('review job'), 'which is seen');
	await button(page, 'Stop').click();
	await until(() => w.tera('tera-ls', 'job').at(-1).state === 'cancelled', 'it can be stopped');
	const board = await w.open('#/board/1');
	await card(board, 1).hover();
	await button(board, 'Approve ticket 1').click();
	await until(async () => (await card(board, 1).innerText()).includes('approved'), 'approved on the board');
	await until(async () => (await page.innerText('.pull')).includes('approved by'), 'and the ticket has seen it');
	await button(page, 'Ask for changes').click();
	await fill(page, 'What should be different', 'Everything');
	await button(page, 'Send').click();
	await until(async () => !(await page.innerText('.pull')).includes('approved by'), 'changes asked for: no longer approved');
	await until(() => w.tera('tera-ls', 'job').at(-1).state === 'pending', 'a job waits');
	await button(page, 'Stop').click();
	await until(() => w.tera('tera-ls', 'job').at(-1).state === 'cancelled', 'or not');
	await page.locator('.pull').getByRole('button', { name: 'Merge' }).click();
	await page.getByLabel('How', { exact: true }).waitFor();
	await page.keyboard.press('Escape');
	const head = (name) => page.locator('.head').getByRole('button', { name, exact: true });
	const place = await head('Approve').boundingBox();
	const click = () => page.mouse.click(place.x + place.width / 2, place.y + place.height / 2);
	await click();
	await head('Merge').waitFor();
	await click();
	await page.getByLabel('How', { exact: true }).waitFor();
	is([ticket().column_id, sh('git -C remote.git log --format=%s main | wc -l')], ['in_review', ['1']], 'a second click where Approve was merges nothing: it asks');
	await page.getByLabel('How', { exact: true }).selectOption('squash');
	await page.getByRole('dialog').getByRole('button', { name: 'Merge' }).click();
	await until(() => ticket().column_id === 'done', 'merged, and done');
	await until(async () => (await page.innerText('.pull')).includes('merged'), 'and the page says so');
	is(sh('git -C remote.git log --format=%s main | wc -l'), ['2'], 'squashed on the remote');
	await page.context().close();
	await board.context().close();
});

await story('closed, not merged', async () => {
	const [t] = w.tera('tera-add', 'ticket', 'project=1', 'title=As imported', 'column_id=in_review');
	const [pr] = w.verb('pr.open', { ticket_id: t.id, title: 'x', source: `${w.dir}/remote.git`, head_branch: `ticket-${t.id}`, base_branch: 'main', head_oid, base_oid });
	w.verb('pr.close', { pr: pr.id });
	w.tera('tera-move', t.number, 'done');
	const page = await w.open('#/board/1');
	const colour = (selector) => page.locator(selector).first().evaluate((e) => getComputedStyle(e).color);
	const [closed, dim] = [await colour(`.card[data-number="${t.number}"] .state.closed`), await colour('.card .number')];
	is(closed, dim, 'of a ticket that is done: no alarm');
	await page.context().close();
});

await story('the demo, watched', async () => {
	const there = join(w.dir, 'demo');
	mkdirSync(there, { recursive: true });
	const demo = spawn(join(top, 'share/demo/run'), ['-C', there], { stdio: ['ignore', openSync(join(w.dir, 'demo.log'), 'w'), 2], env: { ...process.env, TMPDIR: w.dir } });
	const ended = new Promise((done) => demo.on('exit', done));
	const w2 = await world(there);
	await w2.serve();
	const page = await w2.open('#/board/1');
	const seen = new Set();
	let over = false;
	ended.then(() => (over = true));
	while (!over) {
		for (const line of await text(page, '.card .run')) seen.add(line.replace(/\d+/g, 'N'));
		await new Promise((done) => setTimeout(done, 15));
	}
	is(await ended, 0, 'the demo went well');
	await until(async () => (await text(page, '.column[data-column=in_review] .card')).length === 2, 'the board shows its end');
	console.log(`# seen while it ran: ${[...seen].join(' | ')}`);
	report([...seen].some((s) => s.includes('worker turn N')), 'the turns were seen as they came');
	await page.goto(`${w2.url}#/ticket/3`);
	await until(async () => (await text(page, '.attempt')).length === 2, 'the ticket has its two runs');
	report((await page.innerText('.pull')).includes('answered'), 'and the review with its answer');
	report(!(await page.innerText('.pull')).includes('terarchitect-bot'), 'but not the mark of the agent');
	for (const fault of w2.faults) report(false, 'the browser has nothing to say', fault);
	await w2.end();
});

await w.end();
