import { startGatehouse } from './gatehouse.ts';

/** A running OpenID provider, with what an administrator can do there. What it does not offer is left out. */
export interface UpstreamUnderTest {
  issuer: string;
  clientId: string;
  clientSecret: string;
  user: string;
  password?: string;
  scopes?: readonly string[];
  /** More for its section of the YAML. */
  yaml?: Record<string, unknown>;
  /** A client there that asks the person for consent; left out where the usual one does. */
  consent?: { clientId: string; clientSecret: string };
  /** Tells it the redirect URIs and the address for back-channel logout. */
  register(publicUrl: string, callbacks: readonly string[]): Promise<void>;
  canDeny: boolean;
  disable?: (user: string) => Promise<void>;
  enable?: (user: string) => Promise<void>;
  /** Its administrator ends the person's sessions there, and it tells its clients so. */
  logOut?: (user: string) => Promise<void>;
  signOut?: SignOutThere;
  rotateKeys?: () => Promise<void>;
  stop?: () => Promise<void>;
  start?: () => Promise<void>;
}

/** What becomes of a device session when the person signs out at the upstream's `end_session_endpoint`. */
export interface SignOutThere {
  sessionThen: 'is ended by its logout token' | 'is ended at the next refresh' | 'goes on';
  /** Without an ID token it asks nobody, and refuses. */
  needsIdToken?: boolean;
}

/** One Gatehouse: the upstream as it should be, once more with a wrong secret, and once where people are asked. */
export async function gatehouseBefore(upstream: UpstreamUnderTest, more: Record<string, unknown> = {}) {
  const { issuer, clientId, clientSecret, scopes, yaml = {} } = upstream;
  const asking = upstream.consent ?? { clientId, clientSecret };
  const section = (id: string, secret: string) => ({
    ...{ display_name: 'Corp', issuer, client_id: id, client_secret: { env: secret }, ...yaml },
    ...(scopes !== undefined && { scopes }),
  });
  const client = (name: string, at: string) => ({ name, upstreams: [at], interval: '1s', claims: ['email', 'groups'] });
  return startGatehouse({
    secrets: {
      ...{ UPSTREAM_SECRET: clientSecret, CONSENT_SECRET: asking.clientSecret },
      WRONG_SECRET: 'this-is-not-the-secret',
    },
    yaml: async (publicUrl) => {
      await upstream.register(
        publicUrl,
        ['corp', 'wrong', 'asks'].map((id) => `${publicUrl}/callback/${id}`),
      );
      return {
        upstreams: {
          corp: section(clientId, 'UPSTREAM_SECRET'),
          wrong: section(clientId, 'WRONG_SECRET'),
          asks: section(asking.clientId, 'CONSENT_SECRET'),
        },
        clients: {
          tv: client('TV', 'corp'),
          relay: { ...client('Relay', 'corp'), tokens: 'relay', relay_id_token: true, claims: [] },
          'tv-wrong': client('TV with a wrong secret behind', 'wrong'),
          'tv-asks': client('TV with consent', 'asks'),
          // Who types a code with less than two minutes left is asked to think, and this person does not.
          judged: { name: 'Judged', upstreams: ['corp'], lifetimes: { code: '150s' } },
        },
        ...more,
      };
    },
  });
}
