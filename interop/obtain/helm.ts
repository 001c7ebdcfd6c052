import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { onPath } from '../../test/support/programs.ts';
import { obtainBy } from '../program.ts';
import { cacheFolder, once } from './cache.ts';
import { goTool } from './go.ts';

export const HELM_VERSION = '3.22.0';

/** On PATH, else built from the Go proxy, which takes some minutes once. */
export async function helmProgram(): Promise<string> {
  return onPath('helm') ?? join(await builtHelm(), 'helm');
}

/** What was built earlier, for those who do not want to wait. */
export function helmFolder(): string {
  return cacheFolder('go', `helm-${HELM_VERSION}`);
}

async function builtHelm(): Promise<string> {
  return once(helmFolder(), async (empty) => {
    await mkdir(empty, { recursive: true });
    const environment = { GOBIN: empty, GOFLAGS: '-mod=mod', GOTOOLCHAIN: 'auto', CGO_ENABLED: '0' };
    await obtainBy([await goTool(), 'install', `helm.sh/helm/v3/cmd/helm@v${HELM_VERSION}`], { environment });
  });
}
