import type { RequesterPlace } from '../../safeguards/requester.ts';
import type { Obstacle, Warning } from '../../safeguards/safeguards.ts';
import type { Language } from './languages.ts';
import type { Reference } from './reference.ts';
import type { FillTemplate } from './templates.ts';

/** What every page has around it. */
export interface Frame {
  language: Language;
  /** Address of the stylesheet. */
  stylesheet: string;
  /** The product as the administrator calls it. */
  product: string;
  logo: string | undefined;
  support: string | undefined;
  footer: string | undefined;
  home: string;
  languageSwitch: LanguageSwitch | undefined;
}

export interface LanguageSwitch {
  action: string;
  fields: HiddenFields;
  choices: readonly { code: string; name: string; direction: string }[];
}

/** Every other field that a form needs. */
export type HiddenFields = Readonly<Record<string, string>>;

export interface EnterCodeLocals {
  action: string;
  fields: HiddenFields;
  /** What was typed or filled in. */
  code: string;
  isPrefilled: boolean;
  isNumeric: boolean;
  /** Characters between two dashes. */
  group: number;
  /** The characters that codes have. */
  alphabet: string;
  /** How many characters may be pasted. */
  longest: number;
  /** Address of the script that shows those groups as they are typed. */
  script: string;
  problem: 'wrong' | undefined;
}

export interface StopLocals {
  /** The host that had the link, where the browser names it. */
  from: string | undefined;
  isForeign: boolean;
  onward: string | undefined;
}

export interface SignInLocals {
  purpose: 'approve' | 'enter' | 'manage';
  client: string;
  code: string;
  isRunningOut: boolean;
  /** Goes on by itself where there is just one and nothing that should be read first. */
  goesOn: boolean;
  upstreams: readonly SignInChoice[];
}

export interface SignInChoice {
  name: string;
  address: string;
  /** Somebody wants to use another account, and this upstream cannot be asked for one. */
  keepsAccount?: boolean;
  signOutAt?: string | undefined;
}

export interface ConfirmLocals {
  action: string;
  fields: HiddenFields;
  client: string;
  account: string;
  upstream: string;
  scopes: readonly { name: string; description: string | undefined }[];
  /** What the tokens are for (RFC 8707). */
  resources: readonly string[];
  /** What the tokens say of the person besides who it is, by the names that the configuration gives it. */
  claims: readonly string[];
  /** Of these, the ones that are in its access tokens, so that every service that it calls is told. */
  claimsForServices: readonly string[];
  /** In groups; without its last characters where the person must type those. */
  code: string;
  age: string;
  source: string;
  place: RequesterPlace;
  deviceLabel: string | undefined;
  /** How long the device may act: so many minutes, or until it is ended, at most so many hours or days. */
  duration: { unit: 'minutes' | 'hours' | 'days'; count: number };
  warnings: readonly Warning[];
  /** Set where the person types what the device shows. */
  confirmCode: ConfirmCodeLocals | undefined;
}

export interface ConfirmCodeLocals {
  length: number;
  isWhole: boolean;
  isNumeric: boolean;
  isWrong: boolean;
  /** Characters between two dashes; none where the end of the code would be grouped otherwise than the device does. */
  group: number | undefined;
  /** Address of the script that shows the groups. */
  script: string;
}

export interface RefusedLocals extends Reference {
  action: string;
  fields: HiddenFields;
  reason: 'account' | 'claims' | Obstacle;
  client: string;
  account: string;
  upstream: string;
}

export interface DoneLocals {
  state: DoneState;
  client: string;
  account: string;
  upstream: string;
  /** Where the person's devices are listed; only after an approval of theirs. */
  devices: string | undefined;
  /** What the device must be told. */
  confirmationCode: string | undefined;
  undo: { action: string | undefined; fields: HiddenFields; seconds: number } | undefined;
}

export type DoneState =
  | 'approved'
  | 'connected'
  | 'denied'
  | 'reported'
  | 'denied_upstream'
  | 'approved_elsewhere'
  | 'denied_elsewhere'
  | 'ended';

export interface SessionsLocals {
  account: string;
  upstream: string;
  renameAction: string;
  endAction: string;
  longestName: number;
  sessions: readonly {
    id: string;
    client: string;
    name: string | undefined;
    deviceLabel: string | undefined;
    source: string;
    started: string;
    lastUsed: string;
    ends: string;
    scopes: readonly string[];
    isEnded: boolean;
    fields: HiddenFields;
  }[];
  endAll: HiddenFields | undefined;
  /** The session whose new name was not taken. */
  wrongName: string | undefined;
}

export interface ProblemLocals extends Reference {
  kind: string;
  words: Readonly<Record<string, string | number>>;
  next: { address: string; isAgain: boolean };
  /** Not where going on would only be refused: the words say when it goes on. */
  offersNext: boolean;
}

/** One function for each thing that a person sees, so that a missing local does not compile. */
export interface Views {
  enterCode(frame: Frame, locals: EnterCodeLocals): string;
  stop(frame: Frame, locals: StopLocals): string;
  signIn(frame: Frame, locals: SignInLocals): string;
  confirm(frame: Frame, locals: ConfirmLocals): string;
  refused(frame: Frame, locals: RefusedLocals): string;
  done(frame: Frame, locals: DoneLocals): string;
  sessions(frame: Frame, locals: SessionsLocals): string;
  problem(frame: Frame, locals: ProblemLocals): string;
}

interface PageMore {
  /** Where the page goes on by itself. */
  refresh?: string | undefined;
  /** The document's title says so first: it is what a screen reader reads, and what a row of tabs shows. */
  isError?: boolean;
}

export function createViews(fill: FillTemplate): Views {
  /** By language. Titles of errors come from our own texts alone, so there is an end to them. */
  const errorTitles = new Map<string, string>();

  function errorTitle({ code, t }: Language, title: string): string {
    const key = `${code} ${title}`;
    const known = errorTitles.get(key) ?? t('problem.error', { title });
    errorTitles.set(key, known);
    return known;
  }

  function page(name: string, frame: Frame, locals: object, title: string, more: PageMore = {}): string {
    const t: Language['t'] = (key, words) => frame.language.t(key, words);
    const body = fill(name, { ...locals, t, title });
    const documentTitle = more.isError === true ? errorTitle(frame.language, title) : title;
    return fill('layout', { ...frame, t, title, documentTitle, refresh: more.refresh, body });
  }
  return {
    enterCode: (frame, locals) =>
      page('enter-code', frame, locals, frame.language.t('enter_code.title'), {
        isError: locals.problem !== undefined,
      }),
    stop: (frame, locals) => page('stop', frame, locals, frame.language.t('stop.title')),
    signIn(frame, locals) {
      const refresh = locals.goesOn ? locals.upstreams[0]?.address : undefined;
      return page('sign-in', frame, locals, frame.language.t(`sign_in.${locals.purpose}.title`), { refresh });
    },
    confirm: (frame, locals) =>
      page('confirm', frame, locals, frame.language.t('confirm.title'), {
        isError: locals.confirmCode?.isWrong === true,
      }),
    refused: (frame, locals) => page('refused', frame, locals, frame.language.t(`refused.${locals.reason}.title`)),
    done: (frame, locals) => page('done', frame, locals, frame.language.t(`done.${locals.state}.title`, { ...locals })),
    sessions: (frame, locals) => page('sessions', frame, locals, frame.language.t('sessions.title')),
    problem: (frame, locals) =>
      page('problem', frame, locals, frame.language.t(`problem.${locals.kind}.title`), { isError: true }),
  };
}
