/**
 * Every key that we have in Redis is made here, all under one prefix, so that an ACL rule can name them
 * (`~gatehouse:*`). The names of the ledger's entries are the domain's.
 *
 *     <prefix>{id}:grant, {id}:pace, {id}:decision, …   strings, the entries of one grant, on one node of a cluster
 *     <prefix>code:…, trip:…, before:…, sid:…           strings, entries that stand alone
 *     <prefix>subject:…                                 sorted sets of ids by the moment of their end
 *     <prefix>counter:<key>                             integers
 *     <prefix>browser-session:<key>                     JSON: a cookie's times, and the sealed content
 */
export class RedisKeys {
  readonly #prefix: string;
  readonly browserSessionPrefix: string;

  constructor(prefix: string) {
    if (/[{}]/.test(prefix)) {
      throw new TypeError('a key prefix with { or } would tear the entries of a grant apart in a cluster');
    }
    this.#prefix = prefix;
    this.browserSessionPrefix = `${prefix}browser-session:`;
  }

  /** An entry, a mark, a lease or an index of the ledger. */
  entry(name: string): string {
    return this.#prefix + name;
  }

  /** What a poll looks at, in the order that its script expects. */
  polled(id: string): [string, string, string, string, string, string] {
    const stem = `${this.#prefix}{${id}}:`;
    return [`${stem}grant`, `${stem}pace`, `${stem}decision`, `${stem}spent`, `${stem}ended`, `${stem}delivered`];
  }

  counter(key: string): string {
    return `${this.#prefix}counter:${key}`;
  }

  /** The pattern that finds `{id}:<suffix>` of all ids. */
  idsPattern(suffix: string): string {
    return `${globLiteral(this.#prefix)}{*}:${globLiteral(suffix)}`;
  }

  /** The id in a key that the pattern found. */
  idIn(key: string): string {
    return key.slice(this.#prefix.length + 1, key.indexOf('}', this.#prefix.length));
  }
}

function globLiteral(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&');
}
