/** The reference pages whose tables are the code's own: `npm run docs` writes them, and a test compares them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandTables } from '../src/cli/run-command.ts';
import { referencePage } from '../src/cli/tables/reference-page.ts';
import type { LogEvent } from '../src/telemetry/log-event.ts';
import { LOG_EVENTS } from '../src/telemetry/log-events.ts';
import { LOG_FIELDS } from '../src/telemetry/log-fields.ts';
import { METRICS } from '../src/telemetry/metric-names.ts';
import { DEVICE_EXHIBITS } from '../test/bug-museum/device-exhibits.ts';
import type { Exhibit } from '../test/bug-museum/exhibit.ts';
import { PAGE_EXHIBITS } from '../test/bug-museum/page-exhibits.ts';

const tables = await commandTables();

export const REFERENCE_PAGES: Record<string, () => string> = {
  'docs/commands.md': commandsPage,
  'docs/operations/log-events.md': logEventsPage,
  'docs/operations/metrics.md': metricsPage,
  'docs/security/bug-museum.md': bugMuseumPage,
};

function commandsPage(): string {
  const list = [...tables].map(([name, { summary }]) => [`[\`gatehouse ${name}\`](#${name})`, summary]);
  return `# Commands

In a clone, after \`npm run build\`, \`gatehouse\` is \`node dist/cli/gatehouse.js\`, best as an \`alias\`; the image *is* \`gatehouse\`:
\`docker run … gatehouse check\`, \`docker exec … gatehouse sessions list\`. (Not \`npx gatehouse\`: outside of the clone that is another's package.)
Signals want \`gatehouse start\` itself: \`npm start\` does not pass them on.

${table(['command', 'does'], list)}

What stands here is what \`gatehouse help COMMAND\` and \`man gatehouse\` say. Answers go to stdout; what goes wrong to stderr, as
\`gatehouse COMMAND: what is wrong\` with what to do next, or \`file:line:column key: …\` for problems of the configuration.

The configuration is the file that \`--config\` names, else \`$GATEHOUSE_CONFIG\`, else the first of these that is there:
\`config/gatehouse.yaml\` below where one stands, \`$XDG_CONFIG_HOME/gatehouse/gatehouse.yaml\` (\`~/.config\` where the variable
is not set), \`/etc/gatehouse/gatehouse.yaml\`.

Exit codes: 0 done, 1 failed, 64 unknown command or option, 69 something asked is away or wrong, 70 a fault of the broker,
78 the configuration is wrong or this Node failed the self-test; \`login\` also 3 denied, 4 expired, 130 interrupted; \`token\` 3 denied, 4 a person must sign in.

${referencePage(tables)}`;
}

function logEventsPage(): string {
  const events = Object.entries<LogEvent>(LOG_EVENTS).map(([name, { level, warnsWhere, meaning, fields }]) => [
    code(name),
    warnsWhere === undefined ? level : `${level}; ${warningOf(warnsWhere)}`,
    meaning,
    fields.map(code).join(', '),
  ]);
  const fields = Object.entries(LOG_FIELDS).map(([name, meaning]) => [code(name), meaning]);
  return `# Log events

Gatehouse writes one line of JSON for each event to stderr, with \`time\`, \`level\`, \`event\` and the event's fields. A line has no other
fields than these, and none of them holds a code, a token, a cookie, a secret or a body. \`log.level\` (or \`GATEHOUSE_LOG_LEVEL\`) says from which level on
events are written.

A person who reports a problem has a reference on the page: look for it as \`requestId\`. The line that it finds says what is known of the client, the
upstream and the person, and names the \`grant\`; all other lines of that sign-in carry the same tag. \`gatehouse explain REFERENCE --log FILE\` does
that, and says why it stopped and what to change. A line is \`warn\` or \`error\` where somebody has to look or to act.

With \`audit.chain\` audit lines have \`chain\`, \`number\`, \`previous\`, \`hash\` and sometimes \`lost\` as well: [audit.md](audit.md).

A log that cannot be written (a full disk, a closed pipe, a reader that has stopped reading) costs lines and nothing else;
\`gatehouse_log_lines_lost_total\` counts them.

What strangers can cause with every request (\`client.refused\`, \`request.refused\`, \`page.refused\`, \`code.wrong\`, \`link.followed\`,
\`limit.reached\`), and \`request.failed\`, has a line each for 30 of a kind and source in ten seconds, and for 30 sources, a source being one IPv4
address or one IPv6 /64. What comes beyond is one line at the end of the ten seconds, with \`count\`, \`since\` and what all of it had in common.

${table(['event', 'level', 'meaning', 'fields'], events)}

## Fields

${table(['field', 'meaning'], fields)}
`;
}

function warningOf([field, ...values]: NonNullable<LogEvent['warnsWhere']>): string {
  return `warn where ${code(field)} is ${values.map(code).join(' or ')}`;
}

function metricsPage(): string {
  const metrics = Object.entries(METRICS).map(([name, { kind, help, labels }]) => [
    code(name),
    kind,
    (labels as readonly string[]).map(code).join(', '),
    help,
  ]);
  return `# Metrics

\`GET /metrics\` on the operations listener (\`operations:\` in the configuration), in Prometheus' text format. A client that is not registered is counted as
\`unknown\`, and all other labels come from closed lists or from the configuration, so that no caller can make new series.

${table(['metric', 'kind', 'labels', 'meaning'], metrics)}

Alert rules for these are in \`deploy/prometheus/alerts.yaml\`, with their unit tests beside them; a dashboard is [grafana.json](grafana.json).

Besides these there are prom-client's default metrics of the process: \`nodejs_eventloop_lag_*\`, \`process_resident_memory_bytes\`,
\`process_cpu_seconds_total\`, \`nodejs_heap_*\`, \`nodejs_gc_duration_seconds\` and so on. They begin with the first scrape.
`;
}

function bugMuseumPage(): string {
  const rows = (exhibits: readonly Exhibit[]) =>
    table(
      ['peer', 'where', 'what it did', 'what holds here: the name of our test'],
      exhibits.map(({ peer, source, did, rule }) => [peer, source, did, rule]),
    );
  return `# The bug museum

Bugs that other programs' device flows had in public: issues, pull requests and advisories, and slips that were seen while reading their
sources. Most are mended there by now; none is told to blame. Each has a test here with the name in the last column, in
\`test/bug-museum/\`: \`npx vitest run test/bug-museum\`.

The commonest kinds: a client that is not authenticated or not bound to its code; a code that is read, used and only then marked as used; an
approval that is not bound to the browser session; a code form without limit or CSRF protection; policy that is not judged again at
redemption; arithmetic of the polling interval.

## At the device door

${rows(DEVICE_EXHIBITS)}

## At the people door

${rows(PAGE_EXHIBITS)}
`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [file, page] of Object.entries(REFERENCE_PAGES)) {
    writeFileSync(join(import.meta.dirname, '..', file), page());
  }
}
