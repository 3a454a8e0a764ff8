// A visitor with a mouth and ears, for tests in Chromium. Nothing here needs a hook in the product: the microphone is
// Chromium's own fake one or a replaced getUserMedia, and what is heard is tapped where the page connects to its loudspeaker.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { open_browser } from './browser.mjs';
import { source } from './source.mjs';

const { from_base64, to_base64, to_floats, to_pcm16 } = await import(join(source, 'clients/js/audio/pcm.js'));
const { Resampler } = await import(join(source, 'clients/js/audio/resampler.js'));
const run = promisify(execFile);

/** @typedef {{rate: number, pcm: Int16Array}} Sound mono */

// -- sound as data --------------------------------------------------------------

/** @param {Buffer} file a RIFF file of PCM16; of several channels the first is taken @returns {Sound} */
export function read_wav(file) {
  let rate = 0;
  let channels = 1;
  for (let at = 12; at + 8 <= file.length;) {
    const name = file.toString('latin1', at, at + 4);
    const size = Math.min(file.readUInt32LE(at + 4), file.length - at - 8);
    if (name === 'fmt ') {
      channels = file.readUInt16LE(at + 10);
      rate = file.readUInt32LE(at + 12);
      if (file.readUInt16LE(at + 22) !== 16) throw new Error('This WAV file is not of 16 bits.');
    } else if (name === 'data') {
      const count = Math.floor(size / 2 / channels);
      return { rate, pcm: Int16Array.from({ length: count }, (_, n) => file.readInt16LE(at + 8 + 2 * channels * n)) };
    }
    at += 8 + size + (size % 2);
  }
  throw new Error('This is no WAV file.');
}

/** @param {Sound} sound @returns {Buffer} */
export function to_wav({ rate, pcm }) {
  const file = Buffer.alloc(44 + 2 * pcm.length);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(36 + 2 * pcm.length, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(2 * rate, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(2 * pcm.length, 40);
  pcm.forEach((sample, at) => file.writeInt16LE(sample, 44 + 2 * at));
  return file;
}

/** @param {Sound} sound @param {number} rate @returns {Sound} */
export function at_rate({ rate: from, pcm }, rate) {
  const resampler = new Resampler(from, rate);
  const floats = Float32Array.from([...resampler.push(to_floats(pcm)), ...resampler.end()]);
  return { rate, pcm: to_pcm16(floats) };
}

/** @param {number} length_ms @returns {Sound} */
export function silence(length_ms, rate = 16000) {
  return { rate, pcm: new Int16Array(Math.round((length_ms * rate) / 1000)) };
}

/** @returns {Sound} */
export function tone(hertz, length_ms, { rate = 16000, amplitude = 0.4 } = {}) {
  const { pcm } = silence(length_ms, rate);
  return { rate, pcm: pcm.map((_, at) => amplitude * 32767 * Math.sin((2 * Math.PI * hertz * at) / rate)) };
}

/** @param {...Sound} sounds @returns {Sound} one behind the other, at 16 kHz */
export function sequence(...sounds) {
  const all = sounds.map((sound) => at_rate(sound, 16000).pcm);
  const pcm = new Int16Array(all.reduce((sum, one) => sum + one.length, 0));
  let at = 0;
  for (const one of all) {
    pcm.set(one, at);
    at += one.length;
  }
  return { rate: 16000, pcm };
}

/** Mean amplitude, 1 is full scale. @param {Sound} sound */
export function loudness({ pcm }) {
  return Math.sqrt(pcm.reduce((sum, sample) => sum + (sample / 32768) ** 2, 0) / Math.max(1, pcm.length));
}

/** The part of a sound's energy that lies at one tone, 0 to 1. @param {Sound} sound */
export function share_of_tone({ rate, pcm }, hertz) {
  let re = 0;
  let im = 0;
  let energy = 0;
  pcm.forEach((sample, at) => {
    re += sample * Math.cos((2 * Math.PI * hertz * at) / rate);
    im += sample * Math.sin((2 * Math.PI * hertz * at) / rate);
    energy += sample * sample;
  });
  return energy > 0 ? (2 * (re * re + im * im)) / pcm.length / energy : 0;
}

/**
 * A sentence, spoken by one of the system's own voices: none of those that the agent has.
 * @param {string} text
 * @param {{engine?: 'flite'|'espeak-ng', voice?: string}} [options] flite: rms, slt, awb ...; espeak-ng: en, de ...
 * @returns {Promise<Sound>} 16 kHz
 */
export async function spoken(text, { engine = 'flite', voice = engine === 'flite' ? 'rms' : 'en' } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'sidevoice-spoken-'));
  const file = join(folder, 'spoken.wav');
  try {
    if (engine === 'flite') await run('flite', ['-voice', voice, '-t', text, '-o', file]);
    else await run('espeak-ng', ['-v', voice, '-w', file, text]);
    return at_rate(read_wav(await readFile(file)), 16000);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * A whole side of a talk as one sound.
 * @param {string[]} sentences
 * @param {{lead_ms?: number, pause_ms?: number, engine?: string, voice?: string}} [options] `pause_ms` behind each
 * @returns {Promise<Sound>}
 */
export async function monologue(sentences, { lead_ms = 500, pause_ms = 4000, ...voice } = {}) {
  const parts = [silence(lead_ms)];
  for (const sentence of sentences) parts.push(await spoken(sentence, voice), silence(pause_ms));
  return sequence(...parts);
}

// -- a browser with a microphone ------------------------------------------------------

/**
 * A Chromium whose microphone plays a sound, once or again and again, from the moment it is opened.
 * @param {Sound} [sound] default: Chromium's own beeps
 * @param {{folder: string, loop?: boolean}} [about] where the file is put
 */
export async function open_speaking_browser(sound, { folder, loop = true } = {}) {
  const more = ['--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required'];
  if (sound) {
    const file = join(folder, 'microphone.wav');
    await writeFile(file, to_wav(sound));
    more.push(`--use-file-for-fake-audio-capture=${file}${loop ? '' : '%noloop'}`);
  }
  return open_browser(more);
}

/** A microphone that says what a test wants, when it wants it; for talks whose turns depend on each other. */
export class Mouth {
  #page;

  /** @param {import('playwright-core').BrowserContext} context before its pages are opened */
  static async give_to(context) {
    await context.addInitScript(() => {
      const mouth = {};
      mouth.opened = new Promise((resolve) => {
        mouth.open = resolve;
      });
      window.sidevoice_mouth = mouth;
      navigator.mediaDevices.getUserMedia = async () => {
        mouth.context = new AudioContext();
        mouth.out = mouth.context.createMediaStreamDestination();
        mouth.open();
        return mouth.out.stream;
      };
    });
  }

  /** @param {import('playwright-core').Page} page of such a context */
  constructor(page) {
    this.#page = page;
  }

  /** Settles when it has been said to the end. @param {Sound} sound */
  async say({ rate, pcm }) {
    await this.#page.evaluate(async ([base64, its_rate]) => {
      const mouth = window.sidevoice_mouth;
      await mouth.opened;
      const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
      const samples = new Int16Array(bytes.buffer);
      const buffer = mouth.context.createBuffer(1, samples.length, its_rate);
      buffer.copyToChannel(Float32Array.from(samples, (sample) => sample / 32768), 0);
      const playing = new AudioBufferSourceNode(mouth.context, { buffer });
      playing.connect(mouth.out);
      const ended = new Promise((resolve) => {
        playing.onended = resolve;
      });
      playing.start();
      await ended;
    }, [to_base64(pcm), rate]);
  }
}

