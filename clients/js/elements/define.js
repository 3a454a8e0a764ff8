import { SidevoiceAgent } from './agent.js';
import { SidevoiceChat } from './chat.js';
import { SidevoiceChecklist } from './checklist.js';
import { SidevoiceMic } from './mic.js';

/** Registers the elements; those that another copy of this client has registered stay as they are. */
export function define_elements() {
  const elements = {
    'sidevoice-chat': SidevoiceChat,
    'sidevoice-checklist': SidevoiceChecklist,
    'sidevoice-agent': SidevoiceAgent,
    'sidevoice-mic': SidevoiceMic,
  };
  for (const [name, element] of Object.entries(elements)) {
    if (!customElements.get(name)) customElements.define(name, element);
  }
}
