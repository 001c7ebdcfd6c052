import type { YamlChanges } from './test-broker.ts';

/** One client of each kind that can be registered, for tests of the device door. */
export const DEVICE_CLIENTS: YamlChanges = {
  clients: {
    tv: { name: 'Living room TV', interval: '5s' },
    robot: { name: 'Release robot', authentication: 'client_secret', client_secret: { env: 'ROBOT_SECRET' } },
    'basic-robot': {
      name: 'Basic robot',
      authentication: 'client_secret_basic',
      client_secret: { env: 'BASIC_SECRET' },
    },
    'post-robot': { name: 'Post robot', authentication: 'client_secret_post', client_secret: { env: 'POST_SECRET' } },
    'go-tool': {
      name: 'Tool in Go',
      authentication: 'client_secret',
      client_secret: { env: 'ROBOT_SECRET' },
      start_without_secret: true,
    },
    'web/app+1': { name: 'App in a TV browser', origins: ['https://tv.example', 'http://localhost:3000'] },
    quiet: { name: 'Without a complete URI', safeguards: { profile: 'standard', complete: 'off' } },
    api: { name: 'Client of two APIs', resources: ['https://a.example/', 'https://b.example/'] },
    pkce: { name: 'Must use PKCE', require: ['pkce'] },
  },
};

export const ROBOT_SECRET = 'robot secret+with/signs%41&é';
export const DEVICE_SECRETS = {
  ROBOT_SECRET,
  BASIC_SECRET: 'basic-robot-secret-00000000000000',
  POST_SECRET: 'post-robot-secret-000000000000000',
};

/** RFC 6749 §2.3.1: user and password of Basic are form-encoded. */
export function basic(clientId: string, secret: string, encode: (text: string) => string = formEncoded): string {
  return `Basic ${Buffer.from(`${encode(clientId)}:${encode(secret)}`).toString('base64')}`;
}

export function formEncoded(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1);
}

export const asItIs = (text: string): string => text;
