// The queue.
import { button, shift, teller, text, wide } from './story.mjs';
import { axe, is, report, until, world } from './world.mjs';

const w = await world();
const story = teller(w);
w.tera('tera-add', 'project', 'name=Shop', `project_path=${w.dir}`);
w.tera('tera-add', 'project', 'name=Other', `project_path=${w.dir}`);
const bad = '<img src=x onerror="document.title=1">';
for (const title of ['A cart', bad, 'Mail a receipt']) w.tera('tera-add', 'ticket', 'project=1', `title=${title}`);
w.tera('tera-add', 'ticket', 'project=2', 'title=Else');
await w.serve();

const row = (page, number) => page.locator(`tr[data-job="${number}"]`);
const in_group = (page, number) => row(page, number).evaluate((r) => r.closest('section').getAttribute('aria-labelledby'));
const job = (number) => w.tera('tera-show', 'job', number)[0];

await story('an empty queue', async () => {
	const page = await w.open('#/jobs');
	is((await text(page, '.none'))[1].startsWith('Nothing waits. A ticket'), true, 'says how something comes into it');
	is(await axe(page), [], 'axe: no jobs');
	await page.context().close();
});

await story('the queue', async () => {
	const page = await w.open();
	await page.keyboard.press('g');
	await page.keyboard.press('j');
	await page.getByRole('heading', { name: 'Waiting' }).waitFor();
	for (const n of [1, 2, 3, 4]) w.tera('tera-move', n, 'in_progress');
	await row(page, 4).waitFor();
	is((await text(page, 'td.what > a'))[1], `#2 ${bad}`, 'what is queued comes by itself, and is text');
	await button(page, 'Raise the priority of job 3').click();
	await until(() => job(3).priority === 1, 'a priority is raised');
	await until(async () => (await text(page, 'td.what > a'))[0] === '#3 Mail a receipt', 'and the queue is so');
	const [first] = w.verb('job.claim', { worker: 'host-a', lease_seconds: 600 });
	await until(async () => (await in_group(page, 3)) === 'h-running', 'who claims it is seen');
	report(/host-a[\s\S]*lease (9|10) min more/.test(await row(page, 3).innerText()), 'with its lease', await row(page, 3).innerText());
	await button(page, 'Pause job 3').click();
	await until(() => job(3).stop === 'pause', 'Pause is asked for');
	await until(async () => (await row(page, 3).innerText()).includes('pausing'), 'and said');
	w.verb('job.finish', { job_id: first.job_id, fence: first.fence, outcome: 'paused' });
	await button(page, 'Resume job 3').click();
	await until(() => job(3).state === 'pending', 'Resume');
	await button(page, 'Cancel job 2').click();
	await until(async () => (await in_group(page, 2)) === 'h-ended', 'Cancel');
	await button(page, 'Retry job 2').click();
	await until(() => job(2).state === 'pending', 'Retry');
	const [next] = w.verb('job.claim', { worker: 'host-b' });
	w.verb('job.finish', { job_id: next.job_id, fence: next.fence, outcome: 'failed', reason: 'budget', message: 'no money left', turns: 4, usage: { input_tokens: 5000, output_tokens: 500, cost_usd: 1.25 }, verify: { verdict: 'fail' } });
	await until(async () => /failed\s+budget[\s\S]*no money left/.test(await row(page, next.number).innerText()), 'why one failed');
	report(/took (\d+ ms|\d+\.\d s)/.test(await row(page, next.number).innerText()), 'and how long it took, as on the ticket');
	await until(async () => (await text(page, '.bars figcaption')).some((t) => /Cost\s+\$1.25/.test(t)), 'the day: cost');
	is((await text(page, '.bars figcaption')).map((t) => t.replace(/\s+/g, ' ')), ['Attempts 2', 'Tests 1', 'Tokens 5.5k', 'Cost $1.25'], 'the day');
	is(await page.locator('.bars rect.bad').count(), 2, 'and its bars');
	is(await axe(page), [], 'axe: jobs');
	const edges = await page.evaluate(() => [...document.querySelectorAll('.jobs table')].map((t) => [...t.querySelectorAll('th')].map((h) => Math.round(h.getBoundingClientRect().left)).join()));
	is([edges.length > 1, new Set(edges).size], [true, 1], 'the columns of all groups line up');
	await page.getByLabel('Project').selectOption('Other');
	await until(async () => (await text(page, 'td.what > a')).join() === '#4 Else', 'of one project');
	await page.context().close();
	const narrow = await w.open('#/jobs', { width: 375, dark: true });
	is(await wide(narrow), 0, 'nothing sticks out of 375 pixels');
	for (const width of [390, 1000]) {
		await narrow.setViewportSize({ width, height: 800 });
		is(await narrow.evaluate(() => [...document.querySelectorAll('.jobs .scroll')].map((b) => b.scrollWidth - b.clientWidth).filter(Boolean)), [], `nothing is cut off at ${width}`);
	}
	is(await shift(narrow), 0, 'nothing moves');
	is(await axe(narrow), [], 'axe: in the dark');
	await narrow.context().close();
});

await w.end();
