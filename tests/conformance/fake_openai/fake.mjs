// The fake provider of the real binary, started and stopped by tests.
import { spawn } from 'node:child_process';

export const key = 'a-key-of-the-tests';
const patience_ms = 60_000;
const binary = process.env.SIDEVOICE_BINARY;
if (!binary) throw new Error('Set SIDEVOICE_BINARY to the program, or run run.sh.');

export class Fake {
  #process;
  #ended;
  #stderr = '';

  /** Listening on a free port. */
  static async start() {
    const fake = new Fake();
    const flags = ['fake-providers', '--listen', '127.0.0.1:0', '--key', key];
    fake.#process = spawn(binary, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
    fake.#process.stderr.setEncoding('utf8').on('data', (text) => (fake.#stderr += text));
    fake.#ended = new Promise((resolve) => fake.#process.once('exit', (code, signal) => resolve(code ?? signal)));
    let stdout = '';
    const listening = new Promise((resolve) => {
      fake.#process.stdout.setEncoding('utf8').on('data', (text) => {
        stdout += text;
        const found = /listening on (http:\/\/\S+)\/v1\n/.exec(stdout);
        if (found) resolve(found[1]);
      });
    });
    const failed = fake.#ended.then((code) => {
      throw new Error(`It ended with ${code}: ${fake.#stderr}`);
    });
    fake.url = await within(Promise.race([listening, failed]), 'the "listening" line');
    return fake;
  }

  async #control(method, path, body) {
    const headers = { authorization: `Bearer ${key}` };
    const answer = await fetch(`${this.url}/fake/${path}`, { method, headers, body });
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    return JSON.parse(text);
  }

  /** Replaces the rules and begins a new log. */
  async play(...rules) {
    await this.#control('POST', 'script', JSON.stringify(rules));
    await this.#control('POST', 'reset');
  }

  requests() {
    return this.#control('GET', 'requests');
  }

  async stop() {
    this.#process.kill('SIGTERM');
    const code = await within(this.#ended, 'the end of the fake');
    if (code !== 0) throw new Error(`It ended with ${code}: ${this.#stderr}`);
  }
}

export function within(promise, what) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${patience_ms / 1000} s for ${what}.`)), patience_ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
