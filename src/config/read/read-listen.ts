import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { Listen } from '../config.ts';
import type { Environment } from '../environment.ts';
import type { ConfigFile } from '../schema/file-schema.ts';
import type { Reading } from './reading.ts';

/** A socket that was opened by systemd before the process was there (sd_listen_fds). */
export const HANDED_OVER = 'systemd';

export function readListen(file: ConfigFile, environment: Environment, reading: Reading): Listen {
  const { host, port, socket } = file.listen;
  const path = ['listen', 'socket'];
  const tls = readTls(file, reading);
  return {
    host: environment['GATEHOUSE_LISTEN_HOST'] || host,
    port,
    ...(socket !== undefined && { socket: socket === HANDED_OVER ? socket : reading.resolve(path, socket) }),
    ...(tls !== undefined && { tls }),
  };
}

function readTls({ listen: { tls }, public_url: publicUrl }: ConfigFile, reading: Reading): Listen['tls'] {
  if (tls === undefined) return undefined;
  const path = ['listen', 'tls'];
  const { protocol, hostname } = new URL(publicUrl);
  if (protocol !== 'https:') {
    reading.problem(path, 'found with an http:// public_url, expected https:// there, or no tls here', ['public_url']);
  }
  const cert = reading.publicText([...path, 'cert'], tls.cert);
  const key = reading.secret([...path, 'key'], tls.key);
  if (cert === undefined || key === undefined) return undefined;
  const certificate = certificateOf(cert);
  if (certificate === undefined) {
    reading.problem([...path, 'cert'], 'is no certificate, expected PEM that begins with -----BEGIN CERTIFICATE-----');
    return undefined;
  }
  if (!isPair(cert, key.reveal())) {
    const text = 'is not the private key of the certificate, expected that as PEM without a passphrase';
    reading.problem([...path, 'key'], text);
    return undefined;
  }
  const { validTo } = certificate;
  if (Date.parse(validTo) < Date.now()) reading.warning([...path, 'cert'], `ran out on ${validTo}`);
  if (!isFor(certificate, hostname.replace(/^\[|\]$/g, ''))) {
    reading.warning([...path, 'cert'], `is not for ${hostname}, the host of public_url`);
  }
  return { cert, key };
}

/** OpenSSL reads it as it will for the listener: with all that stands behind the first one. */
function certificateOf(pem: string): X509Certificate | undefined {
  try {
    createSecureContext({ cert: pem });
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function isPair(cert: string, key: string): boolean {
  try {
    createSecureContext({ cert, key });
    return true;
  } catch {
    return false;
  }
}

function isFor(certificate: X509Certificate, host: string): boolean {
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
}
