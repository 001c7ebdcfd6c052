import type { Caller, Scene, Told } from './callers.ts';
import type { Domain } from './domain.ts';
import type { Play } from './explore.ts';
import { violationIn, type World } from './invariants.ts';
import type { ModelLedger } from './model-ledger.ts';
import { type Fault, Scheduler } from './scheduler.ts';
import { type Stage, type StageSettings, setStage } from './stage.ts';

export interface Scenario {
  name: string;
  stage: StageSettings;
  callers: Readonly<Record<string, Caller>>;
  /** How many verbs of one run may go wrong. */
  faults: number;
  /** Which; every kind where it is left out. */
  kinds?: readonly Fault[];
  /** Nothing in it takes the session away, so every device that comes again gets its tokens. */
  isLossless?: boolean;
  /** Somebody in it writes what a broker did not. */
  hasForger?: boolean;
}

/** Whose code, and on which ledger. */
export interface Subject {
  domain: Domain;
  Ledger: typeof ModelLedger;
}

export interface Played {
  play: Play;
  /** The stage as every run finds it. */
  stage: Stage;
}

/** Sets the stage once; every run begins with a copy of it. */
export async function playing(scenario: Scenario, { domain, Ledger }: Subject, nowMs = Date.now()): Promise<Played> {
  const stage = await setStage(domain, new Ledger(nowMs), scenario.stage);
  const play: Play = async (next) => {
    const ledger = stage.ledger.copy();
    const scheduler = new Scheduler(
      ledger,
      { most: scenario.faults, kinds: scenario.kinds },
      (message) => new domain.StorageUnavailableError(message),
    );
    const upstream = { newest: 1, askedTwice: false };
    const forged: string[] = [];
    const told = new Map<string, Told>();
    const world: World = {
      ...{ stage: { ...stage, ledger }, upstream, told, doneBefore: scheduler.doneBefore, seen: new Map() },
      ...{ crashed: undefined, isOver: false, isLossless: scenario.isLossless === true },
      ...{ forged, hasForger: scenario.hasForger === true },
    };
    for (const [name, caller] of Object.entries(scenario.callers)) {
      const scene: Scene = {
        ...{ ...stage, ledger, name, scheduler, upstream, onForgery: (what) => forged.push(what) },
        ...{ at: scheduler.ledgerOf(name), random: scheduler.randomOf(name) },
      };
      caller(scene).then(
        (heard) => {
          told.set(name, heard);
          scheduler.finish(name);
        },
        (error: unknown) => {
          world.crashed = `${name}: ${String(error)}`;
        },
      );
    }
    await scheduler.settled();
    for (let depth = 0; ; depth += 1) {
      const choices = scheduler.choices();
      world.isOver = choices.length === 0;
      const violation = violationIn(world);
      const choice = violation === undefined ? next(choices, depth) : undefined;
      if (choice === undefined) return { choices, state: scheduler.state(), violation, trace: scheduler.trace };
      await scheduler.step(choice);
    }
  };
  return { play, stage };
}
