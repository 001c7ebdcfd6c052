import type { Secret } from '../sealing/secret.ts';

export interface UpstreamSettings {
  id: string;
  displayName: string;
  issuer: string;
  clientId: string;
  authentication: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';
  clientSecret?: Secret;
  /** A private JWK as JSON text, for `private_key_jwt`. */
  privateKey?: Secret;
  scopes: readonly string[];
  /** Where this upstream keeps them: a dotted path into the ID token, then into userinfo. */
  claims: { subject: string; name: string; email: string; groups: string };
  prompt?: string;
  maxAgeSeconds?: number;
  acrValues?: string;
  authorizationParameters: Readonly<Record<string, string>>;
  toleranceSeconds: number;
}
