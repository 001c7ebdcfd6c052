import type { Spot, Taken, Word } from './completion-spots.ts';

export function fishCompletion(commands: readonly Word[], spots: readonly Spot[]): string {
  const verbs = [...new Set(spots.map(({ command }) => command))].map((command) => {
    const words = spots.filter((spot) => spot.command === command).flatMap(({ verb }) => verb ?? []);
    return { command, words };
  });
  return `# fish completion of gatehouse
function __gatehouse_at
    set -l typed (commandline -opc)
    test (count $typed) -ge 2; and test $typed[2] = $argv[1]; or return 1
    set -l verb ''
    for word in $typed
        switch "$argv[1] $word"
            case ${verbs.flatMap(({ command, words }) => words.map((verb) => quoted(`${command} ${verb}`))).join(' ')}
                test $word != $typed[2]; and set verb $word
        end
    end
    test "$verb" = "$argv[2]"
end
complete -c gatehouse -f
complete -c gatehouse -n __fish_use_subcommand -l help -s h -d ${quoted('this text')}
complete -c gatehouse -n __fish_use_subcommand -l version -d ${quoted('which Gatehouse this is')}
${commands.map(({ text, about }) => `complete -c gatehouse -n __fish_use_subcommand -a ${text} -d ${quoted(about)}`).join('\n')}
${spots.flatMap(linesAt).join('\n')}
`;
}

function linesAt({ command, verb = '', words, options, takesFiles }: Spot): string[] {
  const at = `complete -c gatehouse -n ${quoted(`__gatehouse_at ${command} ${verb === '' ? "''" : verb}`)}`;
  return [
    ...words.map(({ text, about }) => `${at} -a ${text}${about === '' ? '' : ` -d ${quoted(about)}`}`),
    ...options.map(({ text, about, takes }) => `${at} -l ${text.slice(2)}${valueSpec(takes)} -d ${quoted(about)}`),
    ...(takesFiles ? [`${at} -F`] : []),
  ];
}

function valueSpec(takes: Taken): string {
  if (takes === 'nothing') return '';
  if (takes === 'file') return ' -r -F';
  return takes === 'anything' ? ' -x' : ` -x -a ${quoted(takes.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll(/['\\]/g, '\\$&')}'`;
}
