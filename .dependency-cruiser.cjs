/**
 * Who may import whom. Each rule allows by list: what is not named is refused.
 *
 * `test/tidy/layers.test.ts` plants a violation of each rule and sees it caught.
 */
/** The packages that backends are made for, such as an embedded store. A new driver is named here. */
const drivers = ['abstract-level', 'csv-parse', 'lmdb', 'pg', '@types/pg']
const packages = (...names) => `(^|/)node_modules/(${names.join('|')})/`

/** What a folder may import, and a sentence that says so. */
const allows = (name, from, comment, ...allowed) => ({ name, comment, severity: 'error', from: { path: from }, to: { pathNot: allowed } })

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or miss a third.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment: 'Every import leads somewhere.',
      severity: 'error',
      from: { path: '^(index|lib|operators|backends|laws)' },
      to: { couldNotResolve: true },
    },
    {
      name: 'fp-ts-from-its-root',
      comment: "Import { either as E } from 'fp-ts': its subpaths fail in ESM or bundle many times larger.",
      severity: 'error',
      from: {},
      to: { path: '(^|/)node_modules/fp-ts/', pathNot: '(^|/)node_modules/fp-ts/(lib|es6)/index[.](js|d[.]ts)$' },
    },
    {
      name: 'doors-are-for-outside',
      comment: 'Inside, import the file that has the thing, not the door that passes it on.',
      severity: 'error',
      from: { path: '^(lib|operators|backends|laws)/' },
      to: { path: '(^|/)index[.]ts$' },
    },
    allows('root-is-a-door', '^index[.]ts$', 'The root door passes on lib and operators.', '^lib/index[.]ts$', '^operators/index[.]ts$'),
    allows(
      'lib-stands-alone',
      '^lib/',
      'lib imports lib, rxjs, fp-ts, io-ts and @standard-schema/spec; nothing of Node, no other folder.',
      '^lib/',
      packages('rxjs', 'fp-ts', 'io-ts', '@standard-schema/spec'),
    ),
    allows(
      'operators-on-lib',
      '^operators/',
      'operators import lib, operators and rxjs; nothing of Node, no backend, no law.',
      '^(lib|operators)/',
      packages('rxjs'),
    ),
    allows(
      'laws-on-lib',
      '^laws/',
      'laws import lib, laws, rxjs, fp-ts and fast-check; no test runner, operator or backend.',
      '^(lib|laws)/',
      packages('rxjs', 'fp-ts', 'fast-check'),
    ),
    {
      name: 'backends-on-lib',
      comment: 'A backend imports lib, Node, its own folder, its driver, fp-ts, io-ts and lru-cache; no rxjs, no operator, no law.',
      severity: 'error',
      from: { path: '^backends/' },
      to: { dependencyTypesNot: ['core'], pathNot: ['^(lib|backends)/', packages('fp-ts', 'io-ts', 'lru-cache', ...drivers)] },
    },
    {
      name: 'backends-without-siblings',
      comment: 'No backend knows another.',
      severity: 'error',
      from: { path: '^backends/([^/]+)/' },
      to: { path: '^backends/', pathNot: '^backends/$1/' },
    },
    {
      name: 'browser-backends-without-node',
      comment: 'These backends run in browsers too: nothing of Node.',
      severity: 'error',
      from: { path: '^backends/(functions|http|indexeddb|level|memory)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'programs-name-the-package',
      comment: "Programs import 'rxweir' as their users do, never a path into its source.",
      severity: 'error',
      from: { path: '^(bench|examples|docs)/' },
      to: { path: '^(index[.]ts$|(lib|operators|backends|laws|test|dist)/)', dependencyTypesNot: ['aliased', 'npm'] },
    },
  ],
  options: {
    doNotFollow: { path: ['(^|/)node_modules/', '^dist/'] },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
}
