// Pull requests that wait for a person.
import { button, fill, shift, teller, text, wide } from './story.mjs';
import { axe, is, report, until, world } from './world.mjs';

const w = await world();
const story = teller(w);
const sh = (script, ...args) => w.tera('sh', '-ec', script, '-', ...args);
const bad = '<img src=x onerror="document.title=1">';
w.tera('tera-add', 'project', 'name=Shop', `repo_url=${w.dir}/remote.git`);
w.tera('tera-add', 'project', `name=${bad}`, `repo_url=${w.dir}/remote.git`);
for (const [p, title] of [[1, 'A cart'], [1, bad], [2, 'Else'], [1, 'In the way']]) w.tera('tera-add', 'ticket', `project=${p}`, `title=${title}`, 'column_id=in_review');
const ticket = (n) => w.tera('tera-show', 'ticket', n)[0];
const pr = (n) => w.tera('tera-pr', 'show', n)[0];
const jobs = () => w.tera('tera-ls', 'job');
await w.serve();

await story('nothing waits', async () => {
	const page = await w.open();
	await page.keyboard.press('g');
	await page.keyboard.press('r');
	await page.getByText('No pull request waits. A job that ends well').waitFor();
	report(true, 'and it is said how one comes');
	is(await axe(page), [], 'axe: no pull requests');
	await page.context().close();
});

sh(`git init -q --bare -b main remote.git
	git clone -q remote.git work 2>/dev/null && cd work && git checkout -q -b main
	printf 'int main(void)\\n{\\n\\treturn 0;\\n}\\n' >cart.c && git add . && git commit -qm first && git push -q origin main`);
// what a job would have pushed
const open = (n, c, more = {}) => {
	const t = ticket(n), head_branch = `ticket-${t.id}`;
	sh(`cd work && git checkout -q -b "$1" main && printf 'int main(void)\\n{\\n\\treturn %s;\\n}\\n' "$2" >cart.c &&
		mkdir -p tests && printf 'it("adds up", f)\\n' >"tests/cart$2.test.js" && git add . && git commit -qm "return $2 $3" && git push -q origin "$1"`, head_branch, c, bad);
	const [head_oid] = sh('git -C work rev-parse HEAD'), [base_oid] = sh('git -C work rev-parse main');
	w.verb('pr.open', { ticket_id: t.id, title: t.title, body: 'It **adds** up.', source: `${w.dir}/remote.git`, head_branch, base_branch: 'main',
		head_oid, base_oid, verify: { verdict: 'pass', command: 'make check', output: `ok 1\n${bad}` }, ...more });
};
const items = (page) => text(page, '.pulls .title');
const one = (page) => page.innerText('article.pull');

await story('what waits', async () => {
	const page = await w.open('#/review');
	open(1, 1);
	open(2, 2, { body: bad, verify: { verdict: 'fail', command: bad } });
	open(3, 3);
	await until(async () => (await items(page)).length === 3, 'pull requests come by themselves');
	is((await items(page))[1], `2 ${bad}`, 'a title is text');
	is(await shift(page), 0, 'nothing moves');
	is(await axe(page), [], 'axe: what waits');
	await page.getByLabel('Project').selectOption(bad);
	await until(async () => (await items(page)).join() === '3 Else', 'of one project');
	await page.getByLabel('Project').selectOption('');
	await until(async () => (await items(page)).length === 3, 'of all');
	await page.keyboard.press('j');
	await until(async () => (await page.innerText('h1')) === '1 A cart', 'one is chosen by a key');
	await until(async () => (await page.innerText('section[aria-label=Commits]')).includes(`return 1 ${bad}`), 'its commits');
	report(/cart1\.test\.js\s+adds up/.test(await page.innerText('section[aria-label=Commits]')), 'the tests that it brings');
	report(/tests pass\s+make check/.test(await page.innerText('section[aria-label=Proof]')), 'what was proved');
	await page.getByText('Output', { exact: true }).click();
	report((await page.innerText('section[aria-label=Proof] pre')).includes(bad), 'with its output');
	is(await text(page, '.prose strong'), ['adds'], 'the summary');
	is(await text(page, '.diff tr.plus td.code'), ['\treturn 1;', 'it("adds up", f)'], 'the diff');
	is(await axe(page), [], 'axe: a pull request');
	await page.keyboard.press('s');
	await until(async () => (await text(page, '.diff.side td.code.plus'))[0] === '\treturn 1;', 'side by side, by a key');
	is(await axe(page), [], 'axe: side by side');
	await page.keyboard.press('j');
	await until(async () => (await page.innerText('h1')) === `2 ${bad}`, 'j: the next');
	await until(async () => await page.locator('.diff.side').count() > 0, 'is side by side, too');
	is(await page.locator('main img').count(), 0, 'all of it is text');
	await button(page, 'Unified').click();
	await page.keyboard.press('k');
	await until(async () => (await page.innerText('h1')) === '1 A cart', 'k: the one before');
	await page.context().close();
});

