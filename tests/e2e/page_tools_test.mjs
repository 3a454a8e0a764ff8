// Tools and approvals in the demo page, in a real Chromium, against the real server and a fake of OpenAI.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { Tab, open_browser } from './browser.mjs';
import { Workshop, leads, listens } from './workshop.mjs';

const route = { from: 'Gartenstrasse 5, Berlin', to: 'Hauptstrasse 12, Hamburg' };

let shop;
let browser;
before(async () => {
  shop = await Workshop.start();
  browser = await open_browser();
});
after(async () => {
  await browser?.close();
  await shop?.stop();
});

let context;
const visit = async () => {
  context = await browser.newContext({ locale: 'en-GB', timezoneId: 'Europe/Berlin' });
  return Tab.open(context, shop.server.url);
};
afterEach(async () => {
  await context?.close();
  shop.webhook.release();
  shop.webhook.calls = [];
});

const said = (tab, text) => tab.messages('assistant').filter({ hasText: text }).waitFor();
const card = (tab) => tab.page.getByRole('group', { name: 'May I do this?' });

test('the model has the page show a route, and answers with what the page gave', async () => {
  await shop.openai.script([...leads('map', 'show_on_map', route), listens]);
  const tab = await visit();
  assert.equal(await tab.page.getByText('offline agent').isVisible(), false);
  await tab.type('Show it on the map, please.');
  await said(tab, 'this page draws no map');
  const panel = tab.page.getByRole('region', { name: 'Shown by the agent' });
  assert.deepEqual(await panel.getByRole('listitem').allInnerTexts(), [`From${route.from}`, `To${route.to}`]);
  assert.equal((await shop.outputs()).length, 1);
  assert.equal(await tab.messages('user').count(), 1, 'calls and outputs are no bubbles');
  tab.check_silent();
});

test('a visit is booked only after a yes, once, and the question goes in both tabs', async () => {
  const day = '<b>2027-03-12</b>';
  await shop.openai.script([...leads('visit', 'book_visit', { day: '2027-03-12', note: day }), listens]);
  shop.webhook.hold();
  const one = await visit();
  const two = await Tab.open(context, shop.server.url);
  await one.type('Book a visit.');
  for (const tab of [one, two]) {
    await card(tab).getByText('Book a visit to look at the home').waitFor();
    await card(tab).getByText(day).waitFor();
    assert.equal(await card(tab).locator('b').count(), 0, 'text stays text');
  }
  assert.deepEqual(shop.webhook.calls, []);
  // The keyboard alone will do.
  await two.page.bringToFront();
  await card(two).getByRole('button', { name: 'Yes, do it' }).focus();
  await two.page.keyboard.press('Enter');
  await shop.webhook.called(1);
  for (const tab of [one, two]) {
    await card(tab).waitFor({ state: 'detached' });
    await tab.page.getByText('Working: Book visit').waitFor();
  }
  await two.page.waitForFunction(() => document.activeElement.shadowRoot?.activeElement?.matches('.log'));
  shop.webhook.release();
  for (const tab of [one, two]) {
    await said(tab, 'booked');
    assert.equal(await tab.page.getByText('Working:').isVisible(), false);
  }
  assert.equal(shop.webhook.calls.length, 1);
  assert.equal(shop.webhook.calls[0].path, '/sidevoice/visits');
  one.check_silent();
  two.check_silent();
});

test('a question outlives a reload, and a no is kept', async () => {
  await shop.openai.script([...leads('visit', 'book_visit', { day: '2027-03-12' }), listens]);
  const tab = await visit();
  await tab.type('Book a visit.');
  await card(tab).waitFor();
  await tab.page.reload();
  await card(tab).getByRole('button', { name: 'No, leave it' }).click();
  await said(tab, 'does not want');
  await card(tab).waitFor({ state: 'detached' });
  assert.deepEqual(shop.webhook.calls, []);
  tab.check_silent();
});

test('a reload in the middle of a call of the page has it run by the new page, and answered once', async () => {
  await shop.openai.script([...leads('map', 'show_on_map', route), listens]);
  const tab = await visit();
  const begun = tab.page.evaluate(
    () =>
      new Promise((resolve) => {
        document.querySelector('sidevoice-chat').tools = {
          show_on_map: (args, { callId }) => {
            resolve(callId);
            return new Promise(() => {});
          },
        };
      }),
  );
  await tab.type('Show it on the map, please.');
  assert.ok(await begun);
  await tab.page.reload();
  await said(tab, 'this page draws no map');
  assert.equal((await shop.outputs()).length, 1);
  assert.equal(await tab.messages('assistant').filter({ hasText: 'It says' }).count(), 1);
  tab.check_silent();
});

test('what is said meanwhile shows until the tool is done', async () => {
  await shop.openai.script([...leads('price', 'estimate_price', route), listens]);
  shop.webhook.hold();
  const tab = await visit();
  await tab.type('What is the price?');
  await tab.page.getByText('One moment, I am working it out.').waitFor();
  shop.webhook.release();
  await said(tab, 'booked');
  assert.equal(await tab.page.getByText('One moment').isVisible(), false);
  tab.check_silent();
});

test('a transfer to a person is told, and stays told when the visitor goes on', async () => {
  await shop.openai.script([
    ...leads('person', 'transfer_to_person', {}),
    { match: { model: 'gpt-4.1-mini' }, answer: { text: 'All right.' } },
    listens,
  ]);
  const tab = await visit();
  await tab.type('I want to talk to a person.');
  const told = tab.page.getByText('A person has been asked to take over.');
  await told.waitFor();
  await said(tab, 'It says');
  await tab.type('Thank you.');
  await said(tab, 'All right.');
  assert.ok(await told.isVisible());
  tab.check_silent();
});
