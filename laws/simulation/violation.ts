/** What went wrong in a schedule. */
export type ViolationKind = 'LOST' | 'DOUBLED' | 'REORDERED' | 'PHANTOM' | 'STATE_DIFF' | 'SILENT' | 'HUNG' | 'LEAKED'

export interface Violation {
  readonly kind: ViolationKind
  readonly what: string
}
