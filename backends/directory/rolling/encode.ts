/** What is written of a value. `uid` names the sink, for errors. */
export type Encode<T> = (value: T, uid: string) => string | Uint8Array
