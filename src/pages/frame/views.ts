import type { ConfirmLocals, DoneLocals, RefusedLocals } from '../confirm/confirm-locals.ts';
import type { EndAllLocals, SessionsLocals } from '../devices/devices-locals.ts';
import type { HiddenFields } from './form-guard.ts';
import type { ClockTime, Language, TellsTime } from './languages.ts';
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
  logoDark: string | undefined;
  support: string | undefined;
  supportLinks: readonly { href: string; text: string }[];
  /** What a browser draws around the page. */
  themeColours: { light: string; dark: string };
  footer: string | undefined;
  home: string;
  languageSwitch: LanguageSwitch | undefined;
}

export interface LanguageSwitch {
  action: string;
  fields: HiddenFields;
  choices: readonly { code: string; name: string; direction: string }[];
}

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

export interface SignInLocals extends TellsTime {
  purpose: 'approve' | 'enter' | 'manage';
  client: string;
  clientLogo: string | undefined;
  code: string;
  /** Until when it does; only where there is a code. */
  worksUntil: ClockTime | undefined;
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

export interface ProblemLocals extends Reference, TellsTime {
  kind: string;
  words: Readonly<Record<string, string | number>>;
  next: { address: string; isAgain: boolean };
  /** When it goes on, where that is known. */
  goesOnAt: ClockTime | undefined;
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
  endAll(frame: Frame, locals: EndAllLocals): string;
  problem(frame: Frame, locals: ProblemLocals): string;
}

interface PageMore extends Partial<TellsTime> {
  /** Where the page goes on by itself. */
  refresh?: string | undefined;
  /** The document's title says so first: it is what a screen reader reads, and what a row of tabs shows. */
  isError?: boolean;
  /** The heading has a mark. */
  hasSucceeded?: boolean;
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
    return fill('layout', {
      ...frame,
      t,
      title,
      documentTitle,
      refresh: more.refresh,
      timesScript: more.timesScript,
      hasSucceeded: more.hasSucceeded === true,
      body,
    });
  }
  return {
    enterCode: (frame, locals) =>
      page('enter-code', frame, locals, frame.language.t('enter_code.title'), {
        isError: locals.problem !== undefined,
      }),
    stop: (frame, locals) => page('stop', frame, locals, frame.language.t('stop.title')),
    signIn(frame, locals) {
      const refresh = locals.goesOn ? locals.upstreams[0]?.address : undefined;
      const { timesScript } = locals;
      return page('sign-in', frame, locals, frame.language.t(`sign_in.${locals.purpose}.title`), {
        refresh,
        timesScript,
      });
    },
    confirm: (frame, locals) =>
      page('confirm', frame, locals, frame.language.t('confirm.title'), {
        isError: locals.confirmCode?.isWrong === true,
        timesScript: locals.timesScript,
      }),
    refused: (frame, locals) =>
      page('refused', frame, locals, frame.language.t(`refused.${locals.reason}.title`), { isError: true }),
    done: (frame, locals) =>
      page('done', frame, locals, frame.language.t(`done.${locals.state}.title`, { ...locals }), {
        hasSucceeded: locals.state === 'approved' || locals.state === 'connected',
        refresh: locals.loopback?.goesOn === true ? locals.loopback.address : undefined,
        timesScript: locals.timesScript,
      }),
    sessions: (frame, locals) =>
      page('sessions', frame, locals, frame.language.t('sessions.title'), { isError: locals.wrongName !== undefined }),
    endAll: (frame, locals) => page('end-all', frame, locals, frame.language.t('sessions.ask.title')),
    problem: (frame, locals) =>
      page('problem', frame, locals, frame.language.t(`problem.${locals.kind}.title`), {
        isError: true,
        timesScript: locals.timesScript,
      }),
  };
}
