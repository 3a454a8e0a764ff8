/**
 * The elements' style, as sheets that shadow roots adopt. A page changes it by CSS variables (--sidevoice-accent,
 * --sidevoice-on-accent, --sidevoice-surface, --sidevoice-text, --sidevoice-quiet, --sidevoice-line, --sidevoice-bubble,
 * --sidevoice-radius, --sidevoice-font) and by ::part().
 */
const base = `
:host {
  --accent: var(--sidevoice-accent, #0a6c8d);
  --on-accent: var(--sidevoice-on-accent, #fff);
  --surface: var(--sidevoice-surface, #fff);
  --text: var(--sidevoice-text, #1b2226);
  --quiet: var(--sidevoice-quiet, #5a666d);
  --line: var(--sidevoice-line, #dde3e6);
  --bubble: var(--sidevoice-bubble, #eef2f4);
  --bad: var(--sidevoice-bad, #a8321f);
  --warn: var(--sidevoice-warn, #8a5a00);
  --radius: var(--sidevoice-radius, 12px);
  display: flex;
  flex-direction: column;
  min-height: 0;
  color: var(--text);
  background: var(--surface);
  font: var(--sidevoice-font, 16px/1.45 system-ui, sans-serif);
}
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
p, h2, ul { margin: 0; padding: 0; }
button, input, select, textarea { font: inherit; color: inherit; }
button {
  padding: .4em .8em;
  border: 1px solid var(--line);
  border-radius: 8px;
  background: var(--surface);
  cursor: pointer;
}
button:hover { border-color: var(--quiet); }
button:disabled { opacity: .55; cursor: default; }
button.primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.error { color: var(--bad); font-size: .9em; }
.error:empty { display: none; }
.only-heard {
  position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap;
}
`;

const chat = `
.log {
  position: relative;
  flex: 1 1 auto;
  min-height: 0;
  overflow-y: auto;
  padding: 16px;
  display: flex;
  flex-direction: column;
  gap: 10px;
}
.log:focus-visible { outline-offset: -3px; }
.message { max-width: 85%; align-self: flex-start; border-radius: var(--radius); }
.message.user { align-self: flex-end; }
.message .text {
  padding: .55em .85em;
  border-radius: var(--radius);
  background: var(--bubble);
  white-space: pre-wrap;
  overflow-wrap: anywhere;
}
.message.assistant .text { border-bottom-left-radius: 3px; }
.message.user .text { background: var(--accent); color: var(--on-accent); border-bottom-right-radius: 3px; }
.message[data-status="sending"] .text { opacity: .65; }
.message[data-status="refused"] .text { background: var(--bubble); color: var(--text); border: 1px solid var(--bad); }
.message.user[data-status="in_progress"] .text { background: var(--bubble); color: var(--quiet); }
.message.user[data-status="incomplete"] .text { background: var(--bubble); color: var(--text); }
.message .text:empty { display: none; }
.message { position: relative; }
.spoken { position: absolute; inset-block-end: -.35em; width: 1.15em; height: 1.15em; padding: .15em; border-radius: 50%;
  background: var(--surface); color: var(--quiet); line-height: 0; }
.spoken svg { width: 100%; height: 100%; }
.message.user .spoken { inset-inline-start: -.5em; }
.message.assistant .spoken { inset-inline-end: -.5em; }
.message .state { font-size: .8em; color: var(--quiet); padding: .15em .4em 0; text-align: end; }
.message[data-status="refused"] .state { color: var(--bad); }
.message .state:empty { display: none; }
.message.revealed .text { box-shadow: 0 0 0 3px var(--surface), 0 0 0 6px var(--accent); }
mark { background: #ffe48a; color: #1b2226; border-radius: 3px; padding: 0 .1em; }
.thinking, .working, .transfer, .notice, .ended { padding: 0 20px 8px; font-size: .9em; color: var(--quiet); }
.mic-line { padding: 0 20px 6px; font-size: .88em; color: var(--quiet); text-align: end; }
.mic-line:empty { display: none; }
.thinking:empty, .working:empty, .transfer:empty, .notice:empty { display: none; }
.thinking::after { content: " …"; }
.working { display: flex; gap: .6em; align-items: center; }
.working::before {
  content: ""; flex: none; width: .95em; height: .95em; border: 2px solid var(--line); border-top-color: var(--accent);
  border-radius: 50%; animation: turn 1s linear infinite;
}
@keyframes turn { to { transform: rotate(1turn); } }
@media (prefers-reduced-motion: reduce) { .working::before { animation: none; } }
.transfer {
  margin: 0 16px 10px; padding: .5em .8em; border-inline-start: 3px solid var(--accent); border-radius: 4px;
  background: var(--bubble); color: var(--text);
}
.approvals { flex: 0 1 auto; min-height: 0; overflow-y: auto; }
.approval {
  margin: 0 16px 12px; padding: 12px 14px; display: grid; gap: 8px;
  border: 1px solid var(--accent); border-inline-start-width: 4px; border-radius: var(--radius); background: var(--surface);
}
.question { margin: 0; font-size: .82em; font-weight: 600; color: var(--quiet); }
.say { font-weight: 600; overflow-wrap: anywhere; }
.details { margin: 0; display: grid; gap: 3px; max-height: 10em; overflow-y: auto; font-size: .94em; }
.details div { display: grid; grid-template-columns: minmax(4em, max-content) 1fr; gap: .9em; }
.details dt { color: var(--quiet); }
.details dd { margin: 0; min-width: 0; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
.approval .buttons { display: flex; flex-wrap: wrap; gap: 8px; }
.actions { display: flex; align-items: center; gap: 8px; margin-inline-start: auto; }
.actions > button { min-height: 2.75em; }
.form { display: flex; flex-wrap: wrap; align-items: flex-end; gap: 8px; padding: 12px; border-top: 1px solid var(--line); }
.input {
  flex: 1 1 10em; min-width: 0; min-height: 2.75em; max-height: 9em; resize: none; field-sizing: content;
  padding: .6em .8em; border: 1px solid var(--quiet); border-radius: 10px; background: var(--surface);
}
`;

