// The file that pages name. A server gives it out at its root too, beside the folder clients/js/; in that folder itself
// it lies beside index.js. So the way to the rest depends on where this copy came from.
const folder = new URL(import.meta.url).pathname.includes('/clients/js/') ? './' : './clients/js/';
const client = await import(new URL(`${folder}index.js`, import.meta.url).href);

export const { connect, Session, SidevoiceError, shared } = client;
