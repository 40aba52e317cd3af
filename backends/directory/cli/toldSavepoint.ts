import type { Call } from './command.js'

/** Tells what was written where. */
export async function toldSavepoint(
  call: Call,
  written: readonly { readonly place: string; readonly checkpointId: number; readonly rows: number }[],
): Promise<void> {
  if (call.json) return call.io.out(`${JSON.stringify(written)}\n`)
  for (const { place, checkpointId, rows } of written)
    await call.io.out(`${place}: checkpoint ${checkpointId}, ${rows.toLocaleString('en-US')} ${rows === 1 ? 'row' : 'rows'} written\n`)
}
