import type { ClientMethod } from '../confidential-clients.ts';
import { confidentialScenarios } from '../confidential-scenarios.ts';
import { type DeviceTold, deviceDeps } from '../device-run.ts';
import { deviceScenarios } from '../device-scenarios.ts';
import { pythonEnvironment } from '../obtain/python.ts';
import type { Peer } from '../peer.ts';

export interface PythonClient {
  name: string;
  /** As pip takes them; the first names the distribution whose version is told. */
  requirements: readonly string[];
  program: string;
  environment?: Record<string, string>;
  told?: DeviceTold;
  /** How it can prove to be a client, besides being a public one. */
  methods?: readonly ClientMethod[];
  /** It takes nothing but https. */
  isHttps?: boolean;
  /** The path of the issuer then. */
  below?: string;
  /** What the configuration of Gatehouse has besides. */
  yaml?: Record<string, unknown>;
  /** Scenarios of the usual ones that it has no call for. */
  without?: readonly string[];
}

/** A client library from PyPI, in one of `programs/`. */
export function pythonClient(client: PythonClient): Peer {
  const { name, requirements, program, environment, told, methods = [], isHttps = false } = client;
  const { below, yaml = {}, without = [] } = client;
  return {
    name,
    kind: 'client',
    from: 'PyPI',
    limitSeconds: 240,
    async open() {
      const python = await pythonEnvironment(name, requirements);
      const deps = await deviceDeps(yaml, isHttps, below);
      const file = new URL(`../programs/${program}`, import.meta.url).pathname;
      const trust: Record<string, string> = isHttps ? { REQUESTS_CA_BUNDLE: deps.gatehouse.caFile } : {};
      const device = { command: [python.python, file], environment: { ...environment, ...trust } };
      const [distribution = name] = requirements;
      return {
        version: await python.version(distribution.replace(/[^\w.-].*$/, '')),
        scenarios: [
          ...deviceScenarios(deps, device, told).filter(({ name: each }) => !without.includes(each)),
          ...confidentialScenarios(deps, device, methods),
        ],
        close: () => deps.close(),
      };
    },
  };
}
