export { backendLaws } from './backendLaws.js'
export { type ClockUnderLaw, clockLaws } from './clockLaws.js'
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
export { type DrawnRecords, type ElementMarbles, type ElementMarblesOptions, elementMarbles, type MarbleValues } from './marbles/elementMarbles.js'
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
export { type StorageFactory, type StorageUnderTest, storageLaws } from './storageLaws.js'
export { type TwinUnderLaw, twinLaws } from './twinLaws.js'