const mic = `
.mic-buttons { display: flex; align-items: center; gap: 6px; flex: none; }
.mic {
  --level: 0; position: relative; flex: none; width: 2.75em; height: 2.75em; padding: 0; border-radius: 50%;
  display: grid; place-items: center; touch-action: none; user-select: none; -webkit-user-select: none;
}
.mic .glyph, .second { line-height: 0; }
.mic svg { width: 1.35em; height: 1.35em; }
.mic[data-state="listening"], .mic[data-state="thinking"], .mic[data-state="speaking"] {
  background: var(--accent); border-color: var(--accent); color: var(--on-accent);
}
.mic[data-state="starting"] { border-style: dashed; }
.mic[data-state="muted"] { background: var(--bubble); border-color: var(--quiet); border-width: 2px; }
.mic[data-state="refused"] { border-color: var(--bad); border-width: 2px; color: var(--bad); border-radius: 30%; }
.mic.held { outline: 3px solid var(--accent); outline-offset: 3px; }
.ring {
  position: absolute; inset: -3px; border-radius: 50%; border: 3px solid var(--accent); opacity: 0; pointer-events: none;
  transform: scale(calc(1 + .4 * var(--level))); transition: transform .06s linear;
}
.mic[data-state="listening"] .ring, .mic[data-state="speaking"] .ring { opacity: calc(.15 + .6 * var(--level)); }
.mic[data-state="thinking"] .glyph { animation: wait 1.2s ease-in-out infinite alternate; }
@keyframes wait { from { opacity: .35; } to { opacity: 1; } }
@media (prefers-reduced-motion: reduce) {
  .mic[data-state="thinking"] .glyph { animation: none; }
  .ring { transition: none; transform: none; }
  .mic[data-state="listening"] .ring, .mic[data-state="speaking"] .ring { opacity: 0; }
  .mic.hears .ring { opacity: .6 !important; }
}
.second { width: 2.1em; height: 2.1em; padding: 0; border-radius: 50%; display: grid; place-items: center; }
.second svg { width: 1.05em; height: 1.05em; }
.second[aria-pressed="true"] { background: var(--text); border-color: var(--text); color: var(--surface); }
:host(sidevoice-mic) { display: inline-flex; flex-direction: row; align-items: center; gap: 10px; background: transparent; }
.line { font-size: .9em; color: var(--quiet); max-width: 26em; }
.line:empty { display: none; }
`;

