// A real Chromium and what the tests ask of the demo page.
import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { patience_ms } from './server.mjs';

const flags = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** @param {string[]} [more] flags, such as those of a microphone */
export async function open_browser(more = []) {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    chromiumSandbox: false,
    args: [...flags, ...more],
    timeout: patience_ms,
  });
}

/** One tab with the demo page. Collects what the browser complains about. */
export class Tab {
  complaints = [];

  /** @param {import('playwright-core').BrowserContext} context */
  static async open(context, url) {
    const tab = new Tab();
    tab.page = await context.newPage();
    tab.page.setDefaultTimeout(patience_ms);
    tab.page.on('pageerror', (fault) => tab.complaints.push(`page error: ${fault.message}`));
    tab.page.on('console', (said) => {
      if (said.type() === 'error' || said.type() === 'warning') tab.complaints.push(`${said.type()}: ${said.text()}`);
    });
    await tab.page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (violation) => {
        console.error(`content policy: ${violation.violatedDirective} ${violation.blockedURI}`);
      });
    });
    await tab.page.goto(url);
    await tab.state('ready');
    return tab;
  }

  get log() {
    return this.page.getByRole('log');
  }

  messages(role) {
    return this.page.locator(`sidevoice-chat .message${role ? `.${role}` : ''}:not([hidden])`);
  }

  topic(id) {
    return this.page.locator(`sidevoice-checklist [data-topic="${id}"]`);
  }

  async state(wanted) {
    await this.page.locator(`#state[data-state="${wanted}"]`).waitFor();
  }

  async type(text) {
    const field = this.page.getByLabel('Your message');
    await field.fill(text);
    await field.press('Enter');
  }

  /** Waits until the agent has answered everything. */
  async answered() {
    await this.page.waitForFunction(() => {
      const { session } = document.querySelector('sidevoice-chat');
      const last = session.messages.at(-1);
      return ['ready', 'completed'].includes(session.state) && last?.role === 'assistant' && last.final;
    });
  }

  /** Types a message and waits for its answer. */
  async say(text) {
    const before = await this.messages('assistant').count();
    await this.type(text);
    await this.messages('assistant').nth(before).waitFor();
    await this.answered();
    return this.messages('assistant').last().locator('.text').innerText();
  }

  async texts(role) {
    return this.messages(role).locator('.text').allInnerTexts();
  }

  async topic_status(id, wanted) {
    await this.page.locator(`sidevoice-checklist [data-topic="${id}"][data-status="${wanted}"]`).waitFor();
  }

  /** Waits until something is known about a topic. */
  async settled(id) {
    await this.page.locator(`sidevoice-checklist [data-topic="${id}"]:not([data-status="open"])`).waitFor();
  }

  async session() {
    return this.page.evaluate(() => document.documentElement.dataset.session);
  }

  async value(id) {
    return this.topic(id).locator('.value').innerText();
  }

  /** The checklist as the client holds it: id to {status, value}. */
  async topics() {
    return this.page.evaluate(() => {
      const topics = document.querySelector('sidevoice-checklist').session.topics.all();
      return Object.fromEntries(topics.map(({ id, status, value }) => [id, { status, value }]));
    });
  }

  /** @param {string} id @param {(form: import('playwright-core').Locator) => Promise<void>} fill */
  async edit(id, fill) {
    await this.topic(id).getByRole('button', { name: /^Edit/ }).click();
    const form = this.topic(id).locator('form');
    await fill(form);
    await form.getByRole('button', { name: 'Save' }).click();
    return form;
  }

  /** @param {RegExp} [expected] complaints that belong to the test, such as those of a server that was killed */
  check_silent(expected = /^$/) {
    assert.deepEqual(this.complaints.filter((complaint) => !expected.test(complaint)), []);
  }
}
