// The real server, started and stopped by tests. Waits are for events, with generous deadlines: a sanitizer build is slow.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { source } from './source.mjs';

export const patience_ms = 60_000;

export const binary = process.env.SIDEVOICE_BINARY;
if (!binary) throw new Error('Set SIDEVOICE_BINARY to the program, or run run.sh.');

export class Server {
  #process = null;
  #stderr = '';
  url = '';
  admin = '';
  apps = join(source, 'apps');

  /** @param {{data: string, env?: Record<string, string>, remove?: boolean}} options */
  constructor({ data, env = {} }) {
    this.data = data;
    this.env = env;
  }

  /** A server with a fresh data folder, listening on a free port; `apps`: a folder of apps, or one app's file. */
  static async start(env, apps) {
    const server = new Server({ data: await mkdtemp(join(tmpdir(), 'sidevoice-e2e-')), env });
    if (apps) server.apps = apps;
    await server.listen('127.0.0.1:0');
    return server;
  }

  get port() {
    return Number(new URL(this.url).port);
  }

  /** @param {string} where host and port; port 0: any */
  async listen(where) {
    const flags = ['serve', '--config', this.apps, '--listen', where];
    flags.push('--data', join(this.data, 'data'), '--admin-listen', '127.0.0.1:0');
    // A machine that is busy with other tests is no fault of the visitors.
    flags.push('--no-shedding');
    const tls = process.env.SIDEVOICE_TLS; // a folder with cert.pem and key.pem
    if (tls) flags.push('--tls-certificate', join(tls, 'cert.pem'), '--tls-key', join(tls, 'key.pem'));
    const env = { ...process.env, OPENAI_API_KEY: '', MOVING_KEY: '', ...this.env };
    const started = spawn(binary, flags, { cwd: source, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = started;
    started.stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr = (this.#stderr + text).slice(-20_000);
    });
    let stdout = '';
    await new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`The server did not start: ${why}\n${this.#stderr}`));
      const timer = setTimeout(() => fail('no "listening" line in time'), patience_ms);
      started.once('error', (fault) => fail(fault.message));
      started.once('exit', (code, signal) => fail(`it ended with ${signal ?? code}`));
      started.stdout.setEncoding('utf8').on('data', (text) => {
        stdout += text;
        const found = /listening on (https?:\/\/[^ ]+) \(admin (http:\/\/[^)]+)\)/.exec(stdout);
        if (!found) return;
        clearTimeout(timer);
        [, this.url, this.admin] = found;
        resolve();
      });
    });
  }

  /** Ends it without a chance to tidy up. */
  async kill() {
    await this.#end('SIGKILL');
  }

  /** Asks it to go, and waits until it has; its data stay. */
  async leave() {
    const code = await this.#end('SIGTERM');
    if (code !== 0) throw new Error(`The server ended with ${code}.\n${this.#stderr}`);
  }

  /** The same address and data again. */
  async restart() {
    await this.listen(`127.0.0.1:${this.port}`);
  }

  async stop() {
    const code = await this.#end('SIGTERM');
    await rm(this.data, { recursive: true, force: true });
    if (code !== 0) throw new Error(`The server ended with ${code}.\n${this.#stderr}`);
  }

  async #end(signal) {
    const ending = this.#process;
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return ending?.exitCode ?? 0;
    const ended = new Promise((resolve) => ending.once('exit', (code) => resolve(code ?? 0)));
    ending.kill(signal);
    return within(ended, 'the end of the server').catch((late) => {
      ending.kill('SIGKILL');
      throw new Error(`${late.message}\n${this.#stderr}`);
    });
  }
}

/**
 * A promise with a deadline.
 * @template T
 * @param {Promise<T>} promise
 * @param {string} what it is that is waited for
 * @returns {Promise<T>}
 */
export function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${patience_ms / 1000} s for ${what}.`)), patience_ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
