import type { Environment } from '../../config/environment.ts';

/** Set where the person sits at another machine, or where this one is a box within another. */
const ELSEWHERE = [
  ...['SSH_CONNECTION', 'SSH_CLIENT', 'SSH_TTY'],
  ...['container', 'KUBERNETES_SERVICE_HOST', 'CODESPACES', 'REMOTE_CONTAINERS'],
];
/** Linux in Windows shares the loopback addresses with it. */
const DESKTOP = ['DISPLAY', 'WAYLAND_DISPLAY', 'WSL_DISTRO_NAME'];

/** Whether the browser that the person will use may well be on this machine; nobody can know. */
export function mayBrowseHere(environment: Environment, platform: NodeJS.Platform): boolean {
  const has = (name: string) => (environment[name] ?? '') !== '';
  if (ELSEWHERE.some(has)) return false;
  return platform === 'darwin' || platform === 'win32' || DESKTOP.some(has);
}
