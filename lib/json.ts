/** What JSON text can hold: the shape of offsets, handles and other small things that a checkpoint's manifest carries. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }
