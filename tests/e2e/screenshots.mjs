// Takes the pictures of the documentation: run.sh FOLDER screenshots.mjs; `node screenshots.mjs voice`: only those of a talk
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Tab, open_browser } from './browser.mjs';
import { said_by_voice, sentences, whole_dialogue } from './dialogue.mjs';
import { Server } from './server.mjs';
import { source } from './source.mjs';
import { Front } from './voice_server.mjs';
import { Mouth, open_speaking_browser, spoken } from './voice_support.mjs';
import { Workshop, leads, listens } from './workshop.mjs';

const folder = join(source, 'docs', 'images');
await mkdir(folder, { recursive: true });

const server = await Server.start();
const browser = await open_browser();

async function visit(viewport, url = server.url) {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', viewport, reducedMotion: 'reduce' });
  return Tab.open(context, url);
}

async function picture(tab, name, options = {}) {
  await tab.page.screenshot({ path: join(folder, `${name}.png`), ...options });
  console.log(`docs/images/${name}.png`);
}

/** A route that the page was asked to show, and a visit that waits for a yes. */
async function tools() {
  const shop = await Workshop.start();
  const route = { from: 'Gartenstrasse 5, 10115 Berlin', to: 'Hauptstrasse 12, 20095 Hamburg' };
  const says = (text) => ({ match: { model: 'gpt-4.1-mini', last_role: 'tool' }, answer: { text } });
  try {
    await shop.openai.script([leads('Hamburg', 'show_on_map', route)[0], says('I have put your route on the page. Shall somebody come to look at the flat?'), listens]);
    const tab = await visit({ width: 1120, height: 760 }, shop.server.url);
    await tab.say('From Gartenstrasse 5 in Berlin to Hauptstrasse 12 in Hamburg.');
    await tab.messages('assistant').filter({ hasText: 'look at the flat' }).waitFor();
    await shop.openai.script([leads('Friday', 'book_visit', { day: '2027-03-12' })[0], says('It is booked.'), listens]);
    await tab.type('Yes, on Friday 12 March, please.');
    await tab.page.getByRole('group', { name: 'May I do this?' }).waitFor();
    await picture(tab, 'approval');
  } finally {
    await shop.stop();
  }
}

/** A talk: while the visitor speaks, while the agent does, and what a developer sees of it. */
async function voice() {
  const speaking = await open_speaking_browser();
  const front = await Front.start(server.url);
  try {
    const context = await speaking.newContext({
      locale: 'en-GB', timezoneId: 'Europe/Berlin', viewport: { width: 1120, height: 760 }, reducedMotion: 'reduce', permissions: ['microphone'],
    });
    await Mouth.give_to(context);
    const tab = await Tab.open(context, front.url);
    const mouth = new Mouth(tab.page);
    await tab.page.getByText('Voice, for developers').click();
    await tab.page.locator('sidevoice-chat button.mic').click();
    const quiet = (count) => tab.page.waitForFunction((least) => {
      const { messages, mic, state } = document.querySelector('sidevoice-chat').session;
      const users = messages.filter(({ role, final }) => role === 'user' && final).length;
      return users >= least && mic.on_air && mic.stats.player?.state === 'idle' && state === 'ready' && messages.at(-1).role === 'assistant';
    }, count);
    await tab.page.locator('#state[data-state="speaking"]').waitFor();
    await quiet(0);
    await mouth.say(await spoken(said_by_voice.name));
    await quiet(1);
    await tab.page.evaluate(() => scrollTo(0, 0));
    const live = tab.messages('user').nth(1).locator('.text').filter({ hasText: /\w+ \w+/ });
    const said = mouth.say(await spoken('We are moving from 10 Garden Street in Berlin, and we have a piano that needs a lot of care.'));
    await live.waitFor();
    await picture(tab, 'voice-listening');
    await said;
    await tab.page.waitForFunction(() => document.querySelector('sidevoice-chat').session.mic.stats.player.played_ms > 800);
    await picture(tab, 'voice-speaking');
    await quiet(2);
    await mouth.say(await spoken(said_by_voice.home));
    await quiet(3);
    await tab.page.locator('#developer .turns .fall').nth(2).waitFor();
    await picture(tab, 'voice-developer', { fullPage: true });
  } finally {
    await speaking.close();
    await front.stop();
  }
}

try {
  if (process.argv[2] !== 'voice') await written();
  await voice();
} finally {
  await browser.close();
  await server.stop();
}

async function written() {
  const tab = await visit({ width: 1120, height: 760 });
  for (const id of ['name', 'from', 'date', 'home']) {
    await tab.say(sentences[id]);
    await tab.settled(id);
  }
  await tab.topic('date').getByRole('button', { name: /was said/ }).click();
  await picture(tab, 'quote');
  const form = await tab.edit('floor', (fields) => fields.locator('.field').fill('99'));
  await form.getByRole('alert').filter({ hasText: /\w/ }).waitFor();
  await picture(tab, 'refused-edit');
  await form.getByRole('button', { name: 'Cancel' }).click();
  await whole_dialogue(tab);
  await tab.page.evaluate(() => document.activeElement?.blur());
  await picture(tab, 'complete');
  const phone = await visit({ width: 390, height: 844 });
  await phone.say(sentences.name);
  await phone.settled('name');
  await picture(phone, 'telephone', { fullPage: true });
  await tools();
}
