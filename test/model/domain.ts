import { pathToFileURL } from 'node:url';

/** The code that is judged: the real one, or a copy of it with a fault. All of one copy, since errors are told by class. */
export async function loadDomain(src: string) {
  const from = (path: string) => pathToFileURL(`${src}/${path}`).href;
  const [poll, decide, end, start, refresh, begin, marks, sealing, keys, secret, ledger] = (await Promise.all([
    import(from('grants/redeem/poll-grant.ts')),
    import(from('grants/decide/decide-grant.ts')),
    import(from('grants/end-grant.ts')),
    import(from('grants/start/start-grant.ts')),
    import(from('device-sessions/refresh/refresh-session.ts')),
    import(from('device-sessions/begin-session.ts')),
    import(from('grants/revocation-marks.ts')),
    import(from('sealing/sealing.ts')),
    import(from('sealing/sealing-keys.ts')),
    import(from('sealing/secret.ts')),
    import(from('ledger/ledger.ts')),
  ])) as [
    typeof import('../../src/grants/redeem/poll-grant.ts'),
    typeof import('../../src/grants/decide/decide-grant.ts'),
    typeof import('../../src/grants/end-grant.ts'),
    typeof import('../../src/grants/start/start-grant.ts'),
    typeof import('../../src/device-sessions/refresh/refresh-session.ts'),
    typeof import('../../src/device-sessions/begin-session.ts'),
    typeof import('../../src/grants/revocation-marks.ts'),
    typeof import('../../src/sealing/sealing.ts'),
    typeof import('../../src/sealing/sealing-keys.ts'),
    typeof import('../../src/sealing/secret.ts'),
    typeof import('../../src/ledger/ledger.ts'),
  ];
  return {
    ...poll,
    ...decide,
    ...end,
    ...start,
    ...refresh,
    ...begin,
    ...marks,
    ...sealing,
    ...keys,
    ...secret,
    ...ledger,
  };
}

export type Domain = Awaited<ReturnType<typeof loadDomain>>;
