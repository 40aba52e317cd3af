import { fromBase64, toBase64 } from '../base64.js'
import { BackendError } from '../errors.js'
import type { Json } from '../json.js'
import type { Bound } from './boundBytes.js'
import { packedForm, plainForm, type RowForm, sealedForm, secretBytes } from './rowForm.js'
import type { ValueCipher, ValueSealer } from './valueCipher.js'

const utf8 = new TextEncoder()
/** The one property of a body that is not stored as it is. */
const property = 'enveloped'

export interface BodyPlace {
  readonly job: string
  readonly checkpointId: number
  readonly epoch: number
}

const boundOf = ({ job, checkpointId, epoch }: BodyPlace): Bound => ['body', job, checkpointId, epoch]

/** A body as it is stored, with the secret that names rows in it. */
export async function storedBody(form: RowForm, sealer: ValueSealer, place: BodyPlace, body: Json): Promise<Json> {
  if (form.kind === 'plain') return body
  const content: Json = form.kind === 'sealed' ? { secret: toBase64(form.secret), body } : { body }
  return { [property]: toBase64(await sealer.seal(utf8.encode(JSON.stringify(content)), boundOf(place))) }
}

/** A stored body as it was, and the form of the rows that belong to it. */
export async function openedBody(cipher: ValueCipher, place: BodyPlace, stored: Json): Promise<{ readonly form: RowForm; readonly body: Json }> {
  const what = 'the body of a checkpoint'
  const { checkpointId } = place
  const text = envelopeIn(stored)
  if (text === undefined) {
    if (cipher.seals) throw new BackendError('FILE_NOT_SEALED', { checkpointId, what })
    return { form: plainForm, body: stored }
  }
  const damaged = (reason: string): BackendError => new BackendError('SNAPSHOT_CORRUPT', { checkpointId, what, reason })
  const envelope = fromBase64(text)
  if (envelope === undefined) throw damaged('it is not base64')
  const opened = await cipher.open(envelope, boundOf(place), what)
  const content = JSON.parse(new TextDecoder().decode(opened)) as { readonly secret?: unknown; readonly body?: Json }
  if (content.body === undefined) throw damaged('it is not as it should be')
  const { primitives } = cipher
  if (primitives === undefined) return { form: packedForm, body: content.body }
  const secret = typeof content.secret === 'string' ? fromBase64(content.secret) : undefined
  if (secret?.length !== secretBytes) throw damaged('it has no secret')
  return { form: await sealedForm(primitives, secret), body: content.body }
}

/** No body of the core has this one property alone. */
function envelopeIn(stored: Json): string | undefined {
  if (typeof stored !== 'object' || stored === null) return undefined
  const entries = Object.entries(stored)
  const [first] = entries
  return entries.length === 1 && first?.[0] === property && typeof first[1] === 'string' ? first[1] : undefined
}
