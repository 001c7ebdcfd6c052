import * as openid from 'openid-client';
import { ScriptedPerson, type VisitedPage } from '../../../demo/scripted-person.ts';
import { createTestBroker, DEVICE_CLIENT, type TestBroker, type YamlChanges } from '../broker/test-broker.ts';
import { freePort } from '../redis/redis.ts';
import type { TestStore } from '../redis/storage-under-test.ts';
import { type EmbeddedUpstream, startEmbeddedUpstream } from './oidc-upstream.ts';

/** A broker with oidc-provider as its upstream, and openid-client as the device: programs of others judge us. */
export interface RealSignIn {
  test: TestBroker;
  /** Starts an upstream that the configuration names; `corp` runs already, unless it was left out. */
  startUpstream(id: string): Promise<EmbeddedUpstream>;
  device(clientId?: string): Promise<RealDevice>;
  close(): Promise<void>;
}

export interface RealDevice {
  configuration: openid.Configuration;
  start(parameters?: Record<string, string>): Promise<openid.DeviceAuthorizationResponse>;
  /** Polls as openid-client does, until there is an answer. */
  finish(started: openid.DeviceAuthorizationResponse): ReturnType<typeof openid.pollDeviceAuthorizationGrant>;
}

export interface RealSignInOptions {
  store?: TestStore;
  yaml?: YamlChanges;
  /** Upstreams of the configuration, and whether they run from the start. */
  upstreams?: Record<string, 'running' | 'down'>;
}

const SECRET = 'secret-of-gatehouse-at-the-upstream';

export async function openRealSignIn(options: RealSignInOptions = {}): Promise<RealSignIn> {
  const { upstreams = { corp: 'running' } } = options;
  const ports = new Map<string, number>();
  for (const id of Object.keys(upstreams)) ports.set(id, await freePort());
  const test = await createTestBroker({
    ...(options.store !== undefined && { store: options.store }),
    environment: { REAL_SECRET: SECRET },
    yaml: {
      ...options.yaml,
      upstreams: Object.fromEntries(
        [...ports].map(([id, port]) => [
          id,
          {
            display_name: `Example ${id}`,
            issuer: `http://127.0.0.1:${port}`,
            client_secret: { env: 'REAL_SECRET' },
            scopes: ['openid', 'profile', 'email'],
          },
        ]),
      ),
      clients: { [DEVICE_CLIENT]: { name: 'Build CLI', interval: '1s' }, ...options.yaml?.clients },
    },
  });
  const running: EmbeddedUpstream[] = [];
  const startUpstream = async (id: string) => {
    const upstream = await startEmbeddedUpstream({
      port: ports.get(id) ?? 0,
      displayName: `Example ${id}`,
      clients: [{ clientId: 'gatehouse', secret: SECRET, redirectUris: [`${test.publicUrl}/callback/${id}`] }],
    });
    running.push(upstream);
    return upstream;
  };
  for (const [id, state] of Object.entries(upstreams)) if (state === 'running') await startUpstream(id);
  return {
    test,
    startUpstream,
    device: (clientId = DEVICE_CLIENT) => realDevice(test.publicUrl, clientId),
    async close() {
      await test.close();
      await Promise.all(running.map((upstream) => upstream.close()));
    },
  };
}

async function realDevice(issuer: string, clientId: string): Promise<RealDevice> {
  const configuration = await openid.discovery(new URL(issuer), clientId, undefined, openid.None(), {
    algorithm: 'oauth2',
    execute: [openid.allowInsecureRequests],
  });
  return {
    configuration,
    start: (parameters = { scope: 'openid profile email' }) =>
      openid.initiateDeviceAuthorization(configuration, parameters),
    finish: (started) => openid.pollDeviceAuthorizationGrant(configuration, started),
  };
}

/** What a person does at each page, as far as these pages have it; `undefined` stops there. */
export type Step = (page: VisitedPage) => { filled?: Record<string, string>; form?: number; link?: number } | undefined;

/** Goes from page to page until there is nothing to do, or a page that says no. */
export async function walk(address: string, step: Step, person = new ScriptedPerson()): Promise<VisitedPage> {
  let page = await person.visit(address);
  for (let count = 0; count < 12; count += 1) {
    const next = step(page);
    if (next === undefined) return page;
    const { filled = {}, form: index = 0, link } = next;
    const [form, target] = [page.forms[index], link === undefined ? undefined : page.links[link]];
    if (target !== undefined) page = await person.visit(target, page);
    else if (form !== undefined) page = await person.submit(page, form, filled);
    else return page;
  }
  throw new Error(`no end: “${page.heading}”`);
}

export function formIndex(page: VisitedPage, name: string, value?: string): number {
  return page.forms.findIndex(
    ({ fields, buttons }) =>
      (value === undefined && fields.has(name)) ||
      buttons.some((button) => button.name === name && (value === undefined || button.value === value)),
  );
}

/** Types the code, then does at the upstream and at the confirm page what it is told. */
export function person(userCode: string, at: { upstream?: Record<string, string>; confirm?: string } = {}): Step {
  const { upstream = { user: 'alice' }, confirm = 'approve' } = at;
  return (page) => {
    if (page.status >= 400) return undefined;
    const code = formIndex(page, 'user_code');
    if (code >= 0) return { form: code, filled: { user_code: userCode } };
    // oidc-provider changes accounts by a form that sends itself where there is script.
    const itself = formIndex(page, 'xsrf');
    if (itself >= 0) return { form: itself };
    const decision = formIndex(page, 'decision', confirm);
    const isUpstream = page.forms.some(({ buttons }) => buttons.some(({ name }) => name === 'user'));
    if (isUpstream) {
      const [[name, value] = ['user', 'alice']] = Object.entries(upstream);
      return { form: formIndex(page, name, value), filled: upstream };
    }
    return decision >= 0 ? { form: decision, filled: { decision: confirm } } : undefined;
  };
}
