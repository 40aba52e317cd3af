/** What says where a value stands. */
export type Bound = readonly (string | number | Uint8Array)[]

const utf8 = new TextEncoder()

/** Injective: every part has its kind and its length in front. */
export function boundBytes(head: Uint8Array, parts: Bound): Uint8Array<ArrayBuffer> {
  const encoded = [head, ...parts].map((part) => (typeof part === 'object' ? part : utf8.encode(String(part))))
  const bytes = new Uint8Array(encoded.reduce((length, part) => length + 5 + part.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const [index, part] of encoded.entries()) {
    const given = index === 0 ? head : parts[index - 1]
    bytes[at] = typeof given === 'string' ? 1 : typeof given === 'number' ? 2 : 3
    view.setUint32(at + 1, part.length)
    bytes.set(part, at + 5)
    at += 5 + part.length
  }
  return bytes
}
