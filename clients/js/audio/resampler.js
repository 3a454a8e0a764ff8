/**
 * Turns a stream of samples into one of another rate: a windowed sinc, split into its phases. What the lower of the two
 * rates cannot carry is taken out, so that nothing folds back. Pure, and quick enough for an audio thread.
 */

/** Zero crossings of the sinc on each side: more is steeper, and dearer. */
const crossings = 16;
/** Of the lower rate's half: where the filter is down by half. The rest is room for its slope. */
const cutoff = 0.875;
/** Kaiser's window, with side lobes about 80 dB down. */
const beta = 8;
/** Rates without a common measure would have a table without bound; from here on the nearest phase is taken. */
const phases_max = 1024;

export class Resampler {
  #up;
  #down;
  #half;
  #table;
  /** The newest samples; what the next output may still need. */
  #history;
  #filled;
  /** Number of the input sample that stands first in the history. */
  #first;
  /** Next output, as its input position: whole samples and a remainder of `#up`. */
  #at = 0;
  #remainder = 0;

  /** @param {number} from rate in Hz @param {number} to rate in Hz */
  constructor(from, to) {
    const measure = common(Math.round(from), Math.round(to));
    this.#up = Math.round(to) / measure;
    this.#down = Math.round(from) / measure;
    const narrow = Math.min(1, to / from);
    this.#half = Math.ceil(crossings / narrow);
    this.#table = from === to ? null : phases_of(Math.min(this.#up, phases_max), this.#half, narrow * cutoff);
    this.#history = new Float32Array(4 * this.#half + 4096);
    this.reset();
  }

  /** As if nothing had been given yet. */
  reset() {
    // Silence stands before the first sample, so that the first output belongs to it exactly.
    this.#history.fill(0);
    this.#filled = this.#half;
    this.#first = -this.#half;
    this.#at = 0;
    this.#remainder = 0;
  }

  /**
   * @param {ArrayLike<number>} input
   * @returns {Float32Array} what is decided by now: the outputs lag by half a filter, and are not shifted by it
   */
  push(input) {
    if (!this.#table) return Float32Array.from(input);
    this.#take(input);
    const last = this.#first + this.#filled - this.#half;
    const output = new Float32Array(Math.max(0, Math.ceil(((last - this.#at) * this.#up) / this.#down)) + 1);
    let count = 0;
    while (this.#at < last) {
      output[count++] = this.#one();
      this.#remainder += this.#down;
      const whole = Math.floor(this.#remainder / this.#up);
      this.#at += whole;
      this.#remainder -= whole * this.#up;
    }
    this.#forget();
    return output.slice(0, count);
  }

  /** The stream ends: what was held back for lack of a future. Another stream may begin. */
  end() {
    const rest = this.#table ? this.push(new Float32Array(this.#half)) : new Float32Array(0);
    this.reset();
    return rest;
  }

  #one() {
    const phases = this.#table.length;
    const phase = phases === this.#up ? this.#remainder : Math.floor((this.#remainder * phases) / this.#up);
    const taps = this.#table[phase];
    const begin = this.#at - this.#half + 1 - this.#first;
    let sum = 0;
    for (let tap = 0; tap < taps.length; ++tap) sum += taps[tap] * this.#history[begin + tap];
    return sum;
  }

  #take(input) {
    const wanted = this.#filled + input.length;
    if (wanted > this.#history.length) {
      const grown = new Float32Array(2 * wanted);
      grown.set(this.#history.subarray(0, this.#filled));
      this.#history = grown;
    }
    this.#history.set(input, this.#filled);
    this.#filled = wanted;
  }

  #forget() {
    const unneeded = this.#at - this.#half - this.#first;
    if (unneeded <= 0) return;
    this.#history.copyWithin(0, unneeded, this.#filled);
    this.#filled -= unneeded;
    this.#first += unneeded;
  }
}

/** Filters for positions between two samples: taps[phase][k] weighs the sample k - half + 1 after the position's floor. */
function phases_of(count, half, band) {
  const table = [];
  for (let phase = 0; phase < count; ++phase) {
    const taps = new Float32Array(2 * half);
    let sum = 0;
    for (let tap = 0; tap < taps.length; ++tap) {
      const distance = tap - half + 1 - phase / count;
      taps[tap] = sinc(distance * band) * kaiser(distance / half);
      sum += taps[tap];
    }
    // Each phase passes a constant unchanged; otherwise their differences are heard as a tone.
    table.push(taps.map((tap) => tap / sum));
  }
  return table;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

function kaiser(x) {
  return Math.abs(x) >= 1 ? 0 : bessel(beta * Math.sqrt(1 - x * x)) / bessel(beta);
}

/** The modified Bessel function of order 0, by its series. */
function bessel(x) {
  let sum = 1;
  let term = 1;
  for (let k = 1; term > 1e-10 * sum; ++k) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function common(a, b) {
  return b === 0 ? a : common(b, a % b);
}
