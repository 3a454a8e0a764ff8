// Takes the pictures of the documentation: run.sh FOLDER screenshots.mjs
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Tab, open_browser } from './browser.mjs';
import { sentences, whole_dialogue } from './dialogue.mjs';
import { Server } from './server.mjs';
import { source } from './source.mjs';
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

try {
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
} finally {
  await browser.close();
  await server.stop();
}
