/** One thing that came out of an operator. */
export type HarnessOutput<R = unknown> =
  | { readonly kind: 'record'; readonly value: R; readonly timestamp: number | undefined; readonly key: unknown }
  | { readonly kind: 'side'; readonly tag: string; readonly value: unknown; readonly timestamp: number | undefined }
  | { readonly kind: 'watermark'; readonly timestamp: number }
  | { readonly kind: 'status'; readonly idle: boolean }
  | { readonly kind: 'end' }
