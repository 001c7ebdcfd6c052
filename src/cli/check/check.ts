/**
 * `gatehouse check`: what is wrong with a configuration, and with `--probe` what is wrong around it. It changes nothing.
 */

import type { Config } from '../../config/config.ts';
import { ConfigError } from '../../config/config-error.ts';
import { configFile } from '../../config/environment.ts';
import { loadConfig } from '../../config/load-config.ts';
import { callbackUri, logoutUri } from '../../oauth/routes.ts';
import type { Reach } from '../../upstream/upstream-settings.ts';
import { EXIT } from '../exit-codes.ts';
import { readArguments } from '../read-arguments.ts';
import { checkTable } from '../tables/check-table.ts';
import { type CheckReport, createCheckReport } from './check-report.ts';
import { describeApprovers } from './describe-approvers.ts';

export async function run(argv: string[]): Promise<number> {
  const { values } = readArguments(checkTable, argv);
  const report = createCheckReport({ isJson: values.json === true });
  const exitCode = await check(configFile(values.config), values.probe === true, report);
  report.verdict();
  return exitCode;
}

async function check(file: string, isProbing: boolean, report: CheckReport): Promise<number> {
  let config: Config;
  try {
    config = await loadConfig(file);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    report.problems(error.problems);
    return EXIT.config;
  }
  report.describe(describe(config));
  report.warnings(config.warnings);
  await reportTranslations(config, report);
  await reportGeo(config, report);
  // What it tests, and what asks, are heavy: whoever has a broken file need not wait for them.
  const { SelfTestError, selfTestOf } = await import('../../broker/self-test.ts');
  try {
    await selfTestOf(config);
  } catch (error) {
    if (!(error instanceof SelfTestError)) throw error;
    report.finding({ about: 'this Node', level: 'wrong', text: error.message });
    return EXIT.config;
  }
  if (!isProbing) return EXIT.done;

  const { probe } = await import('./probe.ts');
  const isFine = await probe(config, report.finding);
  return isFine ? EXIT.done : EXIT.unavailable;
}

/** A company's own words are judged as ours are. */
async function reportTranslations({ pages: { languages, views } }: Config, report: CheckReport): Promise<void> {
  if (views === undefined) return;
  const { faultsOfFile, writtenLanguages } = await import('./translation-faults.ts');
  for (const language of writtenLanguages(views).filter((one) => languages.includes(one))) {
    for (const text of faultsOfFile(views, language)) {
      report.finding({ about: `views/languages/${language}.json`, level: 'advice', text });
    }
  }
}

/** Without them everything goes on, so what is wrong with them is no reason not to start. */
async function reportGeo({ geo }: Config, report: CheckReport): Promise<void> {
  const { openMmdb, wordsOf } = await import('../../geo/mmdb-file.ts');
  for (const [about, path] of Object.entries({ 'geo.file': geo?.file, 'geo.asn_file': geo?.asnFile })) {
    if (path === undefined) continue;
    try {
      report.finding({ about, level: 'ok', text: `${path} is ${(await openMmdb(path)).summary}` });
    } catch (error) {
      const text = `${path} cannot be used (${wordsOf(error)}), expected an MMDB file; until then addresses stand without a place`;
      report.finding({ about, level: 'missing', text });
    }
  }
}

/** What was understood, in words that an administrator can compare with what was meant. */
export function describe(config: Config): string[] {
  const { publicUrl, listen, operations, storage, upstreams, clients, userCodes } = config;
  return [
    `${config.file} is good.`,
    `public URL: ${publicUrl}, people type the code at ${publicUrl}/device`,
    `listens on ${whereListens(listen)}; ${
      operations === undefined ? 'no health and metrics' : `health and metrics on ${operations.host}:${operations.port}`
    }`,
    `storage: ${storage.driver}`,
    `user codes: ${userCodes.length} out of ${userCodes.alphabet.length} characters`,
    `${count(upstreams.length, 'upstream')}:`,
    ...upstreams.flatMap(({ id, displayName, issuer, authentication, reach }) => [
      `  ${id}: ${displayName}, ${issuer}, authentication ${authentication}`,
      ...describeReach(reach),
      `    redirect URI to register there: ${callbackUri(publicUrl, id)}`,
      `    back-channel logout URI, where it offers that: ${logoutUri(publicUrl, id)}`,
    ]),
    `${count(clients.length, 'client')}:`,
    ...clients.flatMap((client) => {
      const { id, name, authentication, tokens, upstreams: at } = client;
      const conditions = describeApprovers(client);
      return [
        `  ${id}: ${name}, authentication ${authentication}, ${tokens === 'mint' ? 'minted' : 'relayed'} tokens, signs in at ${at.join(', ')}`,
        ...(conditions.length === 0 ? [] : ['    may be approved where all of this holds:']),
        ...conditions.map((condition) => `      ${condition}`),
      ];
    }),
    ...(config.resourceServers.length > 0 ? [count(config.resourceServers.length, 'resource server')] : []),
  ];
}

/** How an upstream is reached, where that is not simply at the addresses of its document. */
function describeReach({ backChannel, endpoints, proxy, ca, allowsPrivateAddresses }: Reach): string[] {
  const certificates = ca?.match(/BEGIN CERTIFICATE/g)?.length ?? 0;
  const words = [
    ...(allowsPrivateAddresses ? [] : ['at public addresses only']),
    ...(backChannel === undefined ? [] : [`at ${backChannel}`]),
    ...Object.entries(endpoints).flatMap(([name, address]) => (address === undefined ? [] : [`${name} at ${address}`])),
    ...(proxy === undefined ? [] : [`over the proxy ${proxy.url}`]),
    ...(certificates === 0 ? [] : [`vouched for by ${count(certificates, 'certificate')} of ca`]),
  ];
  return words.length === 0 ? [] : [`    reached ${words.join(', ')}`];
}

function whereListens({ host, port, socket, tls }: Config['listen']): string {
  const where =
    socket === undefined ? `${host}:${port}` : socket === 'systemd' ? 'a socket of systemd' : `the socket ${socket}`;
  return tls === undefined ? where : `${where} with TLS`;
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`;
}
