import { wordsOf } from './redis-failure.ts';

/** Why Redis is away: one word that tells causes apart, and a sentence for who has to mend it. */
export interface AwayCause {
  kind: string;
  words: string;
}

/** What Redis, the system or TLS says → what it means here. The first that fits. */
const CAUSES: readonly (readonly [pattern: RegExp, meaning: string])[] = [
  [
    /\b(WRONGPASS|invalid password|invalid username-password)\b/,
    'Redis refuses the user name or the password: one of them was changed, there or in storage.redis',
  ],
  [/\bNOAUTH\b/, 'Redis wants a password, and storage.redis names none'],
  [/\bDB index\b/, 'Redis does not have the database that storage.redis names'],
  [/\bNOPERM\b/, 'the user of storage.redis may not do what is needed: give it the rights of docs/operations/redis.md'],
  [/\bDENIED\b|protected mode/i, 'Redis is in protected mode: give it a password, or bind it to this host'],
  [/max number of clients/i, 'Redis has as many clients as it takes: raise its maxclients'],
  [/\bLOADING\b/, 'Redis is still reading its data set'],
  [/\bMASTERDOWN\b|\bREADONLY\b/, 'this Redis is a replica: storage.redis must lead to the master'],
  [/\bENOTFOUND\b|\bEAI_AGAIN\b/, 'the host of storage.redis has no address: look at its name and at the DNS here'],
  [
    /\bconnect (ECONNREFUSED|ENOENT) \//,
    'no Redis listens at that socket: is it running, and is that the unixsocket of its configuration?',
  ],
  [
    /\bconnect (EACCES|EPERM) \//,
    'this process may not use that socket: put its user into the group of the socket, with unixsocketperm 770 in Redis',
  ],
  [/\bECONNREFUSED\b/, 'nothing accepts connections there: is Redis running, and is it that host and port?'],
  [
    /\b(ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\b/,
    'nothing answers at that address: a firewall, a network policy or a route is in the way',
  ],
  [
    /\bSELF_SIGNED|UNABLE_TO_(GET|VERIFY)|self-signed|unable to (get|verify)/i,
    'its certificate is of an authority that is not known here: name it in storage.redis.tls.ca',
  ],
  [/\bCERT_|certificate/i, 'its certificate is not good for this host'],
  [
    /wrong version number|packet length too long|EPROTO/i,
    'one side speaks TLS and the other does not: redis:// or rediss://',
  ],
];

/** The connection's own words come first: whoever looks them up finds more. */
export function awayCause(error: Error): AwayCause {
  const last = 'lastNodeError' in error && error.lastNodeError instanceof Error ? error.lastNodeError : error;
  const { code } = last as NodeJS.ErrnoException;
  const { message } = wordsOf(last);
  const said = code === undefined || message.includes(code) ? message : `${code}: ${message}`;
  const found = CAUSES.find(([pattern]) => pattern.test(said));
  if (found === undefined) return { kind: 'other', words: said };
  const [pattern, meaning] = found;
  return { kind: pattern.source, words: `${said}: ${meaning}` };
}
