// The demo page: an app's chat beside its checklist. All of the conversation is in the two elements; this file is the
// page round them.
import { shared } from './sidevoice.js';
import { tools_of } from './tools.js';
import { VoicePanel } from './voice_panel.js';

const state_names = {
  connecting: 'connecting …',
  ready: 'ready',
  thinking: 'thinking …',
  listening: 'listening',
  speaking: 'speaking',
  resuming: 'reconnecting …',
  completed: 'complete',
  ended: 'ended',
  closed: 'closed',
};

const at = (id) => document.getElementById(id);

function show_text(id, text) {
  if (at(id).textContent !== text) at(id).textContent = text;
  at(id).hidden = !text;
}

async function load_apps() {
  const reply = await fetch('./v1/apps');
  if (!reply.ok) throw new Error(`The server does not list its apps (status ${reply.status}).`);
  return (await reply.json()).apps;
}

/** Black or white, whichever reads better on the accent. */
function text_on(colour) {
  const canvas = document.createElement('canvas').getContext('2d');
  canvas.fillStyle = colour;
  canvas.fillRect(0, 0, 1, 1);
  const linear = [...canvas.getImageData(0, 0, 1, 1).data].map((byte) => ((byte / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  return luminance > 0.36 ? '#000' : '#fff';
}

function show_app(app, apps) {
  document.title = app.title || app.id;
  if (app.language) document.documentElement.lang = app.language;
  show_text('title', app.title || app.id);
  const { accent, notice } = app.page;
  show_text('notice', notice);
  at('offline').hidden = !app.offline;
  if (accent && CSS.supports('color', accent)) {
    document.documentElement.style.setProperty('--sidevoice-accent', accent);
    document.documentElement.style.setProperty('--sidevoice-on-accent', text_on(accent));
  }
  if (apps.length < 2) return;
  at('apps').hidden = false;
  for (const other of apps) {
    const link = document.createElement('a');
    link.textContent = other.title || other.id;
    link.href = `?app=${encodeURIComponent(other.id)}`;
    if (other.id === app.id) link.setAttribute('aria-current', 'page');
    at('apps').append(link);
  }
}

function show_result(checklist, session) {
  const result = session.completed?.result;
  at('completed').hidden = !result;
  if (!result) return;
  const rows = session.topics.all().filter((topic) => topic.id in result).map((topic) => {
    const row = document.createElement('div');
    row.dataset.topic = topic.id;
    const label = document.createElement('dt');
    label.textContent = topic.label ?? topic.id;
    const value = document.createElement('dd');
    value.textContent = checklist.format({ ...topic, value: result[topic.id] });
    row.append(label, value);
    return row;
  });
  at('result').replaceChildren(...rows);
}

function show_conversation(app) {
  const one = shared(app.id);
  const { tools, clear } = tools_of(app.id, at('tools'));
  one.tools = tools;
  const voice = new VoicePanel(at('developer'));
  const chat = document.createElement('sidevoice-chat');
  const checklist = document.createElement('sidevoice-checklist');
  for (const element of [chat, checklist]) element.setAttribute('app', app.id);
  one.addEventListener('change', () => {
    const { session } = one;
    at('state').dataset.state = session.state;
    show_text('state', state_names[session.state] ?? session.state);
    show_result(checklist, session);
    voice.follow(session);
    // For whoever looks after the page: which session this is.
    document.documentElement.dataset.session = session.id;
  });
  one.addEventListener('event', ({ detail: { name, args } }) => {
    if (name === 'error') show_text('fault', args[0].final ? args[0].message : '');
    if (name === 'turn') voice.show_turn(args[0]);
    if (name === 'completed') at('completed').scrollIntoView({ block: 'nearest' });
  });
  at('new').addEventListener('click', () => {
    show_text('fault', '');
    clear();
    voice.clear();
    one.restart();
    chat.focus_input();
  });
  at('main').append(chat, checklist);
}

async function start() {
  const apps = await load_apps();
  const wanted = new URLSearchParams(location.search).get('app');
  const app = wanted ? apps.find((one) => one.id === wanted) : apps[0];
  if (!app)
    throw new Error(wanted ? `There is no app "${wanted}" on this server.` : 'This server has no public app: see live.access.public in the app file.');
  show_app(app, apps);
  show_conversation(app);
}

try {
  await start();
} catch (fault) {
  show_text('fault', fault.message);
}