const checklist = `
.header { display: flex; align-items: center; gap: 10px; padding: 14px 16px 8px; }
.title { font-size: 1.05em; font-weight: 650; }
.progress { color: var(--quiet); font-size: .9em; margin-inline-end: auto; }
.undo { font-size: .9em; padding: .25em .7em; }
.bar {
  appearance: none; display: block; width: calc(100% - 32px); height: 6px; margin: 0 16px 8px;
  border: 0; border-radius: 3px; overflow: hidden; background: var(--line); flex: none;
}
.bar::-webkit-progress-bar { background: var(--line); }
.bar::-webkit-progress-value { background: var(--accent); }
.bar::-moz-progress-bar { background: var(--accent); }
:host > .error, .header + .bar + .error { padding: 0 16px 6px; }
.list { list-style: none; overflow-y: auto; min-height: 0; padding: 0 8px 8px; }
.topic {
  display: grid; grid-template-columns: 24px 1fr auto; gap: 10px; align-items: start;
  padding: 9px 8px;
}
.topic + .topic { border-top: 1px solid var(--line); }
.icon {
  width: 24px; height: 24px; border-radius: 50%; border: 2px solid var(--quiet);
  display: grid; place-items: center; font-size: 14px; font-weight: 700; line-height: 1;
}
.answered .icon { border-color: var(--accent); color: var(--accent); }
.confirmed .icon { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
.contradicted .icon { border-color: var(--warn); color: var(--warn); }
.skipped { opacity: .6; }
.body { min-width: 0; display: grid; gap: 2px; justify-items: start; }
.heading { display: flex; flex-wrap: wrap; gap: 2px 8px; align-items: baseline; }
.label { font-weight: 600; font-size: .95em; }
.required, .status { font-size: .78em; color: var(--quiet); }
.required:empty { display: none; }
.open .status { display: none; }
.contradicted .status { color: var(--warn); }
.value { overflow-wrap: anywhere; }
.value:empty { display: none; }
.quote {
  border: 0; padding: 0; background: none; text-align: start; color: var(--quiet); font-size: .85em; font-style: italic;
  text-decoration: underline dotted; text-underline-offset: 3px; overflow-wrap: anywhere;
}
.quote:hover { color: var(--accent); }
.edit { border-color: transparent; background: none; padding: .1em .45em; color: var(--quiet); }
.editor { display: grid; gap: 8px; width: 100%; padding-top: 4px; }
.field { width: 100%; padding: .45em .6em; border: 1px solid var(--quiet); border-radius: 8px; background: var(--surface); }
.buttons { display: flex; flex-wrap: wrap; gap: 6px; }
.buttons button { padding: .25em .8em; font-size: .92em; }
`;

const agent = `
:host { display: contents; }
.launcher { position: fixed; z-index: 2147483000; inset: auto 20px 20px auto; padding: .8em 1.3em; border-radius: 999px;
  box-shadow: 0 4px 18px #0003; }
.panel {
  position: fixed; z-index: 2147483000; inset: auto 20px 84px auto; display: grid; grid-template-rows: 3fr 2fr;
  width: min(400px, calc(100vw - 24px)); height: min(680px, calc(100vh - 110px)); overflow: hidden;
  border: 1px solid var(--line); border-radius: 16px; background: var(--surface); box-shadow: 0 12px 40px #0004;
}
.panel > * + * { border-top: 1px solid var(--line); }
:host([position="bottom-left"]) .launcher { inset: auto auto 20px 20px; }
:host([position="bottom-left"]) .panel { inset: auto auto 84px 20px; }
`;

const made = new Map();

/** One sheet for all roots that use it. */
function sheet(css) {
  if (!made.has(css)) {
    const fresh = new CSSStyleSheet();
    fresh.replaceSync(css);
    made.set(css, fresh);
  }
  return made.get(css);
}

export const base_sheet = () => sheet(base);
export const chat_sheet = () => sheet(chat);
export const mic_sheet = () => sheet(mic);
export const checklist_sheet = () => sheet(checklist);
export const agent_sheet = () => sheet(agent);
