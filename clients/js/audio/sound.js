import { Microphone, audio_fault } from './microphone.js';
import { Player } from './player.js';

/** How long an audio context may take to run before the visitor is asked for a click. */
const wake_ms = 1_000;
const settle_ms = 1_000;

/**
 * Microphone and loudspeaker of this page, on one audio context.
 * @typedef {object} Sound
 * @property {Microphone} microphone
 * @property {Player} player
 * @property {() => void} close
 *
 * @param {object} about
 * @param {number} about.microphone_rate
 * @param {number} about.player_rate
 * @param {string} [about.device] id of the microphone to use
 * @param {(piece: {pcm: Int16Array, level: number}) => void} about.on_piece
 * @param {() => void} about.on_lost the microphone is gone
 * @param {() => void} about.on_blocked the browser wants a click before it plays sound
 * @param {(report: object) => void} about.on_report as in Player
 * @param {() => void} about.on_stats as in Player
 * @returns {Promise<Sound>} rejects with a SidevoiceError that says the remedy
 */
export async function open_sound(about) {
  const stream = await Microphone.ask(about.device);
  let context;
  try {
    context = new AudioContext({ latencyHint: 'interactive' });
    const modules = ['capture_worklet.js', 'playback_worklet.js'];
    await Promise.all(modules.map((name) => context.audioWorklet.addModule(new URL(name, import.meta.url).href)));
    const player = new Player(context, { rate: about.player_rate, on_report: about.on_report, on_stats: about.on_stats });
    const microphone = new Microphone(context, stream, { ...about, rate: about.microphone_rate });
    const sleep = keep_awake(context, about.on_blocked);
    return {
      microphone,
      player,
      close() {
        sleep();
        microphone.close();
        player.close();
        setTimeout(() => context.close().catch(() => {}), settle_ms);
      },
    };
  } catch (fault) {
    for (const track of stream.getTracks()) track.stop();
    context?.close().catch(() => {});
    throw audio_fault('audio_blocked', fault);
  }
}

/** Wakes the context whenever something has put it to sleep: no gesture yet, a telephone call, another app. */
function keep_awake(context, on_blocked) {
  const stop = new AbortController();
  const { signal } = stop;
  const wake = () => {
    if (context.state !== 'running' && context.state !== 'closed') context.resume().catch(() => {});
  };
  const timer = setTimeout(() => {
    if (context.state !== 'running') on_blocked();
  }, wake_ms);
  context.addEventListener('statechange', wake, { signal });
  for (const gesture of ['pointerdown', 'keydown']) document.addEventListener(gesture, wake, { signal, capture: true });
  document.addEventListener('visibilitychange', wake, { signal });
  wake();
  return () => {
    clearTimeout(timer);
    stop.abort();
  };
}
