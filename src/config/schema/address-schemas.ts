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
import { secret } from './secret-schemas.ts';
import { expects, found, list, section, text } from './value-schemas.ts';

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
