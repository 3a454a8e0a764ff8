// The demo page in a real Chromium against the real server.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Tab, open_browser } from './browser.mjs';
import { sentences, values, whole_dialogue } from './dialogue.mjs';
import { Proxy } from './proxy.mjs';
import { Server } from './server.mjs';

/** What Chromium itself writes about a server that is not there, or does not let sockets in. */
const unreachable = /^error: (WebSocket connection to .* failed|Failed to load resource: (net::ERR_|.* 426 ))/;

let server;
let browser;
before(async () => {
  server = await Server.start();
  browser = await open_browser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

// Each test is another visitor.
let context;
const visit = async (options) => {
  context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
  return Tab.open(context, server.url);
};
afterEach(() => context?.close());

test('the page names its app, greets once, says that it is offline, and answers a typed message', async () => {
  const tab = await visit();
  assert.match(await tab.page.title(), /Happy Removals/);
  assert.match(await tab.page.getByRole('heading', { level: 1 }).innerText(), /Happy Removals/);
  await tab.page.getByText('offline agent, no language model; set OPENAI_API_KEY').waitFor();
  await tab.page.getByText('You are talking to an AI assistant').waitFor();
  await tab.messages('assistant').first().waitFor();
  assert.equal(await tab.messages('assistant').count(), 1);
  const answer = await tab.say(sentences.name);
  assert.ok(answer.length > 0);
  assert.deepEqual(await tab.texts('user'), [sentences.name]);
  tab.check_silent();
});

test('a whole dialogue fills the checklist and ends with the result', async () => {
  const tab = await visit();
  await whole_dialogue(tab);
  const topics = await tab.topics();
  for (const [id, value] of Object.entries(values)) assert.deepEqual(topics[id].value, value, id);
  const banner = tab.page.getByRole('region', { name: 'Complete' });
  await banner.getByText('Ada Lovelace').waitFor();
  await banner.getByText(/Friday,? 12 March 2027/).waitFor();
  await tab.state('completed');
  tab.check_silent();
});

test('a click on a quote shows the message it was taken from', async () => {
  const tab = await visit();
  await tab.say(sentences.name);
  await tab.settled('name');
  await tab.say(sentences.from);
  const quote = tab.topic('name').getByRole('button', { name: /was said/ });
  await quote.click();
  const mark = tab.messages('user').first().locator('mark');
  assert.ok(sentences.name.includes(await mark.innerText()));
  assert.match(await mark.innerText(), /Ada Lovelace/);
  await tab.page.waitForFunction(() => document.activeElement.shadowRoot?.activeElement?.matches('.message.user'));
  tab.check_silent();
});

test('an edit by hand wins over what was understood and is kept', async () => {
  const tab = await visit();
  await tab.say(sentences.home);
  await tab.settled('home');
  assert.equal(await tab.value('home'), 'flat');
  await tab.edit('home', (form) => form.getByLabel('Home').selectOption('house'));
  await tab.topic_status('home', 'confirmed');
  assert.equal(await tab.value('home'), 'house');
  await tab.say(sentences.name);
  await tab.settled('name');
  assert.equal(await tab.value('home'), 'house');
  await tab.page.reload();
  await tab.state('ready');
  await tab.topic_status('home', 'confirmed');
  assert.equal(await tab.value('home'), 'house');
  tab.check_silent();
});

test('each type of topic has its field, and the keyboard alone will do', async () => {
  const tab = await visit();
  const field = (id) => tab.topic(id).locator('.field');
  await tab.edit('date', () => field('date').fill('2027-03-12'));
  await tab.topic_status('date', 'confirmed');
  assert.match(await tab.value('date'), /12 March 2027/);
  await tab.edit('home', () => field('home').selectOption('flat'));
  await tab.topic_status('home', 'confirmed');
  await tab.edit('floor', () => field('floor').fill('3'));
  await tab.topic_status('floor', 'confirmed');
  await tab.edit('lift', () => field('lift').selectOption({ label: 'Yes' }));
  await tab.topic_status('lift', 'confirmed');
  assert.equal(await tab.value('lift'), 'Yes');
  await tab.edit('budget', () => field('budget').fill('1200'));
  await tab.topic_status('budget', 'confirmed');
  assert.match(await tab.value('budget'), /1,200/);
  await tab.topic('name').getByRole('button', { name: 'Edit Your name' }).focus();
  await tab.page.keyboard.press('Enter');
  await tab.page.keyboard.type('Ada Lovelace');
  await tab.page.keyboard.press('Enter');
  await tab.topic_status('name', 'confirmed');
  await tab.page.keyboard.press('Enter');
  await tab.page.keyboard.press('Escape');
  assert.equal(await tab.topic('name').locator('form').count(), 0);
  tab.check_silent();
});

test('an edit that is refused says why and stays open', async () => {
  const tab = await visit();
  const form = await tab.edit('date', (fields) => fields.locator('.field').fill('2020-01-01'));
  const reason = form.getByRole('alert').filter({ hasText: /\w+ \w+/ });
  await reason.waitFor();
  assert.equal((await tab.topics()).date.status, 'open');
  await form.locator('.field').fill('2027-03-12');
  await form.getByRole('button', { name: 'Save' }).click();
  await tab.topic_status('date', 'confirmed');
  assert.equal(await form.count(), 0);
  tab.check_silent();
});

test('undo puts back what the last change replaced', async () => {
  const tab = await visit();
  const choose = (home) => tab.edit('home', (form) => form.locator('.field').selectOption(home));
  await choose('flat');
  await tab.topic_status('home', 'confirmed');
  await choose('house');
  await tab.topic('home').locator('.value', { hasText: 'house' }).waitFor();
  await tab.page.getByRole('button', { name: 'Undo' }).click();
  await tab.topic('home').locator('.value', { hasText: 'flat' }).waitFor();
  tab.check_silent();
});

test('a reload keeps the conversation and does not greet again', async () => {
  const tab = await visit();
  await tab.messages('assistant').first().waitFor();
  await tab.say(sentences.name);
  await tab.settled('name');
  const before = await tab.texts();
  await tab.page.reload();
  await tab.state('ready');
  assert.deepEqual(await tab.texts(), before);
  assert.equal(await tab.value('name'), 'Ada Lovelace');
  await tab.say(sentences.from);
  assert.deepEqual((await tab.texts()).slice(0, before.length), before);
  tab.check_silent();
});

test('a new conversation begins from nothing, and a reload stays with it', async () => {
  const tab = await visit();
  await tab.say(sentences.name);
  const first = await tab.session();
  await tab.page.getByRole('button', { name: 'New conversation' }).click();
  await tab.page.waitForFunction((id) => !['', id].includes(document.documentElement.dataset.session), first);
  await tab.state('ready');
  assert.deepEqual(await tab.texts('user'), []);
  const second = await tab.session();
  await tab.page.reload();
  await tab.state('ready');
  assert.equal(await tab.session(), second);
  tab.check_silent();
});

test('a server that is killed and comes back finds the page waiting, and its message is delivered once', async () => {
  const tab = await visit();
  await tab.messages('assistant').first().waitFor();
  await tab.say(sentences.name);
  await tab.settled('name');
  const before = await tab.texts();
  await server.kill();
  await tab.state('resuming');
  await tab.type(sentences.from);
  await tab.page.locator('sidevoice-chat .message[data-status="sending"]').waitFor();
  await server.restart();
  await tab.page.locator('sidevoice-chat .message[data-status="sending"]').waitFor({ state: 'detached' });
  await tab.answered();
  const texts = await tab.texts();
  assert.deepEqual(texts.slice(0, before.length), before);
  assert.equal(texts.filter((text) => text === sentences.from).length, 1);
  assert.equal(texts.length, before.length + 2);
  assert.equal(await tab.value('name'), 'Ada Lovelace');
  tab.check_silent(unreachable);
});

test('a message that was typed into a page without a server survives a reload of the page', async () => {
  const proxy = await Proxy.start(server.url);
  context = await browser.newContext();
  const tab = await Tab.open(context, proxy.url);
  proxy.refuse_sockets(true);
  proxy.cut();
  await tab.state('resuming');
  await tab.type(sentences.name);
  await tab.page.locator('sidevoice-chat .message[data-status="sending"]').waitFor();
  await tab.page.reload();
  await tab.page.locator('sidevoice-chat .message[data-status="sending"]').waitFor();
  proxy.refuse_sockets(false);
  await tab.page.locator('sidevoice-chat .message[data-status="sending"]').waitFor({ state: 'detached' });
  await tab.answered();
  assert.deepEqual(await tab.texts('user'), [sentences.name]);
  tab.check_silent(unreachable);
  await context.close();
  context = undefined;
  await proxy.stop();
});

test('two tabs of one browser show the same conversation', async () => {
  const one = await visit();
  await one.messages('assistant').first().waitFor();
  const two = await Tab.open(context, server.url);
  assert.equal(await two.session(), await one.session());
  await one.say(sentences.name);
  await two.messages('user').filter({ hasText: 'Ada' }).waitFor();
  await two.settled('name');
  await two.say(sentences.from);
  await one.messages('user').filter({ hasText: 'Gartenstrasse' }).waitFor();
  await one.answered();
  await one.settled('from');
  await two.settled('from');
  assert.deepEqual(await one.texts(), await two.texts());
  assert.deepEqual(await one.topics(), await two.topics());
  one.check_silent();
  two.check_silent();
});

test('text is shown as text, whatever it looks like', async () => {
  const tab = await visit();
  const text = '<img src=x onerror=alert(1)><b>bold</b> & "quotes"';
  await tab.say(text);
  assert.deepEqual(await tab.texts('user'), [text]);
  assert.equal(await tab.page.locator('sidevoice-chat .message :is(img, b)').count(), 0);
  tab.check_silent();
});

test('the page fits a telephone', async () => {
  const tab = await visit({ viewport: { width: 360, height: 740 } });
  await tab.say(sentences.name);
  const wide = await tab.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `${wide} px too wide`);
  tab.check_silent();
});
