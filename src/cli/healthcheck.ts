/**
 * The container's HEALTHCHECK: asks the public listener for its metadata, and answers 0 when it says anything but 5xx.
 * It needs no operations listener, which may be switched off. And it reads the configuration as leniently as it can: a
 * file that was broken while the broker runs is reported by the broker and keeps it running, so it must not make the
 * container unhealthy.
 */
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { get as getOverTls } from 'node:https';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { configFile, processEnvironment } from '../config/environment.ts';

const LIMIT_MS = 4000;
const DEFAULT_PORT = 8080;
/** "Any address" is none that can be called. */
const ANY_ADDRESS = ['0.0.0.0', '::', ''];

const environment = processEnvironment();
const { host, port, path, socketPath, isTls } = readListener(configFile(undefined));
const where = socketPath ?? `${host}:${port}`;
const at = { path, timeout: LIMIT_MS, ...(socketPath === undefined ? { host, port } : { socketPath }) };
const answered = ({ statusCode = 500 }) => finish(statusCode < 500, `the listener answers ${statusCode}`);
// It is asked whether the listener answers, at an address that no certificate names.
const request = isTls ? getOverTls({ ...at, rejectUnauthorized: false }, answered) : get(at, answered);
request.on('timeout', () => finish(false, `no answer from ${where} within ${LIMIT_MS / 1000} s`));
request.on('error', (error) => finish(false, `no answer from ${where}: ${error.message}`));

interface Listener {
  host: string;
  port: number;
  path: string;
  socketPath: string | undefined;
  isTls: boolean;
}

function readListener(file: string): Listener {
  const document = parseDocument(textOf(file));
  const host = environment['GATEHOUSE_LISTEN_HOST'] || textAt(document.getIn(['listen', 'host']));
  const port = Number(document.getIn(['listen', 'port']) ?? DEFAULT_PORT);
  const socket = textAt(document.getIn(['listen', 'socket']));
  const publicUrl = textAt(document.get('public_url'));
  const below = URL.canParse(publicUrl) ? new URL(publicUrl).pathname.replace(/\/$/, '') : '';
  return {
    host: ANY_ADDRESS.includes(host) ? '127.0.0.1' : host,
    port: Number.isInteger(port) ? port : DEFAULT_PORT,
    path: `/.well-known/oauth-authorization-server${below}`,
    socketPath: socket === '' ? undefined : resolve(dirname(file), socket),
    isTls: document.hasIn(['listen', 'tls']),
  };
}

function textAt(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function finish(isHealthy: boolean, words: string): void {
  process.stdout.write(`${words}\n`, () => process.exit(isHealthy ? 0 : 1));
}
