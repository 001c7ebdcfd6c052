import type { CommandTable } from './command-table.ts';
import { profileRows } from './daily/profile-rows.ts';

export const STORES = ['file', 'none'] as const;

export const loginTable = {
  summary: 'sign in from this terminal, at any server with the device flow',
  usage: ['--issuer URL --client-id ID [OPTIONS]', '--profile NAME [OPTIONS]', 'ISSUER [OPTIONS]'],
  about: [
    'Signs in to a server that has the device flow (RFC 8628), here in the terminal. The tokens are kept for gatehouse token, ' +
      'in a file that only you can read. A Gatehouse says itself which clients there are, so that its address is enough.',
  ],
  operand: { name: 'ISSUER' },
  options: {
    ...profileRows,
    scope: { value: 'SCOPE', isRepeated: true, about: 'what to ask for; may be repeated (without it: openid)' },
    resource: { value: 'URI', isRepeated: true, about: 'what the token is for (RFC 8707); may be repeated' },
    'client-secret-env': { value: 'NAME', about: "take the client's secret from this environment variable" },
    'client-secret-file': { value: 'FILE', about: "take the client's secret from this file" },
    'device-authorization-endpoint': { value: 'URL', about: 'for a server whose metadata does not name it' },
    json: { about: 'print the token response to standard output; it is kept only where --profile is said too' },
    store: { value: 'PLACE', choices: STORES, about: 'where the tokens are kept: file (default) or none' },
    confirm: {
      about: 'make the server ask for 4 digits, typed here, after the approval; no browser here brings a proof',
    },
    'no-qr': { about: 'no QR code' },
    plain: { about: 'no QR code, no large letters, no motion' },
  },
  exits: [
    [0, 'signed in'],
    [1, 'error'],
    [3, 'denied'],
    [4, 'the code expired'],
    [130, 'Ctrl-C'],
  ],
} as const satisfies CommandTable;
