import { GRANT_TYPES } from '../oauth/grant-types.ts';
import { OAuthError } from '../oauth/oauth-error.ts';

const MOST_PARAMETERS = 64;

/** Only this one may occur more than once (RFC 8707 §2). */
const REPEATABLE = 'resource';

/** The parameters of a form body: flat, each at most once, empty ones as if left out (RFC 8628 §3.1). */
export class Form {
  readonly #values: Map<string, string>;
  readonly #resources: readonly string[];

  constructor(values: Map<string, string> = new Map(), resources: readonly string[] = []) {
    this.#values = values;
    this.#resources = resources;
  }

  get(name: string): string | undefined {
    const value = this.#values.get(name);
    return value === '' ? undefined : value;
  }

  /** The same form with one more parameter. */
  with(name: string, value: string): Form {
    return new Form(new Map(this.#values).set(name, value), this.#resources);
  }

  /** All values of `resource`, each once. */
  get resources(): readonly string[] {
    return this.#resources;
  }

  /** @throws {OAuthError} `invalid_request` */
  need(name: string): string {
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
    if (count > MOST_PARAMETERS) throw new OAuthError('invalid_request', `more than ${MOST_PARAMETERS} parameters`);
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    if (name === REPEATABLE) {
      if (value !== '' && !resources.includes(value)) resources.push(value);
      continue;
    }
    // An empty one is kept too, so that its repetition is seen; `get` does not give it out.
    if (values.has(name)) throw new OAuthError('invalid_request', 'a parameter occurs more than once');
    values.set(name, value);
  }
  return new Form(values, resources);
}

/** In every poll, and always spelt like this. */
const DEVICE_GRANT = encodeURIComponent(GRANT_TYPES.device_code);

function decode(text: string): string {
  if (text === DEVICE_GRANT) return GRANT_TYPES.device_code;
  if (!text.includes('%') && !text.includes('+')) return text;
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw new OAuthError('invalid_request', 'the body has a broken escape or is not UTF-8');
  }
}
