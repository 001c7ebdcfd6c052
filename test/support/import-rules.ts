import { posix } from 'node:path';

/**
 * The rules of architecture.test.ts: which part of src/ may import what, and how to see it in the text of the files.
 * Each check answers with one sentence for each offence, which says where the import belongs.
 */

/** The parts that everybody may build on, and that know nobody. */
const INNERMOST = ['oauth', 'sealing', 'clients', 'network'];
const PORTS = ['upstream/upstream.ts', 'storage/storage.ts'];
const UPSTREAM_PORT = 'upstream/upstream.ts';
const STORAGE_PORT = 'storage/storage.ts';
const DOMAIN = ['ledger', 'grants', 'device-sessions', 'tokens', 'safeguards', 'limits', 'geo'];
const BELOW_THE_DOORS = [...DOMAIN, ...INNERMOST, UPSTREAM_PORT, 'telemetry'];
const BELOW_THE_BROKER = [...BELOW_THE_DOORS, 'endpoints', 'pages', 'operations', 'storage', 'upstream', STORAGE_PORT];

/** Imports point inwards: folder (or file directly in src/, or port) → what it may import besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  oauth: [],
  sealing: ['oauth'],
  network: [],
  clients: ['oauth', 'sealing'],
  [UPSTREAM_PORT]: INNERMOST,
  [STORAGE_PORT]: [...DOMAIN, 'sealing'],
  telemetry: ['oauth', 'sealing'],
  ...Object.fromEntries(DOMAIN.map((folder) => [folder, BELOW_THE_DOORS])),
  upstream: [UPSTREAM_PORT, ...DOMAIN, ...INNERMOST, 'telemetry'],
  storage: [STORAGE_PORT, ...DOMAIN, 'sealing', 'telemetry'],
  endpoints: BELOW_THE_DOORS,
  pages: [...BELOW_THE_DOORS, STORAGE_PORT],
  operations: BELOW_THE_DOORS,
  config: BELOW_THE_BROKER,
  broker: [...BELOW_THE_BROKER, 'config'],
  'mount-in-express': ['broker', 'endpoints', 'pages'],
  contract: ['storage', STORAGE_PORT, ...DOMAIN],
  index: [...BELOW_THE_BROKER, 'config', 'broker', 'mount-in-express'],
  cli: [...BELOW_THE_BROKER, 'config', 'broker', 'main'],
  main: [...BELOW_THE_BROKER, 'config', 'broker', 'cli'],
};

const WHERE_IT_BELONGS = 'Hand the value in from broker/, or declare what you need as an interface in your own folder.';

/** Packages that only some places may import, by folder, file or part. */
const PACKAGE_HOMES: { packages: RegExp; homes: readonly string[]; advice: string }[] = [
  {
    packages: /^ioredis$/,
    homes: ['storage/'],
    advice: 'What speaks to Redis belongs in src/storage/, behind a verb of the storage contract.',
  },
  {
    packages: /^openid-client$/,
    homes: ['upstream/openid-upstream.ts', 'upstream/openid-configuration.ts', 'cli/login/'],
    advice: 'What speaks to an upstream belongs in src/upstream/openid-upstream.ts, behind the port.',
  },
  {
    packages: /^undici$/,
    homes: [
      'upstream/requests/bounded-fetch.ts',
      'upstream/requests/upstream-dispatcher.ts',
      'upstream/requests/whole-answer.ts',
    ],
    advice: 'Every request to an upstream goes out by src/upstream/requests/bounded-fetch.ts.',
  },
  {
    packages: /^ejs$/,
    // An administrator's templates are judged where the rest of the configuration is.
    homes: ['pages/', 'operations/', 'config/read/read-pages.ts'],
    advice: 'What people read is a template of a page.',
  },
  {
    packages: /^(express|helmet|i18next)$/,
    homes: ['pages/', 'broker/', 'mount-in-express.ts'],
    advice: 'Endpoints and the domain are plain functions; what needs Express belongs in src/pages/.',
  },
  {
    packages: /^express-session$/,
    homes: ['pages/'],
    advice: 'Devices have no browser session; what needs one belongs in src/pages/.',
  },
  {
    packages: /^(pino|prom-client)$/,
    homes: ['telemetry/'],
    advice: 'Log through telemetry/logger.ts and count through telemetry/metrics.ts.',
  },
  {
    packages: /^(yaml|zod)$/,
    homes: ['config/', 'cli/'],
    advice: 'Reading and checking the configuration belongs in src/config/.',
  },
  {
    packages: /^mmdb-lib$/,
    homes: ['geo/mmdb-file.ts'],
    advice: 'What an address is near is asked of src/geo/geo-places.ts.',
  },
  {
    packages: /^vitest$/,
    homes: ['contract.ts', 'storage/contract/'],
    advice: 'Only the contract suites that other stores run are tests; the rest belongs in test/.',
  },
  {
    packages: /^(node:)?(https?|http2|net|tls|dgram|dns|fetch)$/,
    homes: [
      'endpoints/',
      'pages/',
      'operations/',
      'upstream/',
      'storage/',
      'network/',
      'telemetry/',
      'config/',
      'cli/',
      'broker/',
      'mount-in-express',
      'main',
    ],
    advice: 'The domain knows no network: take the fact that you need as a parameter.',
  },
  {
    packages: /^(node:)?process$/,
    homes: ['main.ts', 'cli/', 'config/'],
    advice: 'Only the process itself (main.ts, cli/) handles it, and only src/config/ reads its environment.',
  },
];

