/** What the process that runs the job tells the one that kills it. */
export type News =
  /** The job is about to be subscribed to: from here on it recovers. */
  | { readonly kind: 'starting' }
  /** It has recovered, and lets flights in. */
  | { readonly kind: 'started' }
  /** So far in the file. */
  | { readonly kind: 'arrived'; readonly flight: number }
  | { readonly kind: 'checkpoint'; readonly id: number }
  | { readonly kind: 'finished' }
  | { readonly kind: 'failed'; readonly code: string | undefined; readonly message: string }

/** What that process is told, as JSON on its command line. */
export interface Orders {
  readonly folder: string
  readonly checkpointMs: number
  readonly perSecond: number
}
