import { createHash } from 'node:crypto';
import { Cluster, type Redis } from 'ioredis';
import { type IdsPiece, StorageUnavailableError } from '../../ledger/ledger.ts';
import { answeringNodes, type RedisClient } from './redis-client.ts';
import type { RedisConnection } from './redis-connection.ts';
import type { RedisKeys } from './redis-keys.ts';

/** How many keys Redis looks at for one step of `allIds`; it answers others in between. */
const SCANNED_AT_ONCE = 1000;
const MAX_SCANNED = 2n ** 64n - 1n;
const MARK_LENGTH = 11;

/** The nodes that the keys are on, in an order that all processes agree on. */
interface Layout {
  nodes: Redis[];
  /** Which node has which keys, in words that are compared. */
  text: string;
}

/** Where a walk stands: at which node, how far SCAN had come there, and a mark of the nodes that this is true of. */
interface Cursor {
  node: number;
  scanned: string;
  mark: string;
}

/**
 * All ids, each once. What a walk would pass over without a word is an error.
 *
 * @throws {StorageUnavailableError} also where the nodes changed on the way
 */
export async function* allIds(connection: RedisConnection, keys: RedisKeys, suffix: string): AsyncGenerator<string> {
  // SCAN may give a key twice.
  const seen = new Set<string>();
  let from: string | undefined;
  do {
    const piece = await idsPiece(connection, keys, suffix, from, SCANNED_AT_ONCE);
    if (piece === undefined) {
      throw new StorageUnavailableError('the nodes of Redis changed while its keys were looked through; start again');
    }
    for (const id of piece.ids) {
      if (seen.has(id)) continue;
      seen.add(id);
      yield id;
    }
    from = piece.next;
  } while (from !== undefined);
}

/**
 * One step of SCAN. How far it came is told in a hash table's own order, which another process does not share: after a
 * failover or a restart, and where slots have moved in a cluster, going on would pass over keys. So the cursor is bound to
 * the nodes, and to the process that is being scanned.
 *
 * @returns `undefined` where `from` was not given out, or no longer leads on
 */
export async function idsPiece(
  connection: RedisConnection,
  keys: RedisKeys,
  suffix: string,
  from: string | undefined,
  about: number,
): Promise<IdsPiece | undefined> {
  const { nodes, text } = await connection.ask(layoutOf);
  const cursor = from === undefined ? { node: 0, scanned: '0', mark: markOf(text, '0', '') } : readCursor(from);
  const node = cursor === undefined ? undefined : nodes[cursor.node];
  if (cursor === undefined || node === undefined) return undefined;
  const pattern = keys.idsPattern(suffix);
  // The process is asked before and after: between them the connection may have come to another one.
  const [before, [scanned, found], after] = await connection.ask(() =>
    Promise.all([runIdOf(node), node.scan(cursor.scanned, 'MATCH', pattern, 'COUNT', about), runIdOf(node)]),
  );
  if (before !== after || cursor.mark !== markOf(text, cursor.scanned, before)) return undefined;
  const ids = [...new Set(found.map((key) => keys.idIn(key)))];
  if (scanned !== '0') return { ids, next: `${cursor.node}:${scanned}:${markOf(text, scanned, before)}` };
  const next = cursor.node + 1;
  if (next < nodes.length) return { ids, next: `${next}:0:${markOf(text, '0', '')}` };
  // Slots that moved since the layout was read may have taken keys to where the walk had been.
  const isSame = (await connection.ask(layoutOf)).text === text;
  return isSame ? { ids, next: undefined } : undefined;
}

/** The nodes are the cluster's own word: ioredis forgets a master while it cannot reach it. */
async function layoutOf(client: RedisClient): Promise<Layout> {
  if (!(client instanceof Cluster)) return { nodes: answeringNodes(client), text: '' };
  const ranges = await client.cluster('SLOTS');
  const lines = ranges.map(([first, last, master]) => `${master?.[0]}:${master?.[1]} ${first}-${last}`).sort();
  const addresses = [...new Set(lines.map((line) => line.split(' ', 1)[0] as string))];
  const reached = new Map(answeringNodes(client).map((node) => [`${node.options.host}:${node.options.port}`, node]));
  const nodes = addresses.map((address) => {
    const node = reached.get(address);
    if (node === undefined) throw new StorageUnavailableError(`the node ${address} of the cluster does not answer`);
    return node;
  });
  return { nodes, text: lines.join('\n') };
}

async function runIdOf(node: Redis): Promise<string> {
  return /^run_id:(\w+)/m.exec(await node.info('server'))?.[1] ?? '';
}

/** At the beginning of a node any process of it will do. */
function markOf(layout: string, scanned: string, runId: string): string {
  const process = scanned === '0' ? '' : runId;
  const hash = createHash('sha256').update(`${layout}|${process}`).digest('base64url');
  return hash.slice(0, MARK_LENGTH);
}

function readCursor(text: string): Cursor | undefined {
  const [, node, scanned = '', mark = ''] = /^(\d{1,4}):(\d{1,20}):([\w-]{11})$/.exec(text) ?? [];
  return node === undefined || BigInt(scanned) > MAX_SCANNED ? undefined : { node: Number(node), scanned, mark };
}
