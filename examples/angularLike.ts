/**
 * Keeps a basket in a service of an Angular-like application: it outlives components, reloads of the page and a tab that is closed.
 *
 * No package of Angular is needed: these are plain classes in its manner, and comments say what they would be there. The service owns the
 * pipeline, and components only look at its view state: so one subscription runs it, however many of them show it. When the application ends
 * well, `takeUntil` cuts the actions off, and `atEnd: 'suspend'` says that this is not the end of the basket. When it does not, the journal has
 * every action that had arrived.
 *
 * What is restored is shown when the next action comes; so a service that starts sends one, `show`.
 *
 *     npm run example -- angularLike
 */
import { BehaviorSubject, distinctUntilChanged, filter, firstValueFrom, map, type Observable, Subject, takeUntil } from 'rxjs'
import { type CheckpointStorage, checkpointed, type Stream } from 'rxweir'
import { MemoryStore, memory } from 'rxweir/backends/memory'
import * as durable from 'rxweir/durable'

export type Action = { readonly kind: 'add' | 'remove'; readonly product: string } | { readonly kind: 'show' }
export type Basket = { readonly [product: string]: number }

/** The reducer, as in any store: a new basket, never the old one changed. */
const changed = (basket: Basket, action: Action): Basket => {
  if (action.kind === 'show') return basket
  const { [action.product]: before = 0, ...others } = basket
  const after = action.kind === 'add' ? before + 1 : Math.max(0, before - 1)
  return after === 0 ? others : { ...others, [action.product]: after }
}

export const baskets = (actions: Stream<Action>) => actions.pipe(durable.scan('basket', changed, {}))

/** In Angular: `@Injectable({ providedIn: 'root' })`. */
class BasketService {
  /** What is shown: a `signal` there. Nothing before the basket is restored. */
  private readonly view = new BehaviorSubject<Basket | undefined>(undefined)
  private readonly actions = new Subject<Action>()
  private readonly destroyed = new Subject<void>()
  private readonly running
  private readonly ended: Promise<void>

  readonly basket$: Observable<Basket> = this.view.pipe(
    filter((basket) => basket !== undefined),
    distinctUntilChanged((one, other) => JSON.stringify(one) === JSON.stringify(other)),
  )

  /** There the storage is injected: `inject(STORAGE)`. */
  constructor(storage: CheckpointStorage) {
    let end: () => void = () => undefined
    let fail: (error: unknown) => void = () => undefined
    this.ended = new Promise((resolve, reject) => {
      end = resolve
      fail = reject
    })
    this.running = this.actions
      .pipe(takeUntil(this.destroyed), checkpointed('basket', { storage, journal: true, atEnd: 'suspend' }, baskets))
      .subscribe({ next: (basket) => this.view.next(basket), error: fail, complete: end })
    this.dispatch({ kind: 'show' })
  }

  dispatch(action: Action): void {
    this.actions.next(action)
  }

  /** What was dispatched is in a checkpoint when this has resolved. */
  async ngOnDestroy(): Promise<void> {
    this.destroyed.next()
    await this.ended
  }

  /** The tab is closed, and nobody is asked. */
  vanish(): void {
    this.running.unsubscribe()
  }
}

/** In Angular: `@Component({ selector: 'app-basket', template: '{{ basket.basket$ | async | json }}' })`. */
class BasketComponent {
  private readonly destroyed = new Subject<void>()

  constructor(
    private readonly basket: BasketService,
    private readonly render: (html: string) => void,
  ) {}

  ngOnInit(): void {
    this.basket.basket$.pipe(takeUntil(this.destroyed), map(shown)).subscribe(this.render)
  }

  ngOnDestroy(): void {
    this.destroyed.next()
  }
}

const shown = (basket: Basket): string =>
  Object.entries(basket)
    .map(([product, count]) => `${count} ${product}`)
    .join(', ') || 'nothing'

/** Resolves when the basket is shown like this. */
const shows = ({ basket$ }: BasketService, text: string): Promise<Basket> => firstValueFrom(basket$.pipe(filter((basket) => shown(basket) === text)))

export async function main(print: (line: string) => void = console.log): Promise<void> {
  // Stands for what outlives the page.
  const store = new MemoryStore()

  print('the page is opened')
  const first = new BasketService(memory({ store }))
  const page = new BasketComponent(first, (html) => print(`page: ${html}`))
  page.ngOnInit()
  first.dispatch({ kind: 'add', product: 'tea' })
  first.dispatch({ kind: 'add', product: 'milk' })
  await shows(first, '1 tea, 1 milk')

  print('a menu shows the same basket, and the page goes')
  new BasketComponent(first, (html) => print(`menu: ${html}`)).ngOnInit()
  page.ngOnDestroy()
  first.dispatch({ kind: 'remove', product: 'milk' })
  await shows(first, '1 tea')

  print('the page is left, and opened again')
  await first.ngOnDestroy()
  const second = new BasketService(memory({ store }))
  new BasketComponent(second, (html) => print(`page: ${html}`)).ngOnInit()
  second.dispatch({ kind: 'add', product: 'bread' })
  await shows(second, '1 tea, 1 bread')

  print('the tab is closed, and opened again')
  second.vanish()
  const third = new BasketService(memory({ store }))
  await shows(third, '1 tea, 1 bread')
  new BasketComponent(third, (html) => print(`page: ${html}`)).ngOnInit()
  await third.ngOnDestroy()
}

if (process.argv[1] === import.meta.filename) await main()
