/** PCM16, little-endian, mono: the form in which sound travels. */

/** Loudness below this is silence for the meter, in dB of full scale. */
const quiet_db = -60;

/** @param {ArrayLike<number>} samples from -1 to 1; what lies beyond is clipped @returns {Int16Array} */
export function to_pcm16(samples) {
  const pcm = new Int16Array(samples.length);
  for (let at = 0; at < samples.length; ++at) pcm[at] = Math.max(-32768, Math.min(32767, Math.round(samples[at] * 32767)));
  return pcm;
}

/** @param {Int16Array} pcm @returns {Float32Array} */
export function to_floats(pcm) {
  const floats = new Float32Array(pcm.length);
  for (let at = 0; at < pcm.length; ++at) floats[at] = pcm[at] / 32768;
  return floats;
}

/** @param {Int16Array} pcm */
export function to_base64(pcm) {
  const bytes = new Uint8Array(pcm.length * 2);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < pcm.length; ++at) view.setInt16(2 * at, pcm[at], true);
  let text = '';
  // One call takes only so many arguments.
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}

/** @param {string} base64 throws where it is none; half a sample at the end is dropped @returns {Int16Array} */
export function from_base64(base64) {
  const text = atob(base64);
  const pcm = new Int16Array(text.length >> 1);
  for (let at = 0; at < pcm.length; ++at) {
    const value = text.charCodeAt(2 * at) | (text.charCodeAt(2 * at + 1) << 8);
    pcm[at] = value;
  }
  return pcm;
}

/**
 * How loud a piece is, for a meter: 0 is silence, 1 full scale, evenly over the decibels between.
 * @param {Int16Array} pcm
 */
export function level_of(pcm) {
  if (pcm.length === 0) return 0;
  let sum = 0;
  for (const sample of pcm) sum += sample * sample;
  const db = 10 * Math.log10(sum / pcm.length / 32768 ** 2 + 1e-12);
  return Math.max(0, Math.min(1, 1 - db / quiet_db));
}

/** @param {Int16Array[]} pieces @returns {Int16Array} */
export function join(pieces) {
  const whole = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
