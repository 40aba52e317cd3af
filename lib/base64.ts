/** Base64 with padding (RFC 4648, section 4), without leaning on one platform. One text a byte sequence: what is not canonical is refused. */
const alphabet = new TextEncoder().encode('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
const padding = 61
const latin = new TextDecoder('latin1')

const digits = new Uint8Array(128).fill(64)
alphabet.forEach((character, digit) => {
  digits[character] = digit
})

export function toBase64(bytes: Uint8Array): string {
  const text = new Uint8Array(Math.ceil(bytes.length / 3) * 4)
  for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
    const three = (bytes[from]! << 16) | ((bytes[from + 1] ?? 0) << 8) | (bytes[from + 2] ?? 0)
    text[to] = alphabet[three >> 18]!
    text[to + 1] = alphabet[(three >> 12) & 63]!
    text[to + 2] = from + 1 < bytes.length ? alphabet[(three >> 6) & 63]! : padding
    text[to + 3] = from + 2 < bytes.length ? alphabet[three & 63]! : padding
  }
  return latin.decode(text)
}

/** The bytes, or undefined when the text is not what {@link toBase64} writes. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length % 4 !== 0) return undefined
  const padded = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((text.length / 4) * 3 - padded)
  const digitsEnd = text.length - padded
  let bits = 0
  let held = 0
  let to = 0
  for (let from = 0; from < digitsEnd; from += 1) {
    const digit = digits[text.charCodeAt(from)] ?? 64
    if (digit === 64) return undefined
    bits = ((bits << 6) | digit) & 0xffff
    held += 6
    if (held >= 8) {
      held -= 8
      bytes[to++] = bits >> held
    }
  }
  // The bits that no byte takes are zero in canonical text.
  return (bits & ((1 << held) - 1)) === 0 ? bytes : undefined
}
