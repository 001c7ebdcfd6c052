import { EMBEDDED_USERS, startEmbeddedUpstream } from './embedded-upstream.ts';
import type { EmbeddedUser } from './embedded-user.ts';

/** What stands behind the demo's broker, and how its people sign in there. */
export interface DemoUpstream {
  issuer: string;
  /** Over the section of config/demo.yaml. */
  yaml: Record<string, unknown>;
  environment: Record<string, string>;
  users: readonly Pick<EmbeddedUser, 'subject' | 'name'>[];
  /** How they prove who they are, in words. */
  signIn: string;
  close(): Promise<void>;
}

export interface DemoRegistration {
  publicUrl: string;
  upstreamId: string;
  clientId: string;
  displayName: string;
}

export type OpenDemoUpstream = (registration: DemoRegistration) => Promise<DemoUpstream>;

/** A provider in this process. */
export const embeddedDemoUpstream: OpenDemoUpstream = async ({ publicUrl, upstreamId, clientId, displayName }) => {
  const redirectUris = [`${publicUrl}/callback/${upstreamId}`];
  const upstream = await startEmbeddedUpstream({ displayName, clients: [{ clientId, redirectUris }] });
  return {
    issuer: upstream.issuer,
    yaml: {},
    environment: {},
    users: EMBEDDED_USERS,
    signIn: 'nobody there has a password',
    close: () => upstream.close(),
  };
};
