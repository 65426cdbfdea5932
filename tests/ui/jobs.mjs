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
	await until(async () => (await text(page, '.chart figcaption')).some((t) => /Cost\s+\$1.25/.test(t)), 'the day: cost');
	is((await text(page, '.chart figcaption')).map((t) => t.replace(/\s+/g, ' ')), ['Attempts 2', 'Tests 1', 'Tokens 5.5k', 'Cost $1.25'], 'the day');
	const plot = page.locator('tera-chart').first(), over = await plot.locator('.u-over').boundingBox();
	is(await plot.getAttribute('aria-label'), 'Attempts in the last day: 2, at most 2 an hour', 'in words');
	await page.mouse.move(over.x + over.width - 4, over.y + 20);
	await until(async () => /other\s*1\s*failed\s*1\s*done\s*0/.test(await plot.innerText()), 'the hour under the mouse');
	report(/cost\s*\$1\.25/.test(await page.locator('tera-chart').last().innerText()), 'in all charts', await page.locator('tera-chart').last().innerText());
	is(await page.locator('tera-chart canvas').evaluateAll((all) => all.map((c) => {
		const { data } = c.getContext('2d').getImageData(0, 0, c.width, c.height);
		let bad = 0;
		for (let i = 0; i < data.length; i += 4) bad += data[i] === 0xb3 && data[i + 1] === 0x20 && data[i + 2] === 0x2c;
		return bad > 100;
	})), [true, true, false, false], 'and its bars');
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

await story('who works, and on what', async () => {
	const page = await w.open('#/jobs');
	w.tera('tera-add', 'ticket', 'project=1', `title=Watched ${bad}`);
	w.tera('tera-move', 5, 'in_progress');
	w.tera('sh', '-c', 'for n in 1 2 3 4; do tera-cancel $n 2>/dev/null; done; true');
	const [mine] = w.verb('job.claim', { worker: 'host-c', lease_seconds: 600 });
	const worker = page.locator('.workers li').filter({ hasText: 'host-c' });
	await until(async () => (await worker.innerText()).includes(`#5 Watched ${bad}`), 'a worker has its job');
	report((await text(page, '.workers li')).some((t) => /host-b[\s\S]*idle, job \d+ ended[\s\S]*1 failed/.test(t)), 'another is idle', (await text(page, '.workers li')).join('|'));
	const titles = () => text(page, 'td.what > a');
	await page.keyboard.press('/');
	await page.keyboard.type('watched');
	await until(async () => (await titles()).join() === `#5 Watched ${bad}`, 'filter by words');
	report((await text(page, '.none')).includes('None that fits the filter.'), 'and it is said where nothing fits');
	await page.keyboard.press('Escape');
	await page.getByLabel('State').selectOption('failed');
	await until(async () => (await text(page, 'td.what + td .state.failed')).length === (await titles()).length, 'by state');
	await page.getByLabel('State').selectOption('');
	await button(page, 'host-c').click();
	await until(async () => (await titles()).length === 1, 'by worker');
	await page.keyboard.press('x');
	await until(async () => (await titles()).length > 1, 'x: all again');

	await row(page, mine.number).getByLabel(`Log of job ${mine.number}`).click();
	await page.getByText('Nothing is written yet.').waitFor();
	report(true, 'a log that is empty yet');
	const log = (step, raw = 'x') => w.tera('sh', '-c', 'tera-json new job_id="$1" fence:="$2" step="$3" summary="sum of $3" raw_output="$4" | tera-log -', '-', mine.job_id, mine.fence, step, raw);
	log('worker_turn_1', `out ${bad}`);
	await page.locator('#tail').getByText('Worker, turn 1', { exact: true }).waitFor();
	report(true, 'its log comes as it is written');
	await button(page, 'Output of Worker, turn 1: 42 characters ▾').click();
	is((await page.locator('#tail pre').innerText()), `out ${bad}`, 'output is text');
	is(await axe(page), [], 'axe: a log');
	await w.stop();
	log('worker_turn_2');
	await w.serve();
	await page.locator('#tail').getByText('Worker, turn 2', { exact: true }).waitFor();
	is(await page.locator('#tail .step').count(), 2, 'a server that was away: nothing is lost, nothing twice');
	w.tera('sh', '-c', `awk 'BEGIN { for (i = 0; i < 3000; i++) printf "{\\"job_id\\":\\"${mine.job_id}\\",\\"fence\\":${mine.fence},\\"step\\":\\"step_%d\\"}\\n", i }' | tera-log - | tail -n 1`);
	await until(async () => await page.locator('#tail .step').count() > 10, 'who reads is not moved');
	await page.locator('#tail').evaluate((e) => (e.scrollTop = e.scrollHeight));
	await page.locator('#tail').getByText('step 2999', { exact: true }).waitFor();
	report(await page.locator('#tail .step').count() < 120, 'of thousands of lines what is visible is in the document');
	w.verb('job.finish', { job_id: mine.job_id, fence: mine.fence, outcome: 'completed', turns: 2 });
	await until(async () => /Attempt 1\s+host-c\s+done/.test(await page.innerText('.jobs.one')), 'its end');
	await page.getByLabel(`Close the log of job ${mine.number}`).click();
	await until(async () => await page.locator('.jobs.one').count() === 0, 'and the log is closed');
	await page.goto(`${w.url}#/jobs/99`);
	await page.getByText('no such job: 99').waitFor();
	report(true, 'a job that is not there');
	await page.context().close();
	const narrow = await w.open(`#/jobs/${mine.number}`, { width: 375, dark: true });
	await narrow.locator('#tail .step').first().waitFor();
	is(await wide(narrow), 0, 'nothing sticks out of 375 pixels');
	is(await shift(narrow), 0, 'nothing moves when the log comes');
	is(await axe(narrow), [], 'axe: a log in the dark');
	await narrow.context().close();
});

await w.end();
