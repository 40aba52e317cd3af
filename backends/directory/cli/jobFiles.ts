import type { Folder } from '../folder.js'

/** What the folder of a job has, by its newest manifest. */
export interface JobFiles {
  readonly slot: number
  readonly epoch: number
  readonly files: number
  readonly bytes: number
  readonly checkpoints: readonly { readonly checkpointId: number; readonly segments: number; readonly bytes: number }[]
}

export async function jobFiles(folder: Folder): Promise<JobFiles> {
  const { seq, manifest } = await folder.top()
  const names = await folder.names()
  const sizes = new Map<string, number>()
  for (const name of names) sizes.set(name, (await folder.files.identify(`${folder.path}/${name}`))?.bytes ?? 0)
  const sum = (of: readonly string[]): number => of.reduce((total, name) => total + (sizes.get(name) ?? 0), 0)
  return {
    slot: seq,
    epoch: manifest?.epoch ?? 0,
    files: names.length,
    bytes: sum(names),
    checkpoints: (manifest?.retained ?? []).map(({ checkpointId, segments }) => ({ checkpointId, segments: segments.length, bytes: sum(segments) })),
  }
}
