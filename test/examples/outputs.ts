/** What each program prints, line by line. */
export const outputs: { readonly [program: string]: readonly string[] } = {
  'wordCount/batch': ['(hello,3)', '(world,1)', '(flink,1)', '(java,1)'],
  'wordCount/bounded': ['(hello,1)', '(world,1)', '(hello,2)', '(flink,1)', '(hello,3)', '(java,1)'],
  'wordCount/socket': ['(hello,1)', '(world,1)', '(hello,2)', '(flink,1)', '(hello,3)', '(java,1)', '(hello,4)', '(again,1)'],
  'wordCount/twoSources': ['(flink,3)', '(hello,6)', '(world,3)'],
  previousValue: ['null 1 processed', 'null 2 processed', 'null 3 processed', 'null 4 processed', 'null 5 processed'],
  everyHundred: ['state: 100', 'state: 100', 'state: 100', 'state: 100'],
  kindsOfState: [
    'ada: tea after nothing; amounts 4; so far 1 tea; largest 4, average 4',
    'bob: tea after nothing; amounts 3; so far 1 tea; largest 3, average 3',
    'ada: milk after tea; amounts 4 2; so far 1 milk and 1 tea; largest 4, average 3',
    'ada: tea after milk; amounts 4 2 6; so far 1 milk and 2 tea; largest 6, average 4',
    'bob: milk after tea; amounts 3 5; so far 1 milk and 1 tea; largest 5, average 4',
  ],
  // The timers of the first clicks, then those of the clicks after them, and at the end of the input those that are left.
  pageViews: ['Mary pv: 5', 'Bob pv: 4', 'Alice pv: 3', 'Cary pv: 2', 'Bob pv: 7', 'Mary pv: 9', 'Alice pv: 6', 'Cary pv: 3'],
  fullJoin: ['(a,stream-1,1000) => (a,stream-2,3000)', '(b,stream-1,2000) => (b,stream-2,4000)'],
  windowByHand: ['by hand', ...views(), 'with window', ...views()],
  averageTimestamp: ['by hand', ...averages(), 'with a count window', ...averages()],
  stateTtl: [
    'Mary is greeted at ./home',
    'Mary is at ./cart, and came in at ./home',
    'Mary is at ./fav, and came in at ./home',
    'Bob is greeted at ./home',
    'Mary is back at ./prod?id=1',
    'Cary is greeted at ./home',
    'Mary is greeted at ./home',
  ],
  bufferingSink: batches(),
  ownOperator: ['1 2 3', '4 5 6', '7 8'],
  dynamicPatterns: ["(Alice,Pattern{action1='login', action2='pay'})", "(Bob,Pattern{action1='login', action2='buy'})"],
  configuration: [
    'checkpoint 1 is complete, and the job is cancelled',
    'started again from checkpoint 1',
    ...['Mary pv: 5', 'Bob pv: 4', 'Alice pv: 3', 'Cary pv: 2', 'Bob pv: 7', 'Mary pv: 9', 'Alice pv: 6', 'Cary pv: 3'],
  ],
  angularLike: [
    'the page is opened',
    'page: nothing',
    'page: 1 tea',
    'page: 1 tea, 1 milk',
    'a menu shows the same basket, and the page goes',
    'menu: 1 tea, 1 milk',
    'menu: 1 tea',
    'the page is left, and opened again',
    'page: 1 tea',
    'page: 1 tea, 1 bread',
    'the tab is closed, and opened again',
    'page: 1 tea, 1 bread',
  ],
  nestLike: [
    'status 400',
    'status 202',
    'first: begins',
    'first: writes ada no. 1: 10 euros',
    'first: writes ada no. 2: 5 euros',
    'the process is killed, and started again',
    'second: has ada no. 2: 5 euros',
    'second: goes on from a checkpoint',
    'second: writes ada no. 3: 7 euros',
    'in the table: ada no. 1: 10 euros; ada no. 2: 5 euros; ada no. 3: 7 euros',
  ],
  recovery: [
    'started without a checkpoint',
    'processed (hello,1)',
    'processed (world,1)',
    'processed (hello,2)',
    'checkpoint 1 is complete; committed so far: (hello,1) (world,1) (hello,2)',
    'processed (flink,1)',
    'processed (hello,3)',
    'restored checkpoint 1',
    'processed (flink,1)',
    'processed (hello,3)',
    'processed (world,2)',
    'processed (hello,4)',
    'processed (flink,2)',
    'committed: (hello,1) (world,1) (hello,2) (flink,1) (hello,3) (world,2) (hello,4) (flink,2)',
  ],
}

function views(): readonly string[] {
  const [first, second, third] = [
    '2022-09-22T09:00:00.000Z ~ 2022-09-22T09:00:10.000Z',
    '2022-09-22T09:00:10.000Z ~ 2022-09-22T09:00:20.000Z',
    '2022-09-22T09:00:20.000Z ~ 2022-09-22T09:00:30.000Z',
  ]
  return [
    `url: ./home views: 5 window: ${first}`,
    `url: ./cart views: 2 window: ${first}`,
    `url: ./prod?id=100 views: 2 window: ${first}`,
    `url: ./prod?id=1 views: 1 window: ${first}`,
    `url: ./cart views: 4 window: ${second}`,
    `url: ./prod?id=2 views: 1 window: ${second}`,
    `url: ./home views: 3 window: ${second}`,
    `url: ./prod?id=200 views: 1 window: ${second}`,
    `url: ./prod?id=1 views: 1 window: ${second}`,
    `url: ./cart views: 2 window: ${third}`,
    `url: ./home views: 3 window: ${third}`,
  ]
}

function averages(): readonly string[] {
  return [
    'Mary average timestamp: 2022-09-22T09:00:05.000Z',
    'Bob average timestamp: 2022-09-22T09:00:07.800Z',
    'Alice average timestamp: 2022-09-22T09:00:10.400Z',
  ]
}

function batches(): readonly string[] {
  const event = (user: string, url: string, second: number): string =>
    `Event{user='${user}', url='${url}', timestamp=2022-09-22T09:00:${String(second).padStart(2, '0')}.000Z}`
  const done = '==========done========='
  return [
    event('Mary', './home', 0),
    event('Bob', './cart', 1),
    event('Alice', './prod?id=100', 2),
    event('Mary', './cart', 3),
    event('Bob', './prod?id=1', 4),
    event('Mary', './home', 5),
    event('Alice', './home', 6),
    event('Mary', './prod?id=100', 7),
    event('Cary', './home', 8),
    event('Bob', './home', 9),
    done,
    event('Mary', './cart', 10),
    event('Alice', './cart', 11),
    event('Bob', './prod?id=2', 12),
    event('Bob', './cart', 13),
    event('Mary', './home', 14),
    event('Alice', './prod?id=200', 15),
    event('Cary', './cart', 16),
    event('Bob', './home', 17),
    event('Alice', './home', 18),
    event('Mary', './prod?id=1', 19),
    done,
    event('Alice', './cart', 20),
    event('Mary', './home', 21),
    event('Bob', './home', 22),
    event('Cary', './home', 23),
    event('Mary', './cart', 24),
    done,
  ]
}
