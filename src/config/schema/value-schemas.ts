import { z } from 'zod';
import { type Cidr, networkText, parseCidr } from '../../network/cidr.ts';
import { coversMost } from '../../network/coverage.ts';
import {
  isOrigin,
  isResource,
  proxyFault,
  type UrlFault,
  webAddressFault,
  webOriginFault,
} from '../read/web-address.ts';
import { didYouMean } from './did-you-mean.ts';
import { DURATION_PATTERN, formatDuration, parseDuration } from './duration.ts';

/**
 * The values that a YAML key may have. Each says itself what was found and what is expected; none of them looks beyond
 * its own value, since a rule between two keys would not run while another key is wrong (see `reading.ts`).
 */
interface Input {
  readonly code?: string;
  readonly input?: unknown;
}

/** Marks the message of an unknown key: zod's issues do not carry the known ones, so they travel in the message. */
export const KNOWN_KEYS = 'known keys: ';

export function found(value: unknown): string {
  if (value === undefined) return 'is missing';
  if (value === null) return 'found nothing';
  if (Array.isArray(value)) return 'found a list';
  if (typeof value === 'object') return 'found a section';
  const text = JSON.stringify(value);
  return `found ${text.length > 60 ? `${text.slice(0, 56)}…"` : text}`;
}

export const expects =
  (expected: string) =>
  (issue: Input): string =>
    `${found(issue.input)}, expected ${expected}`;

export function section<Shape extends z.core.$ZodLooseShape>(shape: Shape, expected?: string) {
  const keys = Object.keys(shape);
  const names = keys.length > 6 ? `${keys.slice(0, 5).join(', ')} …` : keys.join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? KNOWN_KEYS + keys.join(' ')
        : expects(expected ?? `a section with the keys ${names}`)(issue),
  });
}

export function entries<Value extends z.ZodType>(id: z.ZodType<string, string>, value: Value, expected: string) {
  return z.record(id, value, { error: expects(expected) });
}

export function text(expected: string, { longest = 200 } = {}) {
  const error = expects(expected);
  return z
    .string({ error })
    .check(
      z.minLength(1, { error }),
      z.maxLength(longest, { error: `found more than ${longest} characters, expected fewer` }),
      z.regex(/^[^\p{Cc}\u2028\u2029]*$/u, { error: `found a control character, expected ${expected}` }),
    );
}

export function pattern(regex: RegExp, expected: string) {
  return z.string({ error: expects(expected) }).regex(regex, { error: expects(expected) });
}

export function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: expectsOneOf(values) });
}

export const expectsOneOf =
  (values: readonly string[], otherwise = '') =>
  ({ input }: Input): string => {
    const near = typeof input === 'string' ? didYouMean(input, values) : undefined;
    const names = values.length === 1 ? values.join() : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
    return `${expects(names + otherwise)({ input })}${near === undefined ? '' : `; did you mean ${near}?`}`;
  };

export function list<Item extends z.ZodType>(item: Item, expected: string) {
  return z.array(item, { error: expects(`a list of ${expected}`) });
}

export const yesOrNo = () => z.boolean({ error: expects('true or false') });

export function wholeNumber(least: number, most: number) {
  const error = expects(`a whole number from ${least} to ${most}`);
  return z.int({ error }).check(z.gte(least, { error }), z.lte(most, { error }));
}

/** Written with a unit, kept in seconds. */
export function duration(least: string, most: string) {
  const [leastSeconds = 0, mostSeconds = 0] = [parseDuration(least), parseDuration(most)];
  const form = 'a duration such as 90s, 10m, 12h or 30d';
  return pattern(DURATION_PATTERN, form).transform((written, context) => {
    const seconds = parseDuration(written) ?? 0;
    if (seconds >= leastSeconds && seconds <= mostSeconds) return seconds;
    const range = `a duration from ${formatDuration(leastSeconds)} to ${formatDuration(mostSeconds)}`;
    context.issues.push({ code: 'custom', input: written, message: expects(range)({ input: written }) });
    return z.NEVER;
  });
}

const NETWORK = 'a network such as 192.0.2.0/24 or 2001:db8::/32';

function cidr() {
  return z.string({ error: expects(NETWORK) }).transform((written, context) => {
    const parsed = parseCidr(written);
    if (parsed !== undefined) return { written, parsed };
    context.issues.push({ code: 'custom', input: written, message: expects(NETWORK)({ input: written }) });
    return z.NEVER;
  });
}

/**
 * Networks, of which a bare address is one. They are judged together: what one of them does not cover, the next may.
 *
 * @param everything what is wrong with a list that means everybody
 */
export function networks({ everything, least = 0 }: { everything: string; least?: number }) {
  const cidrs = list(cidr(), 'networks').min(least, { error: expects('at least one network') });
  return cidrs.transform((entries, context) => {
    const all: Cidr[] = [];
    for (const [index, { written, parsed }] of entries.entries()) {
      all.push(parsed);
      if (!coversMost(all)) continue;
      const others = coversMost([parsed]) ? '' : ', together with those before it';
      const message = `found "${written}"${others}: ${everything}`;
      context.issues.push({ code: 'custom', input: entries, path: [index], message });
      return z.NEVER;
    }
    return all.map(({ address, bits }) => networkText(address, bits));
  });
}

