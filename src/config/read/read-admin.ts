import { isLoopback } from '../../network/loopback.ts';
import type { AdminSettings } from '../../operations/admin/admin-settings.ts';
import type { UpstreamSettings } from '../../upstream/upstream-settings.ts';
import type { Address } from '../config.ts';
import type { ConfigFile } from '../schema/file-schema.ts';
import { readClientSecret } from './read-client-secret.ts';
import type { Reading } from './reading.ts';

const AT = ['operations', 'admin'];

/** Who may ask the admin API; `undefined` switches it off. */
export function readAdmin(
  file: ConfigFile,
  upstreams: readonly UpstreamSettings[],
  operations: Address | undefined,
  reading: Reading,
): AdminSettings | undefined {
  const section = file.operations?.admin;
  if (section === undefined) return undefined;
  warnOfPlainHttp(operations, reading);
  const { token, upstream, groups, audience } = section;
  if ((token === undefined) === (upstream === undefined)) {
    reading.problem(
      AT,
      'expected exactly one of token and upstream: { token: { file: PATH } } or { upstream, groups }',
      ...['token', 'upstream'].map((key) => [...AT, key]),
    );
    return undefined;
  }
  if (upstream === undefined) {
    if (groups !== undefined) {
      reading.problem([...AT, 'groups'], 'found without upstream: a token of its own has no groups');
    }
    const read = readClientSecret([...AT, 'token'], token, reading);
    return read === undefined ? undefined : { by: 'token', token: read };
  }
  const known = upstreams.find(({ id }) => id === upstream);
  if (known === undefined) {
    const ids = upstreams.map(({ id }) => id).join(', ');
    reading.problem([...AT, 'upstream'], `${upstream} is no upstream, expected one of ${ids}`, ['upstreams']);
  }
  if (groups === undefined) {
    reading.problem([...AT, 'groups'], 'is missing, expected the groups that may ask: without, everybody there might');
    return undefined;
  }
  checkAudience(audience, upstreams, reading);
  return { by: 'upstream', upstream, groups, audience };
}

/** At each sign-in the upstream writes tokens for Gatehouse's own client, and relay hands them to devices. */
function checkAudience(audience: string, upstreams: readonly UpstreamSettings[], reading: Reading): void {
  const own = upstreams.find(({ clientId }) => clientId === audience);
  if (own === undefined) return;
  const text =
    `is the client_id of Gatehouse at the upstream ${own.id}: tokens for that are made at every sign-in and may be on ` +
    'devices; expected a client of its own, or another name that only tokens for this API have';
  reading.problem([...AT, 'audience'], text, ['upstreams', own.id, 'client_id']);
}

/** In a container it has to be so, and the network says who gets there; but whoever sees it pass by can end sessions. */
function warnOfPlainHttp(operations: Address | undefined, reading: Reading): void {
  if (operations === undefined || isLoopback(operations.host)) return;
  const text =
    `the listener at ${operations.host} is plain http, and other machines reach it: tokens can be read on the way. ` +
    'Let it listen on loopback, with a proxy that speaks TLS before it, or on a network that only operators are in';
  reading.warning(AT, text);
}
