// A visitor who talks: the page in a real Chromium, the real server with its own engines, and sound between the two.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Tab } from './browser.mjs';
import { said_by_voice, sentences } from './dialogue.mjs';
import { understood, word_errors } from './listener.mjs';
import { Server, within } from './server.mjs';
import { Front } from './voice_server.mjs';
import { Ear, Mouth, monologue, open_speaking_browser, spoken } from './voice_support.mjs';

const wrong_most = 0.15;

let server;
let front;
let browser;
let folder;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sidevoice-talk-'));
  server = await Server.start();
  front = await Front.start(server.url);
  browser = await open_speaking_browser();
});
after(async () => {
  await browser?.close();
  await front?.stop();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A visitor with a mouth, and what he hears; `from`: a browser whose microphone is a file, and no mouth then. */
async function prepare({ from } = {}) {
  const context = await (from ?? browser).newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', permissions: ['microphone'] });
  if (!from) await Mouth.give_to(context);
  const ear = await Ear.give_to(context);
  return { context, ear };
}

async function visit(context) {
  const tab = await Tab.open(context, front.url);
  tab.mouth = new Mouth(tab.page);
  tab.mic = tab.page.locator('sidevoice-chat button.mic');
  await tab.messages('assistant').first().waitFor();
  return tab;
}

const shows = (tab, state) => tab.page.locator(`sidevoice-chat button.mic[data-state="${state}"]`).waitFor();
const on_the_air = (tab) => tab.page.waitForFunction(() => document.querySelector('sidevoice-chat').session.mic.on_air);

/** Waits until the agent has answered so many messages of the visitor, to the last sound. */
async function has_spoken(tab, user_messages) {
  await tab.page.waitForFunction((count) => {
    const { messages, mic, state } = document.querySelector('sidevoice-chat').session;
    const users = messages.filter(({ role, final }) => role === 'user' && final).length;
    const { role, final } = messages.at(-1);
    const quiet = !mic.on_air || mic.stats.player?.state === 'idle';
    return users >= count && role === 'assistant' && final && quiet && ['ready', 'completed'].includes(state);
  }, user_messages);
}

/** Switches the microphone on, and hears the greeting if it has not been heard yet. */
async function talk(tab, ear, { greets = true } = {}) {
  await tab.mic.click();
  await on_the_air(tab);
  if (!greets) return;
  await within(ear.hears_something(), 'the greeting');
  await has_spoken(tab, 0);
}

const users = async (tab) => (await tab.texts('user')).length;

/** Says it, and waits for the end of the answer. @returns {Promise<string>} what was understood */
async function tell(tab, sentence) {
  const before = await users(tab);
  await tab.mouth.say(await spoken(sentence));
  await has_spoken(tab, before + 1);
  return (await tab.texts('user'))[before];
}

async function type(tab, text) {
  const before = await users(tab);
  await tab.type(text);
  await has_spoken(tab, before + 1);
}

const same_words = (said, heard) => assert.equal(word_errors(said, heard), 0, `"${heard}" of "${said}"`);

// A talk is mostly waiting for somebody to finish: three at a time.
describe('voice', { concurrency: 3 }, () => {
  test('a whole talk by voice fills the checklist, and what is heard of the agent is what it wrote', async () => {
    const { context, ear } = await prepare();
    const tab = await visit(context);
    await talk(tab, ear);
    const said = new Set();
    // Written down while the talk goes on.
    const heard = [];
    const write_down = () => {
      heard.push(understood(server, ear.sound));
      ear.forget();
    };
    const completed = tab.page.locator('#completed');
    for (let turn = 0; turn < 2 * Object.keys(said_by_voice).length && !(await completed.isVisible()); ++turn) {
      const topics = await tab.topics();
      const open = Object.keys(said_by_voice).find((id) => ['open', 'contradicted'].includes(topics[id]?.status) && !said.has(id));
      // Talking and typing alternate: this one is typed, and answered aloud like the others.
      if (open === 'fragile') await type(tab, said_by_voice.fragile);
      else await tell(tab, open ? said_by_voice[open] : 'Yes, that is right.');
      write_down();
      if (open) await tab.settled(open);
      said.add(open);
    }
    await completed.getByText('Anna Miller').waitFor();
    await tab.state('completed');
    const { name, from, to, date, home, fragile, email } = await tab.topics();
    assert.deepEqual([name.value, home.value, fragile.value.length], ['Anna Miller', 'house', 2]);
    assert.match(from.value, /Berlin/);
    assert.match(to.value, /Hamburg/);
    assert.match(date.value, /^\d{4}-03-12$/);
    assert.match(email.value, /^robert@example\.com$/i);
    // All but the one that was typed bear the sign.
    const all = await tab.messages('user').count();
    assert.equal(await tab.messages('user').getByRole('img', { name: 'spoken' }).count(), all - 1);
    await within(ear.hears_nothing(), 'silence');
    const written = (await tab.texts('assistant')).join(' ');
    write_down();
    const all_heard = (await Promise.all(heard)).join(' ');
    const wrong = word_errors(written, all_heard);
    console.log(`${all} turns of the visitor; of ${written.split(' ').length} words of the agent ${(100 * wrong).toFixed(1)} % were heard wrongly`);
    assert.ok(wrong <= wrong_most, `${wrong}: "${all_heard}" of "${written}"`);
    tab.check_silent();
    await context.close();
  });

  test('an answer that is talked into stops, and ends where it was heard', async () => {
    const { context, ear } = await prepare();
    const tab = await visit(context);
    await talk(tab, ear);
    for (const text of [sentences.name, sentences.date, sentences.home]) await type(tab, text);
    await within(ear.hears_nothing(), 'silence');
    ear.forget();
    const before = await tab.messages('assistant').count();
    await tab.type('What do you know so far?');
    await tab.page.waitForFunction((count) => {
      const { messages, mic } = document.querySelector('sidevoice-chat').session;
      const answers = messages.filter(({ role }) => role === 'assistant');
      return answers.length > count && mic.stats.player.item === answers[count].id && mic.stats.player.played_ms >= 1500;
    }, before);
    const saying = tab.mouth.say(await spoken('Wait please, I have a question about that.'));
    const cut = tab.messages('assistant').nth(before);
    await cut.getByText('interrupted').waitFor();
    await within(ear.hears_nothing(), 'silence');
    const sound = ear.sound;
    await saying;
    const heard = await understood(server, sound);
    await has_spoken(tab, 5);
    const text = await cut.locator('.text').innerText();
    console.log(`interrupted at "${text.trim()}"; heard "${heard}"`);
    // What is kept ends with a clause that was heard to its end: the one that was broken off is missing.
    assert.match(heard.toLowerCase(), /^this is what i have/);
    const [kept, played] = [text, heard].map((one) => one.trim().split(/\s+/).length);
    assert.ok(kept <= played + 1 && played - kept <= 6, `"${text}" of "${heard}"`);
    assert.match((await tab.texts('user'))[4], /I have a question/);
    tab.check_silent();
    await context.close();
  });

  test('muted nothing is heard; a reload greets nobody again; another tab takes the microphone', async () => {
    const { context, ear } = await prepare();
    const one = await visit(context);
    await talk(one, ear);
    await one.page.getByRole('button', { name: 'Mute' }).click();
    await shows(one, 'muted');
    await one.mouth.say(await spoken('We live in a studio.'));
    await one.page.getByRole('button', { name: 'Mute' }).click();
    await shows(one, 'listening');
    same_words('My name is Anna Miller.', await tell(one, 'My name is Anna Miller.'));
    assert.equal((await one.topics()).home.status, 'open');
    const before = await one.texts();

    await one.page.reload();
    await one.state('ready');
    assert.deepEqual(await one.texts(), before);
    await shows(one, 'off');
    await talk(one, ear, { greets: false });
    same_words('The moving day is the 12th of March.', await tell(one, said_by_voice.date));
    assert.deepEqual((await one.texts()).slice(0, before.length), before);
    assert.equal((await one.texts()).length, before.length + 2);

    const two = await visit(context);
    await talk(two, ear, { greets: false });
    await shows(one, 'off');
    await one.page.locator('sidevoice-chat').getByText('in use in another window or on another device').waitFor();
    same_words('We live in a house.', await tell(two, said_by_voice.home));
    await one.messages('user').filter({ hasText: 'house' }).waitFor();
    await one.settled('home');
    assert.equal(await two.page.evaluate(() => document.querySelector('sidevoice-chat').session.mic.seat), 'yours');
    for (const tab of [one, two]) tab.check_silent();
    await context.close();
  });

  test('push to talk: what is said while the button is down counts, and nothing else', async () => {
    const { context, ear } = await prepare();
    const tab = await visit(context);
    await tab.page.evaluate(() => document.querySelector('sidevoice-chat').setAttribute('voice', 'push'));
    const button = tab.page.getByRole('button', { name: 'Hold to talk' });
    await button.focus();
    await tab.page.keyboard.down(' ');
    await on_the_air(tab);
    await tab.page.keyboard.up(' ');
    await has_spoken(tab, 0);
    await tab.mouth.say(await spoken('We live in a studio.'));
    await tab.page.keyboard.down(' ');
    await tab.page.locator('sidevoice-chat').getByText('Listening; let go when you are done').waitFor();
    await tab.mouth.say(await spoken('My name is Anna Miller.'));
    await tab.page.keyboard.up(' ');
    await has_spoken(tab, 1);
    assert.deepEqual(await tab.texts('user'), ['My name is Anna Miller.']);
    await tab.settled('name');
    assert.equal((await tab.topics()).home.status, 'open');
    await within(ear.hears_nothing(), 'silence');
    tab.check_silent();
    await context.close();
  });

  test('a microphone that is a file talks, sentence for sentence', async () => {
    const said = ['My name is Anna Miller.', 'We live in a house.'];
    const filed = await open_speaking_browser(await monologue(said, { lead_ms: 6000, pause_ms: 9000 }), { folder, loop: false });
    try {
      const { context } = await prepare({ from: filed });
      const tab = await visit(context);
      await tab.mic.click();
      await has_spoken(tab, said.length);
      const texts = await tab.texts('user');
      // A busy machine tears holes into what its fake microphone gives.
      assert.ok(word_errors(said.join(' '), texts.join(' ')) <= wrong_most, texts.join(' '));
      await tab.settled('home');
      tab.check_silent();
    } finally {
      await filed.close();
    }
  });
});
