// Takes the pictures of the documentation: run.sh FOLDER screenshots.mjs
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Tab, open_browser } from './browser.mjs';
import { sentences, whole_dialogue } from './dialogue.mjs';
import { Server } from './server.mjs';
import { source } from './source.mjs';

const folder = join(source, 'docs', 'images');
await mkdir(folder, { recursive: true });

const server = await Server.start();
const browser = await open_browser();

async function visit(viewport) {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin', viewport, reducedMotion: 'reduce' });
  return Tab.open(context, server.url);
}

async function picture(tab, name, options = {}) {
  await tab.page.screenshot({ path: join(folder, `${name}.png`), ...options });
  console.log(`docs/images/${name}.png`);
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
} finally {
  await browser.close();
  await server.stop();
}
