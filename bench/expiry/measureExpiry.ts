import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { oneTimeKeys } from './oneTimeKeys.js'

export interface ExpiryRequest {
  readonly operator: string
  readonly keys: number
  readonly keptKeys: number | null
}

export interface ExpiryMeasurement {
  /** By how much the heap grew at most, after collections. */
  readonly peakMb: number
}

export async function measureExpiry(request: ExpiryRequest): Promise<ExpiryMeasurement> {
  const { gc } = globalThis as { gc?: () => void }
  if (gc === undefined) throw new Error('the heap is measured with --expose-gc')
  const heapBytes = (): number => {
    gc()
    return process.memoryUsage().heapUsed
  }
  const folder = await mkdtemp(join(tmpdir(), 'rxweir-bench-'))
  try {
    // What is compiled and loaded on the way is no part of what is measured.
    await oneTimeKeys({ ...request, keys: 2_000, folder: join(folder, 'warm'), heapBytes })
    return { peakMb: (await oneTimeKeys({ ...request, folder: join(folder, 'measured'), heapBytes })) / 1e6 }
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
