// The projects.
import { button, card, fill, teller, text } from './story.mjs';
import { axe, is, report, until, world } from './world.mjs';

const w = await world();
const story = teller(w);
await w.serve();

await story('the first project', async () => {
	const page = await w.open();
	is((await text(page, '.empty button')).join(), 'Create the first', 'an empty page says the next step');
	is(await axe(page), [], 'axe: no projects');
	await page.keyboard.press('n');
	is(await axe(page), [], 'axe: the form');
	await button(page, 'Create').click();
	report((await page.locator('dialog .fault').innerText()).startsWith('Name:'), 'a name is wanted');
	await fill(page, 'Name', 'Shop');
	is(await page.locator('dialog .fault').innerText(), '', 'and no longer, once there is one');
	report(!/container|settings/.test(await page.getByRole('dialog').innerText()), 'no word of what there is not');
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

await story('a project, out and in', async () => {
	w.tera('tera-add', 'ticket', 'project=1', 'title=Pay', 'column_id=done');
	w.verb('ticket.add', { project: 1, title: 'Mail', needs: [1, 2], description: 'a\nb' });
	w.tera('tera-add', 'note', 'project=1', 'title=Style', 'content=Tabs');
	const page = await w.open();
	const coming = page.waitForEvent('download');
	await page.locator('.project').first().getByRole('button', { name: 'Export' }).click();
	const file = await (await coming).path();
	const choosing = page.waitForEvent('filechooser');
	await button(page, 'Import').click();
	await (await choosing).setFiles(file);
	await page.waitForURL(/#\/board\/2$/);
	const strip = (t) => [t.title, t.description, t.column_id, t.needs.length];
	const of = (p) => w.tera('tera-ls', '-p', p, 'ticket').map(strip);
	is(of(2), of(1), 'the same tickets');
	await page.goto(w.url);
	await page.locator('.project').nth(1).getByRole('button', { name: 'Delete' }).click();
	await page.getByRole('dialog').getByRole('textbox').fill('shop');
	await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	await until(async () => (await page.locator('dialog .fault').innerText()).includes('not its name'), 'a name must be typed to delete');
	await page.getByRole('dialog').getByRole('textbox').fill('Shop');
	await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
	await until(async () => await page.locator('.project').count() === 1, 'deleted');
	await page.getByText('1 deleted project').click();
	await page.locator('.removed').getByRole('button', { name: 'Restore' }).click();
	await until(async () => await page.locator('.project').count() === 2, 'restored');
	await page.locator('.project').first().getByRole('button', { name: 'Edit' }).click();
	await fill(page, 'Description', '');
	await button(page, 'Save').click();
	await until(() => w.tera('tera-show', 'project', 1)[0].description === null, 'a field that is cleared is clear');
	is(await axe(page), [], 'axe: the projects');
	await page.context().close();
});

await story('half a project', async () => {
	const page = await w.open(), before = w.tera('tera-ls', 'project').length;
	await page.keyboard.press('n');
	await fill(page, 'Name', 'Stall');
	await fill(page, 'Jobs at once', '1.5');
	await button(page, 'Create').click();
	await until(async () => (await page.locator('dialog .fault').innerText()).includes('max_running'), 'what the server refuses is said');
	is(w.tera('tera-ls', 'project').length, before, 'and half a project is none');
	await fill(page, 'Jobs at once', '');
	is(await page.locator('dialog .fault').innerText(), '', 'what was mended is no longer blamed');
	await button(page, 'Create').click();
	await page.waitForURL(/#\/board\//);
	is(w.tera('tera-ls', 'project').length, before + 1, 'there is one, whole');
	await page.context().close();
});

await w.end();
