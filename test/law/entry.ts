import type { Law } from '../../laws/law.js'

/** The laws of one operator, or why it has none of its own. */
export type Entry = readonly Law[] | { readonly none: string }
