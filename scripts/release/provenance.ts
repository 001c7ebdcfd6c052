import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

export interface BuiltFrom {
  repository: string;
  commit: string;
  version: string;
  node: string;
  npm: string;
  startedAt: string;
}

export function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** As `sha256sum --check` reads it. */
export function checksums(files: readonly string[]): string {
  return files.map((file) => `${sha256(file)}  ${basename(file)}\n`).join('');
}

/**
 * An in-toto statement with a SLSA 1 predicate: which commit, by which tools, became which files. It is not signed here: who made it is
 * said by the signature that whoever publishes puts on it.
 */
export function provenance(files: readonly string[], built: BuiltFrom): object {
  const { repository, commit, version, node, npm, startedAt } = built;
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: files.map((file) => ({ name: basename(file), digest: { sha256: sha256(file) } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: `${repository}/blob/${commit}/scripts/release/release.ts`,
        externalParameters: { repository, ref: `refs/tags/v${version}` },
        internalParameters: { node, npm },
        resolvedDependencies: [{ uri: `git+${repository}@refs/tags/v${version}`, digest: { gitCommit: commit } }],
      },
      runDetails: {
        builder: { id: `${repository}/blob/${commit}/scripts/release/release.ts` },
        metadata: { invocationId: `${commit}/${startedAt}`, startedOn: startedAt },
      },
    },
  };
}