const URL_FAULTS: Record<UrlFault, string> = {
  'not a URL': 'a URL that begins with https://',
  'not https': 'https:// (plain http is accepted on loopback only)',
  credentials: 'a URL without user name and password',
  query: 'a URL without a query',
  fragment: 'a URL without a fragment (#)',
};

export function webAddress(options: { query: boolean }) {
  const string = z.string({ error: expects(URL_FAULTS['not a URL']) });
  return string.superRefine((written, context) => {
    const fault = webAddressFault(written, options);
    if (fault === undefined) return;
    const shown = fault === 'credentials' ? 'found credentials in the URL' : found(written);
    context.addIssue({ code: 'custom', message: `${shown}, expected ${URL_FAULTS[fault]}` });
  });
}

/** Where something that we call is, whatever its path: scheme, host and port. */
export const webOrigin = () =>
  z.string({ error: expects(WEB_ORIGIN) }).superRefine((written, context) => {
    const fault = webOriginFault(written);
    if (fault === undefined) return;
    const shown = fault === 'credentials' ? 'found credentials in the URL' : found(written);
    const message = `${shown}, expected ${fault === 'path' ? `${WEB_ORIGIN}: nothing after the port` : URL_FAULTS[fault]}`;
    context.addIssue({ code: 'custom', message });
  });

const WEB_ORIGIN = 'an origin such as https://keycloak.svc:8443';
const PROXY = 'http://host:port or https://host:port';

/** A proxy by its address, with credentials beside it where it wants some, or none at all. */
export function proxy() {
  const address = () =>
    z.string({ error: expects(PROXY) }).superRefine((written, context) => {
      const message = wrongProxy(written);
      if (message !== undefined) context.addIssue({ code: 'custom', message });
    });
  const withCredentials = section({
    url: address().describe('http://host:port or https://host:port'),
    username: text('a user name').optional().describe('Where the proxy asks for one'),
    password: secret().optional().describe('Of that user'),
  });
  return z.union([z.literal('none'), address(), withCredentials], {
    error: ({ input }) =>
      (typeof input === 'string' ? wrongProxy(input) : undefined) ??
      expects(`${PROXY}, { url, username, password } or none`)({ input }),
  });
}

/** No message repeats what may have a password in it. */
function wrongProxy(written: string): string | undefined {
  const fault = proxyFault(written);
  if (fault === 'credentials') {
    return 'found credentials in the URL, expected { url, username, password: { env: NAME } or { file: PATH } }';
  }
  return fault === undefined ? undefined : `${found(written)}, expected ${PROXY}, or none`;
}

export const origin = () =>
  z.string({ error: expects('an origin such as https://tv.example.com') }).refine(isOrigin, {
    error: expects('an origin as browsers send it, such as https://tv.example.com: lower case, nothing after the port'),
  });

export function resource() {
  const error = expects('an absolute URI without a fragment, such as https://packages.example.com');
  return z.string({ error }).refine(isResource, { error });
}

/** RFC 6749 §3.3 */
export const scope = () => pattern(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'a scope: printable characters without spaces');

const LITERAL =
  'a literal value is refused here, so that no secret stands in this file: write { env: NAME } or { file: PATH }';

/** Where a secret stands: never in the file itself. No message repeats what was found here. */
export function secret() {
  return z.strictObject(secretShape(), { error: wrongSecret('env file') }).refine(hasOnePlace, ONE_PLACE);
}

/** A private key that signs our assertions, and what they say of themselves. */
export function assertionKey(audience: z.ZodType<'issuer' | 'token_endpoint'>, x5t: z.ZodType<boolean>) {
  return z
    .strictObject({ ...secretShape(), audience, x5t }, { error: wrongSecret('env file audience x5t') })
    .refine(hasOnePlace, ONE_PLACE);
}

function secretShape() {
  const name = pattern(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of an environment variable');
  return {
    env: name.optional().meta({ description: 'Name of the environment variable that has the value' }),
    file: filePath()
      .optional()
      .meta({ description: 'File that has the value, relative to this one; a final newline is dropped' }),
  };
}

const wrongSecret = (keys: string) => (issue: Input) => {
  if (issue.code === 'unrecognized_keys') return KNOWN_KEYS + keys;
  if (issue.input === undefined) return 'is missing, expected { env: NAME } or { file: PATH }';
  return typeof issue.input === 'object' ? expects('{ env: NAME } or { file: PATH }')(issue) : LITERAL;
};

const hasOnePlace = (ref: { env?: string | undefined; file?: string | undefined }) =>
  (ref.env === undefined) !== (ref.file === undefined);

const ONE_PLACE = {
  error: 'expected exactly one of env and file: { env: NAME } or { file: PATH }',
  when: ({ issues }: { issues: unknown[] }) => issues.length === 0,
};

export type SecretRef = z.output<ReturnType<typeof secret>>;

export const filePath = () => text('the path of a file, relative to this one', { longest: 4096 });
