import { type CommandTable, HELP_ROW } from './command-table.ts';
import { allOptions, exitCodes, optionLabel } from './help-text.ts';

/** gatehouse(1) in the macros of man(7), which man-db and mandoc both read. */
export function manPage(tables: ReadonlyMap<string, CommandTable>, version: string): string {
  return [
    `.TH GATEHOUSE 1 "" "Gatehouse ${version}" "Gatehouse"`,
    '.SH NAME',
    'gatehouse \\- sign devices in at the OpenID provider that a company already has (RFC 8628)',
    '.SH SYNOPSIS',
    '.B gatehouse',
    '.I COMMAND',
    '[\\fIOPTIONS\\fR]',
    '.SH DESCRIPTION',
    escaped(
      'Gatehouse is a device-authorization broker. It issues the codes, sends the person to the sign-in of the company, ' +
        'and mints tokens or relays those of the provider.',
    ),
    '.SH COMMANDS',
    ...[...tables].flatMap(([name, table]) => section(name, table)),
    '.SH FILES',
    escaped('Without --config and $GATEHOUSE_CONFIG the first of these that is there is read:'),
    ...['config/gatehouse.yaml', '$XDG_CONFIG_HOME/gatehouse/gatehouse.yaml', '/etc/gatehouse/gatehouse.yaml'].flatMap(
      (file) => ['.TP', `.I ${escaped(file)}`],
    ),
    ...prose('$XDG_CONFIG_HOME is ~/.config where it is not set.'),
    '.SH ENVIRONMENT',
    ...item('GATEHOUSE_CONFIG', 'the configuration, where --config does not name one'),
    ...item('GATEHOUSE_PROFILE', 'the profile that login, token and their like mean, where no option says'),
    ...item('GATEHOUSE_ISSUER, GATEHOUSE_CLIENT_ID', 'the same, by server and client'),
    ...item('XDG_STATE_HOME', 'its folder gatehouse has the kept tokens; ~/.local/state where it is not set'),
    ...item('GATEHOUSE_LISTEN_HOST, GATEHOUSE_OPERATIONS_HOST', 'win over listen.host and operations.host'),
    ...item('GATEHOUSE_LOG_LEVEL', 'wins over log.level'),
    ...item('NO_COLOR', 'no colours in the terminal'),
    '',
  ].join('\n');
}

function section(name: string, table: CommandTable): string[] {
  const { usage, about, verbs = {}, notes = [] } = table;
  const options = Object.keys(table.options).length === 0 ? [] : allOptions(table);
  return [
    `.SS ${escaped(name)}`,
    ...usage.flatMap((form) => ['.nf', `\\fBgatehouse ${escaped(name)}\\fR ${escaped(form)}`.trimEnd(), '.fi']),
    ...about.flatMap(prose),
    ...Object.entries(verbs).flatMap(([verb, row]) => item(verb, row.about)),
    ...options
      .filter(([, row]) => row !== HELP_ROW)
      .flatMap(([option, row]) => item(optionLabel(option, row), row.about)),
    ...notes.flatMap(prose),
    ...prose(
      `Exit: ${exitCodes(table)
        .map(([code, meaning]) => `${code} ${meaning}`)
        .join('; ')}.`,
    ),
  ];
}

function item(label: string, about: string): string[] {
  return ['.TP', `.B ${escaped(label)}`, escaped(about)];
}

/** What is indented was laid out by hand. */
function prose(text: string): string[] {
  return text.startsWith(' ') ? ['.nf', escaped(text), '.fi'] : ['.PP', escaped(text)];
}

/** A dash is one that can be searched and copied; a dot or quote at the beginning is text; the rest of Unicode by number. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll(/[^\x20-\x7e]/gu, (character) => `\\[u${hex(character)}]`)
    .replace(/^\./, '\\&.');
}

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