/** All that a context's pages play, sample by sample, silence included. They have to come from a Front. */
export class Ear {
  #pieces = [];
  #waiting = [];
  rate = 48000;

  /** @param {import('playwright-core').BrowserContext} context before its pages are opened */
  static async give_to(context) {
    const ear = new Ear();
    await context.exposeBinding('sidevoice_heard', (_source, rate, base64) => ear.#hear(rate, base64));
    await context.addInitScript(() => {
      const connect = AudioNode.prototype.connect;
      const tap = async (node) => {
        await node.context.audioWorklet.addModule('/sidevoice-test-ear.js');
        const ear_node = new AudioWorkletNode(node.context, 'sidevoice-test-ear', { numberOfOutputs: 0 });
        ear_node.port.onmessage = ({ data }) => {
          const text = String.fromCharCode(...new Uint8Array(data.buffer));
          window.sidevoice_heard(node.context.sampleRate, btoa(text));
        };
        connect.call(node, ear_node);
      };
      AudioNode.prototype.connect = function (target, ...rest) {
        if (target instanceof AudioDestinationNode) tap(this);
        return connect.call(this, target, ...rest);
      };
    });
    return ear;
  }

  #hear(rate, base64) {
    this.rate = rate;
    const pcm = from_base64(base64);
    this.#pieces.push(pcm);
    this.#waiting = this.#waiting.filter((wait) => !wait(pcm));
  }

  /** @returns {Sound} since the last call of `forget` */
  get sound() {
    const pcm = new Int16Array(this.#pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of this.#pieces) {
      pcm.set(piece, at);
      at += piece.length;
    }
    return { rate: this.rate, pcm };
  }

  forget() {
    this.#pieces = [];
  }

  /** The first tenth of a second that is loud. */
  async hears_something() {
    return this.#wait_for((pcm) => loudness({ pcm }) > 0.02);
  }

  /** A second without sound. */
  async hears_nothing() {
    let silent = 0;
    return this.#wait_for((pcm) => {
      silent = loudness({ pcm }) > 0.005 ? 0 : silent + pcm.length;
      return silent >= this.rate;
    });
  }

  #wait_for(condition) {
    return new Promise((resolve) => {
      this.#waiting.push((pcm) => {
        if (!condition(pcm)) return false;
        resolve();
        return true;
      });
    });
  }
}
