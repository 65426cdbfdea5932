// The history and its seal.
import { button, shift, teller, text, wide } from './story.mjs';
import { axe, is, report, until, world } from './world.mjs';

const w = await world();
const story = teller(w);
const bad = '<img src=x onerror="document.title=1">';
const seqs = (page) => page.locator('.event').evaluateAll((all) => all.map((e) => Number(e.dataset.seq)));
const first = (page) => page.locator('.event').first().innerText();
await w.serve();

await story('no history', async () => {
	const page = await w.open();
	await page.keyboard.press('g');
	await page.keyboard.press('e');
	await page.getByText('Nothing has happened yet.').waitFor();
	report(true, 'is said to be none');
	is(await axe(page), [], 'axe: no events');
	w.tera('tera-add', 'project', 'name=Shop', `project_path=${w.dir}`);
	await page.locator('.event').first().waitFor();
	report(/project added\s+Shop[\s\S]*tester/.test(await page.innerText('#events')), 'what happens is there at once, and who did it', await page.innerText('#events'));
	await page.context().close();
});

w.tera('tera-add', 'project', `name=${bad}`, `project_path=${w.dir}`);
w.tera('tera-add', 'ticket', 'project=1', `title=${bad}`);
w.tera('tera-add', 'ticket', 'project=2', 'title=Else');
w.verb('comment.add', { ticket: 1, author: 'ada', body: `${bad} needle ${'w'.repeat(6000)}` });
w.tera('tera-move', 1, 'in_progress');

await story('the history', async () => {
	const page = await w.open('#/events');
	await until(async () => (await text(page, '.seal')).join().includes('The chain holds:'), 'the seal is checked');
	report((await page.innerText('.seal')).includes(w.tera('tera-audit')[0].head.slice(0, 16)), 'with the head that tera-audit says');
	const now = await seqs(page);
	is(now, [...now].sort((a, b) => b - a), 'the newest is first');
	report((await page.innerText('#events')).includes(bad), 'titles and words are text');
	is(await page.locator('main img').count(), 0, 'all of them');
	is(await shift(page), 0, 'nothing moves');
	is(await axe(page), [], 'axe: events');
	await page.getByLabel('What').selectOption('comment');
	await until(async () => /comment added/.test(await first(page)) && (await seqs(page)).length === 1, 'by noun');
	await page.locator('.event button').click();
	const pre = await page.innerText('.event pre');
	report(pre.includes(`"…": `) && /seal {2}[0-9a-f]{64}/.test(pre), 'the whole of one, with its seal', pre.slice(-300));
	is(await axe(page), [], 'axe: one open');
	await page.getByLabel('What').selectOption('');
	await page.getByLabel('Project').selectOption(bad);
	await until(async () => !(await page.innerText('#events')).includes('ada') && (await page.innerText('#events')).includes('Else'), 'by project');
	await page.getByLabel('Project').selectOption('');
	await page.keyboard.press('/');
	await page.keyboard.type('NEEDLE');
	await until(async () => (await seqs(page)).length === 1 && /comment added/.test(await first(page)), 'by words');
	w.tera('tera-add', 'ticket', 'project=1', 'title=Unseen');
	w.tera('tera-add', 'ticket', 'project=1', 'title=Another needle');
	await until(async () => (await seqs(page)).length === 2, 'what comes is filtered, too');
	await page.keyboard.type('x');
	await page.getByText('No event fits the filter.').waitFor();
	report(true, 'and it is said where nothing fits');
	await page.keyboard.press('Escape');
	await until(async () => (await seqs(page)).length > 2, 'Escape: all again');
	const to = async (row, hash, what) => {
		await page.goto(`${w.url}#/events`);
		await page.locator('.event').filter({ hasText: row }).first().locator('a').click();
		await page.waitForURL((url) => url.hash === hash);
		report(true, `jump to ${what}`);
	};
	await to('comment added', '#/ticket/1', 'a ticket');
	await to('job pending', '#/jobs/1', 'a job');
	await to('project added', '#/board/2', 'a board');
	await page.context().close();
});

await story('a long history', async () => {
	const t = w.tera('tera-show', 'ticket', 1)[0];
	w.tera('sh', '-c', `awk 'BEGIN { for (i = 0; i < 3000; i++) printf "{\\"ticket_id\\":\\"${t.id}\\",\\"step\\":\\"step_%d\\"}\\n", i }' | tera-log - | tail -n 1`);
	const page = await w.open('#/events');
	await page.getByText('step: step_2999').waitFor();
	report(await page.locator('.event').count() < 80, 'what is visible is in the document', await page.locator('.event').count());
	await page.locator('#events').hover();
	for (let i = 0; i < 400 && !(await seqs(page)).includes(1); i++) await page.mouse.wheel(0, 4000);
	await until(async () => (await seqs(page)).includes(1), 'scrolled back to the first of all');
	report(await page.locator('.event').count() < 80, 'in the middle, too');
	await page.locator('#events').evaluate((e) => (e.scrollTop = 30000));
	await until(async () => (await page.locator('.event').first().count()) && !(await page.innerText('#events')).includes('step_2999'), 'in the middle');
	await page.waitForTimeout(200);
	const place = () => page.evaluate(() => {
		const box = document.getElementById('events').getBoundingClientRect();
		const at = document.elementFromPoint(box.left + 400, box.top + 200).closest('.event');
		return [at.dataset.seq, Math.round(at.getBoundingClientRect().top)];
	});
	const before = await place(), all = Number((await text(page, 'main > .hint')).join().match(/^\d+/)[0]);
	w.tera('tera-add', 'ticket', 'project=1', 'title=New');
	await until(async () => Number((await text(page, 'main > .hint')).join().match(/^\d+/)[0]) > all, 'something happens');
	is(await place(), before, 'who reads is not moved');
	await page.keyboard.press('t');
	await until(async () => /New/.test(await first(page)), 't: to the newest');
	await page.context().close();
});

await story('a chain that was broken', async () => {
	const page = await w.open('#/events', { width: 375, dark: true });
	is(await wide(page), 0, 'nothing sticks out of 375 pixels');
	is(await axe(page), [], 'axe: in the dark');
	// as one who owns the file can
	w.tera('sqlite3', 'tera.db', 'DROP TRIGGER event_stays; UPDATE event SET data = replace(data, \'Else\', \'Elsa\') WHERE data LIKE \'%Else%\'');
	const [seq] = w.tera('sqlite3', 'tera.db', 'SELECT min(seq) FROM event WHERE data LIKE \'%Elsa%\'');
	await button(page, 'Check the seal').click();
	await until(async () => (await text(page, '.seal .fault')).join().includes(`event ${seq} was altered`), 'what was altered is named');
	is(await axe(page), [], 'axe: a broken chain');
	is(await wide(page), 0, 'and nothing sticks out');
	w.tera('sqlite3', 'tera.db', `INSERT INTO event(noun, what, data) VALUES ('ticket', 'forged', '{}')`);
	w.tera('tera-add', 'ticket', 'project=1', 'title=After');
	await page.setViewportSize({ width: 1280, height: 800 });
	await until(async () => /ticket forged[\s\S]*late/.test(await page.innerText('#events')), 'what another program wrote is marked');
	await page.context().close();
});

await w.end();
