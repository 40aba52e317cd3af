export { type AggregateUnderLaw, aggregateLaws } from './aggregateLaws.js'
export { arbitraryOf, type IoTs } from './arbitraries/arbitraryOf.js'
export { type Happening, type HistoryOptions, histories } from './arbitraries/histories.js'
export { backendLaws } from './backendLaws.js'
export { type ClockUnderLaw, clockLaws } from './clockLaws.js'
export { type CodecUnderLaw, codecLaws } from './codecLaws.js'
export { CrashFs, type CrashFsOptions, type PowerCut } from './crashFs.js'
export type { Fault, Faults, FileCall, FileError } from './crashFsError.js'
export {
  type HarnessOptions,
  type HarnessOutput,
  type HarnessSnapshot,
  type OperatorUnderTest,
  type TestHarness,
  testHarness,
} from './harness/testHarness.js'
export { type JobUnderLaw, jobLaws } from './jobLaws.js'
export { type JournalFixture, journalLaws } from './journalLaws.js'
export { type JunctionUnderLaw, junctionLaws } from './junctionLaws.js'
export { type Law, type LawOptions, type LawReport, law, type Told } from './law.js'
export { lawTests, type TestFunction } from './lawTests.js'
export { type DrawnRecords, type ElementMarbles, type ElementMarblesOptions, elementMarbles, type MarbleValues } from './marbles/elementMarbles.js'
export { type MigrationUnderLaw, migrationLaws, type OldVersion } from './migrationLaws.js'
export { type OperatorUnderLaw, operatorLaws } from './operatorLaws.js'
export { recoveryEquivalence } from './recoveryEquivalence.js'
export type { Order } from './simulation/compare.js'
export { filesIn } from './simulation/filesIn.js'
export type { Life } from './simulation/life.js'
export type { FaultKind } from './simulation/plan.js'
export type { Kept, Seen, Surface, SurfaceFactory } from './simulation/surface.js'
export type { ViolationKind } from './simulation/violation.js'
export { type SinkFixture, type SinkLawOptions, sinkLaws } from './sinkLaws.js'
export { type SourceFixture, type SourceLawOptions, sourceLaws } from './sourceLaws.js'
export { type StepUnderLaw, stepLaws } from './stepLaws.js'
export { type StorageFactory, type StorageUnderTest, storageLaws } from './storageLaws.js'
export { type TwinUnderLaw, twinLaws } from './twinLaws.js'
export { type WindowSeen, type WindowUnderLaw, windowLaws } from './windowLaws.js'
