import { createServer, type Socket } from 'node:net';

/** What a PostgreSQL server is told in `pg_hba.conf` (`oauth issuer=… scope=…`), and its validator module. */
export interface PostgresOptions {
  issuer: string;
  scope: string;
  /** @returns who the token is for; throws where it is not good */
  validate(token: string): Promise<string>;
}

export interface PostgresServer {
  port: number;
  /** Why connections were refused. */
  refusals: string[];
  close(): Promise<void>;
}

const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;
const TEXT_OID = 25;

/**
 * As much of PostgreSQL's protocol (version 3) as libpq needs to sign in by OAUTHBEARER (RFC 7628) and to ask once who it
 * is. Debian has the real server and no validator for it, and a server does not start as root; what is under test is the
 * client, which is the real one.
 */
export async function startPostgresServer(options: PostgresOptions): Promise<PostgresServer> {
  const refusals: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    converse(socket, options, (why) => refusals.push(why))
      .catch((error: unknown) => refusals.push(String(error)))
      .finally(() => socket.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: address === null || typeof address === 'string' ? 0 : address.port,
    refusals,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function converse(socket: Socket, options: PostgresOptions, refused: (why: string) => void): Promise<void> {
  const read = reader(socket);
  for (;;) {
    const startup = await read(4);
    if (startup === undefined) return;
    const body = (await read(startup.readInt32BE() - 4)) ?? Buffer.alloc(4);
    if (![SSL_REQUEST, GSS_REQUEST].includes(body.readInt32BE())) break;
    socket.write('N');
  }
  socket.write(message('R', int32(10), text('OAUTHBEARER'), text('')));
  const answer = await nextMessage(read);
  if (answer === undefined) return;
  const token = bearerIn(answer.body);
  const user =
    token === '' ? undefined : await options.validate(token).catch((error: unknown) => refused(String(error)));
  if (typeof user !== 'string') {
    // RFC 7628 §3.2.2. PostgreSQL too appends to its `issuer=` byte by byte.
    const status = {
      status: 'invalid_token',
      'openid-configuration': `${options.issuer}/.well-known/openid-configuration`,
      scope: options.scope,
    };
    socket.write(message('R', int32(11), Buffer.from(JSON.stringify(status))));
    await nextMessage(read);
    const words = ['SFATAL', 'VFATAL', 'C28000', 'MOAuth bearer authentication failed'];
    socket.write(message('E', ...words.map(text), text('')));
    return;
  }
  socket.write(message('R', int32(0)));
  socket.write(message('S', text('server_version'), text('18.0')));
  socket.write(message('S', text('client_encoding'), text('UTF8')));
  const ready = message('Z', Buffer.from('I'));
  socket.write(ready);
  for (let asked = await nextMessage(read); asked?.type === 'Q'; asked = await nextMessage(read)) {
    const column = [text('current_user'), int32(0), int16(0), int32(TEXT_OID), int16(-1), int32(-1), int16(0)];
    socket.write(message('T', int16(1), ...column));
    socket.write(message('D', int16(1), int32(Buffer.byteLength(user)), Buffer.from(user)));
    socket.write(message('C', text('SELECT 1')));
    socket.write(ready);
  }
}

/** Of a SASLInitialResponse (RFC 7628 §3.1); empty where the client only asks where to go. */
function bearerIn(body: Buffer): string {
  const pairs = body.toString('latin1').split('\x01');
  return pairs.find((pair) => pair.startsWith('auth=Bearer '))?.slice('auth=Bearer '.length) ?? '';
}

type Read = (count: number) => Promise<Buffer | undefined>;

/** Bytes by number, `undefined` once the other side has closed. */
function reader(socket: Socket): Read {
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let kept = Buffer.alloc(0);
  return async (count) => {
    while (kept.length < count) {
      const next = await chunks.next();
      if (next.done === true) return undefined;
      kept = Buffer.concat([kept, next.value]);
    }
    const taken = kept.subarray(0, count);
    kept = kept.subarray(count);
    return taken;
  };
}

async function nextMessage(read: Read): Promise<{ type: string; body: Buffer } | undefined> {
  const head = await read(5);
  if (head === undefined) return undefined;
  const body = await read(head.readInt32BE(1) - 4);
  return body && { type: head.toString('latin1', 0, 1), body };
}

function message(type: string, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function text(words: string): Buffer {
  return Buffer.from(`${words}\0`);
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}
