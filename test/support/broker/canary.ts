import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { formsIn } from '../../../demo/html-form.ts';

/** A place that must hold no secret, as text; bytes are read as Latin-1, so that nothing is lost. */
export interface Haystack {
  name: string;
  text: string;
}

/** Shorter ones turn up by chance. */
const MIN_LENGTH = 6;

/**
 * Collects every secret that crosses the wire in a test, and looks for all of them, in every form that somebody could
 * read them back from, in places that may be copied: the storage, its command log, our log.
 */
export class Canaries {
  readonly #names = new Map<string, string>();

  /** Learns a secret; what is too short to be looked for is refused, so that nobody believes that it was. */
  plant(name: string, secret: string): void {
    if (secret.length < MIN_LENGTH) throw new RangeError(`${name} is too short to be looked for`);
    if (!this.#names.has(secret)) this.#names.set(secret, name);
  }

  get names(): string[] {
    return [...new Set(this.#names.values())].toSorted();
  }

  /** The secrets of a token or device authorization answer. */
  learnAnswer(body: Readonly<Record<string, unknown>>, from = 'device'): void {
    for (const name of ['device_code', 'user_code', 'access_token', 'refresh_token', 'id_token', 'code_verifier']) {
      const value = body[name];
      if (typeof value !== 'string') continue;
      this.plant(`${from} ${name}`, value);
      if (name === 'user_code') this.plant(`${from} ${name} without hyphen`, value.replaceAll('-', ''));
      const signature = /^[\w-]+\.[\w-]+\.([\w-]{20,})$/.exec(value)?.[1];
      if (signature !== undefined) this.plant(`${from} ${name}, its signature`, signature);
    }
  }

  /** A fetch that learns what a browser gets and sends: cookies, hidden fields, state and code in addresses. */
  fetch: typeof fetch = async (input, init) => {
    this.#learnAddress(addressOf(input));
    const response = await fetch(input, init);
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value.length < MIN_LENGTH) continue;
      this.plant(`cookie ${name}`, value);
      const [, id] = /^s(?:%3A|:)([\w-]+)/.exec(value) ?? [];
      if (id !== undefined) this.plant(`session id in cookie ${name}`, id);
    }
    const location = response.headers.get('location');
    if (location !== null) this.#learnAddress(new URL(location, addressOf(input)));
    if (response.headers.get('content-type')?.includes('html') === true) {
      const html = await response.clone().text();
      for (const { fields } of formsIn(html, addressOf(input))) {
        // `shown` says what stands on the page: the scopes, which a grant names too.
        for (const [name, value] of fields) {
          if (value.length >= 16 && name !== 'shown') this.plant(`form field ${name}`, value);
        }
      }
    }
    return response;
  };

  #learnAddress(address: URL): void {
    for (const name of ['state', 'nonce', 'code', 'proof']) {
      const value = address.searchParams.get(name);
      if (value !== null && value.length >= MIN_LENGTH) this.plant(`${name} in an address`, value);
    }
  }

  /** Which secret was found where, and in which form; empty when none was. */
  hits(haystacks: readonly Haystack[]): string[] {
    const found: string[] = [];
    for (const [secret, name] of this.#names) {
      for (const [form, needle] of formsOf(secret)) {
        for (const haystack of haystacks) {
          const text = form.startsWith('hex') ? haystack.text.toLowerCase() : haystack.text;
          if (text.includes(needle)) found.push(`${name}, ${form}, in ${haystack.name}`);
        }
      }
    }
    return found;
  }
}

function addressOf(input: Parameters<typeof fetch>[0]): URL {
  return new URL(input instanceof Request ? input.url : input);
}

/** A text as somebody could have written it down. */
export function formsOf(secret: string): [form: string, needle: string][] {
  const bytes = Buffer.from(secret);
  const forms: [string, string][] = [
    ['raw', bytes.toString('latin1')],
    ['hex', bytes.toString('hex')],
    ['percent', encodeURIComponent(secret)],
    ['percent, every byte', [...bytes].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')],
    ['reversed', Buffer.from(bytes).reverse().toString('latin1')],
    ['JSON', JSON.stringify(secret).slice(1, -1)],
  ];
  // Inside a longer Base64 text a secret may begin at any of three offsets; what it shares with its neighbours is left out.
  for (const offset of [0, 1, 2]) {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes]);
    const from = Math.ceil((offset * 8) / 6);
    const to = Math.floor((whole.length * 8) / 6);
    forms.push([`base64 at ${offset}`, whole.toString('base64').slice(from, to)]);
    forms.push([`base64url at ${offset}`, whole.toString('base64url').slice(from, to)]);
  }
  return [...new Map(forms.map(([form, needle]) => [needle, form])).entries()].map(([needle, form]) => [form, needle]);
}

/** Everything that a copy of this Redis has: names, values, dumps, and the append-only file where there is one. */
export async function everythingIn(url: string): Promise<Haystack[]> {
  const redis = new Redis(url);
  try {
    const haystacks: Haystack[] = [];
    for (const key of await redis.keys('*')) {
      const dump = await redis.dumpBuffer(key);
      const type = await redis.type(key);
      const value = await (type === 'zset'
        ? redis.zrangeBuffer(key, 0, -1)
        : type === 'hash'
          ? redis.hgetallBuffer(key)
          : redis.getBuffer(key));
      const values = Buffer.isBuffer(value) ? [value] : Object.values(value ?? {});
      haystacks.push({ name: `the name ${key}`, text: key });
      haystacks.push({ name: `the dump of ${key}`, text: dump?.toString('latin1') ?? '' });
      for (const each of values) haystacks.push({ name: `the value of ${key}`, text: each.toString('latin1') });
    }
    haystacks.push({ name: 'SLOWLOG', text: JSON.stringify(await redis.call('SLOWLOG', 'GET', '-1')) });
    const [, folder = ''] = (await redis.config('GET', 'dir')) as string[];
    for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      haystacks.push({ name: `the file ${file.name}`, text: (await readFile(path)).toString('latin1') });
    }
    return haystacks;
  } finally {
    redis.disconnect();
  }
}

/** Options for a Redis whose copies can be read: dumps without compression, a command log, a slow log of everything. */
export const READABLE_REDIS = ['--rdbcompression', 'no', '--appendonly', 'yes', '--slowlog-log-slower-than', '0'];

/** MONITOR: every command that Redis is sent, scripts' own ones too. */
export async function watchCommands(url: string): Promise<{ seen(): Haystack; stop(): void }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.write('MONITOR\r\n');
  await once(socket, 'data');
  return { seen: () => ({ name: 'MONITOR', text }), stop: () => void socket.destroy() };
}
