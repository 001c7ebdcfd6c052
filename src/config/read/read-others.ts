import type { ResourceServer } from '../../endpoints/introspection.ts';
import type { GeoSettings } from '../../geo/geo-places.ts';
import type { NetworkSettings } from '../../network/networks.ts';
import { normalResource } from '../../oauth/resource.ts';
import { isOwnPath } from '../../oauth/routes.ts';
import { Secret } from '../../sealing/secret.ts';
import { type AuditTarget, isStandardSecret } from '../../telemetry/audit/webhook.ts';
import type { Config } from '../config.ts';
import type { ConfigFile } from '../schema/file-schema.ts';
import { readClientSecret } from './read-client-secret.ts';
import { readPublicUrl } from './read-process.ts';
import type { Reading } from './reading.ts';

export function readResourceServers(file: ConfigFile, reading: Reading): ResourceServer[] {
  const named = Object.values(file.clients).flatMap(({ resources }) =>
    resources.length > 0 ? resources : [readPublicUrl(file)],
  );
  const audiences = new Set(named.map(normalResource));
  return Object.entries(file.resource_servers).map(([id, section]) => {
    const at = ['resource_servers', id];
    if (Object.hasOwn(file.clients, id)) {
      reading.problem(at, 'is the id of a client too, expected another one: both authenticate with it in one place');
    }
    const clientSecret = readClientSecret([...at, 'client_secret'], section.client_secret, reading) ?? new Secret('');
    if (!audiences.has(normalResource(section.audience))) {
      const text = `${section.audience} is no resource of any client, so it is told of no token: add it to resources`;
      reading.warning([...at, 'audience'], text);
    }
    return { id, audience: section.audience, clientSecret };
  });
}

export function readNetworks(file: ConfigFile): NetworkSettings[] {
  return Object.entries(file.networks).map(([id, { name, cidrs, factor }]) => ({
    id,
    name: name ?? id,
    cidrs,
    factor,
  }));
}

/** The files are read by the process that uses them; one that cannot be is no reason not to start. */
export function readGeo({ geo }: ConfigFile, reading: Reading): GeoSettings | undefined {
  if (geo === undefined) return undefined;
  const { file, asn_file: asnFile } = geo;
  return {
    file: reading.watched(['geo', 'file'], file),
    ...(asnFile !== undefined && { asnFile: reading.watched(['geo', 'asn_file'], asnFile) }),
  };
}

/** The sections that need no more than other names. */
export function readOthers(
  file: ConfigFile,
  reading: Reading,
): Pick<Config, 'scopeDescriptions' | 'limits' | 'audit' | 'compatibility'> {
  const { limits, compatibility, audit } = file;
  const { keycloak, authentik } = compatibility;
  checkPaths(file, reading);
  return {
    scopeDescriptions: Object.fromEntries(
      Object.entries(file.scopes).map(([scope, { description }]) => [scope, description]),
    ),
    limits: {
      wrongCodesPerSource: limits.wrong_codes_per_source,
      wrongCodesTotal: limits.wrong_codes_total,
      wrongCodesPerBrowser: limits.wrong_codes_per_browser,
      wrongCodesPerSubject: limits.wrong_codes_per_subject,
      failedAuthenticationsPerSource: limits.failed_authentications_per_source,
      failedAuthenticationsPerClient: limits.failed_authentications_per_client,
      approvalsPerSubject: limits.approvals_per_subject,
      startsPerSource: limits.starts_per_source,
      pendingPerSource: limits.pending_per_source,
      pendingPerClient: limits.pending_per_client,
      pendingTotal: limits.pending_total,
    },
    audit: {
      chain: audit.chain,
      ...(audit.webhook !== undefined && { webhook: readTarget('webhook', audit.webhook, reading) }),
      ...(audit.on_approval !== undefined && { onApproval: readTarget('on_approval', audit.on_approval, reading) }),
    },
    compatibility: {
      ...(keycloak !== undefined && { keycloak }),
      ...(authentik !== undefined && { authentik }),
      djangoOAuthToolkit: compatibility.django_oauth_toolkit,
      authlete: compatibility.authlete,
      auth0: compatibility.auth0,
      github: compatibility.github,
      microsoft: compatibility.microsoft,
      paths: compatibility.paths,
    },
  };
}

/** A path of ours that led somewhere else would take an endpoint, or a page, away from everybody. */
function checkPaths({ public_url: publicUrl, compatibility: { paths } }: ConfigFile, reading: Reading): void {
  const base = new URL(publicUrl).pathname.replace(/\/+$/, '');
  for (const path of Object.keys(paths)) {
    const own = path.startsWith(`${base}/`) ? [path, path.slice(base.length)] : [path];
    if (own.some((each) => isOwnPath(each.replace(/\/$/, '')))) {
      reading.problem(['compatibility', 'paths', path], 'is a path of Gatehouse itself, expected one that it has not');
    }
  }
}

function readTarget(key: string, section: NonNullable<ConfigFile['audit']['webhook']>, reading: Reading): AuditTarget {
  const at = ['audit', key, 'secret'];
  const secret = readClientSecret(at, section.secret, reading);
  if (secret !== undefined && !isStandardSecret(secret.reveal())) {
    reading.problem(at, 'begins with whsec_, expected the base64 of at least 16 bytes after that');
  }
  return { url: section.url, ...(secret !== undefined && { secret }) };
}
