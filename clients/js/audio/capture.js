import { level_of, to_pcm16 } from './pcm.js';
import { Resampler } from './resampler.js';

const chunk_ms = 40;

/**
 * A microphone's samples in, pieces of 40 ms of PCM16 out. The part of the capture worklet that knows no worklet.
 */
export class Capture {
  #resampler;
  #chunk;
  #filled = 0;
  #per_ms;

  /** @param {number} from rate of the device @param {number} to rate that is sent: 16000 or 24000 */
  constructor(from, to) {
    this.#resampler = new Resampler(from, to);
    this.#per_ms = to / 1000;
    this.#chunk = new Float32Array(chunk_ms * this.#per_ms);
  }

  /**
   * @param {Float32Array[]} channels of one block; none at all is what a track without a source gives
   * @returns {{pcm: Int16Array, level: number}[]}
   */
  push(channels) {
    if (channels.length === 0) return [];
    return this.#fill(this.#resampler.push(mono(channels)));
  }

  /**
   * What has not made a whole piece yet, filled up with silence to a whole millisecond, for an end in the middle.
   * @returns {{pcm: Int16Array, level: number}|null}
   */
  rest() {
    const length = Math.ceil(this.#filled / this.#per_ms) * this.#per_ms;
    if (length === 0) return null;
    this.#chunk.fill(0, this.#filled);
    this.#filled = 0;
    return piece(this.#chunk.subarray(0, length));
  }

  #fill(samples) {
    const pieces = [];
    for (let at = 0; at < samples.length;) {
      const count = Math.min(samples.length - at, this.#chunk.length - this.#filled);
      this.#chunk.set(samples.subarray(at, at + count), this.#filled);
      at += count;
      this.#filled += count;
      if (this.#filled < this.#chunk.length) break;
      pieces.push(piece(this.#chunk));
      this.#filled = 0;
    }
    return pieces;
  }
}

function piece(samples) {
  const pcm = to_pcm16(samples);
  return { pcm, level: level_of(pcm) };
}

function mono(channels) {
  if (channels.length === 1) return channels[0];
  return channels[0].map((_, at) => channels.reduce((sum, channel) => sum + channel[at], 0) / channels.length);
}