const CALL_HOMES: { call: RegExp; homes: readonly string[]; advice: string }[] = [
  {
    call: /\bprocess\.env\b/,
    homes: ['config/'],
    advice: 'Only src/config/ reads the environment: make it a setting.',
  },
  {
    call: /\.listen\(|\bprocess\.(on|once|exit|exitCode|kill|abort)\b/,
    homes: ['main.ts', 'cli/'],
    advice: 'Only main.ts and src/cli/ own the process: everything else is a value that they start and stop.',
  },
];

export interface Source {
  /** Below src/. */
  file: string;
  text: string;
}

interface Import {
  from: string;
  isTypeOnly: boolean;
}

/** `import … from '…'`, `export … from '…'`, `import '…'` and `import('…')`; lines of comments are left out. */
function importsOf({ text }: Source): Import[] {
  const code = withoutComments(text);
  const statements = code.matchAll(/^(?:import|export)\s+(type\s)?(?:[\w*{][^;'"]*?\sfrom\s+)?['"]([^'"]+)['"]/gm);
  const calls = code.matchAll(/\bimport\(\s*['"]([^'"]+)['"]/g);
  return [
    ...[...statements].map(([, type, from]) => ({ from: from ?? '', isTypeOnly: type !== undefined })),
    ...[...calls].map(([, from]) => ({ from: from ?? '', isTypeOnly: false })),
  ];
}

function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\/|\/?\*).*$/gm, '');
}

/** The folder of a file, or itself for a port. The files directly in src/ are the ways in: a part each. */
function partOf(file: string): string {
  if (PORTS.includes(file)) return file;
  const [first = ''] = file.split('/');
  return first.replace(/\.ts$/, '');
}

function ownImports(source: Source): { target: string; isTypeOnly: boolean }[] {
  return importsOf(source)
    .filter(({ from }) => from.startsWith('.'))
    .map(({ from, isTypeOnly }) => ({ target: posix.join(posix.dirname(source.file), from), isTypeOnly }));
}

function packageImports(source: Source): string[] {
  return importsOf(source)
    .filter(({ from }) => !from.startsWith('.'))
    .map(({ from }) => (from.startsWith('@') ? from.split('/').slice(0, 2).join('/') : (from.split('/')[0] ?? from)));
}

function isAt(file: string, homes: readonly string[]): boolean {
  return homes.some((home) => (home.endsWith('/') ? file.startsWith(home) : file === home || partOf(file) === home));
}

export function misdirectedImports(sources: Source[]): string[] {
  return sources.flatMap((source) => {
    const part = partOf(source.file);
    const permitted = MAY_IMPORT[part];
    if (permitted === undefined) {
      return [
        `src/${source.file}: the design knows no part "${part}"; known are ${Object.keys(MAY_IMPORT).join(', ')}`,
      ];
    }
    return ownImports(source).flatMap(({ target, isTypeOnly }) => {
      const targetPart = partOf(target);
      if (target.startsWith('..')) return [`src/${source.file} imports ${target}: src/ stands on nothing outside it`];
      if (targetPart === part) return [];
      if (!permitted.includes(targetPart)) {
        const may = permitted.length === 0 ? 'nothing of ours' : `only ${permitted.join(', ')}`;
        return [`src/${source.file} imports src/${target}: ${part} may import ${may}. ${WHERE_IT_BELONGS}`];
      }
      const isDoorOrDriver = ['endpoints', 'pages', 'storage', 'upstream'].includes(targetPart);
      if (part === 'config' && isDoorOrDriver && !isTypeOnly) {
        return [`src/${source.file} imports src/${target}: config/ takes only the types of settings from there`];
      }
      return [];
    });
  });
}

export function misplacedPackages(sources: Source[], dependencies: readonly string[]): string[] {
  return sources.flatMap((source) =>
    packageImports(source).flatMap((name) => {
      const rule = PACKAGE_HOMES.find(({ packages }) => packages.test(name));
      if (rule !== undefined && !isAt(source.file, rule.homes)) {
        return [`src/${source.file} imports ${name}, which only ${rule.homes.join(', ')} may. ${rule.advice}`];
      }
      const isInstalled = name.startsWith('node:') || dependencies.includes(name);
      return isInstalled || name === 'vitest' ? [] : [`src/${source.file} imports ${name}, which is no dependency`];
    }),
  );
}

export function misplacedCalls(sources: Source[]): string[] {
  return sources.flatMap(({ file, text }) =>
    CALL_HOMES.flatMap(({ call, homes, advice }) => {
      const found = call.exec(withoutComments(text))?.[0];
      return found === undefined || isAt(file, homes) ? [] : [`src/${file} has \`${found}\`. ${advice}`];
    }),
  );
}

/** Each circle of parts once, with the import that closes it. */
export function cycles(sources: Source[]): string[] {
  const edges = new Map<string, Map<string, string>>();
  for (const source of sources) {
    const part = partOf(source.file);
    const targets = edges.get(part) ?? new Map<string, string>();
    edges.set(part, targets);
    for (const { target } of ownImports(source)) {
      if (partOf(target) !== part) targets.set(partOf(target), `src/${source.file} imports src/${target}`);
    }
  }
  const found: string[] = [];
  const finished = new Set<string>();
  function visit(part: string, path: string[]): void {
    if (finished.has(part)) return;
    for (const [target, example] of edges.get(part) ?? []) {
      const start = [...path, part].indexOf(target);
      if (start === -1) visit(target, [...path, part]);
      else found.push(`${[...path, part].slice(start).join(' → ')} → ${target} is a circle; ${example} closes it`);
    }
    finished.add(part);
  }
  for (const part of edges.keys()) visit(part, []);
  return found;
}

export function bagNames(files: string[]): string[] {
  return files
    .filter((file) => /(^|\/)(utils?|helpers?|common|misc|types)(\/|\.ts$)/.test(file))
    .map((file) => `src/${file}: name it for what it does, beside the one who needs it`);
}

/** An example of the package's documentation is read on its page, and not by who looks for something in the code. */
const EXAMPLE = /^ *\* @example\n *\* ```ts\n(?: *\*.*\n)*? *\* ```\n/gm;

export function longFiles(sources: Source[]): string[] {
  return sources
    .filter(({ text }) => text.replaceAll(EXAMPLE, '').trimEnd().split('\n').length > 250)
    .map(({ file }) => `src/${file} has more than 250 lines: split it by audience or by step`);
}

export function doorsInGrants(sources: Source[]): string[] {
  const door = /^(node:)?(http|https|http2|net|tls)$|^(express.*|ioredis|openid-client|helmet|ejs)$/;
  return sources.flatMap((source) =>
    source.file.startsWith('grants/') && packageImports(source).some((name) => door.test(name))
      ? [`src/${source.file}: grants/ is the domain and knows no HTTP, Redis, Express or openid-client`]
      : [],
  );
}
