import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { Config } from '../../config/config.ts';
import { pack, unpack } from '../../config/config-parcel.ts';

/** A part of a configuration on its way from one process to another. */
export type ConfigPiece = { others: unknown } | { clients: unknown; isLast: boolean };

/** Clients in one piece: a few milliseconds for the process that takes it. */
const CLIENTS = 100;

/** The next piece goes when it is asked for, so that requests are answered in between. */
export function* configPieces({ clients, ...others }: Config): Generator<ConfigPiece, void> {
  yield { others: pack(others) };
  for (let next = 0; next === 0 || next < clients.length; next += CLIENTS) {
    yield { clients: pack(clients.slice(next, next + CLIENTS)), isLast: next + CLIENTS >= clients.length };
  }
}

/** Takes piece after piece; answers the configuration with the last one. */
export function createConfigAssembly(): (piece: ConfigPiece) => Config | undefined {
  let others: Omit<Config, 'clients'> | undefined;
  let clients: RegisteredClient[] = [];
  return (piece) => {
    if ('others' in piece) {
      others = unpack(piece.others) as Omit<Config, 'clients'>;
      clients = [];
      return undefined;
    }
    for (const client of unpack(piece.clients) as RegisteredClient[]) clients.push(client);
    if (!piece.isLast || others === undefined) return undefined;
    return Object.freeze({ ...others, clients: Object.freeze(clients) });
  };
}
