import fc from 'fast-check'
import { ScheduleError, type Tried, type Trying } from './campaign.js'
import { type Passage, type PassagesOptions, type Program, passages, survivesPassage } from './passage.js'
import { movingPoints, turningPoints } from './plan.js'
import type { Inputs } from './simulatedJob.js'
import type { SurfaceFactory } from './surface.js'

export interface Passages extends Omit<PassagesOptions, 'surfaces'> {
  readonly programOf: (leg: number) => Program
  readonly inputs: fc.Arbitrary<Inputs>
  /** Where storages, savepoints and sinks lie: each is drawn from these. */
  readonly surfaces: readonly SurfaceFactory[]
}

/** What passages have tried, beside what all schedules have. */
export const passing: Trying = {
  points: [...turningPoints, ...movingPoints],
  needs: {
    moves: 'no job went on elsewhere',
    crashesInSavepoint: 'no process died while a savepoint was written',
    crashesInMove: 'no process died while a job was on its way elsewhere',
  },
}

/** And those that go back. */
export const returning: Trying = { ...passing, needs: { ...passing.needs, returns: 'no job went back to an older checkpoint' } }

/** The property of a job that goes on elsewhere: no passage has a violation. */
export const passageProperty = ({ programOf, inputs, surfaces, ...ways }: Passages, tried: Tried): fc.IAsyncPropertyWithHooks<[Inputs, Passage]> =>
  fc.asyncProperty(inputs, passages({ ...ways, surfaces: surfaces.length }), async (input, passage) => {
    const outcome = await survivesPassage({ programOf, inputs: input, passage, surfaces })
    tried.count(outcome)
    if (outcome.violations.length > 0) throw new ScheduleError(outcome.violations, outcome.story)
  })
