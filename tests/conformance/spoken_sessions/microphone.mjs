// A visitor's voice: sentences spoken by flite, made into a client's format by sox, and sent as a microphone would.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** By the names that the Agents client has for them. */
export const formats = {
  pcm16: { sox: ['-r', '24000', '-e', 'signed-integer', '-b', '16'], bytes_per_ms: 48, silence: 0 },
  g711_ulaw: { sox: ['-r', '8000', '-e', 'mu-law', '-b', '8'], bytes_per_ms: 8, silence: 0xff },
  g711_alaw: { sox: ['-r', '8000', '-e', 'a-law', '-b', '8'], bytes_per_ms: 8, silence: 0xd5 },
};

/** @param {string} text @param {keyof typeof formats} format @returns {Promise<Buffer>} */
export async function spoken(text, format) {
  const folder = await mkdtemp(join(tmpdir(), 'sidevoice-spoken-'));
  const file = join(folder, 'spoken.wav');
  try {
    // None of the voices that the agent has by default.
    await run('flite', ['-voice', 'rms', '-t', text, '-o', file]);
    const made = await run('sox', ['-D', file, '-t', 'raw', '-c', '1', ...formats[format].sox, '-'], {
      encoding: 'buffer', maxBuffer: 64 * 1024 * 1024,
    });
    return made.stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const piece_ms = 40;

/** Sends without a break, in real time: what is said, and silence where nothing is. */
export class Microphone {
  #send;
  #format;
  #waiting = [];
  #timer;
  #began = 0;
  #sent = 0;

  /** @param {(piece: ArrayBuffer) => void} send @param {keyof typeof formats} format */
  constructor(send, format) {
    this.#send = send;
    this.#format = formats[format];
    this.name = format;
  }

  start() {
    this.#began = performance.now();
    this.#sent = 0;
    this.#timer = setInterval(() => this.#catch_up(), piece_ms / 2);
  }

  /** Settles when the last piece of it has gone. */
  async say(text) {
    const sound = await spoken(text, this.name);
    return new Promise((resolve) => this.#waiting.push({ sound, at: 0, resolve }));
  }

  stop() {
    clearInterval(this.#timer);
  }

  #catch_up() {
    const due = Math.floor((performance.now() - this.#began) / piece_ms);
    for (; this.#sent < due; ++this.#sent) this.#send(new Uint8Array(this.#piece()).buffer);
  }

  #piece() {
    const { bytes_per_ms, silence } = this.#format;
    const piece = Buffer.alloc(piece_ms * bytes_per_ms, silence);
    const [first] = this.#waiting;
    if (first) {
      first.at += first.sound.copy(piece, 0, first.at, first.at + piece.length);
      if (first.at === first.sound.length) {
        this.#waiting.shift();
        first.resolve();
      }
    }
    return piece;
  }
}

const plain_words = (text) => text.toLowerCase().replaceAll("'", '').match(/[a-z0-9]+/g) ?? [];

/** Words to put in, leave out or change, for each word that was said. */
export function word_error_rate(said, heard) {
  const [a, b] = [plain_words(said), plain_words(heard)];
  let row = b.map((_, at) => at + 1);
  row.unshift(0);
  a.forEach((word, i) => {
    const next = [i + 1];
    b.forEach((other, j) => next.push(Math.min(row[j] + (word === other ? 0 : 1), row[j + 1] + 1, next[j] + 1)));
    row = next;
  });
  return row[b.length] / a.length;
}
