import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../../src/config/config-error.ts';
import { diffNeedingRestart } from '../../../src/config/needs-restart.ts';
import { selfSigned } from '../../support/samples/self-signed.ts';
import { leastFile, problemsOf, read } from './written.ts';

const url = 'https://localhost';
const yaml = (listen: string, at = url) =>
  leastFile({ url: at, top: `trusted_proxies: []\nstorage: { driver: memory }\nlisten: ${listen}` });
const TLS = '{ port: 443, tls: { cert: { file: cert }, key: { file: key } } }';
const own = selfSigned();
const other = selfSigned();

describe('listen.tls', () => {
  it('is a certificate and its key', () => {
    const { listen, warnings } = read(yaml(TLS), { files: own });
    expect(listen).toMatchObject({ port: 443, tls: { cert: own.cert.trimEnd() } });
    expect(listen.tls?.key.reveal()).toBe(own.key.trimEnd());
    expect(warnings.filter(({ key }) => key.startsWith('listen'))).toEqual([]);
  });

  it.each([
    [
      'a key of another certificate',
      { ...own, key: other.key },
      'listen.tls.key',
      /is not the private key of the certificate/,
    ],
    [
      'a key in place of the certificate',
      { ...own, cert: own.key },
      'listen.tls.cert',
      /is no certificate, expected PEM/,
    ],
    ['a certificate in place of the key', { ...own, key: own.cert }, 'listen.tls.key', /is not the private key/],
    ['no PEM', { ...own, cert: 'hello' }, 'listen.tls.cert', /is no certificate/],
    ['half a file', { ...own, cert: own.cert.slice(0, 300) }, 'listen.tls.cert', /is no certificate/],
  ])('is refused with %s, by line and column, without a part of the key', (_, files, key, words) => {
    const problems = problemsOf(yaml(TLS), { files });
    expect(problems).toEqual([expect.objectContaining({ line: 11, key, text: expect.stringMatching(words) })]);
    expect(JSON.stringify(problems)).not.toMatch(/-----BEGIN P|MIG/);
  });

  it('needs both, and an https public_url', () => {
    expect(problemsOf(yaml('{ tls: { cert: { file: cert } } }'), { files: own })).toEqual([
      expect.objectContaining({ line: 11, key: 'listen.tls.key', text: expect.stringMatching(/is missing/) }),
    ]);
    expect(problemsOf(yaml(TLS, 'http://localhost'), { files: own })).toEqual([
      expect.objectContaining({ line: 11, key: 'listen.tls', text: expect.stringMatching(/http:\/\/ public_url/) }),
    ]);
  });

  it('is asked about where it is not for the host of public_url', () => {
    const { warnings } = read(yaml(TLS, 'https://login.example.com'), { files: own });
    expect(warnings.map(formatProblem)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/:11:\d+ listen\.tls\.cert: is not for login\.example\.com, the host of public_url/),
      ]),
    );
  });

  it('needs no restart for another certificate, and one for TLS itself', () => {
    const [old, next] = [read(yaml(TLS), { files: own }), read(yaml(TLS), { files: other })];
    expect(diffNeedingRestart(old, next)).toEqual([]);
    expect(diffNeedingRestart(old, read(yaml('{ port: 443 }')))).toEqual(['listen']);
  });
});

describe('listen.socket', () => {
  it('is a path beside the file, or what systemd hands over', () => {
    expect(read(yaml('{ socket: gatehouse.sock }')).listen.socket).toMatch(/^\/.*gatehouse\.sock$/);
    expect(read(yaml('{ socket: /run/g.sock }')).listen.socket).toBe('/run/g.sock');
    expect(read(yaml('{ socket: systemd }')).listen.socket).toBe('systemd');
    expect(diffNeedingRestart(read(yaml('{ socket: /a }')), read(yaml('{ socket: /b }')))).toEqual(['listen']);
  });
});

describe('a credential of systemd', () => {
  const secret = leastFile({ upstream: 'client_secret: { file: /run/credentials/gatehouse.service/upstream-secret }' });

  it('that is not there yet is told as that', () => {
    expect(problemsOf(secret).map(({ text }) => text)).toEqual([
      expect.stringMatching(
        /there is no such file.*it is there while its unit runs; CREDENTIALS_DIRECTORY names its source/,
      ),
    ]);
  });

  it('is read from where CREDENTIALS_DIRECTORY says', () => {
    const { filesRead } = read(leastFile(), { files: { 'upstream-secret': 'a-secret-of-the-upstream' } });
    const folder = String(filesRead[0]).replace(/\/[^/]*$/, '');
    const environment = { CREDENTIALS_DIRECTORY: folder };
    expect(read(secret, { environment }).upstreams[0]?.clientSecret?.reveal()).toBe('a-secret-of-the-upstream');
  });
});
