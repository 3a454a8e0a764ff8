// What a spoken session needs around it: the server with both apps, the model, and what is kept of a case.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fake, key as model_key } from './fake.mjs';
import { Server } from './server.mjs';
import { source } from './source.mjs';

export const server_key = 'a-server-key-of-the-tests';
export const here = join(source, 'tests/conformance/spoken_sessions');

export class Stage {
  static async start() {
    const stage = new Stage();
    stage.model = await Fake.start();
    await stage.model.play(...JSON.parse(await readFile(join(here, 'rules.json'), 'utf8')));
    const env = { DESK_KEY: server_key, OPENAI_API_KEY: model_key, FAKE_URL: stage.model.url };
    stage.server = await Server.start(env, join(here, 'apps'));
    return stage;
  }

  address(app) {
    return `${this.server.url.replace('http', 'ws')}/v1/realtime?model=${app}`;
  }

  async stop() {
    await this.server?.stop();
    await this.model?.stop();
  }
}

/** A case that is kept as a result, one line each, in the file that SIDEVOICE_RESULTS names. */
export async function record(client, name, does) {
  const began = Date.now();
  let passed = false;
  try {
    await does();
    passed = true;
  } finally {
    const line = { suite: 'spoken', client, transport: 'ws', case: name, passed, ms: Date.now() - began };
    if (process.env.SIDEVOICE_RESULTS) appendFileSync(process.env.SIDEVOICE_RESULTS, `${JSON.stringify(line)}\n`);
  }
}

/** All that a client has received in a case that failed. @returns {string} where it is */
export function keep_events(client, name, events) {
  const folder = process.env.SIDEVOICE_EVENTS ?? 'events';
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${client}-${name}`.replace(/[^a-z0-9-]+/gi, '_') + '.jsonl');
  writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  return file;
}
