/** The package export `gatehouse-broker/contract`: the suites that a third storage has to pass. */
export type { CreateStorage, Outage, StorageUnderTest, TestRunner } from './storage/contract/contract-harness.ts';
export { describeStorage } from './storage/contract/storage-contract.ts';
