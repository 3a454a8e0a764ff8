// What a developer wants to see of the voice: how sure the server is that somebody speaks, why each turn ended, where the
// silence before each answer came from, and how the sound gets through.

/** Parts of a turn's silence, in their order. */
const parts = {
  end_of_speech_ms: 'end of speech decided',
  transcript_ms: 'transcript',
  first_token_ms: 'first word of the model',
  first_clause_ms: 'first clause',
  first_audio_ms: 'first sound',
  played_ms: 'on its way to the ear',
};

const probes_shown = 100;
const turns_shown = 20;

const whys = {
  silence: 'silence',
  semantic: 'the end of a sentence',
  manual: 'the visitor',
  limit: 'its length',
};

const make = (tag, about = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), about);
  made.append(...children);
  return made;
};

const ms = (value) => `${Math.round(value)} ms`;

export class VoicePanel {
  #details;
  #canvas = make('canvas', { width: 600, height: 144 });
  #facts = make('dl');
  #turns = make('ol', { className: 'turns' });
  #probes = [];
  #mic = null;
  #stop_hearing = [];
  #planned = false;

  /** @param {HTMLDetailsElement} details */
  constructor(details) {
    this.#details = details;
    this.#canvas.setAttribute('role', 'img');
    this.#canvas.setAttribute('aria-label', 'Probability of speech over the last ten seconds');
    const legend = Object.entries(parts).map(([name, textContent]) => make('li', { className: name, textContent }));
    const heading = (textContent) => make('h2', { textContent });
    const sound = make('div', {}, heading('Probability of speech'), this.#canvas, this.#facts);
    const answers = make('div', {}, heading('Silence before each answer'), make('ul', { className: 'legend' }, ...legend), this.#turns);
    details.append(make('div', { className: 'parts' }, sound, answers));
    details.addEventListener('toggle', () => this.#on_toggle());
  }

  /** The session that is shown: another one after "new conversation". */
  follow(session) {
    if (session.mic === this.#mic) return;
    for (const stop of this.#stop_hearing) stop();
    const mic = session.mic;
    this.#mic = mic;
    this.#stop_hearing = [
      mic.on('probe', (probe) => this.#add_probe(probe)),
      mic.on('turn_ended', (turn) => this.#add_end(turn)),
      mic.on('stats', () => this.#draw_soon()),
      mic.on('state', () => this.#draw_soon()),
    ];
    mic.watch(this.#details.open);
    this.#draw_soon();
  }

  clear() {
    this.#probes = [];
    this.#turns.replaceChildren();
    this.#draw_soon();
  }

  /** @param {{text: string, latency: Record<string, number>}} turn */
  show_turn({ text, latency }) {
    const known = Object.keys(parts).filter((name) => latency[name] > 0);
    const fall = make('div', { className: 'fall', role: 'img' });
    fall.setAttribute('aria-label', known.map((name) => `${parts[name]} ${ms(latency[name])}`).join(', '));
    for (const name of known) {
      const bar = make('span', { className: name, title: `${parts[name]}: ${ms(latency[name])}` });
      bar.style.setProperty('--ms', latency[name]);
      fall.append(bar);
    }
    const total = latency.silence_ms ?? known.reduce((sum, name) => sum + latency[name], 0);
    const waits = [...this.#turns.children].find((row) => !row.querySelector('.fall'));
    const row = waits ?? this.#add_row('not spoken by the visitor');
    row.title = text;
    row.dataset.ms = total;
    row.append(fall, make('span', { className: 'sum', textContent: known.length > 0 ? ms(total) : '' }));
    this.#scale();
  }

  /** All bars on one scale. */
  #scale() {
    const longest = Math.max(1, ...[...this.#turns.children].map((row) => Number(row.dataset.ms ?? 0)));
    for (const fall of this.#turns.querySelectorAll('.fall'))
      fall.style.setProperty('width', `${(100 * Number(fall.parentElement.dataset.ms)) / longest}%`);
  }

  #on_toggle() {
    this.#mic?.watch(this.#details.open);
    this.#draw_soon();
  }

  #add_probe(probe) {
    this.#probes.push(probe);
    if (this.#probes.length > probes_shown) this.#probes.shift();
    this.#draw_soon();
  }

  #add_end({ why, silence_ms, probability }) {
    const sure = typeof probability === 'number' ? `, probability ${probability.toFixed(2)}` : '';
    const silent = silence_ms > 0 ? `, ${ms(silence_ms)} of silence` : '';
    this.#add_row(`ended by ${whys[why] ?? why}${silent}${sure}`);
  }

  #add_row(why) {
    const row = make('li', {}, make('span', { className: 'why', textContent: why }));
    this.#turns.prepend(row);
    while (this.#turns.children.length > turns_shown) this.#turns.lastChild.remove();
    return row;
  }

  #draw_soon() {
    if (this.#planned || !this.#details.open) return;
    this.#planned = true;
    requestAnimationFrame(() => {
      this.#planned = false;
      this.#draw_probes();
      this.#show_facts();
    });
  }

  #draw_probes() {
    const { width, height } = this.#canvas;
    const canvas = this.#canvas.getContext('2d');
    const colour = getComputedStyle(this.#canvas).color;
    const step = width / (probes_shown - 1);
    const y = (probability) => height - 4 - probability * (height - 8);
    canvas.clearRect(0, 0, width, height);
    canvas.fillStyle = colour;
    canvas.globalAlpha = 0.15;
    this.#probes.forEach(({ speaking }, at) => speaking && canvas.fillRect((at - 0.5) * step, 0, step, height));
    canvas.globalAlpha = 1;
    canvas.strokeStyle = colour;
    canvas.lineWidth = 2.5;
    canvas.beginPath();
    this.#probes.forEach(({ probability }, at) => canvas.lineTo(at * step, y(probability)));
    canvas.stroke();
  }

  #show_facts() {
    const { kept_ms, lost_ms, seat, player } = this.#mic.stats;
    const facts = {
      microphone: this.#mic.state,
      seat,
      'speech kept': ms(kept_ms),
      'speech lost': ms(lost_ms),
      playback: player?.state ?? 'off',
      'sound waiting': ms(player?.buffered_ms ?? 0),
      gaps: String(player?.underruns ?? 0),
    };
    const rows = Object.entries(facts).map(([name, textContent]) => {
      const row = make('div', {}, make('dt', { textContent: name }), make('dd', { textContent }));
      row.dataset.fact = name;
      return row;
    });
    this.#facts.replaceChildren(...rows);
  }
}
