import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { Course } from './course.js'
import { makeReadings } from './readings.js'
import type { CheckpointFigures } from './variants/job.js'
import { variants } from './variants/variants.js'

export interface Request {
  readonly variant: string
  readonly records: number
  readonly keys: number
  readonly measuredMs: number
}

export interface Measurement {
  /** After the first pass. */
  readonly recordsPerSecond: number
  /** By the processor time of all threads: steadier than the other where the machine is shared. */
  readonly recordsPerCpuSecond: number
  /** Null where the first pass was skipped. */
  readonly firstPassRecordsPerSecond: number | null
  /** Of the first pass: the same for all variants of a scenario. */
  readonly results: number
  readonly checksum: number
  /** The longest turn of the event loop, of variants that have several. */
  readonly loopBlockMs: number
  readonly heapMb: number
  readonly checkpoints: CheckpointFigures | undefined
}

const nowMs = (): number => performance.now()

/** Runs a variant over a few readings, so that it is compiled, and then over all of them. */
export async function measure({ variant, records, keys, measuredMs }: Request): Promise<Measurement> {
  const run = variants.get(variant)
  if (run === undefined) throw new RangeError(`no variant is named ${variant}; there are ${[...variants.keys()].join(', ')}`)
  const folder = await mkdtemp(join(tmpdir(), 'rxweir-bench-'))
  try {
    const few = Math.min(Math.ceil(records / 4), 100_000)
    await run(new Course(makeReadings(few, Math.min(keys, 1_000)), { measuredMs: measuredMs / 20, nowMs }), { folder: join(folder, 'warm'), nowMs })
    const readings = makeReadings(records, keys)
    ;(globalThis as { gc?: () => void }).gc?.()
    const delay = monitorEventLoopDelay({ resolution: 1 })
    let cpu = process.cpuUsage()
    const onSteady = (): void => {
      delay.enable()
      cpu = process.cpuUsage()
    }
    const onEnd = (): void => {
      cpu = process.cpuUsage(cpu)
      delay.disable()
    }
    const course = new Course(readings, { measuredMs, nowMs, onSteady, onEnd })
    const checkpoints = (await run(course, { folder: join(folder, 'measured'), nowMs })) ?? undefined
    return {
      recordsPerSecond: (course.records / course.ms) * 1_000,
      recordsPerCpuSecond: (course.records / (cpu.user + cpu.system)) * 1e6,
      firstPassRecordsPerSecond: Number.isNaN(course.firstMs) ? null : (records / course.firstMs) * 1_000,
      results: course.firstResults,
      checksum: course.firstChecksum,
      loopBlockMs: delay.max / 1e6,
      heapMb: process.memoryUsage().heapUsed / 1e6,
      checkpoints,
    }
  } finally {
    // A job that is cancelled does not wait for the file that it is writing.
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