await story('a review', async () => {
	const page = await w.open('#/review/1');
	await button(page, 'Comment on line 3 of cart.c').click();
	await button(page, 'Send').click();
	report((await page.locator('.diff .write .fault').innerText()).startsWith('What should be different'), 'an empty comment is none');
	await page.getByLabel('What should be different in line 3').fill(`Why 1? ${bad}`);
	await button(page, 'Send').click();
	await page.locator('.diff .said').waitFor();
	is((await text(page, '.diff .said .prose')).join(), `Why 1? ${bad}`, 'a comment stands on its line');
	await until(async () => (await page.innerText('.comments')).includes('cart.c:3'), 'and in the conversation');
	is([jobs().at(-1).kind, jobs().at(-1).comment_line], ['review', 3], 'a review job is queued');
	await until(async () => (await one(page)).includes('waits for an agent'), 'it is an agent\'s turn');
	await until(async () => (await items(page)).at(-1) === '1 A cart', 'so it is below what waits for a person');
	w.tera('tera-cancel', jobs().at(-1).number);
	await until(async () => (await one(page)).includes('waits for you'), 'and a person\'s again');
	await button(page, 'Approve').click();
	await until(() => pr(1).approved_by, 'approved');
	await until(async () => (await one(page)).includes('approved by'), 'and seen');
	await page.keyboard.press('c');
	await fill(page, 'What should be different', 'Everything');
	await button(page, 'Send').click();
	await until(() => !pr(1).approved_by && jobs().at(-1).state === 'pending', 'changes are asked for');
	w.tera('tera-cancel', jobs().at(-1).number);
	// somebody pushes meanwhile: what was not looked at is not merged
	sh(`cd work && git checkout -q "$1" && echo more >more.txt && git add . && git commit -qm more && git push -q origin "$1"`, pr(1).head_branch);
	await page.keyboard.press('m');
	await page.getByRole('dialog').getByRole('button', { name: 'Merge' }).click();
	await until(async () => /head|look/.test(await page.locator('dialog .fault').innerText()), 'a head that nobody saw is not merged');
	console.log(`# ${await page.locator('dialog .fault').innerText()}`);
	await page.keyboard.press('Escape');
	await button(page, 'Look again').click();
	await until(async () => (await text(page, '.diff tr.plus td.code')).includes('more'), 'it is in the diff now');
	await page.keyboard.press('m');
	await page.getByLabel('How', { exact: true }).selectOption('squash');
	await page.getByRole('dialog').getByRole('button', { name: 'Merge' }).click();
	await until(() => ticket(1).column_id === 'done', 'merged, and the ticket done');
	await until(async () => !(await items(page)).includes('1 A cart'), 'it waits no more');
	is(sh('git -C remote.git log --format=%s main | wc -l'), ['2'], 'squashed');
	await page.goto(`${w.url}#/review/2`);
	await until(async () => (await page.innerText('h1')) === `2 ${bad}` && await page.locator('.diff').count() > 0, 'the next');
	await page.keyboard.press('m');
	await page.getByRole('dialog').getByRole('button', { name: 'Merge' }).click();
	await until(async () => (await page.locator('dialog .fault').innerText()).includes('cart.c'), 'a conflict is said, with its paths');
	console.log(`# ${await page.locator('dialog .fault').innerText()}`);
	is(await axe(page), [], 'axe: a refusal');
	await page.keyboard.press('Escape');
	await button(page, 'Close').last().click();
	await button(page, 'Close it').click();
	await until(() => pr(2).state === 'closed', 'closed');
	await until(async () => await button(page, 'Approve').count() === 0, 'nothing is left to do');
	await page.goto(`${w.url}#/review`);
	await page.getByLabel('State').selectOption('closed');
	await until(async () => (await items(page)).join() === `2 ${bad}`, 'the closed ones');
	await page.getByLabel('State').selectOption('merged');
	await until(async () => (await items(page)).join() === '1 A cart', 'the merged ones');
	await page.context().close();
});

await story('a forge, a repository that is gone, a telephone', async () => {
	open(4, 4, { forge: 'github', pr_number: 7, pr_url: 'https://example.org/7', body: `${bad} ${'w'.repeat(200)}` });
	const page = await w.open('#/review', { width: 375, dark: true });
	is(await wide(page), 0, 'nothing sticks out of the list');
	is(await axe(page), [], 'axe: the list in the dark');
	await page.getByText('In the way').click();
	await page.getByText('It lives on github').waitFor();
	report(true, 'who decides is said');
	is(await page.locator('article .acts').count(), 0, 'and nothing can be done here');
	await until(async () => await page.locator('.diff').count() > 0, 'the diff is here');
	is(await wide(page), 0, 'nothing sticks out of 375 pixels');
	is(await axe(page), [], 'axe: one in the dark');
	await page.getByText('All pull requests').click();
	await until(async () => (await items(page)).length === 2, 'and back');
	sh('mv remote.git gone.git; mv state state.gone'); // the mirror, too
	await page.goto(`${w.url}#/review/3`);
	await page.locator('article .fault').first().waitFor();
	report((await page.innerText('article .fault')).length > 10, 'a remote that is gone is said', await page.innerText('article'));
	sh('mv gone.git remote.git');
	await button(page, 'Try again').click();
	await until(async () => await page.locator('.diff').count() > 0, 'and tried again');
	await page.goto(`${w.url}#/review/99`);
	await page.getByText('no such pull request: 99').waitFor();
	report(true, 'one that is not there');
	await page.context().close();
});

await w.end();
