import { randomBytes } from 'node:crypto';
import type { RegisteredClient } from '../../src/clients/registered-client.ts';
import type { RedeemDeps } from '../../src/grants/redeem/redeem-deps.ts';
import { BASE20 } from '../../src/grants/start/user-code.ts';
import type { Approval } from '../../src/ledger/approval.ts';
import { grantEntry } from '../../src/ledger/entry-keys.ts';
import { decodeGrant, type Grant } from '../../src/ledger/grant.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { Sealing } from '../../src/sealing/sealing.ts';
import type { RandomBytes, Secret } from '../../src/sealing/secret.ts';
import { type ClientChanges, sampleClient } from '../support/samples/sample-client.ts';
import { sampleApproval } from '../unit/tokens/token-samples.ts';
import type { Domain } from './domain.ts';
import type { ModelLedger } from './model-ledger.ts';
import type { TraceStep } from './scheduler.ts';

/** What stands before the callers of a scenario begin. */
export interface Stage {
  domain: Domain;
  sealing: Sealing;
  client: RegisteredClient;
  ledger: ModelLedger;
  deviceCode: Secret;
  grant: Grant;
  approval: Approval;
  /** How it came to that, verb by verb. */
  before: readonly TraceStep[];
  /** Where the grant was redeemed already. */
  refreshToken?: Secret;
}

export interface StageSettings {
  client?: ClientChanges;
  approval?: Partial<Approval>;
  /** How far the grant has come. */
  upTo: 'started' | 'approved' | 'redeemed';
}

export const RESOURCES = ['https://a.example', 'https://b.example'] as const;

const HOUR_SECONDS = 60 * 60;

export async function setStage(domain: Domain, ledger: ModelLedger, settings: StageSettings): Promise<Stage> {
  const sealing = domain.createSealing([new domain.Secret(randomBytes(32).toString('base64url'))]);
  const client = sampleClient({ resources: [...RESOURCES], ...settings.client });
  const before: TraceStep[] = [];
  const deps = redeemDepsOf(domain, sealing, recorded(ledger, before), randomBytes);
  const { id, deviceCode } = await domain.startGrant(deps, {
    ...{ clientId: client.id, challenge: '', jkt: '', scopes: ['openid'], resources: [...RESOURCES] },
    ...{ source: '192.0.2.1', lifetimeSeconds: 600, intervalSeconds: 5, userCodeLength: 8 },
  });
  const grant = decodeGrant(id, ledger.at(grantEntry(id)) ?? '', sealing);
  const atMs = ledger.nowMs;
  const approval = sampleApproval({
    ...{ scopes: ['openid'], resources: [...RESOURCES], signedInAtMs: atMs, approvedAtMs: atMs },
    ...settings.approval,
  });
  const stage = { domain, sealing, client, ledger, deviceCode, grant, approval, before };
  if (settings.upTo === 'started') return stage;
  await domain.approveGrant(deps, grant, approval, 'alice');
  if (settings.upTo === 'approved') return stage;
  const polled = await domain.pollGrant(deps, plainPoll(stage));
  if (polled.outcome !== 'tokens') throw new Error(`the scenario begins with ${polled.outcome}`);
  return { ...stage, refreshToken: new domain.Secret(String(polled.answer['refresh_token'])) };
}

export function plainPoll({ client, deviceCode }: Pick<Stage, 'client' | 'deviceCode'>) {
  const proof = { follow: async () => 'newest' as const, spend: async () => {} };
  return { client, deviceCode, challenge: '', jkt: '', proof, resources: [] as readonly string[] };
}

/** A redemption whose tokens are made at once; what they are for stands in the answer. */
export function redeemDepsOf(
  domain: Domain,
  sealing: Sealing,
  ledger: Ledger,
  random: RandomBytes,
  onForgery: (what: string) => void = () => {},
): RedeemDeps {
  return {
    ...{ ledger, sealing, randomBytes: random, userCodes: { alphabet: BASE20, length: 8, group: 4 } },
    beginSession: domain.createBeginSession(sealing, () => 12 * HOUR_SECONDS),
    issueTokens: async ({ scopes, tokenResources }, { jti, refreshToken }) => ({
      outcome: 'issued',
      answer: {
        jti,
        scope: scopes.join(' '),
        resource: tokenResources.join(' '),
        refresh_token: refreshToken?.reveal(),
      },
    }),
    ...{ areSafeguardsStillMet: () => true, onReplayed: () => {}, onRefused: () => {}, onUnconfirmed: () => {} },
    onForgery: (_id, error) => onForgery(error.message),
  };
}

/** Notes what is asked of the ledger, and what it answers. */
function recorded(ledger: ModelLedger, trace: TraceStep[]): Ledger {
  return new Proxy<Ledger>(ledger, {
    get(target, verb: keyof Ledger) {
      return async (...args: unknown[]) => {
        const result = await (target[verb] as (...all: unknown[]) => Promise<unknown>)(...args);
        trace.push({ caller: 'before', verb, args, fault: 'ok', result });
        return result;
      };
    },
  });
}
