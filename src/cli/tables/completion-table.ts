import type { CommandTable } from './command-table.ts';

export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;

export const completionTable = {
  summary: 'print what lets a shell complete these commands',
  usage: ['SHELL'],
  about: [
    'Prints the completion for bash, zsh, fish or powershell. To have it in every new shell:',
    '  bash        add to ~/.bashrc:  eval "$(gatehouse completion bash)"',
    '  zsh         add to ~/.zshrc, after compinit:  eval "$(gatehouse completion zsh)"',
    '  fish        gatehouse completion fish > ~/.config/fish/completions/gatehouse.fish',
    '  powershell  add to $PROFILE:  gatehouse completion powershell | Out-String | Invoke-Expression',
  ],
  operand: { name: 'SHELL', choices: SHELLS },
  options: {},
  exits: [[0, 'printed']],
} as const satisfies CommandTable;
