import type { IncomingMessage } from 'node:http';
import type { Express } from 'express';
import { createApprovalLimits } from '../limits/approval-limits.ts';
import { createCodeEntryLimits } from '../limits/code-entry-limits.ts';
import { createSignInLimits } from '../limits/sign-in-limits.ts';
import { createPages } from '../pages/pages.ts';
import { createCampaigns } from '../safeguards/campaign.ts';
import { createSafeguardJudge } from '../safeguards/safeguards.ts';
import type { ConfigContext, ProcessContext } from './context.ts';
import { watchPeople } from './page-instrumentation.ts';

/** Builds the people door: what a person visits. */
export function createPagesApp(
  processContext: ProcessContext,
  configContext: ConfigContext,
  sourceOf: (request: IncomingMessage) => string,
): Express {
  const { storage, sealing } = processContext;
  const { config, clients, upstreams, grants, networks, geo } = configContext;
  const { counters } = storage;
  const { limits } = config;
  const codeEntryLimits = createCodeEntryLimits({ counters, sealing, networks, limits });
  return createPages({
    publicUrl: new URL(config.publicUrl),
    grants,
    browserSessions: storage.browserSessions,
    clients,
    upstreams,
    scopeDescriptions: config.scopeDescriptions,
    settings: config.pages,
    codeEntryLimits,
    signInLimits: createSignInLimits({ counters, networks, limits }),
    safeguards: createSafeguardJudge({
      ledger: storage.ledger,
      networks,
      geo,
      campaigns: createCampaigns({ ledger: storage.ledger, sealing, networks }),
      approvalLimits: createApprovalLimits({ counters, sealing, limits }),
      codeEntryLimits,
      userCodes: config.userCodes,
      randomBytes: processContext.randomBytes,
      clockToleranceSeconds: configContext.clockToleranceSeconds,
    }),
    geo,
    sourceOf,
    log: watchPeople(processContext),
  });
}
