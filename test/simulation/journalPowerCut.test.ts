import { describe, expect, it } from 'vitest'
import type { CrashFs } from '../../laws/crashFs.js'
import type { FileLayer, OpenFile } from '../../lib/ports/fileLayer.js'
import { journalPowerCuts } from './journalPowerCuts.js'

/** The same files, where one kind of sync does nothing. */
const without =
  (what: 'sync' | 'syncDirectory') =>
  (files: CrashFs): FileLayer => {
    const opened = (file: OpenFile): OpenFile =>
      what !== 'sync'
        ? file
        : {
            write: (bytes, position) => file.write(bytes, position),
            read: (into, position) => file.read(into, position),
            sync: async () => undefined,
            size: () => file.size(),
            identify: () => file.identify(),
            truncate: (bytes) => file.truncate(bytes),
            close: () => file.close(),
          }
    return {
      create: async (path) => opened(await files.create(path)),
      open: async (path) => opened(await files.open(path)),
      link: (from, to) => files.link(from, to),
      rename: (from, to) => files.rename(from, to),
      unlink: (path) => files.unlink(path),
      makeDirectory: (path) => files.makeDirectory(path),
      list: (path) => files.list(path),
      size: (path) => files.size(path),
      identify: (path) => files.identify(path),
      syncDirectory: async (path) => {
        if (what !== 'syncDirectory') await files.syncDirectory(path)
      },
    }
  }

describe('a power cut', () => {
  for (const mode of ['posix', 'ordered'] as const)
    it(`loses no acknowledged entry of a journal (${mode})`, async () => {
      let images = 0
      let trimmed = 0
      for (let seed = 1; seed <= 6; seed += 1) {
        const verdict = await journalPowerCuts(seed, { files: { mode } })
        expect(verdict.wrong).toEqual([])
        images += verdict.images
        trimmed += verdict.trimmed
      }
      expect(images).toBeGreaterThan(500)
      expect(trimmed).toBeGreaterThan(20)
    })

  for (const what of ['sync', 'syncDirectory'] as const)
    it(`is told by a journal without its ${what}`, async () => {
      let wrong = 0
      for (let seed = 1; seed <= 12; seed += 1) wrong += (await journalPowerCuts(seed, { plant: without(what), depth: 1 })).wrong.length
      expect(wrong).toBeGreaterThan(0)
    })
})
