// Pictures of all pages, dark and light, wide and narrow: node screenshots.mjs
// DIR.  What they show is made here, and is the same each time but for times.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { end, world } from './world.mjs';

const to = process.argv[2];
mkdirSync(to, { recursive: true });
const w = await world();
const sh = (script, ...args) => w.tera('sh', '-c', script, '-', ...args);
const add = (...args) => w.tera('tera-add', ...args)[0];

// --- what there is to see ---

add('project', 'name=Shop', 'description=A small shop: catalogue, cart, payment. One process, one database.', 'repo_url=git@git.example.org:shop.git', 'max_running=2', 'verify_command=make check');
add('project', 'name=Ledger', 'description=Double-entry bookkeeping in a file.', `project_path=${w.dir}`, 'execution_mode=local');
add('project', 'name=Sketches');
const node = (id, label, type = 'service') => ({ id, type, position: { x: 0, y: 0 }, data: { label, description: '', tech: [], ports: [], security: [] } });
w.verb('graph.set', {
	project: 'Shop',
	nodes: [node('web', 'Web', 'frontend'), node('cart', 'Cart'), node('pay', 'Payment'), node('db', 'Store', 'database'),
		node('mail', 'Outgoing mail', 'queue'), node('post', 'Mailer', 'worker')],
	edges: [['web', 'cart', 'HTTP'], ['cart', 'pay', 'HTTP'], ['cart', 'db', 'SQL'], ['pay', 'mail', 'SQL'], ['mail', 'post'], ['web', 'db', 'SQL']]
		.map(([source, target, protocol], i) => ({ id: `e${i}`, source, target, data: protocol ? { protocol } : {} })),
});
w.verb('board.set', { project: 'Shop', columns: w.verb('board.show', { project: 'Shop' })[0].columns.map((c) => (c.id === 'in_progress' ? { ...c, limit: 3 } : c)) });
const ticket = (title, priority, associated_node_ids, more = {}) => w.verb('ticket.add', { project: 'Shop', title, priority, associated_node_ids, ...more });
ticket('Catalogue with pages', 'medium', ['web', 'db']);
ticket('A cart that survives a restart', 'high', ['cart', 'db'], {
	description: 'The cart is kept **in the store**, not in the session.\n\n- adding a thing twice raises its number\n- a cart lives for 30 days\n\n```sh\ncurl -X POST localhost:8080/cart -d item=7\n```\n',
	acceptance: '- `make check` passes\n- a test restarts the server in the middle',
});
ticket('Pay by card', 'high', ['pay'], { needs: [2] });
ticket('Prices with tax', 'medium', ['cart', 'pay'], { description: 'Each price in the cart says its tax. Rounded once, half to even.' });
ticket('Search in the catalogue', 'low', ['web', 'db', 'cart'], { needs: [1] });
ticket('Mail a receipt', 'medium', ['pay'], { needs: [3, 4] });
ticket('\u05d7\u05e0\u05d5\u05ea \u05d1\u05e2\u05d1\u05e8\u05d9\u05ea \ud83d\uded2', 'low', ['web']);
ticket('Invoices as PDF', 'medium', ['*']);
ticket('Rate limit on login', 'high', ['web']);

const log = (job, ...of) => sh('job=$1 fence=$2; shift 2; tera-json new job_id="$job" fence:="$fence" "$@" | tera-log - >/dev/null', job.job_id, job.fence, ...of);
const finish = (job, more) => sh('printf "%s\\n" "$1" | tera-finish', JSON.stringify({ ...job, ...more }));
const run = (number) => {
	w.tera('tera-move', number, 'in_progress');
	return w.verb('job.claim', { lease_seconds: 3600, worker: 'host-a' })[0];
};
const usage = (i, o, c) => ({ input_tokens: i, output_tokens: o, cost_usd: c });
const first = run(1);
log(first, 'step=worker_turn_1', 'summary=done', 'raw_output=catalogue.c written');
finish(first, { outcome: 'completed', turns: 2, usage: usage(21000, 1800, 0.31), verify: { verdict: 'pass', command: 'make check' } });
w.tera('tera-move', 1, 'done');
const fourth = run(4);
for (const [step, summary, raw] of [
	['session_started', 'attempt 1, pipeline ticket'], ['branch_created', 'ticket-4'], ['worker_turn_1', 'done', 'The plan: a table of rates, one function, four tests.'],
	['plan_approved', '', 'Good. Mind rounding: half to even.'], ['worker_turn_2', 'done', 'cart.c and tests/tax.t changed'], ['director_complete', '', 'Complete.'],
	['verify', 'fail', 'tests/tax.t .. 3/4\nnot ok 4 - rounding\n# got  1.20\n# want 1.19'], ['worker_turn_3_prompt', 'work', 'Test 4 fails: you round before the sum.'],
	['worker_turn_3', 'done', 'rounded after the sum'], ['verify', 'pass', 'tests/tax.t .. ok\nAll tests successful.'], ['task_complete', 'Prices carry tax, rounded once, after the sum.'],
]) log(fourth, `step=${step}`, `summary=${summary}`, ...(raw ? [`raw_output=${raw}`] : []));
const branch = `ticket-${fourth.ticket_id}`;
sh(`git config --global url."$PWD/shop.git".insteadOf git@git.example.org:shop.git && git config --global init.defaultBranch main
	git init -q --bare shop.git && git init -q work && cd work && git remote add origin ../shop.git && mkdir tests && cat >cart.c <<'E' && echo 1..3 >tests/cart.t
#include "cart.h"

/* The sum of what is in it, in cents. */
long
cart_total(const struct cart *c)
{
	long sum = 0;

	for (size_t i = 0; i < c->n; i++)
		sum += c->item[i].price * c->item[i].count;
	return sum;
}
E
	git add . && git commit -qm 'A cart' && git push -q origin main && git checkout -q -b "$1" && cat >cart.c <<'E'
#include "cart.h"
#include "round.h"

/* The sum of what is in it with its tax, in cents; rounded once, at the end,
 * half to even. */
long
cart_total(const struct cart *c)
{
	double sum = 0;

	for (size_t i = 0; i < c->n; i++)
		sum += c->item[i].price * c->item[i].count * (1 + c->item[i].tax);
	return round_even(sum);
}
E
	printf '1..4\nok 1 - a rate for each thing\n' >tests/tax.t && git add . && git commit -qm 'Prices carry their tax' && git push -q origin "$1"`, branch);
