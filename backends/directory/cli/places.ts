/**
 * The places that a command is given: directories, or what a module of the user's makes of a name.
 *
 * **Invariants** What is there is only read, but by `compact`. What is written is new: a directory that does not exist yet, or is empty.
 * `compact` writes to the directory of a job, and only where the last run has said that it ended: whether a process lives can not be told
 * from files (a lock would outlive its process, and a process id another's).
 */
import { readdir, realpath } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { RestoreError } from '../../../lib/errors.js'
import { jobName } from '../../../lib/identity.js'
import type { CheckpointStorage } from '../../../lib/ports/checkpointStorage.js'
import type { ReadOptions, SavepointReader } from '../../../lib/processor/savepointReader.js'
import { readSavepoint } from '../../../lib/processor/savepointReader.js'
import { type CompactedFolder, type CompactFolderOptions, compactFolder } from '../compactFolder.js'
import { type DirectoryOptions, directory } from '../directory.js'
import { systemCodeOf } from '../failures.js'
import { Folder, randomToken } from '../folder.js'
import { slotsOf } from '../names.js'
import { nodeFiles } from '../nodeFiles.js'
import { FileProtection, protectionSettings } from '../sealing/fileProtection.js'
import type { Progress } from './progress.js'
import { UsageError } from './usageError.js'

/** What a module named by `--config` may export. */
interface Config {
  /** Options for every directory: the keys of sealed files, for example. */
  readonly directoryOptions?: DirectoryOptions
  /** Opens a place that is no directory. */
  readonly storage?: (place: string) => CheckpointStorage | undefined | Promise<CheckpointStorage | undefined>
}

/** The jobs of a directory. */
export interface Jobs {
  readonly path: string
  readonly names: readonly string[]
}

export class Places {
  private constructor(private readonly config: Config) {}

  static async of(config: string | undefined): Promise<Places> {
    if (config === undefined) return new Places({})
    try {
      return new Places((await import(pathToFileURL(resolve(config)).href)) as Config)
    } catch (cause) {
      throw new UsageError(`--config: ${config} cannot be loaded: ${String((cause as Error).message)}`, { cause })
    }
  }

  /** The jobs that have state below a path, or in it. */
  async jobs(path: string): Promise<Jobs> {
    const entries = await this.entries(path)
    if (slotsOf(entries.map(({ name }) => name)).length > 0) {
      const own = await realpath(path)
      return { path: dirname(own), names: [basename(own)] }
    }
    const names: string[] = []
    for (const entry of entries) {
      if (!entry.isDirectory()) continue
      if (slotsOf(await readdir(`${path}/${entry.name}`)).length > 0) names.push(entry.name)
    }
    return { path, names: names.sort() }
  }

  /** The folder of a job, to be looked at file by file. */
  folder(path: string, job: string): Folder {
    return new Folder(nodeFiles, resolve(path, job), randomToken, new FileProtection(job, protectionSettings(this.options)))
  }

  /** Merges the newest checkpoint of the only job there, or of the one that is asked for. */
  async compact(
    place: string,
    job: string | undefined,
    how: Pick<CompactFolderOptions, 'stopped' | 'newestOnly' | 'starts' | 'read'>,
  ): Promise<CompactedFolder & { readonly job: string }> {
    const jobs = await this.jobs(place)
    const name = this.onlyOne(place, jobs, job)
    return { job: name, ...(await compactFolder(jobs.path, jobName(name), { ...this.options, ...how })) }
  }

  /** Opens a checkpoint to be read. */
  async read(
    place: string,
    { job, checkpoint, progress }: { readonly job: string | undefined; readonly checkpoint: number | undefined; readonly progress?: Progress },
  ): Promise<SavepointReader> {
    const options: ReadOptions = {
      ...(checkpoint === undefined ? {} : { checkpoint }),
      ...(progress === undefined ? {} : { read: (bytes: number) => progress.add(bytes) }),
    }
    const other = await this.config.storage?.(place)
    if (other !== undefined) {
      if (job === undefined) throw new UsageError(`${place}: name the job with --job`)
      return readSavepoint(other, job, options)
    }
    const jobs = await this.jobs(place)
    return readSavepoint(directory(jobs.path, this.options), this.onlyOne(place, jobs, job), options)
  }

  /** A place for something new. */
  async fresh(place: string, job: string): Promise<CheckpointStorage> {
    jobName(job)
    const other = await this.config.storage?.(place)
    if (other !== undefined) return other
    const found = await this.entries(place).catch((error: unknown) => {
      if (systemCodeOf((error as Error).cause) === 'ENOENT') return []
      throw error
    })
    if (found.length > 0) throw new RestoreError('SAVEPOINT_EXISTS', { path: place, found: found.slice(0, 3).map(({ name }) => name) })
    return directory(place, this.options)
  }

  private onlyOne(place: string, { names }: Jobs, asked: string | undefined): string {
    if (asked !== undefined) return asked
    const [first, ...others] = names
    if (first === undefined) throw new RestoreError('SAVEPOINT_MISSING', { path: place, reason: 'no job has state there' })
    if (others.length > 0) throw new UsageError(`${place} has several jobs: name one with --job (${names.join(', ')})`)
    return first
  }

  private async entries(path: string) {
    try {
      return await readdir(path, { withFileTypes: true })
    } catch (cause) {
      throw new UsageError(`${path}: ${systemCodeOf(cause) === 'ENOENT' ? 'there is no such directory' : String((cause as Error).message)}`, {
        cause,
      })
    }
  }

  private get options(): DirectoryOptions {
    return this.config.directoryOptions ?? {}
  }
}
