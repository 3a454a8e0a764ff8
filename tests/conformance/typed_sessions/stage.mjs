// What a typed session needs around it: the server with the app `desk`, its model, its webhook, and keys of each kind.
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import OpenAI from 'openai';
import { Fake, key as model_key } from './fake.mjs';
import { Server, binary, within } from './server.mjs';

export const server_key = 'a-server-key-of-the-tests';
export const transport = process.env.SIDEVOICE_TLS ? 'wss' : 'ws';
const secret = Buffer.from('a secret of thirty-two characters');

/** The webhook of the app's owner; counts calls whose signature holds. */
class Shop {
  calls = [];

  static async start() {
    const shop = new Shop();
    shop.http = http.createServer((request, reply) => shop.#take(request, reply));
    await new Promise((resolve) => shop.http.listen(0, '127.0.0.1', resolve));
    shop.url = `http://127.0.0.1:${shop.http.address().port}`;
    return shop;
  }

  async #take(request, reply) {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const text = Buffer.concat(pieces).toString();
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': given = '' } = request.headers;
    const wanted = `v1,${createHmac('sha256', secret).update(`${id}.${at}.${text}`).digest('base64')}`;
    if (!given.split(' ').includes(wanted)) return reply.writeHead(401).end();
    this.calls.push(JSON.parse(text).data);
    return reply.writeHead(200, { 'Content-Type': 'application/json' }).end('{"price":"EUR 4321"}');
  }

  async stop() {
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }
}

export class Stage {
  /** Server keys out of `keys create`, one for each client that sees its key revoked. */
  made_keys = [];

  static async start() {
    const stage = new Stage();
    const here = join(process.env.SIDEVOICE_SOURCE_DIR, 'tests/conformance/typed_sessions');
    stage.model = await Fake.start();
    stage.rules = JSON.parse(await readFile(join(here, 'rules.json'), 'utf8'));
    await stage.fresh();
    stage.shop = await Shop.start();
    const env = { DESK_KEY: server_key, OPENAI_API_KEY: model_key, FAKE_URL: stage.model.url, SHOP_URL: stage.shop.url };
    env.TOOLS_SECRET = `whsec_${secret.toString('base64')}`;
    stage.server = await Server.start(env, join(here, 'apps'));
    for (let made = 0; made < 3; ++made) stage.made_keys.push(await stage.made_key());
    // A running server looks for new keys once a second; one that starts knows them.
    await stage.server.kill();
    await stage.server.restart();
    return stage;
  }

  /** Where a Realtime client goes that wants a whole address. */
  get address() {
    return `${this.server.url.replace('http', 'ws')}/v1/realtime?model=desk`;
  }

  /** npm openai, whose socket classes and whose requests go to our server. */
  client(apiKey) {
    return new OpenAI({ apiKey, baseURL: `${this.server.url}/v1`, maxRetries: 0 });
  }

  secret(seconds = 600) {
    return this.client(server_key).realtime.clientSecrets.create({
      expires_after: { anchor: 'created_at', seconds },
      session: { type: 'realtime', model: 'desk' },
    });
  }

  /** `sidevoice keys ...` beside the running server: what it prints. */
  async keys(...words) {
    const ran = spawn(binary, ['keys', ...words, '--data', join(this.server.data, 'data')]);
    let said = '';
    let warned = '';
    ran.stdout.setEncoding('utf8').on('data', (text) => (said += text));
    ran.stderr.setEncoding('utf8').on('data', (text) => (warned += text));
    const code = await within(new Promise((resolve) => ran.once('close', resolve)), `keys ${words[0]}`);
    if (code !== 0) throw new Error(`keys ${words[0]} ended with ${code}: ${warned}`);
    return { said: said.trim(), warned };
  }

  /** A server key that only the data folder knows, and its id. */
  async made_key() {
    const { said, warned } = await this.keys('create', '--app', 'desk', '--name', 'tests');
    const [id] = /key_\w+/.exec(warned) ?? [];
    if (!id) throw new Error(`keys create named no id: ${warned}`);
    return { key: said, id };
  }

  /** The model forgets what it was asked, and begins its rules again. */
  fresh() {
    return this.model.play(...this.rules);
  }

  /** Requests that the leading agent has sent its model since then. */
  async asked() {
    return (await this.model.requests()).filter(({ body }) => body?.model === 'gpt-4.1-mini');
  }

  async stop() {
    await this.server?.stop();
    await this.shop?.stop();
    await this.model?.stop();
  }
}

/** A step of a test that is kept as a result, one line each, in the file that SIDEVOICE_RESULTS names. */
export async function step(test, client, name, does) {
  const began = Date.now();
  let passed = false;
  await test.test(name, async () => {
    await does();
    passed = true;
  });
  const line = { client, transport, case: name, passed, ms: Date.now() - began };
  if (process.env.SIDEVOICE_RESULTS) appendFileSync(process.env.SIDEVOICE_RESULTS, `${JSON.stringify(line)}\n`);
  if (!passed) throw new Error(`What follows needs "${name}".`);
}
