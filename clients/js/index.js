// The client. In a browser the custom elements come with it.
export { connect, Session } from './session.js';
export { SidevoiceError } from './errors.js';
export { shared } from './shared.js';

if (typeof customElements !== 'undefined') {
  const { define_elements } = await import('./elements/define.js');
  define_elements();
}
