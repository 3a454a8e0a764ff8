// What a test of tools needs beside the server: a fake of OpenAI with a script, a webhook of the app's owner, and a copy of
// the app `moving` that knows both.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Server, binary, patience_ms, within } from './server.mjs';
import { source } from './source.mjs';

const secret = Buffer.from('a secret of thirty-two characters');

/** `sidevoice fake-providers`, which answers by rules; see docs/fake-providers.md. */
class FakeOpenAI {
  #process;

  static async start() {
    const fake = new FakeOpenAI();
    fake.#process = spawn(binary, ['fake-providers', '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    const listening = new Promise((resolve, reject) => {
      fake.#process.once('exit', (code) => reject(new Error(`fake-providers ended with ${code}`)));
      fake.#process.stdout.setEncoding('utf8').on('data', (text) => {
        stdout += text;
        const found = /listening on (\S+)\/v1/.exec(stdout);
        if (found) resolve(found[1]);
      });
    });
    fake.url = await within(listening, 'the first line of fake-providers');
    return fake;
  }

  async script(rules) {
    const reply = await fetch(`${this.url}/fake/script`, { method: 'POST', body: JSON.stringify({ rules }) });
    assert.equal(reply.status, 200, await reply.text());
    await fetch(`${this.url}/fake/reset`, { method: 'POST' });
  }

  /** Bodies of the requests of one model since the last script, the oldest first. */
  async requests(model) {
    const requests = await (await fetch(`${this.url}/fake/requests`)).json();
    return requests.map(({ body }) => body).filter((body) => body?.model === model);
  }

  async stop() {
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGTERM');
    assert.equal(await within(ended, 'the end of fake-providers'), 0);
  }
}

/** The app's owner: takes webhooks, checks their signature, and answers when the test says so. */
class Shop {
  /** @type {{path: string, id: string, body: any}[]} */
  calls = [];
  #held = [];
  #holds = false;
  #heard = [];

  static async start() {
    const shop = new Shop();
    shop.server = http.createServer((request, reply) => shop.#take(request, reply));
    await new Promise((resolve) => shop.server.listen(0, '127.0.0.1', resolve));
    shop.url = `http://127.0.0.1:${shop.server.address().port}`;
    return shop;
  }

  async #take(request, reply) {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    const id = request.headers['webhook-id'];
    const signed = `${id}.${request.headers['webhook-timestamp']}.${text}`;
    const wanted = `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`;
    if (!request.headers['webhook-signature']?.split(' ').includes(wanted)) {
      reply.writeHead(401).end();
      return;
    }
    this.calls.push({ path: request.url, id, body: JSON.parse(text) });
    for (const hear of this.#heard.splice(0)) hear();
    if (this.#holds) await new Promise((resolve) => this.#held.push(resolve));
    reply.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ booked: true }));
  }

  /** Answers wait from now on, until `release`. */
  hold() {
    this.#holds = true;
  }

  release() {
    this.#holds = false;
    for (const go of this.#held.splice(0)) go();
  }

  async called(times) {
    const enough = (async () => {
      while (this.calls.length < times) await new Promise((resolve) => this.#heard.push(resolve));
    })();
    await within(enough, `call ${times} of the webhook`);
  }

  async stop() {
    this.release();
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** Replaces text that has to be there exactly once. */
function replaced(text, changes) {
  for (const [from, to] of changes) {
    assert.equal(text.split(from).length, 2, `the app file has "${from}" once`);
    text = text.replace(from, () => to);
  }
  return text;
}

/** Server, fake and webhook together. */
export class Workshop {
  static async start() {
    const shop = new Workshop();
    shop.openai = await FakeOpenAI.start();
    shop.webhook = await Shop.start();
    shop.folder = await mkdtemp(join(tmpdir(), 'sidevoice-e2e-app-'));
    await cp(join(source, 'apps/moving'), join(shop.folder, 'moving'), { recursive: true });
    const file = join(shop.folder, 'moving/app.jsonc');
    const text = replaced(await readFile(file, 'utf8'), [
      ['"key": "${env:OPENAI_API_KEY}"', `"key": "\${env:OPENAI_API_KEY}", "base_url": "${shop.openai.url}/v1"`],
      ['"tools": ["estimate_price", ', '"tools": ["estimate_price", "show_on_map", '],
      // A page on a busy machine needs more than ten seconds to come back.
      ['"no_page": "skip",', `"no_page": "skip", "timeout_ms": ${patience_ms},`],
    ]);
    await writeFile(file, text);
    const env = { OPENAI_API_KEY: 'sk-test', SHOP_URL: shop.webhook.url, MOVING_TOOLS_SECRET: `whsec_${secret.toString('base64')}` };
    shop.server = await Server.start(env, shop.folder);
    return shop;
  }

  /** Bodies of what the leading agent has asked its model. */
  asked() {
    return this.openai.requests('gpt-4.1-mini');
  }

  /** What the model was told of tools: each output once, however often the conversation was sent. */
  async outputs() {
    const last = (await this.asked()).at(-1);
    return last.messages.filter(({ role }) => role === 'tool').map(({ content }) => content);
  }

  async stop() {
    await this.server?.stop();
    await this.webhook?.stop();
    await this.openai?.stop();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** The leading agent's model: calls a tool when a word is said, and then repeats what the tool gave. */
export const leads = (word, name, given) => [
  { match: { model: 'gpt-4.1-mini', last_user: word, last_role: 'user' }, answer: { tool_calls: [{ name, arguments: given }] } },
  { match: { model: 'gpt-4.1-mini', last_role: 'tool' }, answer: { text: 'It says: {{tool_output}}' } },
];

/** The listening agent's model has nothing to add. */
export const listens = { match: { model: 'gpt-4.1-nano' }, answer: { text: 'Nothing new.' } };
