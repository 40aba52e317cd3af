/**
 * Runs a pipeline in a service of a NestJS-like application: invoices for orders that come over HTTP, each written once.
 *
 * No package of Nest is needed: these are plain classes in its manner, and comments say what they would be there. The module's life is the
 * pipeline's: `onModuleInit` subscribes, `onApplicationShutdown` cuts the orders off and waits until all that had arrived is processed. Results are
 * handed out with their checkpoint (`delivery: 'withCheckpoint'`), each with an id; the table of invoices knows the ids that it has, so a result that
 * comes again after a crash changes nothing.
 *
 *     npm run example -- nestLike
 */
import * as t from 'io-ts'
import { filter, firstValueFrom, retry, Subject, Subscription, takeUntil } from 'rxjs'
import { type CheckpointStorage, checkpointed, type Delivered, exponentialDelay, type JobEvent, keyBy, type Stream, statefulMap } from 'rxweir'
import { MemoryStore, memory } from 'rxweir/backends/memory'

export const Order = t.type({ customer: t.string, euros: t.number })
export type Order = t.TypeOf<typeof Order>

/** Numbers the invoices of each customer. */
export const invoicesOf = (orders: Stream<Order>) =>
  orders.pipe(
    keyBy(({ customer }) => customer),
    statefulMap('invoices', { state: t.number, initial: 0 }, (count, { customer, euros }: Order) => [
      count + 1,
      `${customer} no. ${count + 1}: ${euros} euros`,
    ]),
  )

/** Stands for a table with a primary key: `insert into invoices ... on conflict (id) do nothing`. */
class InvoiceTable {
  readonly rows = new Map<string, string>()

  /** Whether the invoice is a new one. */
  insert({ id, value }: Delivered<string>): boolean {
    if (this.rows.has(id)) return false
    this.rows.set(id, value)
    return true
  }
}

/** In Nest: `@Injectable()`, with the storage, the table and the logger injected. */
class InvoiceService {
  /** Each invoice that was handed out. */
  readonly written = new Subject<string>()
  private readonly orders = new Subject<Order>()
  private readonly shutdown = new Subject<void>()
  private readonly running = new Subscription()
  private ended: Promise<void> = Promise.resolve()

  constructor(
    private readonly storage: CheckpointStorage,
    private readonly table: InvoiceTable,
    private readonly log: (line: string) => void,
  ) {}

  onModuleInit(): void {
    const { storage } = this
    const invoices = this.orders.pipe(
      takeUntil(this.shutdown),
      checkpointed(
        'invoices',
        {
          storage,
          journal: Order,
          atEnd: 'suspend',
          delivery: 'withCheckpoint',
          checkpoints: { intervalMs: 10 },
          events: (event) => this.report(event),
        },
        invoicesOf,
      ),
      retry(exponentialDelay()),
    )
    this.ended = new Promise((resolve, reject) => {
      this.running.add(invoices.subscribe({ next: (invoice) => this.write(invoice), error: reject, complete: resolve }))
    })
  }

  place(order: Order): void {
    this.orders.next(order)
  }

  /** With `app.enableShutdownHooks()`. Every order that was accepted has its invoice when this has resolved. */
  async onApplicationShutdown(): Promise<void> {
    this.shutdown.next()
    await this.ended
  }

  /** The process is killed, and nobody is asked. */
  vanish(): void {
    this.running.unsubscribe()
  }

  private write(invoice: Delivered<string>): void {
    const isNew = this.table.insert(invoice)
    this.log(isNew ? `writes ${invoice.value}` : `has ${invoice.value}`)
    this.written.next(invoice.value)
  }

  private report(event: JobEvent): void {
    if (event.kind === 'restored') this.log(event.checkpointId === undefined ? 'begins' : 'goes on from a checkpoint')
    if (event.kind === 'checkpointAborted') this.log(`checkpoint ${event.checkpointId} was given up: ${event.error.message}`)
  }
}

/** In Nest: `@Controller('orders')`, with `@Post()`. */
class OrderController {
  constructor(private readonly invoices: InvoiceService) {}

  post(body: unknown): { readonly statusCode: number } {
    if (!Order.is(body)) return { statusCode: 400 }
    this.invoices.place(body)
    return { statusCode: 202 }
  }
}

const isWritten = ({ written }: InvoiceService, invoice: string): Promise<string> =>
  firstValueFrom(written.pipe(filter((value) => value === invoice)))

export async function main(print: (line: string) => void = console.log): Promise<void> {
  // Stand for what outlives the process: a directory, and a database.
  const store = new MemoryStore()
  const table = new InvoiceTable()

  const first = new InvoiceService(memory({ store }), table, (line) => print(`first: ${line}`))
  const controller = new OrderController(first)
  first.onModuleInit()
  print(`status ${controller.post({ customer: 'ada', euros: 'ten' }).statusCode}`)
  print(`status ${controller.post({ customer: 'ada', euros: 10 }).statusCode}`)
  await isWritten(first, 'ada no. 1: 10 euros')
  // The process is killed when the invoice is in the table, and nobody could note down that it is.
  first.written.subscribe(() => first.vanish())
  controller.post({ customer: 'ada', euros: 5 })
  await isWritten(first, 'ada no. 2: 5 euros')

  print('the process is killed, and started again')
  const second = new InvoiceService(memory({ store }), table, (line) => print(`second: ${line}`))
  second.onModuleInit()
  new OrderController(second).post({ customer: 'ada', euros: 7 })
  await second.onApplicationShutdown()

  print(`in the table: ${[...table.rows.values()].join('; ')}`)
}

if (process.argv[1] === import.meta.filename) await main()
