import { type ConsumerProgram, consumerDeps, consumerScenarios, type TokenKind } from '../consumer-scenarios.ts';
import { goProgram } from '../obtain/go.ts';
import { javaProgram } from '../obtain/java.ts';
import { npmPackages } from '../obtain/npm.ts';
import type { Peer } from '../peer.ts';

interface Consumer {
  name: string;
  from: string;
  limitSeconds: number;
  takes: Readonly<Record<TokenKind, boolean>>;
  build(): Promise<{ version: string; program: ConsumerProgram }>;
}

function consumer({ name, from, limitSeconds, takes, build }: Consumer): Peer {
  return {
    ...{ name, kind: 'consumer', from, limitSeconds },
    async open() {
      const { version, program } = await build();
      const deps = await consumerDeps();
      return { version, scenarios: consumerScenarios(deps, program, takes), close: () => deps.close() };
    },
  };
}

export const springResource = consumer({
  name: 'spring-resource',
  from: 'Maven Central spring-boot-starter-oauth2-resource-server',
  limitSeconds: 300,
  takes: { 'at+jwt': false, 'access_token_type: JWT': true, 'Keycloak’s path profile': false },
  async build() {
    const program = await javaProgram('spring-resource', 'Api');
    return { version: await program.version('spring-security-oauth2-resource-server'), program };
  },
});

export const keycloakConnect = consumer({
  name: 'keycloak-connect',
  from: 'npm',
  limitSeconds: 120,
  takes: { 'at+jwt': false, 'access_token_type: JWT': false, 'Keycloak’s path profile': true },
  async build() {
    const { folder, version } = await npmPackages('keycloak-connect', ['keycloak-connect@26.1.1', 'express@5.3.0']);
    const file = new URL('../programs/keycloak_connect_api.mjs', import.meta.url).pathname;
    const program = { command: [process.execPath, file], environment: { MODULES: folder } };
    return { version: await version('keycloak-connect'), program };
  },
});

export const goOidc = consumer({
  name: 'go-oidc',
  from: 'Go proxy github.com/coreos/go-oidc/v3',
  limitSeconds: 480,
  takes: { 'at+jwt': true, 'access_token_type: JWT': true, 'Keycloak’s path profile': true },
  async build() {
    const built = await goProgram('goidc');
    return { version: await built.module('go-oidc'), program: { command: [built.file] } };
  },
});
