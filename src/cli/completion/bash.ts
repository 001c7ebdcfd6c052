import type { Spot } from './completion-spots.ts';

/** Works with bash 3.2 too, where files are not completed for want of `compopt`. */
export function bashCompletion(commands: readonly string[], spots: readonly Spot[]): string {
  const verbs = spots.filter(({ verb }) => verb !== undefined).map(({ command, verb }) => `"${command} ${verb}"`);
  return `# bash completion of gatehouse
_gatehouse() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" command="\${COMP_WORDS[1]}"
  local verb="" words="" word
  # To bash = is a word of its own.
  if [[ $current == = ]]; then current=""
  elif [[ $previous == = ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"
  fi
  COMPREPLY=()
  if [[ $COMP_CWORD -eq 1 ]]; then
    COMPREPLY=($(compgen -W "${[...commands, '--help', '--version'].join(' ')}" -- "$current"))
    return
  fi
  for word in "\${COMP_WORDS[@]:2:COMP_CWORD-2}"; do
    case "$command $word" in
      ${verbs.join('|')}) verb=" $word"; break ;;
    esac
  done
  case "$command $previous" in
${valueCases(spots).join('\n')}
  esac
  case "$command$verb" in
${spots.map(spotCase).join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F _gatehouse gatehouse
`;
}

const FILES = 'compopt -o default 2>/dev/null';

function valueCases(spots: readonly Spot[]): string[] {
  const bodies = new Map<string, string>();
  for (const { command, options } of spots) {
    for (const { text, takes } of options) {
      if (takes === 'nothing') continue;
      const isList = typeof takes !== 'string';
      const choices = isList ? `COMPREPLY=($(compgen -W "${takes.join(' ')}" -- "$current")); ` : '';
      bodies.set(`"${command} ${text}"`, takes === 'file' ? `${FILES}; ` : choices);
    }
  }
  return [...bodies].map(([pattern, body]) => `    ${pattern}) ${body}return ;;`);
}

function spotCase({ command, verb, words, options, takesFiles }: Spot): string {
  const all = [...words, ...options].map(({ text }) => text).join(' ');
  const files = takesFiles ? `; ${FILES}` : '';
  return `    "${verb === undefined ? command : `${command} ${verb}`}") words="${all}"${files} ;;`;
}
