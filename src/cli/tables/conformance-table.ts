import type { CommandTable } from './command-table.ts';

export const conformanceTable = {
  summary: 'judge any server of the device flow by RFC 8628, from outside',
  usage: ['--issuer URL --client-id ID [OPTIONS]'],
  about: [
    'Asks a server as devices do, and says of each requirement of RFC 8628 whether it holds, fails, or cannot be seen from here.',
    'Judge only servers that are yours to judge. Nobody signs in there, unless you say who: the command of --approve-with gets VERIFICATION_URI, VERIFICATION_URI_COMPLETE, USER_CODE and ACTION (approve or deny) in its environment, and exits 0 when it has done that.',
  ],
  options: {
    issuer: { value: 'URL', about: "the server's issuer; https, or http on this machine" },
    'client-id': { value: 'ID', about: 'the client that is registered there; short code lifetimes are seen to end' },
    'client-secret-file': { value: 'FILE', about: "the client's secret, where it has one" },
    'other-client-id': {
      value: 'ID',
      about: 'another client without a secret, that must get nothing for the codes of this one',
    },
    scope: { value: 'SCOPE', isRepeated: true, about: 'what to ask for; may be repeated (without it: nothing)' },
    'approve-with': { value: 'COMMAND', about: 'plays the person, by the shell' },
    'device-authorization-endpoint': { value: 'URL', about: 'for a server whose metadata does not name it' },
    'token-endpoint': { value: 'URL', about: 'the same' },
    starts: { value: 'NUMBER', about: 'how many codes are compared (20; up to 100)' },
    wait: { value: 'SECONDS', about: 'the longest that is waited for a code to run out (60; up to 600)' },
    json: { value: 'FILE', about: 'write the results as JSON too' },
    junit: { value: 'FILE', about: 'write them as JUnit XML too' },
  },
  exits: [
    [0, 'no must fails'],
    [1, 'one does, or the server was not found'],
  ],
} as const satisfies CommandTable;
