import { isUtf8 } from 'node:buffer';
import { GRANT_TYPES } from '../../oauth/grant-types.ts';
import { OAuthError } from '../../oauth/oauth-error.ts';
import { isReadParameter, type ParameterName, REPEATABLE_PARAMETER } from '../../oauth/parameters.ts';
import { quotable } from '../../oauth/quotable.ts';

const MAX_PARAMETERS = 64;

/** The parameters of a form body: flat, each at most once, empty ones as if left out (RFC 8628 §3.1). */
export class Form {
  readonly #values: ReadonlyMap<string, string>;
  readonly #resources: readonly string[];

  constructor(values: ReadonlyMap<string, string> = new Map(), resources: readonly string[] = []) {
    this.#values = values;
    this.#resources = resources;
  }

  get(name: ParameterName): string | undefined {
    const value = this.#values.get(name);
    return value === '' ? undefined : value;
  }

  /** The same form with one more parameter. */
  with(name: ParameterName, value: string): Form {
    return new Form(new Map(this.#values).set(name, value), this.#resources);
  }

  /** Whether a parameter came with a value, whatever it is called. */
  has(name: string): boolean {
    if (name === REPEATABLE_PARAMETER) return this.#resources.length > 0;
    return (this.#values.get(name) ?? '') !== '';
  }

  /** All values of `resource`, each once. */
  get resources(): readonly string[] {
    return this.#resources;
  }

  /** @throws {OAuthError} `invalid_request` */
  need(name: ParameterName): string {
    const value = this.get(name);
    if (value === undefined) throw new OAuthError('invalid_request', `${name} is missing`);
    return value;
  }
}

/**
 * Reads `application/x-www-form-urlencoded`. URLSearchParams would forgive broken escapes and bytes that are not UTF-8,
 * and nested parsers make objects out of names; here such a body is refused, and a name is a name.
 *
 * @throws {OAuthError} `invalid_request`
 */
export function parseForm(body: string): Form {
  const values = new Map<string, string>();
  const resources: string[] = [];
  let count = 0;
  for (const pair of body.split('&')) {
    if (pair === '') continue;
    count += 1;
    if (count > MAX_PARAMETERS) throw new OAuthError('invalid_request', `more than ${MAX_PARAMETERS} parameters`);
    const equals = pair.indexOf('=');
    const rawName = equals < 0 ? pair : pair.slice(0, equals);
    const name = decode(rawName, rawName);
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1), name);
    if (name === REPEATABLE_PARAMETER) {
      if (value !== '' && !resources.includes(value)) resources.push(value);
      continue;
    }
    // An empty one is kept too, so that its repetition is seen; `get` does not give it out.
    if (values.has(name) && isReadParameter(name)) {
      throw new OAuthError('invalid_request', `${name} occurs more than once`);
    }
    values.set(name, value);
  }
  return new Form(values, resources);
}

/** What to say of a body that is not UTF-8 as a whole: which of its parameters is not. */
export function notUtf8(body: Buffer): OAuthError {
  // Byte for byte, so that the pairs can be told apart whatever encoding it was meant to be.
  const pairs = body.toString('latin1').split('&');
  const [name = ''] = pairs.find((pair) => !isUtf8(Buffer.from(pair, 'latin1')))?.split('=') ?? [];
  return refusal(name, 'is not UTF-8');
}

/** In every poll, and always spelt like this. */
const DEVICE_GRANT = encodeURIComponent(GRANT_TYPES.device_code);

function decode(text: string, name: string): string {
  if (text === DEVICE_GRANT) return GRANT_TYPES.device_code;
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw refusal(name, /%(?![0-9a-f]{2})/i.test(text) ? 'has a broken escape' : 'is not UTF-8');
  }
}

function refusal(name: string, what: 'has a broken escape' | 'is not UTF-8'): OAuthError {
  return new OAuthError('invalid_request', `the parameter ${quotable(name)} ${what}`);
}
