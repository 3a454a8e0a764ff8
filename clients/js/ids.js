const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * A fresh identifier, such as "item_3kTMd2hVQmGqkZ0yW1r8Xa": about 130 random bits, at most 32 characters with prefixes
 * of up to 10. Ids made here are what makes a repeated message known to the server.
 * @param {string} prefix
 */
export function make_id(prefix) {
  let id = prefix;
  while (id.length < prefix.length + 22) {
    for (const byte of crypto.getRandomValues(new Uint8Array(32))) {
      // Bytes from 248 on would make the first digits more likely than the rest.
      if (byte < 248 && id.length < prefix.length + 22) id += digits[byte % 62];
    }
  }
  return id;
}