w.verb('pr.open', {
	ticket_id: fourth.ticket_id, job_id: fourth.job_id, fence: fourth.fence, title: 'Prices with tax', body: '## What was accomplished\n\nPrices carry tax, rounded once, after the sum.', source: 'git@git.example.org:shop.git',
	head_branch: branch, base_branch: 'main', head_oid: sh('git -C work rev-parse HEAD')[0], base_oid: sh('git -C work rev-parse main')[0],
	verify: { verdict: 'pass', command: 'make check', output: 'tests/tax.t .. ok\nAll tests successful.' },
});
finish(fourth, { outcome: 'completed', turns: 3, usage: usage(48000, 5200, 0.87), verify: { verdict: 'pass', command: 'make check' } });
const failed = run(9);
log(failed, 'step=worker_turn_1', 'summary=done');
finish(failed, { outcome: 'failed', reason: 'verify', message: 'make check: 2 of 40 tests fail after 3 tries', turns: 5, usage: usage(91000, 9900, 1.62), verify: { verdict: 'fail', command: 'make check' } });
const second = run(2);
log(second, 'step=session_started', 'summary=attempt 1, pipeline ticket');
log(second, 'step=output', 'summary=output of the agent', 'raw_output=I look at what there is.\ncart.c keeps the cart in the session.');
log(second, 'step=worker_turn_1', 'summary=reads cart.c, store.c', 'raw_output=$ sed -n 1,200p cart.c');
w.tera('tera-move', 3, 'in_progress');
w.verb('comment.add', { ticket: 4, author: 'ada', body: 'Is this *really* half to even?' });
w.verb('pr.comment', { pr: 1, author: 'ada', body: 'A sum of money in a `double`?', path: 'cart.c', line: 10 });
w.verb('note.add', { project: 'Shop', title: 'Money', content: 'Amounts are integers, in cents. Never floats.', node_ids: ['pay', 'cart'] });

// --- the pictures ---

await w.serve();
const shots = [
	['projects', '#/'],
	['project-new', '#/', async (p) => p.keyboard.press('n')],
	['graph', '#/graph/1'],
	['graph-node', '#/graph/1', async (p) => { await p.locator('.canvas .sheet').focus(); await p.keyboard.press('ArrowRight'); }],
	['graph-list', '#/graph/1', async (p) => p.keyboard.press('l')],
	['graph-empty', '#/graph/3'],
	['board', '#/board/1', async (p) => p.keyboard.press('d')],
	['board-empty', '#/board/3'],
	['ticket-new', '#/board/1', async (p) => p.keyboard.press('n')],
	['columns', '#/board/1', async (p) => p.getByRole('button', { name: 'Columns' }).click()],
	['keys', '#/board/1', async (p) => p.keyboard.press('?')],
	['review', '#/review'],
	['review-one', '#/review/1', async (p) => p.locator('table.diff').first().waitFor()],
	['jobs', '#/jobs'],
	['job', '#/jobs/3', async (p) => p.locator('#tail .step').first().waitFor()],
	['events', '#/events', async (p) => p.locator('.seal code').waitFor()],
	['event', '#/events', async (p) => p.locator('.event button').nth(4).click()],
	['ticket', '#/ticket/4'],
	['ticket-output', '#/ticket/4', async (p) => p.locator('.step button').nth(3).click()],
	['ticket-running', '#/ticket/2'],
];
const only = process.argv.slice(3);
for (const dark of [false, true])
	for (const width of [1280, 375])
		for (const [name, hash, act] of shots) {
			if (only.length && !only.includes(name)) continue;
			const page = await w.open(hash, { dark, width, height: width > 400 ? 800 : 720, touch: width < 400 });
			await page.waitForTimeout(150);
			await act?.(page);
			await page.waitForTimeout(250);
			await page.screenshot({ path: join(to, `${name}-${dark ? 'dark' : 'light'}-${width > 400 ? 'wide' : 'narrow'}.png`), fullPage: name.startsWith('ticket') && !act });
			await page.context().close();
		}
for (const fault of w.faults) console.error(fault);
await w.end();
await end();
