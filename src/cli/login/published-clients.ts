import type { JsonObject } from '../../oauth/json-object.ts';
import { openAsker } from '../init/asker.ts';
import { UsageError } from '../read-arguments.ts';
import { printable } from '../terminal/printable.ts';
import { assertIssuer } from './login-metadata.ts';
import { assertSafeAddress, wireFetch } from './safe-fetch.ts';
import type { TargetDeps } from './target-deps.ts';

export interface PublishedClient {
  clientId: string;
  name: string;
  scopes: string[];
  resources: string[];
}

const MAX_CLIENTS = 100;
const REQUEST_MS = 10_000;

/** Which client, of those that a Gatehouse names itself; `undefined` where the server names none. */
export async function chooseClient(issuer: URL, deps: TargetDeps): Promise<PublishedClient | undefined> {
  const clients = await publishedClients(issuer, deps);
  const [first, ...others] = clients;
  if (first === undefined || others.length === 0) return first;
  const list = clients.map(
    ({ clientId, name }, index) => `  ${index + 1}  ${printable(name)} (${printable(clientId)})`,
  );
  const title = `${issuer.host} has several clients:`;
  if (deps.stdin.isTTY !== true) {
    throw new UsageError(
      `${title} say --client-id, one of ${clients.map(({ clientId }) => printable(clientId)).join(', ')}`,
    );
  }
  const asker = openAsker(deps.stdin as NodeJS.ReadStream, deps.stderr as NodeJS.WriteStream);
  try {
    for (const line of [title, ...list]) asker.say(line);
    const judge = (answer: string) =>
      clients[Number(answer) - 1] === undefined ? `1 to ${clients.length}` : undefined;
    return clients[Number(await asker.ask({ words: 'Which', judge })) - 1];
  } finally {
    asker.close();
  }
}

async function publishedClients(issuer: URL, deps: TargetDeps): Promise<PublishedClient[]> {
  // Said here: below, a server that does not answer is passed over.
  assertSafeAddress(issuer.href);
  let document: JsonObject | undefined;
  const fetch = wireFetch({ fetch: deps.fetch, signal: deps.signal, onAnswer: (body) => (document = body) });
  const address = `${issuer.href.replace(/\/$/, '')}/.well-known/gatehouse-profiles`;
  try {
    const init = { method: 'GET', headers: { accept: 'application/json' }, redirect: 'manual' } as const;
    const response = await fetch(address, { ...init, signal: AbortSignal.timeout(REQUEST_MS) });
    if (response.status !== 200) return [];
  } catch {
    // Another server than Gatehouse, or none at all: that is said by what comes next.
    return [];
  }
  const { issuer: named, profiles } = document ?? {};
  if (typeof named !== 'string' || !Array.isArray(profiles)) return [];
  assertIssuer(named, issuer);
  return profiles.slice(0, MAX_CLIENTS).flatMap((profile: unknown) => {
    const { client_id: clientId, name, scopes, resources } = (profile ?? {}) as JsonObject;
    if (typeof clientId !== 'string' || clientId === '') return [];
    return [
      {
        clientId,
        name: typeof name === 'string' ? name : clientId,
        scopes: texts(scopes),
        resources: texts(resources),
      },
    ];
  });
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}
