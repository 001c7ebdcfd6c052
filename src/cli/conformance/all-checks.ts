import type { Check } from './check.ts';
import { errorsCharacters, errorsFormat, errorsNotOurs } from './checks/all-answers.ts';
import { codesUnique, deviceCodeEntropy, userCodeEntropy, userCodeReadable } from './checks/codes.ts';
import * as decision from './checks/decision.ts';
import { endpointsTls, metadataEndpoint, metadataGrantType, metadataIssuer } from './checks/metadata.ts';
import { paceFirstPoll, paceIntervalKept, paceSlowDown, paceSlowDownGrows } from './checks/pace.ts';
import * as poll from './checks/poll-errors.ts';
import { redeemLifetime, redeemNoStore, redeemOnce, redeemReplay, redeemSuccess } from './checks/redemption.ts';
import { startAnswer, startNoCodeInUri, startNoStore } from './checks/start-answer.ts';
import * as start from './checks/start-request.ts';

/** In the order of the report. Those of all answers look at what the others got. */
export const ALL_CHECKS: { active: readonly Check[]; ofAllAnswers: readonly Check[] } = {
  active: [
    ...[metadataIssuer, metadataEndpoint, metadataGrantType, endpointsTls],
    ...[start.startPostOnly, start.startForm, start.startClientRequired, start.startUnknownClient],
    ...[start.startClientAuthentication, start.basicChallenge, start.startEmptyIsOmitted, start.startUnknownIgnored],
    ...[start.startNoRepeats, startAnswer, startNoStore, startNoCodeInUri],
    ...[codesUnique, deviceCodeEntropy, userCodeEntropy, userCodeReadable],
    ...[poll.pollPending, poll.pollGrantType, poll.pollDeviceCodeRequired, poll.pollUnknownCode],
    ...[poll.pollUnknownClient, poll.pollOtherClient, poll.pollClientAuthentication],
    ...[paceFirstPoll, paceIntervalKept, paceSlowDown, paceSlowDownGrows],
    ...[decision.pageOpens, decision.pageGetApprovesNothing, decision.pageHidesDeviceCode, decision.decisionDenied],
    ...[redeemSuccess, redeemNoStore, redeemLifetime, redeemOnce, redeemReplay],
    ...[decision.lifetimeOver, decision.lifetimeExpiredToken],
  ],
  ofAllAnswers: [errorsFormat, errorsCharacters, errorsNotOurs],
};
